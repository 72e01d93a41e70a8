"""Scoring at full size: a rebuild from the topics beside its bare limit, and a large ledger (`ledger.py`).

On a PostgreSQL and a Kafka of its own without services, so that nothing else reads the topics meanwhile.
"""

from __future__ import annotations

import asyncio
import io
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaConsumer
from confluent_kafka import Producer

from deploy.bench import ledger
from deploy.local.cluster import Cluster, temporary
from deploy.local.databases import plain
from deploy.local.services import specs
from deploy.local.state import REPOSITORY, SERVICES

REBUILD_WANTED = 20_000
FIRST = datetime(2025, 1, 1, 1, 0, tzinfo=UTC)


@contextmanager
def _cluster() -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="dachuan-bench-"))
    cluster = temporary(folder, migrating=True)
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _scoring(cluster: Cluster) -> Any:
    secrets = cluster.secrets
    made = specs(
        ports=cluster.ports.services,
        backing=cluster.backing,
        logins=secrets.logins,
        kafka_passwords=secrets.kafka_users,
        keys_file={name: secrets.keys_file(name) for name in SERVICES},
        jwks_file=secrets.jwks_file,
        token_key_file=secrets.token_key_file,
        objects=cluster.state.objects,
    )
    return next(one for one in made if one.name == "scoring")


