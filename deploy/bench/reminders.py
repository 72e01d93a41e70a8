"""The register of deadlines at full size: how long a tick of the reminders takes, and the digests of a day.

The rows come by COPY into notify's own database, their reminders far ahead of the clock, so that the running service
leaves them to the measurement, which calls the very commands that the service's jobs call.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from deploy.bench import instance as own
from deploy.local.instance import Instance
from shared.rules.calendar import SHANGHAI

WANTED_SECONDS = 1.0
DAYS = 60
FIRST = datetime(2031, 3, 3, 8, 30, tzinfo=SHANGHAI)
"""A Monday far ahead, at the hour of reminders."""

_COLUMNS = (
    "id", "plan", "agency", "unit", "kind", "rule", "number", "matter", "matter_id", "dataref", "area", "urgent", "start",
    "due", "provisional", "standing", "at", "closed", "ordinal", "rank", "tie", "reminded", "next_at",
)  # fmt: skip
_SEATS = (
    ("police", "command_centre"), ("police", "economic_crime"), ("police", None), ("commerce", "enforcement"),
    ("rental_mgmt", None), ("food_drug", None), ("labour", None), ("education", None), ("c-antang", None),
)  # fmt: skip


def _rows(count: int) -> Iterator[tuple[Any, ...]]:
    begun = FIRST - timedelta(days=10)
    day = timedelta(days=1)
    for number in range(count):
        agency, unit = _SEATS[number % len(_SEATS)]
        due = FIRST.replace(hour=23, minute=59) + day * (1 + number * DAYS // count)
        key = UUID(int=(0x7B << 120) | number)
        yield (
            key, "dayong", agency, unit, "acceptance", "plan.other_acceptance", f"大涌〔2031〕{number:07d}号", "case", key,
            f"http://127.0.0.1/v1/cases/{key}", None, False, begun, due, False, "running", begun, False,
            int(begun.timestamp() * 1_000_000), 1, str(number), "none", due.replace(hour=8, minute=30) - day,
        )  # fmt: skip


async def measure(made: Instance, count: int, say: Any) -> dict[str, Any]:
    """Fill the register, then: ticks with nothing due, a whole morning's reminders, and the day's digests."""
    say(f"{count:,} open deadlines by COPY …")
    began = time.perf_counter()
    conn = await asyncpg.connect(own.owner_urls(made)["notify"])
    try:
        await conn.copy_records_to_table("clocks", records=_rows(count), columns=_COLUMNS)
        await conn.execute("VACUUM (ANALYZE) clocks")
    finally:
        await conn.close()
    figures: dict[str, Any] = {"deadlines": count, "filled_seconds": round(time.perf_counter() - began, 1)}
    say(f"  {figures['filled_seconds']} s")
    return figures | await _ticks(made, count, say)


async def _ticks(made: Instance, count: int, say: Any) -> dict[str, Any]:
    from services.notify.commands import reminders
    from services.notify.settings import Settings
    from services.notify.tables import kit
    from shared.kit import db
    from shared.kit.service import Service

    service = Service(_settings(Settings, made), kit)

    async def timed(now: datetime) -> tuple[float, int]:
        started = time.perf_counter()
        async with db.begin(service.engine) as conn:
            ticked = await reminders.tick(conn, service, now)
        return time.perf_counter() - started, ticked.made

    try:
        idle = [(await timed(FIRST - timedelta(minutes=1)))[0] for _ in range(5)]
        full: list[float] = []
        made_by: list[int] = []
        while True:
            seconds, some = await timed(FIRST)
            if not some:
                break
            full.append(seconds)
            made_by.append(some)
        started = time.perf_counter()
        async with db.begin(service.engine) as conn:
            digests = await reminders.digest(conn, service, "dayong", FIRST.astimezone(UTC))
        whole = time.perf_counter() - started
    finally:
        await service.engine.dispose()
    figures = {
        "idle_tick_seconds": round(max(idle), 4),
        "tick_seconds": round(max(full, default=0.0), 3),
        "tick_reminders": max(made_by, default=0),
        "morning_reminders": sum(made_by),
        "morning_seconds": round(sum(full), 2),
        "digest_seconds": round(whole, 3),
        "digests": digests,
    }
    say(f"  longest tick {figures['tick_seconds']} s with {figures['tick_reminders']} reminders")
    return figures


def _settings(kind: Any, made: Instance) -> Any:
    """Notify's settings over the instance's own database and keys."""
    os.environ.setdefault("DACHUAN_LOCAL_MODE", "1")
    return kind(
        database_url=made.secrets.logins["notify"].app_url(made.backing.postgres_address),
        keys_file=made.secrets.keys_file("notify"),
        jwks_file=made.secrets.jwks_file,
        token_key_file=made.secrets.token_key_file,
        kafka_bootstrap="127.0.0.1:1",
        kafka_username="",
        kafka_password="",
        local_mode=True,
    )


def table(figures: dict[str, Any]) -> list[str]:
    """The figures beside what is wanted."""
    return [
        f"open deadlines          {figures['deadlines']:>10,}   filled in {figures['filled_seconds']} s",
        f"tick, nothing due       {figures['idle_tick_seconds']:>10} s",
        f"tick, longest           {figures['tick_seconds']:>10} s (≤ {WANTED_SECONDS:g}) with {figures['tick_reminders']:,} reminders",
        f"a morning's reminders   {figures['morning_reminders']:>10,}   in {figures['morning_seconds']} s",
        f"the day's digests       {figures['digest_seconds']:>10} s (≤ {WANTED_SECONDS:g}) for {figures['digests']} units",
    ]
