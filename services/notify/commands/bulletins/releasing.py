"""Proposing and releasing: two persons, a number without gaps, everyone told; recalling."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.commands.bulletins.editing import change, locked, step
from services.notify.commands.reports.room import Room, end_notices, entry, taken
from services.notify.domain.bulletins import BulletinAction, SamePersonError, check_two_persons, number_of
from services.notify.domain.matters import Matter, Own, Told
from services.notify.domain.notices import Template, office_of
from services.notify.domain.reports import REGULAR, ReportAction, ReportRefusedError, ReportState, next_report_state
from services.notify.queries.bulletins import recounted
from services.notify.tables import kit, reports
from shared.kit import audit, outbox
from shared.kit.access import Caller
from shared.kit.idempotency import Claim
from shared.kit.problem import Conflict, Forbidden
from shared.rules.calendar import local_day
from shared.rules.plan import Plan

APPROVAL = "report.issue"
_NEXT = text(
    """
    INSERT INTO bulletin_numbers (plan, kind, year, last) VALUES (:plan, :kind, :year, 1)
    ON CONFLICT (plan, kind, year) DO UPDATE SET last = bulletin_numbers.last + 1 RETURNING last
    """
)


async def propose(
    conn: AsyncConnection, room: Room, caller: Caller, bulletin_id: UUID, *, version: int, claim: Claim, now: datetime
) -> UUID:
    """Ask for release (送审); who may release is told. Raises `NotFound`, `Outdated` or `Conflict`."""
    known = await taken(conn, claim, now)
    if known is not None:
        return known
    row, plan = await locked(conn, room, caller, bulletin_id, "bulletin.edit", version)
    state = step(row, BulletinAction.PROPOSE)
    await change(conn, row, caller, "proposed", now, state=state.value, proposed_by=caller.actor)
    told = Told(
        Template.BULLETIN_TO_RELEASE, (office_of(plan)[0], None), Matter.BULLETIN, row.id,
        room.dataref("bulletins", row.id), needs="bulletin.release", turn=str(row.version),
    )  # fmt: skip
    await room.tell(conn, Own(row.plan), [told], now)
    await audit.record(conn, kit, caller, "bulletin.proposed", "bulletin", [row.id], now)
    return row.id


async def send_back(
    conn: AsyncConnection, room: Room, caller: Caller, bulletin_id: UUID, *, version: int, reason: str, claim: Claim,
    now: datetime,
) -> UUID:  # fmt: skip
    """Back to the editor, with what is to be changed. Raises `NotFound`, `Outdated` or `Conflict`."""
    known = await taken(conn, claim, now)
    if known is not None:
        return known
    row, _ = await locked(conn, room, caller, bulletin_id, "bulletin.release", version)
    state = step(row, BulletinAction.SEND_BACK)
    kept = room.open(row.id, row.contents) | {"reason": reason}
    await change(conn, row, caller, "sent_back", now, state=state.value, contents=room.seal(row.id, kept), proposed_by=None)
    await end_notices(conn, [row.id], [Template.BULLETIN_TO_RELEASE], now)
    await audit.record(conn, kit, caller, "bulletin.sent_back", "bulletin", [row.id], now)
    return row.id


async def release(
    conn: AsyncConnection, room: Room, caller: Caller, bulletin_id: UUID, *, version: int, claim: Claim, now: datetime
) -> UUID:
    """Issue it under the next number (签发): by a post that may, and by neither who edited nor who proposed it.

    A bulletin goes to every member as a notice; a report upward is the plan's report of its milestone.
    Raises `NotFound`, `Forbidden`, `Outdated` or `Conflict`.
    """
    known = await taken(conn, claim, now)
    if known is not None:
        return known
    row, plan = await locked(conn, room, caller, bulletin_id, "bulletin.release", version)
    state = step(row, BulletinAction.RELEASE)
    if caller.kind != "officer" or not plan.may_approve(caller.posts, APPROVAL):
        raise Forbidden(
            "方案没有授权您的岗位签发简报；没有改动。 The plan does not let your post issue bulletins; nothing was changed.",
            approval=APPROVAL,
        )
    try:
        check_two_persons(caller.actor, row.edited_by, row.proposed_by)
    except SamePersonError:
        raise Forbidden(
            "编写人、送审人不能签发同一份简报，请由另一名有权签发的人签发；没有改动。 "
            "Who edited or proposed it may not release it; another who may has to. Nothing was changed.",
            code="same-person",
        ) from None
    if (await recounted(conn, row)).digest != row.digest:
        raise Conflict(
            "数据与起草时的记录位置核对不一致，不能签发；请重新取数，仍不一致请联系系统管理员。 "
            "The figures do not come out the same from the events they stand at; take them anew, then tell the administrators.",
            code="figures-differ",
        )
    year = local_day(now).year
    serial = (await conn.execute(_NEXT, {"plan": row.plan, "kind": row.kind, "year": year})).scalar_one()
    await change(
        conn, row, caller, "released", now, state=state.value, year=year, serial=serial,
        number=number_of(row.kind, year, serial), released_by=caller.actor, released_at=now,
    )  # fmt: skip
    await end_notices(conn, [row.id], [Template.BULLETIN_TO_RELEASE], now)
    if row.to_agency is None:
        await _tell_members(conn, room, plan, row, now)
    else:
        await _fulfil(conn, room, caller, row, now)
    await audit.record(conn, kit, caller, "bulletin.released", "bulletin", [row.id], now, year=year, serial=serial)
    return row.id


async def _tell_members(conn: AsyncConnection, room: Room, plan: Plan, row: Any, now: datetime) -> None:
    dataref = room.dataref("bulletins", row.id)
    told = [
        Told(Template.BULLETIN_ISSUED, (agency.id, None), Matter.BULLETIN, row.id, dataref)
        for agency in plan.members
        if agency.id != plan.office
    ]
    await room.tell(conn, Own(row.plan), told, now)


async def _fulfil(conn: AsyncConnection, room: Room, caller: Caller, row: Any, now: datetime) -> None:
    """The plan's report of a milestone (战况, 总结) has been sent with this document."""
    r = reports.c
    if row.milestone is None:
        return
    found = select(reports).where(r.plan == row.plan, r.kind == row.milestone, r.kind != REGULAR).with_for_update()
    for owed in await conn.execute(found):
        try:
            state = next_report_state(ReportState(owed.state), ReportAction.SUBMIT)
        except ReportRefusedError:
            continue
        in_time = now <= owed.due
        await conn.execute(
            update(reports)
            .where(r.id == owed.id)
            .values(
                state=state.value, submitted_at=now, submitted_by=caller.actor, in_time=in_time, bulletin_id=row.id,
                figures=row.figures, version=owed.version + 1, history=[*owed.history, entry("submitted", caller, now)],
            )
        )  # fmt: skip
        await outbox.put(conn, kit.outbox, [room.submitted(owed, late=owed.counts and not in_time, now=now)], now)
        await end_notices(
            conn, [owed.id], [Template.REPORT_OWED, Template.REPORT_MISSED, Template.REPORT_MISSED_OFFICE], now,
            in_time=in_time,
        )  # fmt: skip
        await audit.record(conn, kit, caller, "report.submitted", "report", [owed.id], now)


