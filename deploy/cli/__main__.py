"""`python -m deploy.cli`: what `./dachuan` hands over to. Each command lives in one module, loaded when asked for."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable

import typer

COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("run", "Start everything on this machine: databases, Kafka, the four services."),
    "down": ("run", "Stop what `up` started."),
    "status": ("run", "What runs, where, and how it is."),
    "logs": ("run", "Show a service's log."),
    "reset": ("run", "Stop and delete all local data."),
    "import": ("import_", "Bring in messages from a file through the agency API."),
    "triage": ("triage", "Try the reading of messages."),
    "trace": ("trace", "Follow one tip through the four services."),
    "documents": ("documents", "Check the kinds of documents and their Word templates; restore default templates."),
    "procedures": ("procedures", "Check the tables of proceedings (states, steps, clocks), or list them."),
    "plan": ("plan", "Check the plans of towns and cities, or make a new one."),
    "rules": ("rules", "Check rulebooks, compare versions, try one on what happened."),
    "topics": ("topics", "Apply the topic contract to Kafka; rebuild topics from the outboxes."),
    "feed": ("feed", "Check the scoring ledger against its signed checkpoints."),
    "contracts": ("contracts", "Write and check the published contracts: events and HTTP."),
    "dlq": ("dlq", "List, show and redrive what could not be handled."),
    "bench": ("bench", "Measure speed, with the machine's bare limit in the same run."),
    "test": ("test", "Run every check and test."),
    "lock": ("lock", "Write the lock files anew."),
}
"""Command → (module in this package, one line for --help). A module has `app`, a typer app: either with a command of
that name, or with one command, or a group of its own."""


def main() -> None:
    """Parse the command line; load only the module of the command that is asked for."""
    asked = next((word for word in sys.argv[1:] if not word.startswith("-")), None)
    app = typer.Typer(
        name="dachuan",
        help="打传 Dachuan: towns and cities fight pyramid selling together.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_root)
    for name, (module, line) in COMMANDS.items():
        if name == asked:
            _mount(app, name, module, line)
        else:
            app.command(name, help=line)(_other)
    app(prog_name="dachuan")


def _root() -> None:
    """打传 Dachuan: towns and cities fight pyramid selling together."""


def _other() -> None:
    """Stands for a command that was not asked for, in the list of --help."""


def _mount(app: typer.Typer, name: str, module: str, line: str) -> None:
    part: typer.Typer = importlib.import_module(f"deploy.cli.{module}").app
    named = [one for one in part.registered_commands if (one.name or _word(one.callback)) == name]
    if not named and len(part.registered_commands) == 1 and not part.registered_groups and not part.registered_callback:
        named = part.registered_commands
    if named:
        named[0].name = name
        app.registered_commands.append(named[0])
    else:
        app.add_typer(part, name=name, help=line)


def _word(function: Callable[..., object] | None) -> str:
    return function.__name__.rstrip("_").replace("_", "-") if function else ""


if __name__ == "__main__":
    main()
