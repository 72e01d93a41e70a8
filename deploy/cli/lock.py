"""`./dachuan lock`: write every lock file anew, hashes and all, from what `pyproject.toml` and the jar list ask for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from deploy.local import jars
from deploy.local.state import REPOSITORY, State

app = typer.Typer()


@app.command()
def lock(
    upgrade: Annotated[bool, typer.Option(help="Take newer versions where pyproject.toml allows.")] = False,
) -> None:
    """Write requirements.txt, requirements-test.txt and Kafka's jar lock. No download address is written."""
    for extra, target in (((), "requirements.txt"), (("--extra", "test"), "requirements-test.txt")):
        _compile([*extra, *(["--upgrade"] if upgrade else [])], "pyproject.toml", REPOSITORY / target)
    _compile(["--upgrade"] if upgrade else [], "-", REPOSITORY / "deploy" / "local" / "uv.txt", "uv")
    count = jars.write_lock(State.default().jars)
    typer.echo(f"requirements.txt, requirements-test.txt, uv and {count} jars locked")


def _compile(options: list[str], source: str, target: Path, text: str | None = None) -> None:
    uv = Path(sys.executable).parent / "uv"
    command = [uv, "pip", "compile", source, "--universal", "--generate-hashes", "--python-version", "3.11"]
    command += ["--custom-compile-command", "./dachuan lock", "--no-emit-index-url", "--quiet"]
    done = subprocess.run([*command, *options, "--output-file", target], cwd=REPOSITORY, input=text, text=True)
    if done.returncode:
        raise typer.Exit(done.returncode)
