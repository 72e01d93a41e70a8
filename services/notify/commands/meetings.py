"""Meetings: called, moved, held with who came, written up, their decisions made duties, closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.commands import duties as duty_commands
from services.notify.commands.duties import Shown
from services.notify.commands.telling import Desk, check_version, repeated, traced, wrong
from services.notify.domain.duties import STEPS as DUTY_STEPS
from services.notify.domain.duties import DutyState, DutyStep, Proof
from services.notify.domain.meetings import STEPS, MeetingKind, MeetingState, MeetingStep
from services.notify.queries import meetings as queries
from services.notify.queries import notices as told
from services.notify.tables import duties, duty_proofs, kit, meetings, notices
from shared.events.meetings import MeetingCalled, MeetingStepped
from shared.kit import audit
from shared.kit.access import Caller
from shared.kit.idempotency import Claim
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Forbidden
from shared.rules.calendar import end_of_day, local_day
from shared.rules.plan import Plan


@dataclass(frozen=True, slots=True)
class Calling:
    """A meeting as it is called. `agencies`: who is asked to come; the one that calls is always among them."""

    kind: MeetingKind
    title: str
    place: str
    agenda: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime
    agencies: tuple[str, ...]
    case_id: UUID | None = None
    case_number: str | None = None
    """Instead of `case_id`, as people know it."""


@dataclass(frozen=True, slots=True)
class Moving:
    """Another time, place or agenda; what is None stays."""

    starts_at: datetime | None = None
    ends_at: datetime | None = None
    place: str | None = None
    agenda: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a meeting decided that somebody shall do, and by which day."""

    agency: str
    unit: str | None
    due: date
    what: str


async def call(conn: AsyncConnection, desk: Desk, caller: Caller, calling: Calling, *, claim: Claim, now: datetime) -> Any:
    """Call a meeting; everyone asked is told.

    Raises:
        Invalid: a time in the past or the wrong way round, an agency that is none, a case the caller does not know.
        Forbidden: a joint conference called by another than the office.
    """
    known = await repeated(conn, claim, now)
    if known:
        return await queries.one(conn, caller, known)
    plan = desk.plan(caller.plan or "")
    agency = caller.agency or plan.office
    if calling.kind is MeetingKind.JOINT_CONFERENCE and caller.reach("meeting.manage") not in ("plan", "all"):
        raise Forbidden(
            "联席会议由打传办召集；案件会议请选“小型案件会议”。 The office calls joint conferences; choose a case conference.",
        )
    _check_times(calling.starts_at, calling.ends_at, now)
    case_id, number = None, None
    if calling.kind is MeetingKind.CASE_CONFERENCE:
        case_id, number = await _case(conn, caller, calling)
    agencies = tuple(dict.fromkeys((agency, *calling.agencies)))
    _check_agencies(plan, agencies)
    row = {
        "id": claim.object_id, "plan": plan.id, "kind": calling.kind.value,
        "case_id": case_id, "case_number": number,
        "sealed": desk.seal(
            claim.object_id,
            {"title": calling.title, "place": calling.place, "agenda": list(calling.agenda), "minutes": ""},
        ),
        "starts_at": calling.starts_at, "ends_at": calling.ends_at, "agencies": list(agencies), "present": [],
        "state": MeetingState.CALLED.value, "agency": agency, "called_by": caller.actor, "created_at": now,
        "changed_at": now, "version": 1, "history": [],
    }  # fmt: skip
    made = (await conn.execute(insert(meetings).values(row).returning(meetings))).one()
    await desk.tell(conn, [MeetingCalled(**_facts(desk, made), called_at=now)], now)
    await audit.record(conn, kit, caller, "meeting.called", "meeting", [made.id], now, kind=made.kind)
    return made


async def move(
    conn: AsyncConnection, desk: Desk, caller: Caller, meeting_id: UUID, moving: Moving, *, version: int, claim: Claim,
    now: datetime,
) -> Any:  # fmt: skip
    """Give a called meeting another time, place or agenda; everyone asked is told."""
    known = await repeated(conn, claim, now)
    row = await _row(conn, caller, meeting_id, version, MeetingStep.MOVE, known)
    if known:
        return row
    starts, ends = moving.starts_at or row.starts_at, moving.ends_at or row.ends_at
    _check_times(starts, ends, now)
    words = desk.words(row.id, row.sealed)
    if moving.place is not None:
        words["place"] = moving.place
    if moving.agenda is not None:
        words["agenda"] = list(moving.agenda)
    return await _stepped(
        conn, desk, caller, row, MeetingStep.MOVE, now, starts_at=starts, ends_at=ends, sealed=desk.seal(row.id, words)
    )


