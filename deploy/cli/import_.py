"""`./dachuan import FILE`: messages of another system, handed in through the public agency API."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from deploy.cli.client import Client, ClientError, problem_text
from deploy.cli.rows import Row, UnreadableFileError, read_rows
from deploy.local.state import State

app = typer.Typer()

IN_FLIGHT = 3
"""Requests under way at once: one being answered, one waiting, one being made."""


@dataclass
class Outcome:
    """What became of a file."""

    file: str
    plan: str
    channel: str
    dry_run: bool
    rows: int = 0
    skipped: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    example: str | None = None
    rejects: list[tuple[int, str, str, str]] = field(default_factory=list)

    def add(self, row: Row, answer: dict[str, Any]) -> None:
        """Count one row's answer."""
        self.counts[answer["status"]] += 1
        tip = answer["tip"]
        if tip is None:
            problem = answer["problem"]
            for error in problem.get("errors") or [{"field": "", "message": problem.get("detail", "")}]:
                self.rejects.append((row.number, row.ref, error["field"], error["message"]))
            return
        self.counts[tip["state"]] += 1
        self.counts["urgent"] += tip["urgent"]
        # an example must be there to be followed
        there = not self.dry_run or answer["status"] == "replayed"
        if there and tip["state"] == "lead" and (self.example is None or tip["urgent"]):
            self.example = tip["tip_id"]

    def facts(self, rejects_file: Path | None) -> dict[str, Any]:
        """For `--json`."""
        return {
            "file": self.file,
            "plan": self.plan,
            "channel": self.channel,
            "dry_run": self.dry_run,
            "rows": self.rows,
            "resumed_after": self.skipped,
            "created": self.counts["created"],
            "already_there": self.counts["replayed"],
            "rejected": self.counts["rejected"],
            "leads": self.counts["lead"],
            "referred": self.counts["referred"],
            "urgent": self.counts["urgent"],
            "rejects_file": str(rejects_file) if rejects_file else None,
            "example": self.example,
        }


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="JSONL, CSV or XLSX.", exists=True, dir_okay=False)],
    plan: Annotated[str, typer.Option(help="The plan the messages belong to.")] = "dayong",
    channel: Annotated[str, typer.Option(help="How they came in: message-board, 12345, hotline, …")] = "import",
    dry_run: Annotated[bool, typer.Option(help="Check, read and route everything; keep nothing.")] = False,
    rejects: Annotated[Path | None, typer.Option(help="Where rejected rows go (row, id, field, reason).")] = None,
    batch: Annotated[int, typer.Option(min=1, max=500, help="Rows in one request.")] = 250,
    json_: Annotated[bool, typer.Option("--json", help="Facts for programs.")] = False,
) -> None:
    """Hand in every message of a file. Safe to repeat: nothing doubles. A broken-off import goes on where it was."""
    try:
        rows = list(read_rows(file))
    except UnreadableFileError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    try:
        client = Client.here()
    except ClientError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    journal = _Journal(file, plan, channel, dry_run)
    outcome = Outcome(str(file), plan, channel, dry_run, rows=len(rows), skipped=journal.done)
    try:
        asyncio.run(_run(client, rows, outcome, journal, batch, quiet=json_))
    except ClientError as error:
        typer.echo(f"{error}\nWhat was confirmed is kept; run the same command again to go on.", err=True)
        raise typer.Exit(1) from None
    journal.finish()
    rejects_file = _write_rejects(rejects or file.with_name(f"{file.stem}.rejects.csv"), outcome)
    if json_:
        typer.echo(json.dumps(outcome.facts(rejects_file), ensure_ascii=False))
    else:
        _tell(outcome, rejects_file)
    raise typer.Exit(3 if outcome.counts["rejected"] else 0)


