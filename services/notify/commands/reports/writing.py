"""Writing and sending reports, sending them back, taking them back, asking for more, naming who reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.commands.reports.calendar import set_owed, tell_owed
from services.notify.commands.reports.room import Room, end_notices, entry, same_version, taken
from services.notify.domain.matters import Matter, Own, Told
from services.notify.domain.notices import Template
from services.notify.domain.reports import (
    FIELDS,
    REGULAR,
    ReportAction,
    ReportRefusedError,
    ReportState,
    asked_for,
    may_report,
    next_report_state,
)
from services.notify.queries import figures as counted
from services.notify.queries.reports import named_reporter, within
from services.notify.tables import accounts, kit, reporters, reports
from shared.kit import audit, outbox
from shared.kit.access import Caller
from shared.kit.idempotency import Claim
from shared.kit.problem import Conflict, Forbidden, Invalid, NotFound, Outdated
from shared.rules.calendar import local_day
from shared.rules.plan import Plan

r = reports.c
_ASKED = (Template.REPORT_OWED, Template.REPORT_MISSED, Template.REPORT_MISSED_OFFICE, Template.REPORT_RETURNED)
LONGEST_AHEAD_DAYS = 366

_STATE_WORDS = {
    ReportState.OWED: ("还没有填写", "it has not been written"),
    ReportState.DRAFTED: ("还没有报送", "it has not been sent"),
    ReportState.MISSED: ("已逾期未报", "it is overdue"),
    ReportState.SUBMITTED: ("已经报送", "it has been sent"),
    ReportState.RETURNED: ("已退回补充", "it was sent back"),
    ReportState.WITHDRAWN: ("已取消", "it is not asked any more"),
}


async def locked(conn: AsyncConnection, caller: Caller, report_id: UUID, right: str) -> Any:
    """A report that the caller may change by a right, locked. Raises `NotFound`."""
    found = select(reports).where(r.id == report_id, within(caller, right)).with_for_update()
    row = (await conn.execute(found)).one_or_none()
    if row is None:
        raise NotFound("没有这份报送，或不归您办理。 No such report, or not yours to change.")
    return row


def step(row: Any, action: ReportAction) -> ReportState:
    """The state after an action. Raises `Conflict`, saying where it is."""
    try:
        return next_report_state(ReportState(row.state), action)
    except ReportRefusedError:
        zh, en = _STATE_WORDS[ReportState(row.state)]
        raise Conflict(
            f"这份报送{zh}，现在不能这样办；没有改动。 This cannot be done now: {en}. Nothing was changed.",
            code="wrong-state",
            state=row.state,
        ) from None


async def _mine(conn: AsyncConnection, room: Room, caller: Caller, report_id: UUID, version: int) -> tuple[Any, Plan]:
    row = await locked(conn, caller, report_id, "report.write")
    plan = room.plan(row.plan)
    named = await named_reporter(conn, row.plan, row.agency)
    if caller.agency != row.agency or not may_report(plan, caller.id, caller.posts, str(named) if named else None):
        raise Forbidden(
            "方案要求定人报告：请由本单位指定的报送人填报；如需更换，请负责人先在“报送人”页指定。没有保存。 "
            "The plan wants a named reporter: the one named for your unit reports. Its head can name another. Nothing was saved.",
            code="not-the-reporter",
        )
    same_version(row, version)
    if row.kind != REGULAR:
        raise Conflict(
            "这一项由办公室汇总成文后报送：请在“简报”页起草；没有改动。 "
            "This one is sent as a compiled document: draft it on the bulletins page. Nothing was changed.",
            code="compiled",
        )
    return row, plan


async def save(
    conn: AsyncConnection, room: Room, caller: Caller, report_id: UUID, *, version: int, says: Mapping[str, str],
    claim: Claim, now: datetime,
) -> UUID:  # fmt: skip
    """Keep what is written so far. Raises `NotFound`, `Forbidden`, `Outdated` or `Conflict`."""
    known = await taken(conn, claim, now)
    if known is not None:
        return known
    row, _ = await _mine(conn, room, caller, report_id, version)
    state = step(row, ReportAction.SAVE)
    kept = room.open(row.id, row.contents) | {field: says.get(field, "") for field in FIELDS}
    await _change(conn, row, state=state.value, contents=room.seal(row.id, kept))
    await audit.record(conn, kit, caller, "report.saved", "report", [row.id], now)
    return row.id


async def submit(
    conn: AsyncConnection, room: Room, caller: Caller, report_id: UUID, *, version: int, says: Mapping[str, str] | None,
    claim: Claim, now: datetime,
) -> UUID:  # fmt: skip
    """Send a report with the figures of its days as they stand; only the first time is early or late.

    Raises `NotFound`, `Forbidden`, `Outdated`, `Conflict`, or `Invalid` when it says nothing of what was done.
    """
    known = await taken(conn, claim, now)
    if known is not None:
        return known
    row, plan = await _mine(conn, room, caller, report_id, version)
    state = step(row, ReportAction.SUBMIT)
    kept = room.open(row.id, row.contents)
    if says is not None:
        kept |= {field: says.get(field, "") for field in FIELDS}
    if not kept.get("done", "").strip():
        raise Invalid(
            "请填写“具体做法”；没有报送。 Say what was done; nothing was sent.",
            errors=[{"field": "done", "code": "missing", "message": "请填写 / needed"}],
        )
    position = await counted.position_now(conn)
    figures = await counted.of_agency(conn, plan, row.agency, row.first_day, row.day, position)
    values: dict[str, Any] = {
        "state": state.value, "contents": room.seal(row.id, kept), "figures": figures.as_record(),
        "history": [*row.history, entry("submitted", caller, now)],
    }  # fmt: skip
    first = row.submitted_at is None
    in_time = now <= row.due
    if first:
        values |= {"submitted_at": now, "submitted_by": caller.actor, "in_time": in_time}
    await _change(conn, row, **values)
    if first:
        late = row.counts and not in_time
        await outbox.put(conn, kit.outbox, [room.submitted(row, late=late, now=now)], now)
    await end_notices(conn, [row.id], _ASKED, now, in_time=in_time)
    await audit.record(conn, kit, caller, "report.submitted", "report", [row.id], now)
    return row.id


async def send_back(
    conn: AsyncConnection, room: Room, caller: Caller, report_id: UUID, *, version: int, reason: str, claim: Claim,
    now: datetime,
) -> UUID:  # fmt: skip
    """Ask for more (退回补充): when it first came stays as it was. Raises `NotFound`, `Outdated` or `Conflict`."""
    known = await taken(conn, claim, now)
    if known is not None:
        return known
    row = await locked(conn, caller, report_id, "report.collect")
    same_version(row, version)
    state = step(row, ReportAction.RETURN)
    if row.kind != REGULAR:
        raise Conflict("成文的报告请撤回原文。 Recall the document instead.", code="compiled")
    kept = room.open(row.id, row.contents) | {"reason": reason}
    await _change(
        conn, row, state=state.value, contents=room.seal(row.id, kept),
        history=[*row.history, entry("returned", caller, now)],
    )  # fmt: skip
    told = Told(
        Template.REPORT_RETURNED, (row.agency, None), Matter.REPORT, row.id, room.dataref("reports", row.id),
        turn=str(row.version),
    )  # fmt: skip
    await room.tell(conn, Own(row.plan, due=row.day), [told], now)
    await audit.record(conn, kit, caller, "report.returned", "report", [row.id], now)
    return row.id


async def withdraw(
    conn: AsyncConnection, room: Room, caller: Caller, report_id: UUID, *, version: int, reason: str, claim: Claim,
    now: datetime,
) -> UUID:  # fmt: skip
    """No longer ask for a report, for a reason. Raises `NotFound`, `Outdated` or `Conflict`."""
    known = await taken(conn, claim, now)
    if known is not None:
        return known
    row = await locked(conn, caller, report_id, "report.collect")
    same_version(row, version)
    state = step(row, ReportAction.WITHDRAW)
    kept = room.open(row.id, row.contents) | {"reason": reason}
    await _change(
        conn, row, state=state.value, contents=room.seal(row.id, kept),
        history=[*row.history, entry("withdrawn", caller, now)],
    )  # fmt: skip
    await outbox.put(conn, kit.outbox, [room.dropped(row, now)], now)
    await end_notices(conn, [row.id], _ASKED, now)
    await audit.record(conn, kit, caller, "report.withdrawn", "report", [row.id], now)
    return row.id


async def ask(
    conn: AsyncConnection, room: Room, caller: Caller, plan: Plan, *, agencies: Sequence[str], first_day: date, day: date,
    claim: Claim, now: datetime,
) -> list[UUID]:  # fmt: skip
    """Ask agencies for a report beside the calendar; none named: all that report by the plan. Their reports' ids.

    Raises `Invalid` for a day that has passed or an agency that is not a member, `Forbidden` outside one's plan.
    """
    if caller.reach("report.collect") not in ("plan", "all"):
        raise Forbidden("只有办公室可以要求报送；没有发出。 Only the office asks for reports; nothing was sent.")
    members = {one.id for one in plan.members}
    wanted = list(dict.fromkeys(agencies)) or list(plan.reporters())
    wrong = [one for one in wanted if one not in members]
    ahead = day.toordinal() - local_day(now).toordinal()
    errors = []
    if wrong:
        errors.append({"field": "agencies", "code": "unknown", "message": f"不是成员单位 / not a member: {wrong[0]}"})
    if not 0 <= ahead <= LONGEST_AHEAD_DAYS:
        errors.append({"field": "day", "code": "day", "message": "请写今天起一年内的日期 / from today on, within a year"})
    if not 0 <= day.toordinal() - first_day.toordinal() <= LONGEST_AHEAD_DAYS:
        errors.append({"field": "first_day", "code": "day", "message": "起始日须早于报送日一年以内 / before the day, within a year"})
    if errors:
        raise Invalid("请改正所列字段；没有发出。 Correct the listed fields; nothing was sent.", errors=errors)
    known = await taken(conn, claim, now)
    owed = asked_for(plan, wanted, first_day, day, known or claim.object_id, now)
    if known is None:
        new = await set_owed(conn, room, owed, now)
        for row in new:
            await tell_owed(conn, room, row, now)
        await conn.execute(update(reports).where(r.id == func.any([row.id for row in new])).values(reminded_at=now))
        await audit.record(conn, kit, caller, "report.asked", "report", [row.id for row in new], now)
    return [one.id for one in owed]


async def name_reporter(
    conn: AsyncConnection, caller: Caller, plan: Plan, agency: str, account_id: UUID, *, version: int, claim: Claim,
    now: datetime,
) -> None:  # fmt: skip
    """Name the account that reports for an agency (定人报告, X-R3). `version` 0: none is named yet.

    Raises `Forbidden` for another agency, `Invalid` for an account that is not an active one of it, `Outdated`.
    """
    reach = caller.reach("report.assign")
    if plan.id != caller.plan or (reach not in ("plan", "all") and caller.agency != agency):
        raise Forbidden("只能指定本单位的报送人；没有改动。 You name your own unit's reporter; nothing was changed.")
    if agency not in {one.id for one in plan.members}:
        raise NotFound("没有这个单位。 No such unit in the plan.")
    if await taken(conn, claim, now) is not None:
        return
    a = accounts.c
    fits = select(a.id).where(a.id == account_id, a.plan == plan.id, a.agency == agency, a.active)
    if (await conn.execute(fits)).first() is None:
        raise Invalid(
            "请选择本单位在用的账号；没有改动。 Choose an active account of that unit; nothing was changed.",
            errors=[{"field": "account_id", "code": "unknown", "message": "不是本单位的账号 / not of that unit"}],
        )
    kept = reporters.c
    which = (kept.plan == plan.id) & (kept.agency == agency)
    row = (await conn.execute(select(reporters).where(which).with_for_update())).one_or_none()
    if row is None:
        if version != 0:
            raise Outdated("还没有指定报送人；请重新打开后再办。 Nobody is named yet; open the page again.", version=0)
        values = {"account_id": account_id, "set_at": now, "set_by": caller.actor, "version": 1}
        await conn.execute(insert(reporters).values(plan=plan.id, agency=agency, **values))
    else:
        same_version(row, version)
        await conn.execute(
            update(reporters)
            .where(which)
            .values(account_id=account_id, set_at=now, set_by=caller.actor, version=row.version + 1)
        )
    await audit.record(conn, kit, caller, "reporter.named", "account", [account_id], now, agency=agency)


async def _change(conn: AsyncConnection, row: Any, **values: Any) -> None:
    await conn.execute(update(reports).where(r.id == row.id).values(version=row.version + 1, **values))
