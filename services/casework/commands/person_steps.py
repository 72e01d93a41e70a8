"""What is done with a person: identity check, questioning with its hours, sampling, disposition, follow-up, entry."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.adapters import people
from services.casework.commands import reach
from services.casework.commands.basis import Basis
from services.casework.commands.merging import merge_same
from services.casework.commands.persons import change_part, save_details
from services.casework.commands.records import deadline_changes, deadline_of, deadline_row, published
from services.casework.commands.recurring import person_again
from services.casework.domain import persons as domain
from services.casework.domain.cases import Clock
from services.casework.domain.persons import IdKind, PersonRefused, StepKind
from services.casework.schemas.persons import EntryBody, StepBody
from services.casework.tables import (
    case_entries,
    case_parties,
    case_persons,
    cases,
    deadlines,
    kit,
    person_steps,
    persons,
)
from shared.events.casework import DeadlineMissed
from shared.events.persons import (
    CaseEntered,
    PersonChecked,
    PersonDisposed,
    PersonEntered,
    PersonFollowedUp,
    PersonSampled,
)
from shared.kit import audit, outbox
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.idempotency import Claim
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Forbidden
from shared.rules import deadlines as rules
from shared.rules.calendar import local_day
from shared.rules.deadlines import DeadlineRefused, State

QUESTIONING = "questioning"
"""The kind of deadline that runs while a person is questioned: 8 hours, 24 where the law allows (程序规定 art. 69)."""

_OPEN = (State.RUNNING.value, State.MISSED.value)


async def record_step(
    conn: AsyncConnection, basis: Basis, caller: Caller, part_id: UUID, body: StepBody, version: int, claim: Claim,
    now: datetime,
) -> UUID:  # fmt: skip
    """Put a step on record as its kind demands; the id of the person's part.

    Raises as `reach.part_to_change`, `Invalid` for what is missing or impossible, `Conflict` where the step does not
    fit what has been done, `Forbidden` for longer questioning without a post that may approve it.
    """
    if (known := await reach.repeated(conn, claim, now)) is not None:
        return known
    part, case = await reach.part_to_change(conn, caller, case_persons, part_id, "person.record", version)
    kind = StepKind(body.kind)
    only = domain.done_by(kind, body.code)
    if only is not None and basis.plan(case.plan).agency(caller.agency or "").kind != only:
        raise Forbidden(
            "这一步依法由公安机关办理；未作更改。 By law this step is the police's; nothing was changed.", code="not-your-step"
        )
    try:
        domain.check_day("at", body.at, now, reach.law_from(basis, now))
        if body.at < part.found_at:
            raise PersonRefused("at", "before-found", "时间早于查获时间，请核对。", "The time lies before the person was found.")
        made = await _DO[kind](conn, basis, caller, part, case, body, now)
    except PersonRefused as error:
        raise reach.refused(error) from None
    values, facts, told, deadline_id = made
    code = body.code or kind.value
    row = {
        "id": new_id(), "case_person_id": part_id, "case_id": part.case_id, "kind": kind.value, "code": code,
        "at": body.at, "recorded_at": now, "agency": caller.agency or "", "unit": caller.unit,
        "officers": body.officers, "basis": body.basis, "deadline_id": deadline_id, "facts": facts,
        "actor": caller.actor,
    }  # fmt: skip
    await insert_many(conn, person_steps, [row])
    await change_part(conn, part, values, reach.line(part.version + 1, now, kind.value, caller, code=code, on=body.at))
    await outbox.put(conn, kit.outbox, told, now)
    await audit.record(
        conn, kit, caller, f"person.{kind.value}", "case_person", [part_id], now, code=code, case_id=str(part.case_id)
    )
    return part_id


Made = tuple[dict[str, Any], dict[str, Any], list[Any], UUID | None]


def _of(case: Any, caller: Caller, part: Any) -> dict[str, Any]:
    return {
        "case_id": case.id, "plan": case.plan, "area": case.area, "agency": caller.agency or "", "unit": caller.unit,
        "part_id": part.id,
    }  # fmt: skip


async def _identity(
    conn: AsyncConnection, basis: Basis, caller: Caller, part: Any, case: Any, body: StepBody, now: datetime
) -> Made:
    line = domain.code_of(StepKind.IDENTITY_CHECK, body.code or "")
    facts: dict[str, Any] = {}
    if body.id_number and line.id in ("identified", "no_document_identified"):
        who = domain.identity(body.id_kind or IdKind.RESIDENT, body.id_number, local_day(now))
        row = (await conn.execute(select(persons).where(persons.c.id == part.person_id).with_for_update())).one()
        token = people.id_token(basis.keys, who)
        assert token is not None
        await conn.execute(select(func.pg_advisory_xact_lock(int.from_bytes(token[:8], "big", signed=True))))
        other = (await conn.execute(select(persons).where(persons.c.id_token == token))).one_or_none()
        if other is None:
            if row.id_token is not None:
                raise PersonRefused(
                    "id_number", "other-number", "此人已登记另一证件号码；请先在人员页更正。",
                    "Another number is on record for this person: correct it on the person's page first.",
                )  # fmt: skip
            details = people.opened(basis.keys, row.id, row.details)
            area = row.home_area or domain.home_area(None, who)
            await save_details(conn, basis, row.id, details, who, area, now, row=row)
        elif other.subject_id != row.subject_id:
            if row.id_token is not None:
                raise PersonRefused(
                    "id_number", "other-number", "此人已登记另一证件号码；请先核对。", "Another number is on record: check it."
                )
            facts["merged_into"] = str(await merge_same(conn, caller, row, other, now))
            await _seen_now(conn, basis, caller, part, case, now)
    told = [PersonChecked(**_of(case, caller, part), outcome=line.id, checked_at=body.at)]
    return {}, facts, list(told), None


async def _seen_now(conn: AsyncConnection, basis: Basis, caller: Caller, part: Any, case: Any, now: datetime) -> None:
    """A checked identity shows that the person stands in other cases: told as if known when recorded."""
    subject = await conn.scalar(select(persons.c.subject_id).where(persons.c.id == part.person_id))
    members = select(persons.c.id).where(persons.c.subject_id == subject)
    rows = (
        await conn.execute(
            select(case_persons.c.case_id, case_persons.c.found_at).where(
                case_persons.c.person_id.in_(members), case_persons.c.case_id != part.case_id
            )
        )
    ).all()
    if rows:
        whom = {"id": part.id, "role": part.role, "found_at": part.found_at, "subject_id": subject}
        last = max(row.found_at for row in rows)
        told = await person_again(conn, basis, caller, case, whom, len({row.case_id for row in rows}), last, now)
        await outbox.put(conn, kit.outbox, told, now)


async def _running(conn: AsyncConnection, part: Any) -> Any:
    """The open questioning of a person, locked, or None."""
    return (
        await conn.execute(
            select(deadlines)
            .where(
                deadlines.c.id.in_(
                    select(person_steps.c.deadline_id).where(
                        person_steps.c.case_person_id == part.id, person_steps.c.kind == StepKind.QUESTIONING.value
                    )
                ),
                deadlines.c.state.in_(_OPEN),
            )
            .with_for_update()
        )
    ).one_or_none()


async def _questioning(
    conn: AsyncConnection, basis: Basis, caller: Caller, part: Any, case: Any, body: StepBody, now: datetime
) -> Made:
    if await _running(conn, part) is not None:
        raise Conflict("正在询问查证，未结束前不能再次开始。 Questioning runs already.", code="questioning-runs")
    rule = basis.law.in_force("police.questioning", local_day(body.at))
    deadline, _ = rules.open_deadline(
        id=str(new_id()), kind=QUESTIONING, rule=rule, start=body.at, calendar=basis.calendar
    )
    clock = Clock(caller.agency or "", caller.unit, deadline)
    await insert_many(conn, deadlines, [deadline_row(part.case_id, clock)])
    return {}, {"due": deadline.due}, [], UUID(deadline.id)


async def _longer(
    conn: AsyncConnection, basis: Basis, caller: Caller, part: Any, case: Any, body: StepBody, now: datetime
) -> Made:
    if not basis.plan(case.plan).may_approve(caller.posts, "period.extend"):
        raise Forbidden(
            "延长询问查证须由有权审批延长的负责人批准；未作更改。 "
            "Longer questioning is approved by a post that may extend periods; nothing was changed.",
            code="not-approved",
        )
    row = await _running(conn, part)
    if row is None:
        raise Conflict("没有正在进行的询问查证。 No questioning runs.", code="no-questioning")
    rule = basis.law.in_force("police.questioning_long", local_day(row.start))
    before = deadline_of(row)
    longer = int(rule.value or 0) - before.amount - sum(one.amount for one in before.extensions)
    if longer <= 0:
        raise Conflict("已延长过，不能再延长。 It was lengthened before.", code="longest")
    try:
        after, _ = rules.extend(
            before, amount=longer, approver=caller.actor, reason=rule.article, now=now, calendar=basis.calendar
        )
    except DeadlineRefused:
        raise Conflict(
            "已超过询问查证时限，不能再延长。 The time is over: it cannot be lengthened.", code="past-due"
        ) from None
    await _save(conn, after)
    return {}, {"due": after.due, "article": rule.article}, [], row.id


async def _ended(
    conn: AsyncConnection, basis: Basis, caller: Caller, part: Any, case: Any, body: StepBody, now: datetime
) -> Made:
    row = await _running(conn, part)
    if row is None:
        raise Conflict("没有正在进行的询问查证。 No questioning runs.", code="no-questioning")
    before = deadline_of(row)
    if body.at < before.start:
        raise PersonRefused("at", "before-start", "结束时间早于开始时间。", "The end lies before the start.")
    after, _ = rules.meet(before, now=max(body.at, before.history[-1].at))
    await _save(conn, after)
    told: list[Any] = []
    if row.state == State.MISSED:
        await conn.execute(
            update(cases).where(cases.c.id == case.id).values(missed=func.greatest(cases.c.missed - 1, 0))
        )
    elif after.state is State.MET_LATE:
        told.append(
            DeadlineMissed(
                case_id=case.id, plan=case.plan, area=case.area, urgent=case.urgent, number=case.number,
                agency=row.agency, unit=row.unit, deadline=published(Clock(row.agency, row.unit, after)), missed_at=now,
            )
        )  # fmt: skip
    return {}, {"in_time": after.state is State.MET}, told, row.id


async def _save(conn: AsyncConnection, after: rules.Deadline) -> None:
    await conn.execute(
        update(deadlines)
        .where(deadlines.c.id == UUID(after.id))
        .values(**deadline_changes(after), version=deadlines.c.version + 1)
    )


async def _sampling(
    conn: AsyncConnection, basis: Basis, caller: Caller, part: Any, case: Any, body: StepBody, now: datetime
) -> Made:
    line = domain.code_of(StepKind.SAMPLING, body.code or "")
    if not body.basis:
        raise PersonRefused(
            "basis", "basis-missing", "采样须写明法律依据（文书或条款）。", "A sample needs its legal basis on record."
        )
    return {}, {}, [PersonSampled(**_of(case, caller, part), sample=line.id, sampled_at=body.at)], None


async def _disposition(
    conn: AsyncConnection, basis: Basis, caller: Caller, part: Any, case: Any, body: StepBody, now: datetime
) -> Made:
    area = domain.home_area(body.home_area)
    if area is None and body.code == "sent_home":
        area = await conn.scalar(select(persons.c.home_area).where(persons.c.id == part.person_id))
    line = domain.check_disposition(
        body.code or "", local_day(body.at), follow_up=body.follow_up, area=area, to_agency=body.to_agency,
        officers=body.officers,
    )  # fmt: skip
    if body.to_agency is not None:
        try:
            basis.plan(case.plan).agency(body.to_agency)
        except KeyError:
            raise PersonRefused("to_agency", "unknown-agency", "方案里没有这个单位。", "The plan has no such agency.") from None
    rule, due = reach.due_by(basis, case.plan, "person_disposition", part.found_at)
    sent = area if line.id == "sent_home" else None
    values: dict[str, Any] = {"disposition": line.id, "disposed_at": body.at}
    if body.follow_up is not None:
        values |= {"follow_up_due": body.follow_up, "follow_up_missed_at": None}
    event = PersonDisposed(
        **_of(case, caller, part), role=part.role, disposition=line.id, home_area=sent, to_agency=body.to_agency,
        follow_up=body.follow_up, officers=body.officers or 0, disposed_at=body.at, rule=rule, due=due,
        in_time=body.at <= due,
    )  # fmt: skip
    facts = {"home_area": sent, "to_agency": body.to_agency, "follow_up": body.follow_up, "in_time": body.at <= due}
    return values, {name: value for name, value in facts.items() if value is not None}, [event], None


async def _follow_up(
    conn: AsyncConnection, basis: Basis, caller: Caller, part: Any, case: Any, body: StepBody, now: datetime
) -> Made:
    line = domain.code_of(StepKind.FOLLOW_UP, body.code or "")
    if part.follow_up_due is None:
        raise Conflict("没有待办的回访。 No follow-up is open.", code="no-follow-up")
    if line.id == "not_reached" and body.follow_up is None:
        raise PersonRefused(
            "follow_up", "follow-up-missing", "未联系上的，请写明下次回访日期。", "Not reached: say when to try again."
        )
    if body.follow_up is not None and body.follow_up <= local_day(body.at):
        raise PersonRefused("follow_up", "follow-up-too-early", "下次回访日期应晚于本次。", "The next day lies later.")
    in_time = local_day(body.at) <= part.follow_up_due
    event = PersonFollowedUp(
        **_of(case, caller, part), outcome=line.id, due=part.follow_up_due, in_time=in_time, followed_up_at=body.at
    )
    return {"follow_up_due": body.follow_up, "follow_up_missed_at": None}, {"in_time": in_time}, [event], None


_DO = {
    StepKind.IDENTITY_CHECK: _identity,
    StepKind.QUESTIONING: _questioning,
    StepKind.QUESTIONING_LONGER: _longer,
    StepKind.QUESTIONING_ENDED: _ended,
    StepKind.SAMPLING: _sampling,
    StepKind.DISPOSITION: _disposition,
    StepKind.FOLLOW_UP: _follow_up,
}


async def enter_person(
    conn: AsyncConnection, basis: Basis, caller: Caller, part_id: UUID, body: EntryBody, version: int, claim: Claim,
    now: datetime,
) -> UUID:  # fmt: skip
    """The police system's receipt for a person (录入警综, D-B5a), and whether it came in time (D-M7)."""
    if (known := await reach.repeated(conn, claim, now)) is not None:
        return known
    part, case = await reach.part_to_change(conn, caller, case_persons, part_id, "person.enter", version)
    if part.entered_at is not None:
        raise Conflict("已录入并登记回执；未作更改。 The entry is on record; nothing was changed.", code="already-entered")
    try:
        domain.check_day("at", body.at, now, reach.law_from(basis, now))
        if body.at < part.found_at:
            raise PersonRefused("at", "before-found", "录入时间早于查获时间，请核对。", "Entered before the person was found.")
    except PersonRefused as error:
        raise reach.refused(error) from None
    rule, _ = reach.due_by(basis, case.plan, "person_entry", part.found_at)
    await change_part(
        conn, part, {"entered_at": body.at, "entered_by": caller.actor, "entry_number": body.number},
        reach.line(part.version + 1, now, "entered", caller, in_time=body.at <= part.entry_due),
    )  # fmt: skip
    event = PersonEntered(
        **_of(case, caller, part), entered_at=body.at, rule=rule, due=part.entry_due, in_time=body.at <= part.entry_due
    )
    await outbox.put(conn, kit.outbox, [event], now)
    await audit.record(conn, kit, caller, "person.enter", "case_person", [part_id], now, in_time=event.in_time)
    return part_id