def measure(events: int, entries: int, rounds: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Both measurements, one after the other; the ledger is left out with no `entries`."""
    figures: dict[str, Any] = {"cores": os.cpu_count()}
    if events:
        with _cluster() as cluster:
            figures["rebuild"] = _rebuild(cluster, events, say)
    if entries:
        with _cluster() as cluster:
            figures["ledger"] = asyncio.run(_ledger(cluster, entries, rounds, say))
    return figures


async def _ledger(cluster: Cluster, entries: int, rounds: int, say: Callable[[str], None]) -> dict[str, dict[str, float]]:
    say(f"{entries:,} entries …")
    spec, owner = _scoring(cluster), cluster.secrets.logins["scoring"].owner_url(cluster.postgres_address)
    await ledger.fill(owner, entries, say)
    async with ledger.serving(cluster, spec, entries, say) as url:
        return await ledger.ask(cluster, url, owner, rounds, say)


# the rebuild


def _told(count: int) -> Iterator[tuple[str, str, bytes, dict[str, bytes]]]:
    """Events of casework as its relay writes them: of each case its opening, what each of its two agencies did."""
    from shared.events.casework import CaseAccepted, CaseOpened, DeadlineMissed
    from shared.events.common import DeadlineFact
    from shared.kit import kafka

    def sent(data: Any, number: int, at: datetime) -> tuple[str, str, bytes, dict[str, bytes]]:
        row = SimpleNamespace(
            id=UUID(int=(0x7C << 120) | number), type=data.TYPE, time=at, recordedat=at, key=data.key,
            traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", data=data.model_dump_json().encode(),
        )  # fmt: skip
        message = kafka.encode(row, "/dachuan/casework")
        return data.topic, data.key, message.value, dict(message.headers)  # type: ignore[return-value, arg-type]

    made = case = 0
    while made < count:
        at = FIRST + timedelta(minutes=case)
        case_id = UUID(int=(0x7D << 120) | case)
        owed = tuple(
            DeadlineFact(
                deadline_id=UUID(int=(0x7E << 120) | case << 4 | n), kind="acceptance", agency=agency, unit=unit,
                rule="plan-acceptance", calendar="2025", start=at, due=at + timedelta(days=7),
            )
            for n, (agency, unit) in enumerate((("police", "economic_crime"), ("commerce", "enforcement")))
        )  # fmt: skip
        common: dict[str, Any] = {"case_id": case_id, "plan": "dayong", "area": "dayong-antang", "urgent": False}
        common["number"] = f"测传联〔2025〕{case:07d}号"
        yield sent(
            CaseOpened(
                **common, lead_id=case_id, kinds=("headcount",), parties=(), deadlines=owed, received_at=at, opened_at=at,
                dataref=f"http://casework.example/v1/cases/{case_id}",
            ),
            made, at,
        )  # fmt: skip
        made += 1
        for n, fact in enumerate(owed):
            later = at + timedelta(days=1)
            of = common | {"agency": fact.agency, "unit": fact.unit, "deadline": fact}
            if n and case % 10 == 0:
                yield sent(DeadlineMissed(**of, missed_at=later), made, later)
                made += 1
            yield sent(CaseAccepted(**of, accepted_at=later, in_time=not (n and case % 10 == 0)), made, later)
            made += 1
        case += 1


def _rebuild(cluster: Cluster, events: int, say: Callable[[str], None]) -> dict[str, Any]:
    say(f"{events:,} events on casework's topics …")
    began = time.perf_counter()
    producer = Producer(
        {
            "bootstrap.servers": cluster.kafka.bootstrap, "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "SCRAM-SHA-512", "sasl.username": "dachuan-casework",
            "sasl.password": cluster.secrets.kafka_users["casework"], "linger.ms": 50,
        }
    )  # fmt: skip
    written = 0
    for topic, key, value, headers in _told(events):
        while True:
            try:
                producer.produce(topic, value, key=key, headers=headers)
                break
            except BufferError:
                producer.poll(0.1)
        written += 1
    producer.flush()
    say(f"  {time.perf_counter() - began:.0f} s")
    spec = _scoring(cluster)
    env = dict(spec.env) | {
        "DACHUAN_OWNER_DATABASE_URL": cluster.secrets.logins["scoring"].owner_url(cluster.postgres_address)
    }
    figures: dict[str, Any] = {"events": written, "cores": os.cpu_count()}
    for name, arguments in (("first", ()), ("check", ("--check",))):
        began = time.perf_counter()
        done = subprocess.run(
            [*spec.command, "rebuild", *arguments], env=env, capture_output=True, text=True, cwd=REPOSITORY, check=False
        )
        told = re.search(r"events (\d+) \((\d+)/s, ([\d.]+) s\), unreadable (\d+)", done.stdout)
        if done.returncode or told is None:
            raise RuntimeError(f"rebuild {name}: {done.stdout}{done.stderr}")
        digests = re.findall(r"sha256 \S.*? ([0-9a-f]{64})", done.stdout)
        figures[name] = {
            "events": int(told[1]), "events_per_second": int(told[2]), "seconds": float(told[3]),
            "whole_seconds": round(time.perf_counter() - began, 1), "identical": len(set(digests)) == 1,
        }  # fmt: skip
        say(f"  rebuild ({name}): {told[2]} events/s, all in all {figures[name]['whole_seconds']} s")
    figures["bare_per_second"] = asyncio.run(_bare(cluster, written))
    figures["of_bare"] = round(figures["check"]["events_per_second"] / figures["bare_per_second"], 3)
    say(f"  bare limit: {figures['bare_per_second']} events/s; the rebuild reached {figures['of_bare']} of it")
    return figures


async def _bare(cluster: Cluster, events: int) -> int:
    """Events a second when they are only read by aiokafka, and the rows they come to only copied, in one process."""
    conn = await asyncpg.connect(plain(cluster.secrets.logins["scoring"].owner_url(cluster.postgres_address)))
    rows = {name: io.BytesIO() for name in ("obligations", "ledger")}
    for name, kept in rows.items():
        await conn.copy_from_table(name, output=kept)
        await conn.execute(f"CREATE UNLOGGED TABLE bare_{name} (LIKE {name})")
        kept.seek(0)
    settings = cluster.kafka_admin
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings["bootstrap.servers"], security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="SCRAM-SHA-512", sasl_plain_username=settings["sasl.username"],
        sasl_plain_password=settings["sasl.password"], enable_auto_commit=False, auto_offset_reset="earliest",
        group_id="bench.bare", max_partition_fetch_bytes=4 * 1024 * 1024,
    )  # fmt: skip
    consumer.subscribe(("casework.case.v1", "casework.urgent.v1"))
    await consumer.start()
    began, read = time.perf_counter(), 0
    try:
        while read < events:
            fetched = await consumer.getmany(timeout_ms=1000, max_records=5000)
            if not read:
                began = time.perf_counter()
            read += sum(map(len, fetched.values()))
        for name, kept in rows.items():
            await conn.copy_to_table(f"bare_{name}", source=kept)
        return round(events / (time.perf_counter() - began))
    finally:
        await consumer.stop()
        await conn.close()


def table(figures: dict[str, Any]) -> list[str]:
    """The figures beside what is wanted, for people."""
    lines = []
    if found := figures.get("rebuild"):
        for name, came_of_it in (
            ("first", "an empty ledger filled"),
            ("check", "bit-identical" if found["check"]["identical"] else "different"),
        ):
            speed = f"{found[name]['events_per_second']:,} events/s, wanted ≥ {REBUILD_WANTED:,}"
            lines.append(f"rebuild ({name}): {speed}; {came_of_it}")
        lines.append(f"bare limit {found['bare_per_second']:,} events/s, of it {found['of_bare']}")
    return lines + (ledger.table(figures["ledger"]) if "ledger" in figures else [])