async def cancel(
    conn: AsyncConnection, desk: Desk, caller: Caller, meeting_id: UUID, *, version: int, claim: Claim, now: datetime
) -> Any:
    """Call a meeting off; everyone asked is told."""
    known = await repeated(conn, claim, now)
    row = await _row(conn, caller, meeting_id, version, MeetingStep.CANCEL, known)
    return row if known else await _stepped(conn, desk, caller, row, MeetingStep.CANCEL, now)


async def hold(
    conn: AsyncConnection, desk: Desk, caller: Caller, meeting_id: UUID, present: Sequence[str], *, version: int,
    claim: Claim, now: datetime,
) -> Any:  # fmt: skip
    """The meeting took place, with these agencies. A joint conference fulfils the turn of the plan's calendar it falls in."""
    known = await repeated(conn, claim, now)
    row = await _row(conn, caller, meeting_id, version, MeetingStep.HOLD, known)
    if known:
        return row
    if row.starts_at > now:
        raise wrong("present", "not-begun", "会议还没有开始。", "The meeting has not begun.")
    strange = [agency for agency in present if agency not in row.agencies]
    if strange:
        raise wrong(
            "present", "not-asked", f"没有通知这些单位：{'、'.join(strange)}。", f"not asked to come: {', '.join(strange)}."
        )
    duty_id = await _fulfil(conn, desk, caller, row, now)
    return await _stepped(conn, desk, caller, row, MeetingStep.HOLD, now, present=list(dict.fromkeys(present)), duty_id=duty_id)


async def write(
    conn: AsyncConnection, desk: Desk, caller: Caller, meeting_id: UUID, minutes: str, *, version: int, claim: Claim,
    now: datetime,
) -> Any:  # fmt: skip
    """Write the minutes; they can be changed until the meeting is closed."""
    known = await repeated(conn, claim, now)
    row = await _row(conn, caller, meeting_id, version, MeetingStep.WRITE, known)
    if known:
        return row
    words = desk.words(row.id, row.sealed) | {"minutes": minutes}
    return await _stepped(conn, desk, caller, row, MeetingStep.WRITE, now, sealed=desk.seal(row.id, words))


async def decide(
    conn: AsyncConnection, desk: Desk, caller: Caller, meeting_id: UUID, decision: Decision, *, version: int,
    claim: Claim, now: datetime,
) -> Any:  # fmt: skip
    """Make a decision of the meeting a duty with a deadline; the agency is told at once."""
    known = await repeated(conn, claim, now)
    row = await _row(conn, caller, meeting_id, version, MeetingStep.DECIDE, known)
    if known:
        return row
    plan = desk.plan(row.plan)
    _check_agencies(plan, (decision.agency,), field="agency")
    if decision.unit and plan.agency(decision.agency).unit(decision.unit) is None:
        raise wrong("unit", "unknown-unit", "该单位没有这个内设机构。", "That agency has no such unit.")
    if decision.due < local_day(now):
        raise wrong("due", "past", "期限已经过去。", "The day is over already.")
    await duty_commands.set_by_meeting(
        conn, desk, caller, row, decision.agency, decision.unit, end_of_day(decision.due), decision.what,
        claim.object_id, now,
    )  # fmt: skip
    return await _stepped(conn, desk, caller, row, MeetingStep.DECIDE, now)


async def close(
    conn: AsyncConnection, desk: Desk, caller: Caller, meeting_id: UUID, *, version: int, claim: Claim, now: datetime
) -> Any:
    """Make the minutes final. Raises `Conflict` without minutes."""
    known = await repeated(conn, claim, now)
    row = await _row(conn, caller, meeting_id, version, MeetingStep.CLOSE, known)
    if known:
        return row
    if not desk.words(row.id, row.sealed)["minutes"]:
        raise Conflict(
            "还没有会议纪要，会议未办结。 There are no minutes yet; the meeting was not closed.", code="minutes-missing"
        )
    return await _stepped(conn, desk, caller, row, MeetingStep.CLOSE, now)


async def _row(
    conn: AsyncConnection, caller: Caller, meeting_id: UUID, version: int, step: MeetingStep, known: UUID | None
) -> Any:
    if known:
        return await queries.one(conn, caller, meeting_id)
    row = await queries.to_change(conn, caller, meeting_id)
    check_version(row, version)
    if (MeetingState(row.state), step) not in STEPS:
        raise Conflict(
            "会议现在的状态不能这样办理，请重新打开查看；未保存任何内容。 "
            "That is not possible for this meeting now; open it again. Nothing was kept.",
            code="meeting-state",
            state=row.state,
        )
    return row


