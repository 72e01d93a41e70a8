"""Notices made from events, and webhooks that leave: how many a second, and what a dead target does to the others.

Notify's own process on a PostgreSQL and a Kafka of its own, without the other services; agencies' systems in another
process. Events stand on casework's topic as its relay writes them; notify consumes, decides, keeps and sends as always.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import aiohttp
import asyncpg
import httpx
import psutil
from confluent_kafka import Producer
from joserfc.jwk import OKPKey

from deploy.bench import receivers
from deploy.local.cluster import Cluster, temporary
from deploy.local.databases import plain
from deploy.local.services import specs
from deploy.local.state import REPOSITORY, SERVICES, State

NOTICES_WANTED = 2_000
WEBHOOKS_WANTED = 500
ADDED_WANTED = 0.10
HEALTHY = 9
TURN_S = 10.0
WARM_S = 1.0
ROUNDS = 6
PARTIES = (("police", "economic_crime", "lead"), ("commerce", "enforcement", "co"), ("commerce", "office", "coordinator"))


class Case:
    """Opened cases as events on casework's topic."""

    def __init__(self, cluster: Cluster) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": cluster.kafka.bootstrap, "security.protocol": "SASL_PLAINTEXT",
                "sasl.mechanism": "SCRAM-SHA-512", "sasl.username": "dachuan-casework",
                "sasl.password": cluster.secrets.kafka_users["casework"], "linger.ms": 5,
            }
        )  # fmt: skip
        self._made = 0

    def message(self) -> tuple[str, str, bytes, dict[str, Any]]:
        """The next case; each of its three parties gets a notice."""
        from shared.events.casework import CaseOpened, PartyFact
        from shared.events.common import DeadlineFact
        from shared.kit import kafka

        self._made += 1
        number, at = self._made, datetime.now(UTC)
        case_id = UUID(int=(0x7D << 120) | (os.getpid() << 64) | number)
        owed = tuple(
            DeadlineFact(
                deadline_id=UUID(int=(0x7E << 120) | (os.getpid() << 64) | number << 4 | n), kind="acceptance", agency=agency,
                unit=unit, rule="plan.other_acceptance", calendar="2026", start=at, due=at + timedelta(days=7),
            )
            for n, (agency, unit, role) in enumerate(PARTIES) if role != "coordinator"
        )  # fmt: skip
        data = CaseOpened(
            case_id=case_id, plan="dayong", area="dayong-antang", urgent=False, number=f"测传联〔2026〕{number:07d}号",
            lead_id=case_id, kinds=("headcount",),
            parties=tuple(PartyFact(agency=agency, unit=unit, role=role) for agency, unit, role in PARTIES),
            deadlines=owed, received_at=at, opened_at=at, dataref=f"http://casework.example/v1/cases/{case_id}",
        )  # fmt: skip
        row = SimpleNamespace(
            id=UUID(int=(0x7C << 120) | (os.getpid() << 64) | number), type=data.TYPE, time=at, recordedat=at, key=data.key,
            traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", data=data.model_dump_json().encode(),
        )  # fmt: skip
        made = kafka.encode(row, "/dachuan/casework")
        return data.topic, data.key, made.value, dict(made.headers)  # type: ignore[arg-type, return-value]

    def send(self, messages: Sequence[tuple[str, str, bytes, dict[str, Any]]], *, wait: bool = True) -> None:
        """Put them on the topic."""
        for topic, key, value, headers in messages:
            while True:
                try:
                    self._producer.produce(topic, value, key=key, headers=headers)
                    break
                except BufferError:
                    self._producer.poll(0.1)
        self._producer.flush() if wait else self._producer.poll(0)


