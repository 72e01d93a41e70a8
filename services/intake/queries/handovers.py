"""Handovers, bounces, supplements and acceptances from the database, within what the caller may see."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, literal, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.domain.handovers import TRANSITIONS, HandoverAction, HandoverState
from services.intake.tables import leads, tips
from services.intake.tables.handovers import handover_matters, handovers, lead_parties, supplements
from shared.kit.access import Caller, scope

h, p, m = handovers.c, lead_parties.c, handover_matters.c
LATE = or_(h.answer_late_at.is_not(None), h.decision_late_at.is_not(None))


def handover_reach(caller: Caller, right: str = "handover.read") -> ColumnElement[bool]:
    """Handovers of either side: from or to the caller's agency (or unit), or assigned to it."""

    def unit(agency: str, own: str) -> ColumnElement[bool]:
        return or_(
            and_(h.from_agency == agency, or_(h.from_unit == own, h.from_unit.is_(None))),
            and_(h.to_agency == agency, or_(h.to_unit == own, h.to_unit.is_(None))),
            and_(h.assigned_agency == agency, or_(h.assigned_unit == own, h.assigned_unit.is_(None))),
        )

    def whole(agency: str) -> ColumnElement[bool]:
        return or_(h.from_agency == agency, h.to_agency == agency, h.assigned_agency == agency)

    return scope(caller, right, plan=h.plan, agency=whole, unit=unit, area=h.area)


def lead_reach(caller: Caller, right: str) -> ColumnElement[bool]:
    """Leads that concern the caller: assigned to them, or their agency is party to the lead's case."""

    def party(agency: str, unit: str | None) -> ColumnElement[bool]:
        found = [p.lead_id == leads.c.id, p.agency == agency]
        if unit:
            found.append(or_(p.unit == unit, p.unit.is_(None)))
        return exists().where(*found)

    return scope(
        caller,
        right,
        plan=leads.c.plan,
        agency=lambda agency: or_(leads.c.agency == agency, party(agency, None)),
        unit=lambda agency, unit: or_(
            (leads.c.agency == agency) & or_(leads.c.unit == unit, leads.c.unit.is_(None)), party(agency, unit)
        ),
        area=leads.c.area,
    )


def offered_lead(caller: Caller, right: str = "lead.read") -> ColumnElement[bool]:
    """Leads that a handover offers to the caller's agency or gave it: to judge an offer, one must see what it is."""
    if caller.reach(right) is None or caller.agency is None:
        return literal(False)
    offered = exists().where(
        h.matter_id == leads.c.id,
        h.lead_id == leads.c.id,
        h.to_agency == caller.agency,
        h.state.in_(("proposed", "escalated", "accepted")),
    )
    return and_(leads.c.plan == caller.plan, offered)


def offered_tip(caller: Caller, right: str = "tip.read") -> ColumnElement[bool]:
    """Tips of leads, or handed over by themselves, that a handover offers to the caller's agency or gave it."""
    if caller.reach(right) is None or caller.agency is None:
        return literal(False)
    offered = exists().where(
        or_(h.lead_id == tips.c.lead_id, h.tip_id == tips.c.id),
        h.matter_id == func.coalesce(tips.c.lead_id, tips.c.id),
        h.to_agency == caller.agency,
        h.state.in_(("proposed", "escalated", "accepted")),
    )
    return and_(tips.c.plan == caller.plan, offered)


def tip_reach(caller: Caller, right: str) -> ColumnElement[bool]:
    """Tips routed to the caller's agency or handed in by it; tips that triage sent elsewhere, for who triages."""
    return scope(
        caller,
        right,
        plan=tips.c.plan,
        agency=lambda agency: or_(tips.c.agency == agency, tips.c.source_agency == agency),
        unit=lambda agency, unit: or_(
            (tips.c.agency == agency) & (tips.c.unit == unit), tips.c.source_agency == agency
        ),
        area=tips.c.area,
    )


def supplement_reach(caller: Caller, right: str) -> ColumnElement[bool]:
    """Supplements that the caller's agency (or unit) asked for."""
    s = supplements.c
    return scope(
        caller,
        right,
        plan=s.plan,
        agency=lambda agency: s.agency == agency,
        unit=lambda agency, unit: (s.agency == agency) & or_(s.unit == unit, s.unit.is_(None)),
    )


_SIDES = {
    HandoverAction.ACCEPT: ("handover.answer", "receiver"),
    HandoverAction.REFUSE: ("handover.answer", "receiver"),
    HandoverAction.RETURN: ("handover.answer", "receiver"),
    HandoverAction.WITHDRAW: ("handover.propose", "sender"),
    HandoverAction.ESCALATE: ("handover.propose", "sender"),
    HandoverAction.DECIDE: ("handover.decide", "office"),
}


