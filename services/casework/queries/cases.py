"""Lists and single cases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.domain.cases import ACCEPTANCE
from services.casework.queries.visibility import reaches, within_reach
from services.casework.tables import case_parties, cases, deadlines, lead_meetings, lead_signals
from shared.kit import pagination
from shared.kit.access import Caller

Mode = Literal["newest", "waiting"]
"""`newest`: all in reach, newest first. `waiting`: those waiting for my agency's acceptance, longest overdue first."""

_OPEN = ("running", "missed")


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to; None leaves a side open.

    `late`: some clock of the case was marked missed and its act is still open; for what waits for me, simply past due.
    """

    state: str | None = None
    area: str | None = None
    kind: str | None = None
    urgent: bool | None = None
    late: bool = False


@dataclass(frozen=True, slots=True)
class CaseFull:
    """A case with its parties and its clocks; `mine` when the caller may accept it for a party still pending.

    For one case alone: `closable` when the caller leads it and may close it once all is done, `signals`, the tips about its target, and `together`, the cases that go with it (case id,
    number, whether this one's lead went into theirs, since when), as far as they are within the caller's reach.
    """

    case: Any
    parties: Sequence[Any]
    deadlines: Sequence[Any]
    mine: bool
    signals: int = 1
    together: Sequence[Any] = ()
    closable: bool = False


async def list_cases(
    conn: AsyncConnection,
    caller: Caller,
    filters: Filters,
    now: datetime,
    *,
    mode: Mode = "newest",
    after: tuple[Any, ...] | None = None,
    limit: int = 50,
) -> list[CaseFull]:
    """`limit + 1` cases after a cursor (`newest`: case id; `waiting`: due, case id), in three statements."""
    found = _waiting(caller, filters, now, after) if mode == "waiting" else _newest(caller, filters, after)
    rows = (await conn.execute(found.limit(limit + 1))).all()
    return await with_parts(conn, caller, rows)


def after_cursor(cursor: str | None, mode: Mode) -> tuple[Any, ...] | None:
    """The place that a cursor of a list in this mode points at. Raises `BadRequest` for one that is not ours."""
    return pagination.decode(cursor, (datetime.fromisoformat, UUID) if mode == "waiting" else (UUID,))


def cursor_of(full: CaseFull, mode: Mode) -> tuple[Any, ...]:
    """The sort values of a case in a list of this mode."""
    return (full.case.waiting_due, full.case.id) if mode == "waiting" else (full.case.id,)


def _base(caller: Caller, filters: Filters) -> Select[Any]:
    query = select(cases, reaches(caller, "case.accept").label("mine")).where(within_reach(caller, "case.read"))
    if filters.state is not None:
        query = query.where(cases.c.state == filters.state)
    if filters.area is not None:
        query = query.where(cases.c.area == filters.area)
    if filters.kind is not None:
        query = query.where(cases.c.kinds.contains([filters.kind]))
    if filters.urgent is not None:
        query = query.where(cases.c.urgent == filters.urgent)
    return query


def _newest(caller: Caller, filters: Filters, after: tuple[Any, ...] | None) -> Select[Any]:
    query = _base(caller, filters)
    if filters.late:
        query = query.where(cases.c.missed > 0)
    if after is not None:
        query = query.where(cases.c.id < after[0])
    # ids are UUIDv7: in the order of opening
    return query.order_by(cases.c.id.desc())


def _waiting(caller: Caller, filters: Filters, now: datetime, after: tuple[Any, ...] | None) -> Select[Any]:
    d = deadlines.c
    query = (
        _base(caller, filters)
        .add_columns(d.due.label("waiting_due"))
        .join(deadlines, d.case_id == cases.c.id)
        .where(d.agency == caller.agency, d.state.in_(_OPEN), d.kind == ACCEPTANCE, within_reach(caller, "case.accept"))
    )
    if filters.late:
        query = query.where(d.due < now)
    if after is not None:
        query = query.where(tuple_(d.due, d.case_id) > tuple_(*after))
    return query.order_by(d.due, d.case_id)


async def waiting_counts(conn: AsyncConnection, caller: Caller, now: datetime, *, most: int = 300) -> tuple[int, int]:
    """How many cases wait for my agency's acceptance, and how many of them are late; counted up to `most`."""
    found = _waiting(caller, Filters(), now, None).limit(most).subquery()
    row = (
        await conn.execute(select(func.count(), func.count().filter(found.c.waiting_due < now)).select_from(found))
    ).one()
    return row[0], row[1]


async def get_case(conn: AsyncConnection, caller: Caller, case_id: UUID) -> CaseFull | None:
    """One case within the caller's reach, or None."""
    mine = within_reach(caller, "case.accept")
    row = (
        await conn.execute(
            select(cases, mine.label("mine"), within_reach(caller, "case.close").label("closing")).where(
                cases.c.id == case_id, or_(within_reach(caller, "case.read"), mine)
            )
        )
    ).one_or_none()
    if row is None:
        return None
    [full] = await with_parts(conn, caller, [row])
    signals = await conn.scalar(select(lead_signals.c.tips).where(lead_signals.c.lead_id == row.lead_id))
    leads = any(party.agency == caller.agency and party.role == "lead" for party in full.parties)
    closable = bool(row.closing) and leads and row.state == "accepted"
    together = await _together(conn, caller, row.lead_id)
    return replace(full, signals=signals or 1, together=together, closable=closable)


async def _together(conn: AsyncConnection, caller: Caller, lead_id: UUID) -> Sequence[Any]:
    m = lead_meetings.c
    met = or_(
        and_(m.lead_id == lead_id, cases.c.lead_id == m.merged_lead_id),
        and_(m.merged_lead_id == lead_id, cases.c.lead_id == m.lead_id),
    )
    query = (
        select(cases.c.id, cases.c.number, (m.merged_lead_id == lead_id).label("into"), m.merged_at)
        .join(lead_meetings, met)
        .where(m.merged_at.is_not(None), m.undone_at.is_(None), within_reach(caller, "case.read"))
        .order_by(m.merged_at, cases.c.number)
        .limit(50)
    )
    return (await conn.execute(query)).all()


async def case_of_lead(conn: AsyncConnection, caller: Caller, lead_id: UUID) -> UUID | None:
    """The case that a lead opened, when it is within the caller's reach."""
    seen = or_(within_reach(caller, "case.read"), within_reach(caller, "case.accept"))
    return await conn.scalar(select(cases.c.id).where(cases.c.lead_id == lead_id, seen))


async def with_parts(conn: AsyncConnection, caller: Caller, rows: Sequence[Any]) -> list[CaseFull]:
    if not rows:
        return []
    ids = [row.id for row in rows]
    parties: dict[UUID, list[Any]] = defaultdict(list)
    clocks: dict[UUID, list[Any]] = defaultdict(list)
    for party in await conn.execute(select(case_parties).where(case_parties.c.case_id.in_(ids))):
        parties[party.case_id].append(party)
    for clock in await conn.execute(
        select(deadlines)
        .where(deadlines.c.case_id.in_(ids), deadlines.c.proceeding_id.is_(None))
        .order_by(deadlines.c.due, deadlines.c.id)
    ):
        clocks[clock.case_id].append(clock)
    order = {"lead": 0, "co": 1, "coordinator": 2}
    return [
        CaseFull(
            case=row,
            parties=sorted(parties[row.id], key=lambda p: (order[p.role], p.agency)),
            deadlines=clocks[row.id],
            mine=bool(row.mine)
            and any(
                p.agency == caller.agency and p.state == "pending" and p.role != "coordinator" for p in parties[row.id]
            ),
        )
        for row in rows
    ]