@contextmanager
def _cluster() -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="dachuan-bench-"))
    os.environ.setdefault("DACHUAN_JARS", str(State.default().jars))
    cluster = temporary(folder, migrating=True)
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _notify(cluster: Cluster) -> Iterator[tuple[str, psutil.Process]]:
    secrets = cluster.secrets
    made = specs(
        ports=cluster.ports.services, backing=cluster.backing, logins=secrets.logins, kafka_passwords=secrets.kafka_users,
        keys_file={name: secrets.keys_file(name) for name in SERVICES}, jwks_file=secrets.jwks_file,
        token_key_file=secrets.token_key_file, objects=cluster.state.objects,
    )  # fmt: skip
    spec = next(one for one in made if one.name == "notify")
    url = f"http://127.0.0.1:{spec.port}"
    with open(cluster.state.root / "notify.log", "wb") as log:
        process = subprocess.Popen(spec.command, env=dict(spec.env), stdout=log, stderr=subprocess.STDOUT, cwd=REPOSITORY)
        try:
            until = time.monotonic() + 240
            while True:
                with suppress(httpx.HTTPError):
                    if httpx.get(f"{url}/healthz/live", timeout=5).status_code == 200:
                        break
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"notify did not start:\n{Path(log.name).read_text()[-2000:]}")
                time.sleep(0.2)
            yield url, psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(30)


def measure(events: int, burst: int, turn_s: float, say: Callable[[str], None]) -> dict[str, Any]:
    """All of it, on an instance of its own; some two minutes. `turn_s`: seconds of each turn with or without the dead one."""
    figures: dict[str, Any] = {"cores": os.cpu_count()}
    with _cluster() as cluster, _notify(cluster) as (url, process):
        return figures | asyncio.run(_measure(cluster, url, process, events, burst, turn_s, say))


async def _measure(
    cluster: Cluster, url: str, process: psutil.Process, events: int, burst: int, turn_s: float, say: Callable[[str], None]
) -> dict[str, Any]:
    cases = Case(cluster)
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    system = multiprocessing.get_context("spawn").Process(target=receivers.run, args=(theirs, HEALTHY), daemon=True)
    system.start()
    conn = await asyncpg.connect(plain(cluster.secrets.logins["notify"].owner_url(cluster.postgres_address)))
    try:
        ports = ours.recv()
        figures: dict[str, Any] = {"notices": await _notices(conn, cases, process, events, say)}
        async with httpx.AsyncClient(base_url=url, headers=_head(cluster), timeout=20) as http:
            targets = [await _target(http, port) for port in ports]
            await _switch(http, targets[-1], on=False)
            figures["webhooks"] = await _burst(conn, cases, process, ours, burst, say)
            bare = await _bare(ports[:HEALTHY], ours, burst * HEALTHY)
            figures["webhooks"] |= bare | {"of_bare": round(figures["webhooks"]["per_second"] / bare["bare_per_second"], 3)}
            say(f"  bare limit {bare['bare_per_second']:,}/s, of it {figures['webhooks']['of_bare']}")
            rate = min(WEBHOOKS_WANTED, 0.7 * figures["webhooks"]["per_second"]) / HEALTHY
            figures["dead"] = await _dead(conn, cases, ours, http, targets[-1], rate, turn_s, say)
    finally:
        await conn.close()
        ours.send("end")
        await asyncio.to_thread(system.join, 5)
    return figures


def _head(cluster: Cluster) -> dict[str, str]:
    """The head of the police."""
    from shared.kit import tokens

    key = OKPKey.import_key(json.loads(cluster.secrets.token_key_file.read_text()))
    token = tokens.issue(
        key, principal_id="bench", kind="officer", plan="dayong", agency="police", unit=None, posts=("head",), areas=(),
        scopes=(), now=datetime.now(UTC), lifetime=timedelta(hours=1),
    )  # fmt: skip
    return {"authorization": f"Bearer {token}"}


async def _target(http: httpx.AsyncClient, port: int) -> str:
    made = await http.post("/v1/webhooks", json={"url": f"http://127.0.0.1:{port}/hook"})
    made.raise_for_status()
    return str(made.json()["id"])