def may(caller: Caller, row: Any, right: str, action: HandoverAction) -> bool:
    """Whether the caller stands on the side whose step this is, with the right and the reach for it.

    What goes back to a distributor is answered by its sender, who writes down what the line said.
    """
    reach = caller.reach(right)
    if reach is None or (reach != "all" and row.plan != caller.plan):
        return False
    side = _SIDES[action][1]
    if side == "office":
        return reach in ("plan", "all")
    receiver = side == "receiver" and row.to_agency is not None
    agency, unit = (row.to_agency, row.to_unit) if receiver else (row.from_agency, row.from_unit)
    if reach in ("plan", "all") and side == "sender":
        return True
    if caller.agency != agency:
        return False
    return not (reach == "own_unit" and caller.unit and unit and unit != caller.unit)


def possible(caller: Caller, row: Any) -> list[str]:
    """What the caller may do with a handover now."""
    state = HandoverState(row.state)
    found = []
    for action, (right, _) in _SIDES.items():
        if (state, action) not in TRANSITIONS or not may(caller, row, right, action):
            continue
        if action is HandoverAction.ESCALATE and state is not HandoverState.REFUSED:
            continue
        if action is HandoverAction.RETURN and (row.to_agency is None or row.to_agency == row.from_agency):
            continue
        found.append(action.value)
    return found


async def list_handovers(
    conn: AsyncConnection,
    caller: Caller,
    *,
    state: str | None = None,
    waiting: bool = False,
    late: bool = False,
    bounced: bool = False,
    agency: str | None = None,
    matter: UUID | None = None,
    after: tuple[UUID] | None = None,
    limit: int = 50,
) -> Sequence[Any]:
    """Handovers in reach, newest first, one more than `limit` when there is a next page.

    `waiting`: somebody owes an answer. `late`: an answer or decision was late. `bounced`: refused or returned.
    """
    query = select(handovers).where(handover_reach(caller))
    if state:
        query = query.where(h.state == state)
    if waiting:
        query = query.where(h.state.in_(("proposed", "escalated")))
    if late:
        query = query.where(LATE)
    if bounced:
        query = query.where(h.answer_reason.is_not(None))
    if agency:
        query = query.where(h.to_agency == agency)
    if matter:
        query = query.where(h.matter_id == matter)
    if after:
        query = query.where(h.id < after[0])
    return (await conn.execute(query.order_by(h.id.desc()).limit(limit + 1))).all()


async def open_counts(conn: AsyncConnection, caller: Caller, most: int = 200) -> tuple[int, int]:
    """How many handovers in reach wait for an answer, and how many were late; no further than `most`."""
    counts = (
        select(func.count())
        .select_from(select(h.id).where(handover_reach(caller), condition).limit(most).subquery())
        .scalar_subquery()
        for condition in (h.state.in_(("proposed", "escalated")), LATE)
    )
    row = (await conn.execute(select(*counts))).one()
    return row[0], row[1]


async def one_handover(conn: AsyncConnection, caller: Caller, handover_id: UUID) -> Any | None:
    """One handover, if the caller may see it."""
    found = select(handovers).where(h.id == handover_id, handover_reach(caller))
    return (await conn.execute(found)).one_or_none()


async def of_matter(conn: AsyncConnection, caller: Caller, matter_id: UUID) -> Sequence[Any]:
    """The handovers of a lead or tip that the caller may see, oldest first."""
    found = select(handovers).where(h.matter_id == matter_id, handover_reach(caller))
    return (await conn.execute(found.order_by(h.id))).all()


async def figures(conn: AsyncConnection, caller: Caller, since: datetime, until: datetime) -> Sequence[Any]:
    """Per agency that received handovers in a period: answers, bounces, lateness, and how long answers took."""
    # both sides of one reading
    seen = (
        select(
            h.from_agency, h.to_agency, h.state, h.answer_reason, h.answer_late_at,
            func.extract("epoch", h.answered_at - h.proposed_at).label("took"),
        )
        .where(handover_reach(caller), h.proposed_at >= since, h.proposed_at < until)
        .cte("seen")
    )  # fmt: skip
    s = seen.c
    refused = s.state.in_(("refused",)) | (s.answer_reason.is_not(None) & (s.state != "returned"))
    received = (
        select(
            s.to_agency.label("agency"),
            func.count().label("received"),
            func.count().filter(s.state.in_(("accepted", "returned"))).label("accepted"),
            func.count().filter(refused).label("refused"),
            func.count().filter(s.state == "returned").label("returned"),
            func.count().filter(s.answer_late_at.is_not(None)).label("late"),
            func.count().filter(s.state.in_(("proposed", "escalated"))).label("open"),
            func.avg(s.took).label("mean"),
            func.max(s.took).label("most"),
        )
        .where(s.to_agency.is_not(None), s.to_agency != s.from_agency)
        .group_by(s.to_agency)
    ).cte("received")
    sent = (
        select(
            s.from_agency.label("agency"),
            func.count().label("sent"),
            func.count().filter(s.answer_reason.is_not(None)).label("sent_back"),
        )
        .where(s.to_agency.is_distinct_from(s.from_agency))
        .group_by(s.from_agency)
    ).cte("sent")
    zero = [func.coalesce(received.c[name], 0).label(name) for name in (
        "received", "accepted", "refused", "returned", "late", "open",
    )]  # fmt: skip
    both = (
        select(
            func.coalesce(received.c.agency, sent.c.agency).label("agency"),
            *zero,
            func.coalesce(sent.c.sent, 0).label("sent"),
            func.coalesce(sent.c.sent_back, 0).label("sent_back"),
            received.c.mean,
            received.c.most,
        )
        .select_from(received.outerjoin(sent, received.c.agency == sent.c.agency, full=True))
        .order_by(func.coalesce(received.c.refused, 0).desc(), "agency")
    )
    return (await conn.execute(both)).all()


