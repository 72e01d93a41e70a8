"""Several signals about one building or estate within the plan's window raise it (聚集, D-M6)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.commands.joining import Met
from services.intake.commands.lead_rows import about
from services.intake.domain.joining import Known
from services.intake.tables import gatherings, kit
from shared.events.leads import GatheringFound
from shared.kit import audit
from shared.kit.access import service_caller
from shared.kit.db import fetch, insert_many
from shared.kit.ids import new_id
from shared.kit.service import Service

_STANDING = """
    SELECT g.plan, g.key FROM unnest(CAST($1 AS text[]), CAST($2 AS text[])) AS w (plan, key)
    JOIN gatherings g ON g.plan = w.plan AND g.key = w.key WHERE g.until > CAST($3 AS timestamptz)
    """
_RAISE = """
    UPDATE leads SET gathering_at = CAST($2 AS timestamptz), version = version + 1
    WHERE id = ANY(CAST($1 AS uuid[])) AND gathering_at IS NULL
    """


@dataclass(slots=True)
class Crowd:
    """A place where the bound is reached: how many signals, whose lead made it so, and the other leads there."""

    plan: str
    level: str
    name: str
    place: str
    signals: int
    lead: Known
    others: set[UUID] = field(default_factory=set)

    @property
    def key(self) -> str:
        return f"{self.level}:{self.name}"


async def look(conn: AsyncConnection, service: Service, met: Met, now: datetime) -> list[Crowd]:
    """The places where a batch's signals reach the plan's bound and no gathering stands; their leads are raised.

    One statement, and only when some place reaches its bound.
    """
    fresh: dict[tuple[str, str, str], int] = {}
    reached: dict[tuple[str, str, str], Crowd] = {}
    for signal, own, _ in met.standings:
        rule = service.plans[own.plan].leads.gathering
        if now - signal.moment > rule.window:
            continue
        lead = met.known[met.lead_of[signal.tip_id]]
        for level, place, name in signal.aim.crowds:
            where = (own.plan, level, name)
            fresh[where] = fresh.get(where, 0) + 1
            keys = ((own.plan, f"{level}:{name}"), (own.plan, f"in{level}:{name}"))
            signals = fresh[where] + sum(met.signals.get(key, 0) for key in keys)
            if signals < (rule.building if level == "building" else rule.estate):
                continue
            crowd = reached.setdefault(where, Crowd(own.plan, level, name, place, signals, lead))
            crowd.signals = signals
            crowd.others.update(one for key in keys for one in met.around.get(key, ()))
            lead.gathering_at = lead.gathering_at or now
            lead.changed = lead.changed or not lead.fresh
    if not reached:
        return []
    places = list(reached.values())
    standing = await fetch(conn, _STANDING, [one.plan for one in places], [one.key for one in places], now)
    known = {(row.plan, row.key) for row in standing}
    return [one for one in places if (one.plan, one.key) not in known]


async def record(
    conn: AsyncConnection, service: Service, crowds: Sequence[Crowd], now: datetime
) -> list[GatheringFound]:
    """Keep new gatherings, raise the leads that stand there already, and tell of each once."""
    if not crowds:
        return []
    rows = [
        {
            "id": new_id(),
            "plan": one.plan,
            "key": one.key,
            "level": one.level,
            "place": one.place,
            "area": one.lead.area,
            "signals": one.signals,
            "lead_id": one.lead.id,
            "found_at": now,
            "until": now + service.plans[one.plan].leads.gathering.window,
        }
        for one in crowds
    ]
    await insert_many(conn, gatherings, rows)
    others = set().union(*(one.others for one in crowds))
    if others:
        await fetch(conn, _RAISE, list(others), now)
    await audit.record(
        conn, kit, service_caller("intake"), "lead.gathering", "gathering", [row["id"] for row in rows], now
    )
    return [
        GatheringFound(
            **about(service, one.lead),
            gathering_id=row["id"],
            level=one.level,  # type: ignore[arg-type]
            signals=one.signals,
            window_days=service.plans[one.plan].leads.gathering.days,
            found_at=now,
        )
        for one, row in zip(crowds, rows, strict=True)
    ]
