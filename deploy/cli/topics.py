"""`./dachuan topics`: the topic contract applied to Kafka, and topics rebuilt from the outboxes."""

from __future__ import annotations

import asyncio
import json
import os
from typing import Annotated, Any

import typer
from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from deploy.local.instance import Instance, NotRunningError
from deploy.local.outside import Servers
from deploy.local.state import SERVICES
from shared.kit import topics

app = typer.Typer(help="Apply the topic contract to Kafka; rebuild topics from the outboxes.", no_args_is_help=True)


@app.command("list")
def list_(json_: Annotated[bool, typer.Option("--json", help="Facts for programs.")] = False) -> None:
    """Every topic of the contract: who writes it, who reads it, how it is kept."""
    found = topics.load()
    if json_:
        typer.echo(json.dumps([one.model_dump(mode="json", by_alias=True) for one in found], ensure_ascii=False))
        return
    for one in found:
        typer.echo(f"{one.topic:<22} {', '.join(one.producers):<9} → {', '.join(one.consumers) or 'outside readers'}")


@app.command()
def apply(json_: Annotated[bool, typer.Option("--json", help="Facts for programs.")] = False) -> None:
    """Create what is missing of topics, dead-letter topics and rights; nothing is removed that holds data."""
    admin, replication = _kafka()
    changes = topics.apply(admin, topics.load(), replication=replication)
    if json_:
        typer.echo(json.dumps(changes.__dict__, default=list))
        return
    for words, what in (("created", changes.created), ("altered", changes.altered), ("new users", changes.users)):
        if what:
            typer.echo(f"{words}: {', '.join(what)}")
    if changes.granted or changes.revoked:
        typer.echo(f"rights granted {changes.granted}, revoked {changes.revoked}")
    if not any((changes.created, changes.altered, changes.users, changes.granted, changes.revoked)):
        typer.echo("nothing to do: topics and rights are those of the contract")


@app.command()
def rebuild(
    names: Annotated[list[str] | None, typer.Argument(metavar="[TOPIC]...", help="Default: all.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Facts for programs.")] = False,
) -> None:
    """Fill topics anew from the outboxes, in their first order. Consumers skip what they have applied.

    The databases are the ledger: this is how Kafka comes back after its data were lost. Topics are never emptied
    here: a running consumer's place in an emptied topic could pass over new events.
    """
    known = {one.topic: one for one in topics.load()}
    chosen = names or list(known)
    unknown = [name for name in chosen if name not in known]
    if unknown:
        typer.echo(f"no such topic: {', '.join(unknown)}; there are: {', '.join(known)}", err=True)
        raise typer.Exit(2)
    admin, replication = _kafka()
    topics.apply(admin, topics.load(), replication=replication)
    sent = asyncio.run(_refill(chosen, quiet=json_))
    typer.echo(json.dumps({"events": sent}) if json_ else f"rebuilt: {sum(sent.values())} events sent again")


def _kafka() -> tuple[dict[str, str], int]:
    outside = Servers.from_settings(os.environ)
    if outside:
        return outside.kafka_admin, outside.replication
    try:
        return Instance.running().kafka_admin, 1
    except NotRunningError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


async def _refill(names: list[str], quiet: bool) -> dict[str, int]:
    """Mark the events of the topics unsent, and wait until the relays have sent them."""
    instance = Instance.running()
    engines = {name: create_async_engine(instance.database_url(name)) for name in SERVICES}
    sent: dict[str, int] = {}
    try:
        for service, engine in engines.items():
            sent[service] = await _mark_unsent(engine, names)
        while True:
            left = {service: await _unsent(engine, names) for service, engine in engines.items()}
            if not quiet:
                typer.echo(f"  {sum(sent.values()) - sum(left.values())} of {sum(sent.values())}", err=True)
            if not any(left.values()):
                return sent
            await asyncio.sleep(1)
    finally:
        for engine in engines.values():
            await engine.dispose()


async def _mark_unsent(engine: AsyncEngine, names: list[str]) -> int:
    async with engine.begin() as conn:
        done: Any = await conn.execute(
            text("UPDATE outbox SET sent_at = NULL WHERE topic IN :names").bindparams(
                bindparam("names", expanding=True)
            ),
            {"names": names},
        )
        await conn.execute(text("SELECT pg_notify('outbox', '')"))
    return done.rowcount


async def _unsent(engine: AsyncEngine, names: list[str]) -> int:
    query = text("SELECT count(*) FROM outbox WHERE sent_at IS NULL AND topic IN :names")
    async with engine.connect() as conn:
        return (await conn.execute(query.bindparams(bindparam("names", expanding=True)), {"names": names})).scalar_one()
