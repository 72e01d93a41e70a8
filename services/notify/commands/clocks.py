"""The register of deadlines: what owners tell is merged in any order; reminders end with what they remind of."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.domain import clocks as domain
from services.notify.domain.clocks import Fact, Standing
from services.notify.domain.reminders import Stage, next_after
from services.notify.tables import clocks
from shared.events.documents import DocumentWithdrawn
from shared.kit.db import insert_many
from shared.kit.service import Service
from shared.rules.calendar import WorkingCalendar
from shared.rules.plan.ladder import Reminders

_IDENTITY = ("number", "matter", "matter_id", "dataref")
_HELD = (
    "plan", "agency", "unit", "kind", "rule", "area", "urgent", "start", "due", "provisional", "standing", "at",
    "closed", "ordinal", "rank", "tie",
)  # fmt: skip
_ORDER = ("closed", "ordinal", "rank", "tie")
_ROW = tuple(name for name in (*_HELD, *_IDENTITY) if name != "standing")
_NEWER = f"({', '.join(f'EXCLUDED.{n}' for n in _ORDER)}) > ({', '.join(f'clocks.{n}' for n in _ORDER)})"
_NEARER = "(clocks.matter = 'case' AND EXCLUDED.matter <> 'case')"
_FARTHER = "(EXCLUDED.matter = 'case' AND clocks.matter <> 'case')"
_SAME = "EXCLUDED.standing = 'running' AND clocks.standing = 'running' AND EXCLUDED.due = clocks.due"
_MERGE = ", ".join(
    [f"{n} = CASE WHEN {_NEWER} THEN EXCLUDED.{n} ELSE clocks.{n} END" for n in _HELD]
    + [
        f"{n} = CASE WHEN {_NEARER} OR ({_NEWER} AND NOT {_FARTHER}) THEN EXCLUDED.{n} ELSE clocks.{n} END"
        for n in _IDENTITY
    ]
    + [
        f"{n} = CASE WHEN {_NEWER} AND NOT ({_SAME}) THEN EXCLUDED.{n} ELSE clocks.{n} END"
        for n in ("reminded", "next_at")
    ]
)
_CONFLICT = f"ON CONFLICT (id) DO UPDATE SET {_MERGE} WHERE {_NEWER} OR {_NEARER}"

_END_REMINDERS = text(
    """
    UPDATE notices n SET state = 'done', done_at = c.at, in_time = c.standing NOT IN ('missed', 'met_late'),
        version = n.version + 1
    FROM clocks c
    WHERE c.id = ANY(CAST(:ids AS uuid[])) AND n.reminds = c.id AND n.state <> 'done'
        AND (c.standing <> 'running' OR n.due <> c.due)
    """
)
_WITHDRAW = text(
    """
    UPDATE clocks c SET standing = 'cancelled', at = w.at, closed = true,
        ordinal = -(extract(epoch FROM w.at) * 1000000)::bigint, rank = :rank, next_at = NULL
    FROM unnest(CAST(:ids AS uuid[]), CAST(:ats AS timestamptz[])) AS w (id, at)
    WHERE c.matter = 'document' AND c.matter_id = w.id AND NOT c.closed
    RETURNING c.id
    """
)


@lru_cache(maxsize=4)
def calendar_of(law_dir: Path) -> WorkingCalendar:
    """The working-day calendar beside the law. Raises `YamlProblem` for a wrong table."""
    return WorkingCalendar.load(law_dir / "calendar.yaml")


def reminders_of(service: Service, plan: str) -> Reminders:
    """What a plan says of reminders; the usual where the plan is not served here."""
    known = service.plans.get(plan)
    return known.reminders if known else Reminders()


async def note(conn: AsyncConnection, service: Service, events: Sequence[Any]) -> None:
    """Keep what some events tell of deadlines; a fixed number of statements, whatever their number."""

    def address(owner: str, path: str) -> str:
        return f"{service.settings.base_url(owner)}/v1/{path}"

    await keep(conn, service, [fact for event in events for fact in domain.facts_of(event, address)])


async def keep(conn: AsyncConnection, service: Service, facts: Sequence[Fact]) -> None:
    """Merge facts into the register, and end the reminders of clocks that are over, stand still or have moved."""
    held = domain.latest(facts)
    if not held:
        return
    calendar = calendar_of(service.settings.law_dir)
    # sorted by id: two batches that meet never wait for each other in a circle
    await insert_many(conn, clocks, [_row(service, fact, calendar) for fact in held], conflict=_CONFLICT)
    touched = sorted({fact.id for fact in facts if not fact.first})
    if touched:
        await conn.execute(_END_REMINDERS, {"ids": touched})


_values = attrgetter(*_ROW)


def _row(service: Service, fact: Fact, calendar: WorkingCalendar) -> dict[str, Any]:
    runs = fact.standing is Standing.RUNNING
    first = (
        next_after(reminders_of(service, fact.plan), calendar, fact.start, fact.due, Stage.NONE) if runs else None
    )
    return {
        "id": fact.id,
        **dict(zip(_ROW, _values(fact), strict=True)),
        "standing": fact.standing.value,
        # its owner says by an own notice that it was missed
        "reminded": (Stage.OVERDUE if fact.standing is Standing.MISSED else Stage.NONE).value,
        "next_at": first,
    }


async def withdrawn(conn: AsyncConnection, events: Sequence[DocumentWithdrawn]) -> None:
    """The clocks until service of documents that are withdrawn are over."""
    values = {
        "ids": [event.document_id for event in events],
        "ats": [event.withdrawn_at for event in events],
        "rank": domain.RANK[Standing.CANCELLED],
    }
    ids = list((await conn.execute(_WITHDRAW, values)).scalars())
    if ids:
        await conn.execute(_END_REMINDERS, {"ids": ids})
