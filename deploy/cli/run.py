"""`./dachuan up | down | status | logs | reset`: the local instance from the command line."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.status import Status

from deploy.local.instance import Instance, known_services, only_one
from deploy.local.process import Records
from deploy.local.state import REPOSITORY, SERVICES, State

app = typer.Typer()


@app.command()
def up(
    demo: Annotated[bool, typer.Option(help="Also bring in the shipped sample messages.")] = False,
    detach: Annotated[bool, typer.Option(help="Return when everything is ready; stop with `down`.")] = False,
    port_base: Annotated[int, typer.Option(envvar="DACHUAN_PORT_BASE", help="First of the ports used.")] = 8400,
    env_file: Annotated[Path | None, typer.Option(help="Settings, one NAME=VALUE a line.", exists=True)] = None,
) -> None:
    """Start everything on this machine and print the address; Ctrl-C stops it.

    With DACHUAN_POSTGRES_ADMIN_URL and DACHUAN_KAFKA_BOOTSTRAP set (environment or --env-file), those servers are
    used and nothing is embedded.
    """
    if env_file:
        from dotenv import dotenv_values

        os.environ.update({name: value or "" for name, value in dotenv_values(env_file).items()})
    if detach:
        _detached(demo, port_base, env_file)
        return
    _foreground(demo, port_base)


def _foreground(demo: bool, port_base: int) -> None:
    from deploy.local.up import AlreadyRunningError, PortTakenError
    from deploy.local.up import up as run

    state = State.default()
    progress = _Progress()
    try:
        run(state, base=port_base, settings=os.environ, say=progress, sample=demo, greeted=progress.stop)
    except AlreadyRunningError:
        progress.stop()
        _already(state)
    except PortTakenError as error:
        progress.stop()
        typer.echo(f"{error}\nNothing was started. Choose other ports with --port-base.", err=True)
        raise typer.Exit(2) from None
    except (RuntimeError, ValueError, OSError) as error:
        progress.stop()
        typer.echo(f"dachuan: {error}", err=True)
        raise typer.Exit(1) from None
    finally:
        progress.stop()


class _Progress:
    """Lines as they come; on a terminal, a sign of life below them until `stop`."""

    def __init__(self) -> None:
        self._status: Status | None = None
        self._console: Console | None = None
        if sys.stdout.isatty():
            self._console = Console(highlight=False)
            self._status = self._console.status("正在启动 starting …")
            self._status.start()

    def __call__(self, line: str) -> None:
        if self._console:
            self._console.print(f"  {line}", markup=False)
        else:
            typer.echo(f"  {line}")

    def stop(self) -> None:
        if self._status:
            self._status.stop()


def _already(state: State) -> None:
    instance = Instance.read(state)
    if instance and instance.phase == "ready":
        typer.echo(f"already running: {instance.address}")
        return
    typer.echo("another ./dachuan up is starting or stopping here", err=True)
    raise typer.Exit(1)


def _detached(demo: bool, port_base: int, env_file: Path | None) -> None:
    """Run `up` as a process of its own, show what it says until it is ready."""
    state = State.default()
    state.prepare()
    current = Instance.read(state)
    if current and current.phase == "ready":
        _already(state)
        return
    log = state.logs / "up.log"
    command = [sys.executable, "-P", "-m", "deploy.cli", "up", "--port-base", str(port_base)]
    command += ["--demo"] if demo else []
    command += ["--env-file", str(env_file.resolve())] if env_file else []
    with open(log, "ab") as output:
        shown = output.tell()
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    while True:
        ended = child.poll()
        instance = Instance.read(state)
        ready = instance is not None and instance.supervisor.pid == child.pid and instance.greeted
        with open(log, "rb") as file:
            file.seek(shown)
            text = file.read()
            shown += len(text)
        typer.echo(text.decode("utf-8", "replace"), nl=False)
        if ready:
            return
        if ended is not None:
            raise typer.Exit(ended)
        time.sleep(0.1)


@app.command()
def down() -> None:
    """Stop what `up` started: services, then Kafka, then PostgreSQL."""
    if not stop_instance(State.default()):
        typer.echo("nothing was running")


def stop_instance(state: State) -> bool:
    """Stop the instance of a state folder and whatever an earlier one left. False when there was nothing."""
    instance = Instance.read(state)
    found = False
    process = instance.supervisor.process() if instance else None
    if process and process.pid != os.getpid():
        found = True
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(90)
        except Exception:
            process.kill()
            process.wait(10)
        typer.echo("stopped")
    with only_one(state) as lock:
        if lock is not None:
            for name in Records(state.run).end_leftovers():
                found = True
                typer.echo(f"ended a left-over {name}")
    return found


@app.command()
def status(json_: Annotated[bool, typer.Option("--json", help="Facts for programs.")] = False) -> None:
    """What runs, where, and how it is. Exit code 0: all ready; 3: not."""
    state = State.default()
    instance = Instance.read(state)
    facts = _facts(instance)
    if json_:
        typer.echo(json.dumps(facts, indent=1))
    else:
        typer.echo(f"{facts['phase']}  {facts.get('address', '')}".rstrip())
        if facts.get("trouble"):
            typer.echo(f"  {facts['trouble']}")
        for name, part in facts["parts"].items():
            where = f"{part.get('url') or part.get('port', '')}"
            typer.echo(f"  {name:<10} {part['state']:<10} {where:<24} process {part['pid'] or '-'}")
    raise typer.Exit(0 if facts["ready"] else 3)


def _facts(instance: Instance | None) -> dict[str, object]:
    from deploy.local.kafka import answers
    from deploy.local.ports import taken
    from deploy.local.supervisor import probe

    if instance is None:
        return {"phase": "stopped", "ready": False, "parts": {}}
    parts: dict[str, dict[str, object]] = {}

    def part(name: str, port: int | None, ready: bool, url: str | None = None) -> None:
        identity = instance.records.get(name)
        process = identity.process() if identity else None
        word = "ready" if process and ready else "not ready" if process else "stopped"
        parts[name] = {"state": word, "pid": process.pid if process else None, "port": port, "url": url}

    if instance.servers is None:
        assert instance.postgres_port and instance.kafka_port
        part("postgres", instance.postgres_port, taken(instance.postgres_port))
        part("kafka", instance.kafka_port, answers(instance.kafka_port))
    for name in SERVICES:
        part(name, instance.ports[name], probe(instance.ports[name], "ready"), instance.url(name))
    ready = instance.phase == "ready" and all(one["state"] == "ready" for one in parts.values())
    return {
        "phase": instance.phase,
        "ready": ready,
        "address": instance.address,
        "embedded": instance.servers is None,
        "supervisor": instance.supervisor.pid if instance.alive else None,
        "trouble": instance.trouble,
        "phases": instance.phases,
        "parts": parts,
    }


@app.command()
def logs(
    service: Annotated[str, typer.Argument(help=" | ".join(known_services()))],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines come.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last lines.")] = 50,
) -> None:
    """Show a log."""
    if service not in known_services():
        typer.echo(f"no log {service}; there are: {', '.join(known_services())}", err=True)
        raise typer.Exit(2)
    log = State.default().logs / f"{service}.log"
    if not log.exists():
        typer.echo(f"{service} has written no log yet", err=True)
        raise typer.Exit(1)
    with open(log, "rb") as file:
        file.seek(max(0, log.stat().st_size - 400 * max(1, lines)))
        for line in file.read().decode("utf-8", "replace").splitlines()[-lines:]:
            typer.echo(line)
        while follow:
            text = file.read()
            if text:
                typer.echo(text.decode("utf-8", "replace"), nl=False)
                continue
            if log.stat().st_size < file.tell():
                file.seek(0)
            try:
                time.sleep(0.3)
            except KeyboardInterrupt:
                return


@app.command()
def reset(yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False) -> None:
    """Stop, and delete all local data, secrets and logs. The environment and Kafka's jars stay."""
    state = State.default()
    if not yes:
        typer.confirm(f"Delete all data, secrets and logs in {state.root}?", abort=True)
    stop_instance(state)
    with only_one(state) as lock:
        if lock is None:
            typer.echo("an instance is starting here; nothing was deleted", err=True)
            raise typer.Exit(1)
        for folder in (state.postgres, state.kafka, state.objects, state.logs, state.secrets):
            shutil.rmtree(folder, ignore_errors=True)
        for file in state.run.glob("*.json"):
            file.unlink()
    typer.echo("deleted")