async def _switch(http: httpx.AsyncClient, target: str, *, on: bool) -> None:
    version = (await http.get(f"/v1/webhooks/{target}")).headers["etag"]
    done = await http.patch(f"/v1/webhooks/{target}", json={"active": on}, headers={"if-match": version})
    done.raise_for_status()


async def _notices(
    conn: asyncpg.Connection, cases: Case, process: psutil.Process, events: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """From the first event on the topic to the last notice in the database."""
    cases.send([cases.message() for _ in range(200)])
    await _until(conn, "SELECT count(*) FROM notices", 600)
    messages = [cases.message() for _ in range(events)]
    say(f"{events:,} opened cases on the topic …")
    used, began = _used(process), time.perf_counter()
    await asyncio.to_thread(cases.send, messages)
    await _until(conn, "SELECT count(*) FROM notices", 600 + 3 * events)
    seconds = time.perf_counter() - began
    found = {
        "events": events, "notices": 3 * events, "seconds": round(seconds, 2), "per_second": round(3 * events / seconds),
        "cpu_us": round((_used(process) - used) / (3 * events) * 1e6),
    }  # fmt: skip
    say(f"  {found['per_second']:,} notices/s, {found['cpu_us']} µs of notify's processor each")
    return found


async def _burst(
    conn: asyncpg.Connection, cases: Case, process: psutil.Process, system: Connection, burst: int,
    say: Callable[[str], None],
) -> dict[str, Any]:  # fmt: skip
    """So many cases at once, each with a webhook to every healthy target: until the last has come."""
    _ask(system, "all")
    messages, wanted = [cases.message() for _ in range(burst)], burst * HEALTHY
    say(f"{wanted:,} webhooks to {HEALTHY} healthy targets …")
    used, began = _used(process), time.time()
    await asyncio.to_thread(cases.send, messages)
    until = time.time() + 240
    while _ask(system, "count") < wanted and time.time() < until:
        await asyncio.sleep(0.1)
    came = _ask(system, "all")
    seconds = max(at for _, _, at in came) - began
    await _until(conn, "SELECT count(*) FROM deliveries WHERE state = 'delivered'", wanted)
    found = {
        "webhooks": len({message for _, message, _ in came}), "wanted": wanted, "seconds": round(seconds, 2),
        "per_second": round(len(came) / seconds), "cpu_us": round((_used(process) - used) / wanted * 1e6),
    }  # fmt: skip
    say(f"  {found['per_second']:,} webhooks/s, {found['cpu_us']} µs of notify's processor each, notice included")
    return found


async def _bare(ports: Sequence[int], system: Connection, webhooks: int) -> dict[str, Any]:
    """So many bodies of a webhook's length to the same ports by aiohttp alone, as many at once as a target is given."""
    _ask(system, "all")
    left, body = iter(range(webhooks)), b"x" * 900
    used, began = time.process_time(), time.perf_counter()

    async def work(session: aiohttp.ClientSession, port: int) -> None:
        for number in left:
            async with session.post(f"http://127.0.0.1:{port}/hook", data=body, headers={"webhook-id": str(number)}) as answer:
                answer.raise_for_status()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(work(session, port) for port in ports for _ in range(8)))
    seconds = time.perf_counter() - began
    _ask(system, "all")
    return {
        "bare_per_second": round(webhooks / seconds), "bare_cpu_us": round((time.process_time() - used) / webhooks * 1e6)
    }  # fmt: skip