class _Journal:
    """How far an import got, so that a broken-off one goes on from there."""

    def __init__(self, file: Path, plan: str, channel: str, dry_run: bool) -> None:
        digest = hashlib.sha256(file.read_bytes() + f"\0{plan}\0{channel}".encode()).hexdigest()[:24]
        self._path = None if dry_run else State.default().run / f"import-{digest}.json"
        self.done = 0
        if self._path and self._path.exists():
            self.done = int(json.loads(self._path.read_text())["done"])

    def advance(self, done: int) -> None:
        self.done = done
        if self._path:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(json.dumps({"done": done}))

    def finish(self) -> None:
        if self._path:
            self._path.unlink(missing_ok=True)


async def _run(client: Client, rows: list[Row], outcome: Outcome, journal: _Journal, size: int, quiet: bool) -> None:
    todo = rows[journal.done :]
    with _progress(quiet) as bar:
        task = bar.add_task(Path(outcome.file).name, total=len(rows), completed=journal.done)
        waiting: list[tuple[list[Row], asyncio.Task[httpx.Response | None]]] = []
        try:
            for part in _parts(todo, size):
                waiting.append((part, asyncio.create_task(_send(client, part, outcome))))
                if len(waiting) >= IN_FLIGHT:
                    await _settle(waiting.pop(0), outcome, journal, bar, task)
            while waiting:
                await _settle(waiting.pop(0), outcome, journal, bar, task)
        finally:
            for _, one in waiting:
                one.cancel()
            await client.close()


def _parts(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    rest = iter(rows)
    while part := list(islice(rest, size)):
        yield part


async def _send(client: Client, part: list[Row], outcome: Outcome) -> httpx.Response | None:
    tips = [row.tip for row in part if row.tip]
    if not tips:
        return None
    return await client.call(
        "intake",
        "/v1/tips/batch",
        {"plan": outcome.plan, "channel": outcome.channel, "tips": tips},
        dry_run=str(outcome.dry_run).lower(),
    )


async def _settle(
    sent: tuple[list[Row], asyncio.Task[httpx.Response | None]],
    outcome: Outcome,
    journal: _Journal,
    bar: Progress,
    task: Any,
) -> None:
    part, pending = sent
    answer = await pending
    if answer is not None and answer.status_code != 200:
        raise ClientError(f"intake refused rows {part[0].number}–{part[-1].number}: {problem_text(answer)}")
    answers = iter(answer.json()["rows"] if answer is not None else [])
    for row in part:
        if row.tip:
            outcome.add(row, next(answers))
        else:
            outcome.counts["rejected"] += 1
            outcome.rejects.append((row.number, "", row.field, row.reason))
    journal.advance(journal.done + len(part))
    bar.update(task, completed=journal.done)


def _progress(quiet: bool) -> Progress:
    console = Console(file=sys.stderr)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=quiet or not console.is_terminal,
    )


def _write_rejects(path: Path, outcome: Outcome) -> Path | None:
    if not outcome.rejects:
        return None
    try:
        with open(path, "w", newline="", encoding="utf-8-sig") as file:
            writer = csv.writer(file)
            writer.writerow(["row", "id", "field", "reason"])
            writer.writerows(outcome.rejects)
    except OSError:
        # beside a file in a folder that cannot be written
        return _write_rejects(State.default().run / path.name, outcome)
    return path


def _tell(outcome: Outcome, rejects_file: Path | None) -> None:
    counts = outcome.counts
    kept = "would be kept" if outcome.dry_run else "new"
    typer.echo(
        f"{outcome.rows} messages: {counts['created']} {kept}, {counts['replayed']} already there, "
        f"{counts['rejected']} rejected"
    )
    if outcome.skipped:
        typer.echo(f"  went on after row {outcome.skipped}, where an earlier run had stopped")
    typer.echo(
        f"  线索 leads {counts['lead']} (紧急 urgent {counts['urgent']}), "
        f"不属传销 belong elsewhere {counts['referred']}"
    )
    if rejects_file:
        typer.echo(f"  rejected rows, with field and reason: {rejects_file}")
    if outcome.example:
        typer.echo(f"  follow one: ./dachuan trace {outcome.example}")
