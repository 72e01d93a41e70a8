"""`./dachuan test`: style, import rules and every test; what cannot run here is said, with the reason."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli import tools
from deploy.local import archive, jars
from deploy.local.state import REPOSITORY, State

app = typer.Typer()


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def test(
    context: typer.Context,
    long: Annotated[bool, typer.Option("--long", help="Also the long tests: fifty kills instead of five.")] = False,
    serial: Annotated[bool, typer.Option("--serial", help="One test after the other, in one process.")] = False,
) -> None:
    """Run every check and test. Further words go to pytest: a file, -k NAME, -x, …

    With CI=true nothing may be left out: what cannot be installed fails. In a whole run a test that fails is run once
    more, as two processes share the machine; the summary names each such test (RERUN), and one that fails twice fails.
    """
    ci = os.environ.get("CI") == "true"
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    missing = tools.ensure(_say)
    env["PATH"] = tools.search_path()
    for line in missing:
        _say(line + ("" if ci else "; its tests are skipped"))
    jars.class_path(State.default().jars)
    archive.ensure(State.default().jars)

    failed = [line for line in missing if ci]
    if not context.args:
        for name, command in (
            ("ruff check", [_tool("ruff"), "check", "--quiet", "."]),
            ("import rules", [_tool("lint-imports"), "--cache-dir", str(State.default().root / "cache" / "imports")]),
        ):
            if subprocess.run([*command], cwd=REPOSITORY, env=env, stdout=sys.stderr).returncode:
                failed.append(name)
                _say(f"{name}: failed")
            else:
                _say(f"{name}: passed")
    # In the order of their folders: the few tests of whole instances take longest and must not be the last to begin.
    spread = [] if serial or "-n" in context.args else ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
    again = [] if context.args else ["--reruns", "1"]
    command = [sys.executable, "-m", "pytest", *spread, *again, *(["--long"] if long else []), *context.args]
    named = any(Path(word.split("::")[0]).exists() for word in context.args)
    sys.stdout.flush()
    code = subprocess.run(command, cwd=None if named else REPOSITORY, env=env).returncode
    # pytest's own summary stays the last line of what is printed.
    raise typer.Exit(code or (1 if failed else 0))


def _tool(name: str) -> Path:
    return Path(sys.executable).parent / name


def _say(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)
