"""Findings within a caller's reach: what waits for whom, one with its facts and steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, true, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.domain.findings import OPEN, FindingState
from services.scoring.tables import finding_facts, finding_steps, findings, ledger
from shared.kit.access import Caller, scope

Show = Literal["mine", "open", "appealed", "confirmed", "ended", "all"]

_OPEN = tuple(state.value for state in OPEN)
_ENDED = tuple(
    state.value for state in (FindingState.REJECTED, FindingState.LAPSED, FindingState.UPHELD, FindingState.OVERTURNED)
)
_RIGHTS = ("finding.decide", "finding.answer", "finding.appeal")
f = findings.c


def visible(caller: Caller, right: str) -> ColumnElement[bool]:
    """Findings on which a caller holds a right: about the own agency (or unit), an area, the plan."""
    return scope(
        caller,
        right,
        plan=f.plan,
        agency=lambda agency: f.agency == agency,
        unit=lambda agency, unit: and_(f.agency == agency, or_(f.unit.is_(None), f.unit == unit)),
        area=f.area,
    )


def _others(caller: Caller) -> ColumnElement[bool]:
    """Not about the caller's own unit: nobody judges themselves."""
    if caller.agency is None:
        return true()
    own = and_(f.agency == caller.agency, or_(f.unit.is_(None), f.unit == (caller.unit or "")))
    return ~own


def waiting_for(caller: Caller, now: datetime) -> ColumnElement[bool]:
    """Findings that a caller can act on now: to decide, to answer, to appeal."""
    decide = and_(visible(caller, "finding.decide"), _others(caller))
    decided = or_(f.decided_by.is_(None), f.decided_by != caller.actor)
    left = or_(f.left_by.is_(None), f.left_by != caller.actor)
    return or_(
        and_(decide, left, f.state.in_(_OPEN), or_(f.answered_at.is_not(None), f.answer_by < now)),
        and_(decide, left, decided, f.state == FindingState.APPEALED.value),
        and_(visible(caller, "finding.answer"), f.state.in_(_OPEN), f.answered_at.is_(None), f.answer_by >= now),
        and_(visible(caller, "finding.appeal"), f.state == FindingState.CONFIRMED.value, f.appeal_by >= now),
    )


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What a list is narrowed to; what is None does not matter."""

    show: Show = "all"
    condition: str | None = None
    agency: str | None = None
    area: str | None = None
    case_id: UUID | None = None
    origin: str | None = None


def _of(caller: Caller, narrowed: Narrowed, now: datetime) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [
        column == value
        for column, value in (
            (f.condition, narrowed.condition), (f.agency, narrowed.agency), (f.area, narrowed.area),
            (f.case_id, narrowed.case_id), (f.origin, narrowed.origin),
        )
        if value is not None
    ]  # fmt: skip
    match narrowed.show:
        case "mine":
            found.append(waiting_for(caller, now))
        case "open":
            found.append(f.state.in_(_OPEN))
        case "appealed" | "confirmed":
            found.append(f.state == narrowed.show)
        case "ended":
            found.append(f.state.in_(_ENDED))
        case _:
            pass
    return found


async def list_findings(
    conn: AsyncConnection,
    caller: Caller,
    narrowed: Narrowed,
    now: datetime,
    *,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Any]:
    """Up to `limit + 1` findings, newest first; those that wait for the caller: oldest first."""
    mine = narrowed.show == "mine"
    order = tuple_(f.proposed_at, f.finding_id)
    query = (
        select(findings)
        .where(visible(caller, "finding.read"), *_of(caller, narrowed, now))
        .order_by(*((f.proposed_at, f.finding_id) if mine else (f.proposed_at.desc(), f.finding_id.desc())))
        .limit(limit + 1)
    )
    if after is not None:
        query = query.where(order > tuple_(*after) if mine else order < tuple_(*after))
    return (await conn.execute(query)).all()


async def counts(conn: AsyncConnection, caller: Caller, now: datetime) -> dict[str, int]:
    """How many findings each tab of the desk holds."""
    row = (
        await conn.execute(
            select(
                func.count().filter(waiting_for(caller, now)).label("mine"),
                func.count().filter(f.state.in_(_OPEN)).label("open"),
                func.count().filter(f.state == FindingState.APPEALED.value).label("appealed"),
                func.count().filter(f.state == FindingState.CONFIRMED.value).label("confirmed"),
                func.count().filter(f.state.in_(_ENDED)).label("ended"),
            ).where(visible(caller, "finding.read"))
        )
    ).one()
    return dict(row._mapping)


@dataclass(frozen=True, slots=True)
class Full:
    """One finding with the events behind it, what was done with it, and its entries."""

    row: Any
    facts: Sequence[Any]
    steps: Sequence[Any]
    entries: Sequence[Any]
    mine: dict[str, bool]
    """Right → whether the caller holds it on this finding."""

    @property
    def rests_on(self) -> list[Any]:
        """The facts it rests on, in the order they happened."""
        wanted = set(self.row.events)
        return [fact for fact in self.facts if str(fact.event_id) in wanted]

    @property
    def later(self) -> list[Any]:
        """Other facts of the same matter."""
        wanted = set(self.row.events)
        return [fact for fact in self.facts if str(fact.event_id) not in wanted]


async def one_finding(conn: AsyncConnection, caller: Caller, finding_id: UUID) -> Full | None:
    """One finding within the caller's reach, or None."""
    row = (
        await conn.execute(
            select(findings, *(visible(caller, right).label(right) for right in _RIGHTS)).where(
                f.finding_id == finding_id, visible(caller, "finding.read")
            )
        )
    ).one_or_none()
    if row is None:
        return None
    facts = select(finding_facts).where(finding_facts.c.matter == row.matter)
    steps = select(finding_steps).where(finding_steps.c.finding_id == finding_id)
    entries = select(ledger).where(ledger.c.basis_id == finding_id) if caller.reach("score.read") else None
    return Full(
        row,
        (await conn.execute(facts.order_by(finding_facts.c.at, finding_facts.c.recorded_at, finding_facts.c.event_id))).all(),
        (await conn.execute(steps.order_by(finding_steps.c.version))).all(),
        (await conn.execute(entries.order_by(ledger.c.seq))).all() if entries is not None else (),
        {right: row._mapping[right] for right in _RIGHTS},
    )