def matter_reach(caller: Caller) -> ColumnElement[bool]:
    """Matters that the caller's agency has now, or had a part in."""
    part = exists().where(h.matter_id == m.id, handover_reach(caller))
    return scope(
        caller, "handover.read", plan=m.plan, area=m.area, agency=lambda agency: or_(m.agency == agency, part)
    )


async def bounced_matters(
    conn: AsyncConnection,
    caller: Caller,
    *,
    least: int = 1,
    after: tuple[datetime, UUID] | None = None,
    limit: int = 50,
) -> Sequence[Any]:
    """Matters refused or returned at least so often, the latest first, one more than `limit` if there is a next page."""
    query = select(handover_matters).where(m.bounces > 0, m.bounces >= least, matter_reach(caller))
    if after:
        query = query.where(tuple_(m.last_at, m.id) < tuple_(*after))
    return (await conn.execute(query.order_by(m.last_at.desc(), m.id.desc()).limit(limit + 1))).all()


async def bounce_counts(conn: AsyncConnection, caller: Caller) -> tuple[int, int]:
    """How many matters were bounced, and how many more than once."""
    found = select(func.count(), func.count().filter(m.bounces > 1)).where(m.bounces > 0, matter_reach(caller))
    row = (await conn.execute(found)).one()
    return row[0], row[1]


def party_reach(caller: Caller) -> ColumnElement[bool]:
    """Parties' acceptances within reach of `lead.read`, or of the handovers' reader: the office sees all."""
    right = "handover.read" if caller.reach("handover.read") in ("plan", "all") else "lead.read"
    return scope(
        caller,
        right,
        plan=p.plan,
        agency=lambda agency: p.agency == agency,
        unit=lambda agency, unit: (p.agency == agency) & or_(p.unit == unit, p.unit.is_(None)),
        area=p.area,
    )


async def acceptances(
    conn: AsyncConnection,
    caller: Caller,
    now: datetime,
    *,
    late: bool = False,
    agency: str | None = None,
    after: tuple[datetime, UUID] | None = None,
    limit: int = 50,
) -> Sequence[Any]:
    """Leads whose party still has to accept, longest overdue first (`late`: only those past due)."""
    query = select(lead_parties).where(p.state == "pending", p.due.is_not(None), party_reach(caller))
    if late:
        query = query.where(p.due < now)
    if agency:
        query = query.where(p.agency == agency)
    if after:
        query = query.where(tuple_(p.due, p.case_id) > tuple_(*after))
    return (await conn.execute(query.order_by(p.due, p.case_id).limit(limit + 1))).all()


async def waiting_by_agency(conn: AsyncConnection, caller: Caller, now: datetime) -> Sequence[Any]:
    """Per agency: how many leads wait for its acceptance, and how many of them are past due."""
    found = (
        select(p.agency, func.count().label("waiting"), func.count().filter(p.due < now).label("late"))
        .where(p.state == "pending", p.due.is_not(None), party_reach(caller))
        .group_by(p.agency)
        .order_by(func.count().filter(p.due < now).desc(), p.agency)
    )
    return (await conn.execute(found)).all()


async def parties_of_leads(conn: AsyncConnection, lead_ids: Sequence[UUID]) -> dict[UUID, list[Any]]:
    """What casework told of leads: their parties with who accepted when; lead agency first. One statement."""
    found: dict[UUID, list[Any]] = {}
    if lead_ids:
        rows = await conn.execute(
            select(lead_parties).where(p.lead_id.in_(lead_ids)).order_by(p.role.desc().nulls_last(), p.agency)
        )
        for row in rows:
            found.setdefault(row.lead_id, []).append(row)
    return found


async def supplements_of(conn: AsyncConnection, lead_id: UUID) -> Sequence[Any]:
    """What the reporters of a lead were asked to add, newest first."""
    found = select(supplements).where(supplements.c.lead_id == lead_id)
    return (await conn.execute(found.order_by(supplements.c.id.desc()))).all()
