"""A ledger of ten million entries and 2,000 standings: what a caller waits for any standing and any explanation.

The rows are made by the database itself, in the form in which scoring writes them: 2,000 standings of 406 agencies, ten
of them with 100,000 entries each, facts over 700 days, findings that came to be known up to two months later. Scoring
runs over it as always, and is asked over HTTP when its checkpoints cover all of it.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import Any

import asyncpg
import httpx
import orjson
import psutil
from joserfc.jwk import OKPKey

from deploy.bench.instance import BenchError
from deploy.local.cluster import Cluster
from deploy.local.databases import plain
from deploy.local.services import Spec
from deploy.local.state import REPOSITORY
from shared.kit import clock, tokens

PLAN = "dayong"
STANDING_MS = 50
EXPLANATION_MS = 200
_AT_ONCE = 250_000
_TOGETHER = 3
_FIRST = date(2024, 12, 1)
_DAYS = 700

_PARTS = f"""
    SELECT g, w, CASE WHEN w < 10 THEN 'bench-' || w ELSE 'bench-' || 10 + (w - 10) / 5 END AS agency,
        CASE WHEN w >= 10 THEN 'u' || w % 5 END AS unit,
        'area-' || CASE WHEN w < 10 THEN g % 23 ELSE (w - 10) / 5 % 23 END AS area,
        timestamptz '{_FIRST}' + interval '{_DAYS} days' * (g / $3::float8) AS at,
        CASE WHEN g % 100 < 80 THEN 'met' WHEN g % 100 < 90 THEN 'met_late' WHEN g % 100 < 98 THEN 'missed'
            ELSE 'found' END AS outcome
    FROM (SELECT g, CASE WHEN g % 10 = 0 THEN g / 10 * 7919 % 10 ELSE 10 + (g * 7919 + g / 1990) % 1990 END AS w
        FROM generate_series($1::bigint, $2::bigint) g) s
"""
_FILL = f"""
    INSERT INTO ledger (entry_id, deadline_id, plan, rulebook, line, clause, outcome, corrects, agency, unit, area, points,
        assumed, occurred_on, case_id, fact_event, fact_type, fact_at, recorded_at, basis, basis_id, subject_kind, subject)
    SELECT md5('e' || g)::uuid, CASE WHEN outcome <> 'found' THEN md5('d' || g)::uuid END, '{PLAN}', 'v1',
        CASE outcome WHEN 'met' THEN 'acceptance-timely' WHEN 'met_late' THEN 'acceptance-late'
            WHEN 'missed' THEN 'acceptance-missed' ELSE 'neglected' END,
        'D-Q1.3', outcome, CASE WHEN g % 1000 = 95 THEN md5('e' || g - 1)::uuid END, agency, unit, area,
        CASE outcome WHEN 'met' THEN 1 WHEN 'met_late' THEN -0.5 WHEN 'missed' THEN -2 ELSE -5 END, true,
        (at AT TIME ZONE 'Asia/Shanghai')::date, md5('c' || g / 2)::uuid, md5('f' || g)::uuid,
        'dachuan.case.accepted.v1', at, at + CASE WHEN outcome = 'found' THEN interval '1 day' * (g % 61)
            ELSE interval '3 seconds' END, CASE WHEN outcome = 'found' THEN 'finding' ELSE 'deadline' END,
        md5('d' || g)::uuid, CASE WHEN unit IS NULL THEN 'agency' ELSE 'unit' END, agency || coalesce('/' || unit, '')
    FROM ({_PARTS}) x ORDER BY g
"""
_STANDINGS = """
    INSERT INTO standings (plan, rulebook, agency, unit, area, points, entries, in_time, late, version, as_of, changed_seq,
        subject_kind, subject)
    SELECT plan, rulebook, agency, unit, max(area), sum(points), count(*), count(*) FILTER (WHERE outcome = 'met'),
        count(*) FILTER (WHERE outcome IN ('met_late', 'missed')), count(*), max(recorded_at), max(seq), subject_kind, subject
    FROM ledger GROUP BY plan, rulebook, agency, unit, subject_kind, subject
"""
_INDEXES = """
    SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS made FROM pg_index
    WHERE indrelid = 'ledger'::regclass AND NOT indisunique