async def _dead(
    conn: asyncpg.Connection, cases: Case, system: Connection, http: httpx.AsyncClient, dead: str, rate: float,
    turn_s: float, say: Callable[[str], None],
) -> dict[str, Any]:  # fmt: skip
    """Cases at a steady pace, by turns without and with a tenth target that takes connections and never answers."""
    say(f"{rate * HEALTHY:.0f} webhooks/s to the healthy ones, by turns without and with a dead one …")
    waits: dict[bool, list[float]] = {False: [], True: []}
    tails: dict[bool, list[float]] = {False: [], True: []}
    for turn in range(2 * ROUNDS):
        broken = turn % 2 == 1
        await _switch(http, dead, on=broken)
        _ask(system, "all")
        began = time.time()
        sent = await asyncio.to_thread(_pace, cases, rate, turn_s)
        until = time.time() + 60
        while _ask(system, "count") < sent * HEALTHY and time.time() < until:
            await asyncio.sleep(0.2)
        came = {message: at for _, message, at in reversed(_ask(system, "all"))}
        made = await conn.fetch(
            "SELECT id, created_at FROM deliveries WHERE created_at > to_timestamp($1) AND endpoint_id <> $2", began, UUID(dead)
        )
        # the first second is for connections and caches
        since = {f"msg_{row['id']}": row["created_at"].timestamp() for row in made}
        counted = {message: at for message, at in since.items() if at > min(since.values()) + WARM_S}
        seconds = [came[message] - at for message, at in counted.items() if message in came]
        if not seconds:
            raise RuntimeError(f"of {sent} cases in {turn_s:.0f} s no webhook came after the first second")
        waits[broken] += seconds
        tails[broken].append(_p(seconds, 0.99))
        say(
            f"  {'with' if broken else 'without'}: {len(seconds):,} of {len(counted):,} came, p50 {_p(seconds, 0.5) * 1000:.0f} ms, "
            f"p99 {tails[broken][-1] * 1000:.0f} ms"
        )
    outcomes = await conn.fetch("SELECT last_outcome, count(*) AS n FROM deliveries WHERE endpoint_id = $1 GROUP BY 1", UUID(dead))
    without, with_ = statistics.median(tails[False]), statistics.median(tails[True])
    return {
        "webhooks_per_second": round(rate * HEALTHY),
        "p50_ms": [round(_p(waits[one], 0.5) * 1000, 1) for one in (False, True)],
        "p99_ms": [round(without * 1000, 1), round(with_ * 1000, 1)],
        "p99_of_all_ms": [round(_p(waits[one], 0.99) * 1000, 1) for one in (False, True)],
        "added": round(with_ / without - 1, 3),
        "dead": {row["last_outcome"] or "not tried": row["n"] for row in outcomes},
    }


def _pace(cases: Case, rate: float, turn_s: float) -> int:
    messages = [cases.message() for _ in range(max(1, int(rate * turn_s)))]
    began = time.monotonic()
    for number, message in enumerate(messages):
        rest = began + number / rate - time.monotonic()
        if rest > 0:
            time.sleep(rest)
        cases.send([message], wait=False)
    cases.send([])
    return len(messages)


def _p(values: Sequence[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def _ask(system: Connection, what: str) -> Any:
    system.send(what)
    return system.recv()


def _used(process: psutil.Process) -> float:
    return sum(process.cpu_times()[:2])


async def _until(conn: asyncpg.Connection, statement: str, wanted: int) -> None:
    until = time.monotonic() + 240
    while (found := await conn.fetchval(statement)) < wanted:
        if time.monotonic() > until:
            raise RuntimeError(f"{found} of {wanted} after four minutes: {statement}")
        await asyncio.sleep(0.05)


def table(figures: dict[str, Any]) -> list[str]:
    """The figures beside what is wanted."""
    notices, webhooks, dead = figures["notices"], figures["webhooks"], figures["dead"]
    return [
        f"notices from events     {notices['per_second']:>8,}/s (≥ {NOTICES_WANTED:,})   {notices['cpu_us']} µs each",
        f"webhooks, nine healthy  {webhooks['per_second']:>8,}/s (≥ {WEBHOOKS_WANTED:,})   {webhooks['cpu_us']} µs each; "
        f"aiohttp alone {webhooks['bare_per_second']:,}/s, {webhooks['bare_cpu_us']} µs",
        f"p99 at {dead['webhooks_per_second']}/s            {dead['p99_ms'][0]:>8} ms, with a dead tenth target {dead['p99_ms'][1]} ms: "
        f"{dead['added']:+.1%} (< {ADDED_WANTED:.0%})",
    ]