async def recall(
    conn: AsyncConnection, room: Room, caller: Caller, bulletin_id: UUID, *, version: int, reason: str, claim: Claim,
    now: datetime,
) -> UUID:  # fmt: skip
    """Recall what was issued, for a reason all readers see; its number stays used. Raises as `release` does."""
    known = await taken(conn, claim, now)
    if known is not None:
        return known
    row, plan = await locked(conn, room, caller, bulletin_id, "bulletin.release", version)
    state = step(row, BulletinAction.RECALL)
    if caller.kind != "officer" or not plan.may_approve(caller.posts, APPROVAL):
        raise Forbidden("方案没有授权您的岗位撤回简报。 The plan does not let your post recall bulletins.", approval=APPROVAL)
    kept = room.open(row.id, row.contents) | {"reason": reason}
    await change(conn, row, caller, "recalled", now, state=state.value, contents=room.seal(row.id, kept))
    await audit.record(conn, kit, caller, "bulletin.recalled", "bulletin", [row.id], now)
    return row.id


async def discard(
    conn: AsyncConnection, room: Room, caller: Caller, bulletin_id: UUID, *, version: int, claim: Claim, now: datetime
) -> UUID:
    """Throw a draft away: it never had a number. Raises `NotFound`, `Outdated` or `Conflict`."""
    known = await taken(conn, claim, now)
    if known is not None:
        return known
    row, _ = await locked(conn, room, caller, bulletin_id, "bulletin.edit", version)
    state = step(row, BulletinAction.DISCARD)
    await change(conn, row, caller, "discarded", now, state=state.value)
    await audit.record(conn, kit, caller, "bulletin.discarded", "bulletin", [row.id], now)
    return row.id