"""


async def fill(owner_url: str, entries: int, say: Callable[[str], None]) -> None:
    """Make the ledger. Indexes are made afterwards, the sums as a migration makes them."""
    settings = {"jit": "off", "synchronous_commit": "off", "maintenance_work_mem": "256MB", "work_mem": "128MB"}
    conns = [await asyncpg.connect(plain(owner_url), server_settings=settings) for _ in range(_TOGETHER)]
    conn = conns[0]
    try:
        began = time.monotonic()
        indexes = await conn.fetch(_INDEXES)
        for index in indexes:
            await conn.execute(f"DROP INDEX {index['name']}")
        await conn.execute("ALTER TABLE ledger SET UNLOGGED")
        await conn.execute("ALTER TABLE ledger DISABLE TRIGGER ledger_sum_up")
        await _together(
            conns, [(_FILL, first + 1, min(first + _AT_ONCE, entries), entries) for first in range(0, entries, _AT_ONCE)]
        )
        say(f"  {entries:,} entries in {time.monotonic() - began:.0f} s")
        await conn.execute("ALTER TABLE ledger ENABLE TRIGGER ledger_sum_up")
        await _together(conns, [(index["made"],) for index in indexes])
        say(f"  with indexes {time.monotonic() - began:.0f} s")
        await _together(conns, [("SELECT ledger_sum_up_anew()",), (_STANDINGS,)])
        say(f"  with sums {time.monotonic() - began:.0f} s")
        await conn.execute("VACUUM ANALYZE", timeout=3600)
        say(f"  vacuumed {time.monotonic() - began:.0f} s")
    finally:
        for one in conns:
            await one.close()


async def _together(conns: Sequence[asyncpg.Connection], statements: Sequence[tuple[Any, ...]]) -> None:
    """Run statements, as many at once as there are connections."""
    left = list(reversed(statements))

    async def work(conn: asyncpg.Connection) -> None:
        while left:
            statement, *values = left.pop()
            await conn.execute(statement, *values, timeout=3600)

    await asyncio.gather(*map(work, conns))


@asynccontextmanager
async def serving(cluster: Cluster, spec: Spec, entries: int, say: Callable[[str], None]) -> AsyncIterator[str]:
    """Scoring over that ledger, when its checkpoints cover it."""
    log = cluster.state.logs / "bench-scoring.log"
    with open(log, "wb") as out:
        running = subprocess.Popen([*spec.command], env=dict(spec.env), cwd=REPOSITORY, stdout=out, stderr=out)
    conn = await asyncpg.connect(plain(cluster.secrets.logins["scoring"].owner_url(cluster.postgres_address)))
    try:
        began = time.monotonic()
        while (await conn.fetchval("SELECT coalesce(max(size), 0) FROM checkpoints")) < entries:
            if running.poll() is not None or time.monotonic() - began > 3600:
                raise BenchError(f"scoring: {log.read_text()[-800:]}")
            await asyncio.sleep(1)
        say(f"  under checkpoints after {time.monotonic() - began:.0f} s")
        yield f"http://127.0.0.1:{spec.port}"
    finally:
        await conn.close()
        running.terminate()
        running.wait(60)


async def ask(cluster: Cluster, url: str, owner_url: str, rounds: int, say: Callable[[str], None]) -> dict[str, dict[str, float]]:
    """Milliseconds at best, p50 and p95, and of the processor (scoring's and PostgreSQL's together), by what was asked;
    other days, units and entries each time.

    Raises BenchError for an answer that is not 200 or is empty.
    """
    chance = random.Random(7)
    conn = await asyncpg.connect(plain(owner_url))
    some = await conn.fetch(
        "SELECT entry_id FROM ledger WHERE seq = ANY($1)",
        [chance.randrange(1, await conn.fetchval("SELECT max(seq) FROM ledger")) for _ in range(400)],
    )
    await conn.close()
    end = _FIRST + timedelta(days=_DAYS)

    def day(first: date = _FIRST + timedelta(days=10), last: date = end) -> date:
        return first + timedelta(days=chance.randrange((last - first).days))

    def moment() -> str:
        return f"{day()}T{chance.randrange(24):02}:{chance.randrange(60):02}:00Z"

    def span() -> str:
        one, other = sorted((day(), day()))
        return f"from={one}&to={other}"

    def unit() -> str:
        number = chance.randrange(1990)
        return f"agency=bench-{10 + number // 5}&unit=u{number % 5}"

    def agency() -> str:
        return f"agency=bench-{10 + chance.randrange(398)}"

    def large() -> str:
        return f"agency=bench-{chance.randrange(10)}"

    looks: dict[str, Callable[[], str]] = {
        "standings of all 2,000, now": lambda: "standings?",
        "of all, as of a day": lambda: f"standings?to={day()}",
        "of all, as known at a moment": lambda: f"standings?as_of={moment()}",
        "of all, as of a day as known at a moment": lambda: f"standings?to={day()}&as_of={moment()}",
        "of all, of a month": lambda: f"standings?period={day(date(2025, 1, 1), date(2026, 9, 1)):%Y-%m}",
        "of all, of any span of days": lambda: f"standings?{span()}",
        "of all, in one area": lambda: f"standings?area=area-{chance.randrange(23)}",
        "of all, in one area, of any span of days": lambda: f"standings?area=area-{chance.randrange(23)}&{span()}",
        "of one agency, now": lambda: f"standings?{agency()}",
        "of one agency, as of a day": lambda: f"standings?{agency()}&to={day()}",
        "of one agency, as known at a moment": lambda: f"standings?{agency()}&as_of={moment()}",
        "of a large agency, both": lambda: f"standings?{large()}&to={day()}&as_of={moment()}",
        "explanation of a unit": lambda: f"explain?{unit()}",
        "of a unit, of any span of days": lambda: f"explain?{unit()}&{span()}",
        "of a unit, as known at a moment": lambda: f"explain?{unit()}&as_of={moment()}",
        "of an agency of 25,000 entries": lambda: f"explain?{agency()}",
        "of an agency of 100,000 entries": lambda: f"explain?{large()}",
        "of such an agency, of any span of days": lambda: f"explain?{large()}&{span()}",
        "of such an agency, as known at a moment": lambda: f"explain?{large()}&as_of={moment()}",
        "explanation of an entry": lambda: f"ledger/{chance.choice(some)['entry_id']}?",
        "proof of an entry": lambda: f"ledger/{chance.choice(some)['entry_id']}/proof?",
    }
    told = {}
    parts = _serving(int(url.rpartition(":")[2]), int(owner_url.rpartition(":")[2].partition("/")[0]))
    headers = {"authorization": f"Bearer {_token(cluster)}"}
    async with httpx.AsyncClient(base_url=url, timeout=120, headers=headers) as http:
        for what, address in looks.items():
            seconds, used = [], 0.0
            for turn in range(rounds + 3):
                if turn == 3:
                    used = _used(parts)
                asked = address() + ("" if "/" in address() else f"&plan={PLAN}")
                began = time.perf_counter()
                answer = await http.get(f"/v1/{asked}")
                if turn >= 3:
                    seconds.append(time.perf_counter() - began)
                # a unit may have no entry in a short span: that is an answer, too
                if answer.status_code != 200 and not (answer.status_code == 404 and "explain" in asked):
                    raise BenchError(f"{asked}: {answer.status_code} {answer.text[:300]}")
            used = (_used(parts) - used) / rounds
            seconds.sort()
            told[what] = {
                "best_ms": round(seconds[0] * 1000, 2),
                "p50_ms": round(seconds[len(seconds) // 2] * 1000, 2),
                "p95_ms": round(seconds[int(len(seconds) * 0.95)] * 1000, 2),
                "cpu_ms": round(used * 1000, 1),
            }
            say(f"  {what:<44} p50 {told[what]['p50_ms']:.1f} ms   p95 {told[what]['p95_ms']:.1f} ms   processor {told[what]['cpu_ms']:.1f} ms")
    return told


def _serving(*ports: int) -> list[psutil.Process]:
    """The processes that listen on these ports."""
    pids = {one.pid for one in psutil.net_connections("tcp") if one.status == "LISTEN" and one.laddr.port in ports}
    return [psutil.Process(pid) for pid in pids if pid]


def _used(parts: Sequence[psutil.Process]) -> float:
    """Processor seconds of processes and their children so far."""
    return sum(sum(one.cpu_times()[:2]) for part in parts for one in (part, *part.children(recursive=True)))


def _token(cluster: Cluster) -> str:
    key = OKPKey.import_key(orjson.loads(cluster.secrets.token_key_file.read_bytes()))
    return tokens.issue(
        key, principal_id="bench", kind="officer", plan=PLAN, areas=(), scopes=(), now=clock.now(),
        lifetime=timedelta(hours=8), agency="commerce", unit="office", posts=("office-director",),
    )  # fmt: skip


def table(found: dict[str, dict[str, float]]) -> list[str]:
    """Each question with its milliseconds."""
    wanted = f"wanted: standings ≤ {STANDING_MS} ms, explanations ≤ {EXPLANATION_MS} ms"
    lines = [f"{'':<44}{'best':>12}{'p50':>14}{'p95':>14}{'processor':>14}   {wanted}"]
    return lines + [
        f"{what:<44}{one['best_ms']:>9.1f} ms{one['p50_ms']:>11.1f} ms{one['p95_ms']:>11.1f} ms{one['cpu_ms']:>11.1f} ms"
        for what, one in found.items()
    ]
