"""`./dachuan bench`: the design's figures measured on an instance of its own, with the bare limit in the same run."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import httpx
import orjson
import typer

from deploy.bench import bare, scale, scale_casework, scale_intake, scores, texts
from deploy.bench import deliveries as delivering
from deploy.bench import downline as downlines
from deploy.bench import instance as own
from deploy.bench import reminders as reminding
from deploy.cli.client import IMPORTER
from deploy.local.instance import Instance
from deploy.local.state import REPOSITORY

app = typer.Typer()

PLAN = "dayong"


class Scaled(StrEnum):
    """The services whose lists are measured at full size."""

    INTAKE = "intake"
    CASEWORK = "casework"


ROOMS = {Scaled.INTAKE: scale_intake.ROOM, Scaled.CASEWORK: scale_casework.ROOM}


@app.command()
def bench(
    tips: Annotated[int, typer.Option(min=500, help="Tips in the HTTP run.")] = 12_000,
    bulk: Annotated[int, typer.Option(min=500, help="Tips in the bulk import.")] = 25_000,
    backlog: Annotated[int, typer.Option(min=0, help="Backlog that the urgent tips meet; 0 leaves it out.")] = 20_000,
    scaled: Annotated[
        bool, typer.Option("--scale", help="Instead: lists, searches and boards of a service, small and at full size.")
    ] = False,
    of: Annotated[Scaled, typer.Option(help="Whose lists --scale asks for.")] = Scaled.INTAKE,
    size: Annotated[int, typer.Option(min=20_000, help="Tips, or persons in a fifth as many cases, of --scale.")] = 1_000_000,
    downline: Annotated[
        bool, typer.Option("--downline", help="Instead: recruitment networks evaluated, without an instance.")
    ] = False,
    edges: Annotated[int, typer.Option(min=1_000, help="Recruitments of --downline.")] = 1_000_000,
    reminders: Annotated[
        bool, typer.Option("--reminders", help="Instead: reminders of many open deadlines, tick by tick.")
    ] = False,
    deadlines: Annotated[int, typer.Option(min=1_000, help="Open deadlines of --reminders.")] = 1_000_000,
    deliveries: Annotated[
        bool, typer.Option("--deliveries", help="Instead: notices from events, webhooks, and a dead target among ten.")
    ] = False,
    cases: Annotated[int, typer.Option(min=100, help="Cases of which --deliveries counts the notices.")] = 5_000,
    burst: Annotated[int, typer.Option(min=20, help="Cases at once, each a webhook to nine targets, of --deliveries.")] = 600,
    scored: Annotated[
        bool, typer.Option("--scores", help="Instead: scoring's ledger rebuilt from its topics, and read when long.")
    ] = False,
    events: Annotated[int, typer.Option(min=0, help="Events that --scores rebuilds from; 0 leaves it out.")] = 500_000,
    entries: Annotated[int, typer.Option(min=0, help="Entries of the ledger of --scores; 0 leaves it out.")] = 10_000_000,
    json_: Annotated[bool, typer.Option("--json", help="Facts for programs.")] = False,
) -> None:
    """Start an instance, measure, stop it. Takes some minutes; needs nothing and touches no other instance."""

    def say(line: str) -> None:
        typer.echo(line, err=json_)

    if downline:
        found = downlines.measure(edges, say)
        for line in [json.dumps(found)] if json_ else downlines.table(found):
            typer.echo(line)
        return
    if deliveries:
        found = delivering.measure(cases, burst, delivering.TURN_S, say)
        for line in [json.dumps(found)] if json_ else delivering.table(found):
            typer.echo(line)
        return
    if scored:
        found = scores.measure(events, entries, 40, say)
        for line in [json.dumps(found)] if json_ else scores.table(found):
            typer.echo(line)
        return
    with own.instance() as (made, up_seconds):
        if reminders:
            figures = asyncio.run(reminding.measure(made, deadlines, say))
        elif scaled:
            figures = asyncio.run(scale.measure(made, ROOMS[of], size, say))
        else:
            figures = asyncio.run(_measure(made, up_seconds, tips, bulk, backlog, say))
    if json_:
        typer.echo(json.dumps(figures))
        return
    shown = reminding.table if reminders else scale.table if scaled else table
    for line in shown(figures):
        typer.echo(line)


async def _measure(made: Instance, up_seconds: float, tips: int, bulk: int, backlog: int, say: Any) -> dict[str, Any]:
    figures: dict[str, Any] = {"cores": os.cpu_count(), "up_seconds": round(up_seconds, 2), "phases": made.phases}
    token = await _token(made)
    urls = own.owner_urls(made)
    await asyncio.sleep(5)
    figures["memory_mib"] = own.memory(made)
    say(f"up in {up_seconds:.1f} s; memory at rest {figures['memory_mib']}")

    orders = {"url": made.url("intake"), "token": token, "plan": PLAN, "connections": 32}
    run = os.urandom(4).hex()
    await _load({**orders, "mode": "closed", "run": run, "first": 0, "tips": 600})
    await _wait_for(urls, 600)
    say("warm; HTTP tips through to the last service …")
    before = own.cpu_seconds(made)
    found = await _load({**orders, "mode": "closed", "run": run, "first": 600, "tips": tips})
    ended = await _wait_for(urls, 600 + tips)
    found["cpu_us_per_tip"] = own.cpu_per_tip(before, own.cpu_seconds(made), tips)
    found["through_per_second"] = round(tips / (ended - found["started_at"]), 1)
    figures["http"] = found
    say(f"  processor µs a tip: {found['cpu_us_per_tip']}")
    say(f"  accepted {found['per_second']}/s, through {found['through_per_second']}/s, p99 {found['p99_ms']} ms")

    done = 600 + tips
    rate = found["through_per_second"] / 2
    count = max(500, int(rate * 8))
    say(f"acceptance at half that load ({rate:.0f}/s) …")
    figures["half_load"] = await _load(
        {**orders, "mode": "open", "rate": rate, "connections": 64, "run": run, "first": done, "tips": count}
    )
    done += count
    await _wait_for(urls, done)
    say(f"  p50 {figures['half_load']['p50_ms']} ms, p99 {figures['half_load']['p99_ms']} ms")

    say(f"bulk import of {bulk} tips through to the last service …")
    before = own.cpu_seconds(made)
    figures["bulk"] = await _bulk(made, urls, done, bulk)
    done += bulk
    figures["bulk"]["cpu_us_per_tip"] = own.cpu_per_tip(before, own.cpu_seconds(made), bulk)
    say(f"  processor µs a tip: {figures['bulk']['cpu_us_per_tip']}")
    say(f"  through {figures['bulk']['through_per_second']}/s")

    if backlog:
        say(f"urgent tips behind a backlog of {backlog} …")
        figures["urgent"] = await _urgent(made, urls, orders, run, done, backlog)
        done += backlog + figures["urgent"]["tips"]
        await _wait_for(urls, done)
        say(f"  p50 {figures['urgent']['p50_s']} s, p99 {figures['urgent']['p99_s']} s")

    say("bare limit …")
    kafka = own.kafka_arguments(made)
    _bench_topics(made)
    figures["bare_per_second"] = round(
        max([await asyncio.to_thread(bare.measure, urls, kafka, min(tips, 10_000), done) for _ in range(2)]), 1
    )
    say(f"  {figures['bare_per_second']}/s")
    figures["ratios"] = {
        "http_of_bare": round(figures["http"]["through_per_second"] / figures["bare_per_second"], 3),
        "bulk_of_bare": round(figures["bulk"]["through_per_second"] / figures["bare_per_second"], 3),
    }
    return figures


async def _token(made: Instance) -> str:
    async with httpx.AsyncClient() as http:
        answer = await http.post(
            f"{made.url('notify')}/oauth2/token",
            data={"grant_type": "client_credentials"},
            auth=(IMPORTER, made.secrets.passwords["importer-client"]),
        )
        answer.raise_for_status()
        return answer.json()["access_token"]


async def _load(orders: dict[str, Any]) -> dict[str, Any]:
    return await asyncio.to_thread(own.run_load, orders)


_LAST = {"casework": "SELECT count(*) FROM cases", "notify": "SELECT count(DISTINCT case_id) FROM notices",
         "scoring": "SELECT count(DISTINCT case_id) FROM obligations"}  # fmt: skip


async def _wait_for(urls: dict[str, str], tips: int, timeout: float = 300) -> float:
    """Wait until every tip is kept, and every lead has its case, notices and scoring row; the wall time then.

    Tips about one target share a lead, so there are a few leads less than tips.
    """
    until, wait = time.time() + timeout, 0.05
    conns = {name: await asyncpg.connect(urls[name]) for name in ("intake", *_LAST)}
    try:
        while await conns["intake"].fetchval("SELECT count(*) FROM tips") < tips:
            if time.time() > until:
                raise own.BenchError(f"not all of {tips} tips were kept after {timeout} s")
            await asyncio.sleep(wait)
        leads = await conns["intake"].fetchval("SELECT count(*) FROM leads")
        left = dict(_LAST)
        while left:
            for name in list(left):
                if await conns[name].fetchval(left[name]) >= leads:
                    del left[name]
            if left:
                if time.time() > until:
                    raise own.BenchError(f"not through after {timeout} s: {', '.join(left)}")
                await asyncio.sleep(wait)
        return time.time()
    finally:
        for conn in conns.values():
            await conn.close()


async def _bulk(made: Instance, urls: dict[str, str], first: int, count: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bulk.jsonl"
        with open(file, "wb") as out:
            for number in range(first, first + count):
                out.write(orjson.dumps({"id": f"bench-{number}", **texts.tip(number)}) + b"\n")
        env = {**os.environ, "DACHUAN_HOME": str(made.state.root), "PYTHONPATH": str(REPOSITORY)}
        began = time.time()
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-P", "-m", "deploy.cli", "import", str(file), "--plan", PLAN, "--channel", "12345", "--json"],
            env=env, cwd=REPOSITORY, capture_output=True, check=False,
        )  # fmt: skip
        accepted = time.time()
        if done.returncode:
            raise own.BenchError(f"import failed: {done.stderr.decode()[-800:]}")
        ended = await _wait_for(urls, first + count)
    return {
        "tips": count,
        "accepted_per_second": round(count / (accepted - began), 1),
        "through_per_second": round(count / (ended - began), 1),
    }


async def _urgent(
    made: Instance, urls: dict[str, str], orders: dict[str, Any], run: str, first: int, backlog: int
) -> dict[str, Any]:
    """Seconds from an urgent tip's receipt to its notice at the police, while a backlog is being worked off."""
    count, rate = 60, 10
    pending = asyncio.create_task(_bulk(made, urls, first, backlog))
    await asyncio.sleep(2.5)
    began = await _clock(urls["notify"])
    await _load(
        {**orders, "mode": "open", "rate": rate, "urgent": True, "run": f"{run}u", "first": first, "tips": count,
         "connections": 8}
    )  # fmt: skip
    cases, notices = await asyncpg.connect(urls["casework"]), await asyncpg.connect(urls["notify"])
    try:
        until = time.time() + 60
        while True:
            received = await cases.fetch("SELECT id, received_at FROM cases WHERE urgent AND received_at >= $1", began)
            told = await notices.fetch(
                "SELECT case_id, min(created_at) AS at FROM notices WHERE case_id = ANY($1) GROUP BY case_id",
                [row["id"] for row in received],
            )
            if len(told) >= count or time.time() > until:
                break
            await asyncio.sleep(0.1)
    finally:
        await cases.close()
        await notices.close()
    since = {row["id"]: row["received_at"] for row in received}
    seconds = sorted((row["at"] - since[row["case_id"]]).total_seconds() for row in told)
    try:
        await pending
    except own.BenchError:
        # the urgent tips count among the rows waited for, so the backlog itself is waited for by the caller
        pass
    return {
        "tips": count,
        "arrived": len(seconds),
        "backlog": backlog,
        "p50_s": round(seconds[len(seconds) // 2], 3),
        "p99_s": round(seconds[min(len(seconds) - 1, int(len(seconds) * 0.99))], 3),
    }


async def _clock(url: str) -> Any:
    conn = await asyncpg.connect(url)
    try:
        return await conn.fetchval("SELECT now()")
    finally:
        await conn.close()


def _bench_topics(made: Instance) -> None:
    from confluent_kafka.admin import AdminClient, NewTopic

    client = AdminClient(made.kafka_admin)
    wanted = [NewTopic(name, num_partitions=4, replication_factor=1) for name in bare.TOPICS]
    for future in client.create_topics(wanted).values():
        future.result(30)


def table(figures: dict[str, Any]) -> list[str]:
    """The figures beside what the design wants, for people."""
    http, half, bulk = figures["http"], figures["half_load"], figures["bulk"]
    services = {k: v for k, v in figures["memory_mib"].items() if k != "kafka"}
    rows = [
        ("up, environment ready", f"{figures['up_seconds']} s", "≤ 10 s"),
        ("HTTP tips through to the last service", f"{http['through_per_second']}/s", "≥ 1,000/s"),
        ("  of the bare limit", f"{figures['ratios']['http_of_bare']}", "≥ 0.12"),
        ("bulk import through to the last service", f"{bulk['through_per_second']}/s", "≥ 2,500/s"),
        ("  of the bare limit", f"{figures['ratios']['bulk_of_bare']}", "≥ 0.30"),
        ("tip accepted, p99 at half that load", f"{half['p99_ms']} ms", "≤ 50 ms"),
        ("memory of the largest service at rest", f"{max(services.values())} MiB", "≤ 150 MiB"),
        ("bare limit of this machine, this run", f"{figures['bare_per_second']}/s", ""),
    ]
    if "urgent" in figures:
        urgent = figures["urgent"]
        rows.insert(
            6, (f"held person → notice, behind {urgent['backlog']:,} tips, p99", f"{urgent['p99_s']} s", "≤ 2 s")
        )
    width = max(len(row[0]) for row in rows)
    return [f"{name:<{width}}  {value:>12}  {wanted}" for name, value, wanted in rows]