async def enter_case(
    conn: AsyncConnection, basis: Basis, caller: Caller, case_id: UUID, body: EntryBody, claim: Claim, now: datetime
) -> UUID:
    """The information system's receipt for a case (D-M7): in time when within the plan's limit from its acceptance."""
    if (known := await reach.repeated(conn, claim, now)) is not None:
        return known
    case = await reach.case_to_change(conn, caller, case_id, "person.record", closed=True)
    await conn.execute(select(cases.c.id).where(cases.c.id == case_id).with_for_update())
    row = (await conn.execute(select(case_entries).where(case_entries.c.case_id == case_id))).one_or_none()
    if row is not None and row.entered_at is not None:
        raise Conflict("案件已填报；未作更改。 The case is entered; nothing was changed.", code="already-entered")
    try:
        domain.check_day("at", body.at, now, reach.law_from(basis, now))
    except PersonRefused as error:
        raise reach.refused(error) from None
    if row is None:
        rule, due = reach.due_by(basis, case.plan, "case_entry", await accepted_at(conn, case_id) or now)
    else:
        rule, due = row.rule, row.due
    values = {"number": body.number, "entered_at": body.at, "entered_by": caller.actor}
    if row is None:
        await insert_many(conn, case_entries, [{"case_id": case_id, "due": due, "rule": rule, **values}])
    else:
        await conn.execute(update(case_entries).where(case_entries.c.case_id == case_id).values(**values))
    event = CaseEntered(
        case_id=case_id, plan=case.plan, area=case.area, agency=caller.agency or "", unit=caller.unit,
        entered_at=body.at, rule=rule, due=due, in_time=body.at <= due,
    )  # fmt: skip
    await outbox.put(conn, kit.outbox, [event], now)
    await audit.record(conn, kit, caller, "case.enter", "case", [case_id], now, in_time=event.in_time)
    return case_id


async def accepted_at(conn: AsyncConnection, case_id: UUID) -> datetime | None:
    """When the first party accepted the case; None while none has."""
    p = case_parties.c
    return await conn.scalar(select(func.min(p.accepted_at)).where(p.case_id == case_id))