async def _stepped(
    conn: AsyncConnection, desk: Desk, caller: Caller, row: Any, step: MeetingStep, now: datetime, **values: Any
) -> Any:
    state = STEPS[MeetingState(row.state), step]
    changed = (
        update(meetings)
        .where(meetings.c.id == row.id)
        .values(
            state=state.value, changed_at=now, version=row.version + 1,
            history=traced(row, step.value, caller, now), **values,
        )
        .returning(meetings)
    )  # fmt: skip
    made = (await conn.execute(changed)).one()
    if step not in (MeetingStep.WRITE, MeetingStep.DECIDE):
        event = MeetingStepped(
            **_facts(desk, made), step=step.value, state=state.value, present=tuple(made.present), stepped_at=now
        )
        await desk.tell(conn, [event], now)
    await audit.record(conn, kit, caller, f"meeting.{step.value}", "meeting", [row.id], now)
    return made


async def _fulfil(conn: AsyncConnection, desk: Desk, caller: Caller, row: Any, now: datetime) -> UUID | None:
    """The turn of the plan's calendar that a joint conference is (D-N1, D-M1), shown done by it."""
    if row.kind != MeetingKind.JOINT_CONFERENCE:
        return None
    d = duties.c
    turn = (
        await conn.execute(
            select(duties)
            .where(
                d.plan == row.plan, d.origin == "activity", d.agency == row.agency,
                d.starts <= local_day(row.starts_at), d.due >= row.starts_at,
            )
            .order_by(d.due)
            .limit(1)
            .with_for_update()
        )
    ).one_or_none()  # fmt: skip
    if turn is None or (DutyState(turn.state), DutyStep.FINISH) not in DUTY_STEPS:
        return None
    proof = Shown(Proof.LINK, "", link=desk.address(f"meetings/{row.id}"))
    proof_id = new_id()
    await conn.execute(
        insert(duty_proofs).values(
            id=proof_id, duty_id=turn.id, kind=proof.kind.value,
            sealed=desk.seal(proof_id, {"note": proof.note, "link": proof.link}), recorded_at=now,
            recorded_by=caller.actor,
        )
    )  # fmt: skip
    await duty_commands.finish(conn, desk, caller, turn, 1, now)
    return turn.id


async def _case(conn: AsyncConnection, caller: Caller, calling: Calling) -> tuple[UUID, str]:
    """Id and number of a case that the caller was told of; a case conference about another is refused."""
    n = notices.c
    told_of = select(n.case_id, n.number).where(n.case_id.is_not(None), told.visible(caller, "notice.read")).limit(1)
    found = None
    if calling.case_id is not None:
        found = (await conn.execute(told_of.where(n.case_id == calling.case_id))).one_or_none()
    elif calling.case_number:
        found = (await conn.execute(told_of.where(n.number == calling.case_number.strip()))).one_or_none()
    if found is None or not found.number:
        raise wrong("case_id", "unknown-case", "没有这个案件，或贵单位未参与。", "No such case, or your agency has no part in it.")
    return found.case_id, found.number


def _check_times(starts: datetime, ends: datetime, now: datetime) -> None:
    if starts < now:
        raise wrong("starts_at", "past", "开会时间已经过去。", "The time of the meeting is over already.")
    if ends <= starts:
        raise wrong("ends_at", "ends-before-start", "结束时间要晚于开始时间。", "It must end after it starts.")


def _check_agencies(plan: Plan, agencies: Sequence[str], field: str = "agencies") -> None:
    known = {agency.id for agency in plan.agencies}
    strange = [agency for agency in agencies if agency not in known]
    if strange:
        raise wrong(
            field, "unknown-agency", f"方案里没有这些单位：{'、'.join(strange)}。",
            f"The plan has no such agency: {', '.join(strange)}.",
        )  # fmt: skip


def _facts(desk: Desk, row: Any) -> dict[str, Any]:
    return {
        "meeting_id": row.id, "plan": row.plan, "kind": row.kind, "case_id": row.case_id, "agency": row.agency,
        "agencies": tuple(row.agencies), "starts_at": row.starts_at, "ends_at": row.ends_at,
        "dataref": desk.address(f"meetings/{row.id}"),
    }  # fmt: skip
