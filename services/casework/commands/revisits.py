"""Cleared dens are looked at again (回访, X-D9); what should be on record by now and is not, is told (D-M7)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands import reach
from services.casework.commands.basis import Basis
from services.casework.commands.recurring import place_again
from services.casework.domain import persons as persons_domain
from services.casework.domain import places as domain
from services.casework.domain.persons import PersonRefused
from services.casework.domain.places import PlaceRefused, RevisitAction, RevisitState
from services.casework.queries.visibility import may_revisit
from services.casework.schemas.places import RevisitBody
from services.casework.tables import case_entries, case_parties, case_persons, cases, kit, places, revisits
from shared.events.persons import RecordOverdue
from shared.events.places import DenRevisited, RevisitOverdue
from shared.kit import audit, outbox
from shared.kit.access import Caller, service_caller
from shared.kit.db import insert_many
from shared.kit.idempotency import Claim
from shared.kit.problem import Conflict, NotFound
from shared.rules.calendar import end_of_day, local_day


async def do_revisit(
    conn: AsyncConnection, basis: Basis, caller: Caller, revisit_id: UUID, body: RevisitBody, version: int, claim: Claim,
    now: datetime,
) -> UUID:  # fmt: skip
    """What a revisit found; people back or a broken seal is 死灰复燃. Raises `NotFound`, `Outdated`, `Conflict`, `Invalid`."""
    if (known := await reach.repeated(conn, claim, now)) is not None:
        return known
    r = revisits.c
    row = (
        await conn.execute(
            select(revisits)
            .join(cases, cases.c.id == r.case_id)
            .where(r.id == revisit_id, may_revisit(caller))
            .with_for_update(of=revisits)
        )
    ).one_or_none()
    if row is None:
        raise NotFound("没有这项回访，或不在您的权限内。 No such revisit within your reach.", code="revisit-not-found")
    reach.same_version(row, version)
    place = (await conn.execute(select(places).where(places.c.id == row.place_id).with_for_update())).one()
    try:
        persons_domain.check_day("at", body.at, now, reach.law_from(basis, now))
        if body.at < place.cleared_at:
            raise PersonRefused("at", "before-cleared", "时间早于捣毁时间，请核对。", "The time lies before the clearing.")
        after = domain.next_revisit_state(RevisitState(row.state), RevisitAction.DO)
    except PersonRefused as error:
        raise reach.refused(error) from None
    except PlaceRefused:
        raise Conflict(
            "这项回访已办结；未作更改。 This revisit is over; nothing was changed.", code="not-possible-now"
        ) from None
    await conn.execute(
        update(revisits)
        .where(r.id == revisit_id)
        .values(
            state=after.value, outcome=body.outcome, done_at=body.at, actor=caller.actor, version=row.version + 1
        )
    )
    case = (await conn.execute(select(cases).where(cases.c.id == row.case_id))).one()
    told: list[Any] = [
        DenRevisited(
            **_place(basis, row, place), den_id=row.den_id, revisit_id=revisit_id, agency=row.agency,
            number=row.number, outcome=body.outcome, due=row.due, in_time=local_day(body.at) <= row.due,
            revisited_at=body.at,
        )
    ]  # fmt: skip
    if body.outcome in domain.RELAPSES:
        told += await place_again(conn, basis, case, place, "revisit", body.at, now)
    await outbox.put(conn, kit.outbox, told, now)
    await audit.record(conn, kit, caller, "den.revisit", "revisit", [revisit_id], now, outcome=body.outcome)
    return revisit_id


def _place(basis: Basis, row: Any, place: Any) -> dict[str, Any]:
    return {
        "case_id": row.case_id, "plan": row.plan, "area": row.area, "place_id": row.place_id, "kind": place.kind,
        "dataref": basis.dataref(row.case_id),
    }  # fmt: skip


async def mark_revisits(conn: AsyncConnection, basis: Basis, now: datetime, *, limit: int = 500) -> int:
    """Revisits whose day has passed are overdue, and told; how many."""
    r = revisits.c
    rows = (
        await conn.execute(
            select(revisits, places.c.kind)
            .join(places, places.c.id == r.place_id)
            .where(r.state == RevisitState.OPEN.value, r.due < local_day(now))
            .order_by(r.due)
            .limit(limit)
            .with_for_update(of=revisits, skip_locked=True)
        )
    ).all()
    if not rows:
        return 0
    found = reach.ids(rows)
    await conn.execute(
        update(revisits)
        .where(r.id.in_(found))
        .values(state=RevisitState.OVERDUE.value, missed_at=now, version=r.version + 1)
    )
    told = [
        RevisitOverdue(
            **_place(basis, row, row), den_id=row.den_id, revisit_id=row.id, agency=row.agency, number=row.number,
            due=row.due, overdue_at=now,
        )
        for row in rows
    ]  # fmt: skip
    await outbox.put(conn, kit.outbox, told, now)
    await audit.record(conn, kit, service_caller("casework"), "revisit.miss", "revisit", found, now, count=len(found))
    return len(rows)


async def mark_persons(conn: AsyncConnection, now: datetime, *, limit: int = 500) -> int:
    """Persons not entered in the police system in time (D-M7), and follow-ups whose day has passed (D-M4); how many."""
    c, today = case_persons.c, local_day(now)
    unentered = (c.entered_at.is_(None)) & (c.entry_missed_at.is_(None)) & (c.entry_due < now)
    unfollowed = (c.follow_up_due < today) & (c.follow_up_missed_at.is_(None)) & (c.follow_up_due.is_not(None))
    done = 0
    for what, condition, column in (
        ("person_entry", unentered, "entry_missed_at"),
        ("follow_up", unfollowed, "follow_up_missed_at"),
    ):
        rows = (
            await conn.execute(
                select(case_persons).where(condition).limit(limit).with_for_update(skip_locked=True)
            )
        ).all()
        if not rows:
            continue
        found = reach.ids(rows)
        await conn.execute(update(case_persons).where(c.id.in_(found)).values({column: now}))
        told = [
            RecordOverdue(
                case_id=row.case_id, plan=row.plan, area=row.area, agency=row.agency, unit=row.unit, what=what,
                part_id=row.id, overdue_at=now,
                due=row.entry_due if what == "person_entry" else end_of_day(row.follow_up_due),
            )
            for row in rows
        ]  # fmt: skip
        await outbox.put(conn, kit.outbox, told, now)
        await audit.record(
            conn, kit, service_caller("casework"), "person.overdue", "case_person", found, now, what=what
        )
        done += len(rows)
    return done


async def mark_cases(conn: AsyncConnection, basis: Basis, now: datetime, *, limit: int = 500) -> int:
    """Accepted cases that are not entered in the information system in time (D-M7); each is told once. How many."""
    p = case_parties.c
    rows = (
        await conn.execute(
            select(cases, func.min(p.accepted_at).label("accepted"), func.min(p.agency).label("first_agency"))
            .join(case_parties, (p.case_id == cases.c.id) & p.accepted_at.is_not(None))
            .outerjoin(case_entries, case_entries.c.case_id == cases.c.id)
            .where(
                cases.c.plan.in_(basis.plans), cases.c.state == "accepted",
                case_entries.c.case_id.is_(None),
            )
            .group_by(cases.c.id)
            .order_by(cases.c.id)
            .limit(limit * 4)
        )
    ).all()  # fmt: skip
    late = []
    for row in rows:
        rule, due = reach.due_by(basis, row.plan, "case_entry", row.accepted)
        if due < now and len(late) < limit:
            late.append((row, rule, due))
    new = await insert_many(
        conn, case_entries,
        [{"case_id": row.id, "due": due, "rule": rule, "missed_at": now} for row, rule, due in late],
        conflict="ON CONFLICT DO NOTHING", returning="case_id",
    )  # fmt: skip
    fresh = {one.case_id for one in new}
    told = [
        RecordOverdue(
            case_id=row.id, plan=row.plan, area=row.area, agency=row.first_agency, unit=None, what="case_entry",
            part_id=None, due=due, overdue_at=now,
        )
        for row, _, due in late
        if row.id in fresh
    ]  # fmt: skip
    if told:
        await outbox.put(conn, kit.outbox, told, now)
        await audit.record(
            conn, kit, service_caller("casework"), "case.overdue", "case", sorted(fresh), now, what="case_entry"
        )
    return len(told)
