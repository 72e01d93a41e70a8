"""`./dachuan trace RECEIPT-OR-ID`: one tip's whole journey over the four services, like a parcel's."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.markup import escape

from deploy.cli.client import Client, ClientError, problem_text
from deploy.local.state import SERVICES

app = typer.Typer()

_CHINA = ZoneInfo("Asia/Shanghai")


@app.command()
def trace(
    what: Annotated[str, typer.Argument(help="A receipt, or the id of a tip, lead, case, notice or score entry.")],
    json_: Annotated[bool, typer.Option("--json", help="Facts for programs.")] = False,
) -> None:
    """Print every step with its time, service and what came of it."""
    try:
        steps = asyncio.run(journey(Client.here(), what))
    except ClientError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    if json_:
        typer.echo(json.dumps({"query": "receipt" if _is_receipt(what) else what, "steps": steps}, ensure_ascii=False))
    elif steps:
        _show(steps)
    else:
        typer.echo("nothing is known under this receipt or id, or it is not in your reach", err=True)
    raise typer.Exit(0 if steps else 4)


def _is_receipt(what: str) -> bool:
    return sum(c.isdigit() for c in what) == 16 and not any(c.isalpha() for c in what)


async def journey(client: Client, what: str) -> list[dict[str, Any]]:
    """Ask every service for what it knows, and again for the ids the others name, until nothing new comes."""
    asked: dict[str, set[str]] = {service: set() for service in SERVICES}
    known, steps = {what}, {}
    try:
        while any(known - asked[service] for service in SERVICES):
            for service in SERVICES:
                new = sorted(known - asked[service])[:50]
                if not new:
                    continue
                asked[service].update(new)
                answer = await client.call(service, "/v1/trace", {"ids": new})
                if answer.status_code != 200:
                    raise ClientError(f"{service}: {problem_text(answer)}")
                told = answer.json()
                known.update(told["related"])
                for step in told["steps"]:
                    steps[service, step["step"], step["object_id"], step["at"]] = step
    finally:
        await client.close()
    order = ("intake", "casework", "notify", "scoring")
    return sorted(steps.values(), key=lambda s: (datetime.fromisoformat(s["at"]), order.index(s["service"])))


_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})")


def said(value: object) -> str:
    """A fact as it is printed: a moment in China time, as every other time here; anything else as it is."""
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        return str(value)
    return f"{datetime.fromisoformat(value).astimezone(_CHINA):%Y-%m-%dT%H:%M:%S%z}"


def _show(steps: list[dict[str, Any]]) -> None:
    console = Console(soft_wrap=True, highlight=False)
    first = datetime.fromisoformat(steps[0]["at"])
    for step in steps:
        at = datetime.fromisoformat(step["at"])
        after = (at - first).total_seconds()
        facts = "  ".join(f"{k}={said(v)}" for k, v in step["facts"].items() if v not in (None, ""))
        when = f"{at.astimezone(_CHINA):%m-%d %H:%M:%S} +{after:.2f}s"
        console.print(f"{when}  {step['service']:<8}  [bold]{escape(step['title_zh'])}[/] / {escape(step['title_en'])}")
        console.print(f"    [dim]{escape(' '.join((step['object_type'], step['object_id'], '', facts)).rstrip())}[/]")
