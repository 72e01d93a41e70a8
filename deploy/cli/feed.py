"""`./dachuan feed`: the scoring ledger checked against its signed checkpoints."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from deploy.local.instance import Instance, NotRunningError

app = typer.Typer(help="Check the scoring ledger against its signed checkpoints.", no_args_is_help=True)

_CHINA = ZoneInfo("Asia/Shanghai")
TOPIC = "scoring.checkpoint.v1"
CHECKPOINT = "dachuan.ledger.checkpoint.v1"


@app.callback()
def _group() -> None:
    """Check the scoring ledger against its signed checkpoints."""


@app.command()
def verify(
    json_: Annotated[bool, typer.Option("--json", help="Facts for programs.")] = False,
    key: Annotated[
        list[str] | None,
        typer.Option("--key", help="A verifier key as published (name+hash+key); default: this instance's own."),
    ] = None,
    notes: Annotated[
        Path | None, typer.Option("--notes", help="A file of checkpoints kept by another, one JSON a line.")
    ] = None,
    kafka: Annotated[bool, typer.Option(help="Also take the checkpoints on the topic.")] = True,
) -> None:
    """Hash every entry anew and compare with all signed checkpoints; then sum up the standings anew.

    The checkpoints come from the folder (or bucket) outside the database, from Kafka and from `--notes`. Ends with 1
    when anything a checkpoint covers was edited, removed, inserted, reordered or cut off. Prints the window that no
    checkpoint covers yet: about the last minute.
    """
    try:
        instance = Instance.running()
    except NotRunningError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    told, sound = asyncio.run(_verify(instance, key or [], notes, kafka))
    typer.echo(json.dumps(told, ensure_ascii=False, default=_plain) if json_ else _words(told))
    raise typer.Exit(0 if sound else 1)


async def _verify(instance: Instance, named: list[str], notes: Path | None, kafka: bool) -> tuple[dict[str, Any], bool]:
    from services.scoring.adapters.outside import Outside
    from services.scoring.commands.checkpoints import KEY
    from services.scoring.queries.verification import verify as check
    from shared.kit.crypto import KeyRing

    keys = [_key(one) for one in named]
    if not keys:
        keys = list(KeyRing.load(instance.secrets.keys_file("scoring"), "scoring").public_keys(KEY).values())
    store = Outside(instance.state.objects / "scoring")
    known = [one async for one in store.notes()]
    sources = {"folder": len(known)}
    if kafka:
        found = _on_kafka(instance.kafka_admin)
        sources["kafka"] = len(found)
        known += found
    if notes is not None:
        found = [(one["number"], one["note"]) for one in map(json.loads, notes.read_text().splitlines())]
        sources["notes"] = len(found)
        known += found
    engine = create_async_engine(instance.database_url("scoring"))
    try:
        async with engine.begin() as conn:
            await conn.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            await conn.execute(text("SET LOCAL statement_timeout = 0"))
            verdict = await check(conn, known, keys, frozen=await store.frozen())
    finally:
        await engine.dispose()
    return {**verdict.told(), "sources": sources}, verdict.sound


def _key(verifier: str) -> Ed25519PublicKey:
    import base64

    raw = base64.b64decode(verifier.split("+", 2)[-1])
    if len(raw) != 33 or raw[0] != 1:
        raise typer.BadParameter("not a verifier key: name+hash+base64", param_hint="--key")
    return Ed25519PublicKey.from_public_bytes(raw[1:])


def _on_kafka(admin: dict[str, str]) -> list[tuple[int, str]]:
    """Every checkpoint on the topic."""
    reader = Consumer(admin | {"group.id": "dachuan-verify", "enable.auto.commit": False, "enable.partition.eof": True})
    found: list[tuple[int, str]] = []
    try:
        about = reader.list_topics(TOPIC, timeout=15).topics[TOPIC]
        if about.error:
            return []
        reader.assign([TopicPartition(TOPIC, number, OFFSET_BEGINNING) for number in about.partitions])
        ended: set[int] = set()
        while len(ended) < len(about.partitions):
            for message in reader.consume(500, timeout=10):
                if message.error() is None:
                    if dict(message.headers() or []).get("ce_type") == CHECKPOINT.encode():
                        data = json.loads(message.value() or b"{}")
                        found.append((data["number"], data["note"]))
                elif message.error().code() == KafkaError._PARTITION_EOF:
                    ended.add(message.partition() or 0)
                else:
                    raise typer.BadParameter(f"Kafka: {message.error()}")
    finally:
        reader.close()
    return found


def _plain(value: object) -> str:
    """A value for JSON; a moment as RFC 3339 has it."""
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _moment(value: object) -> str:
    """A moment by China's clock, as every other time here."""
    return f"{value.astimezone(_CHINA):%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else str(value)


def _words(told: dict[str, Any]) -> str:
    lines = [
        f"台账 {told['entries']} 条；{told['checkpoints']} 个检查点，覆盖 {told['covered']} 条（至第 {told['covered_seq']} 号，{_moment(told['newest']) if told['newest'] else '—'}）",
        f"ledger {told['entries']} entries; {told['checkpoints']} checkpoints cover {told['covered']} (to seq {told['covered_seq']})",
    ]
    if told["open_entries"]:
        lines.append(
            f"尚未覆盖 not yet covered: {told['open_entries']} (seq {told['open_seq_from']}–{told['open_seq_to']}, "
            f"{_moment(told['open_from'])} – {_moment(told['open_to'])})"
        )
    else:
        lines.append("尚未覆盖 not yet covered: 0")
    lines += [f"✗ {one['zh']}  {one['en']}" for one in told["wrong"]]
    if not told["wrong"]:
        lines.append("✓ 未发现改动  nothing was changed")
    return "\n".join(lines)
