"""Compiling a bulletin from reports and figures, and editing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.commands.reports.room import Room, entry, same_version, taken
from services.notify.domain.bulletins import (
    KINDS,
    UPWARD,
    BulletinAction,
    BulletinRefusedError,
    BulletinState,
    Source,
    compiled,
    next_bulletin_state,
)
from services.notify.queries import figures as counted
from services.notify.queries import reports as sent
from services.notify.queries.bulletins import reached
from services.notify.tables import bulletins, kit
from shared.kit import audit
from shared.kit.access import Caller
from shared.kit.idempotency import Claim
from shared.kit.problem import Conflict, Invalid, NotFound
from shared.rules.calendar import local_day
from shared.rules.plan import Plan

b = bulletins.c
LONGEST_DAYS = 366
_STATE_WORDS = {
    BulletinState.DRAFT: ("还是草稿", "it is still a draft"),
    BulletinState.PROPOSED: ("已送审", "it waits for release"),
    BulletinState.ISSUED: ("已印发，内容不能再改", "it is issued and stays as it is"),
    BulletinState.RECALLED: ("已撤回", "it was recalled"),
    BulletinState.DISCARDED: ("草稿已作废", "the draft was thrown away"),
}


async def compile_new(
    conn: AsyncConnection, room: Room, caller: Caller, plan: Plan, *, kind: str, first: date, last: date,
    milestone: str | None, to_agency: str | None, claim: Claim, now: datetime,
) -> UUID:  # fmt: skip
    """A draft from the reports that came for the days of a period and the figures as they stand now.

    Raises `Invalid` for a period or addressee that cannot be, `NotFound` outside the caller's reach.
    """
    if caller.plan != plan.id or caller.reach("bulletin.edit") not in ("plan", "all"):
        raise NotFound("不归您编写。 Not yours to write.")
    wrong = _wrong(plan, kind, first, last, milestone, to_agency, now)
    if wrong:
        raise Invalid("请改正所列字段；没有起草。 Correct the listed fields; nothing was drafted.", errors=wrong)
    known = await taken(conn, claim, now)
    if known is not None:
        return known
    bulletin_id = claim.object_id
    position = await counted.position_now(conn)
    figures = await counted.of_period(conn, plan.id, first, last, position)
    values, contents = await _drawn_up(conn, room, plan, kind, first, last, figures.total)
    await conn.execute(
        insert(bulletins).values(
            id=bulletin_id, plan=plan.id, kind=kind, milestone=milestone,
            to_agency=_addressee(plan, kind, milestone, to_agency), first_day=first, last_day=last,
            state=BulletinState.DRAFT.value, contents=room.seal(bulletin_id, contents), figures=figures.as_record(),
            position=figures.position, digest=figures.digest, edited_by=caller.actor, created_at=now, version=1,
            history=[entry("compiled", caller, now)], **values,
        )
    )  # fmt: skip
    await audit.record(conn, kit, caller, "bulletin.compiled", "bulletin", [bulletin_id], now)
    return bulletin_id


def _wrong(
    plan: Plan, kind: str, first: date, last: date, milestone: str | None, to_agency: str | None, now: datetime
) -> list[dict[str, str]]:
    found = []
    if kind not in KINDS:
        found.append({"field": "kind", "code": "unknown", "message": "没有这种简报 / no such kind"})
    if not 0 <= last.toordinal() - first.toordinal() < LONGEST_DAYS:
        found.append({"field": "last_day", "code": "period", "message": "起止日期不对，最长一年 / not a period, a year at most"})
    elif first > local_day(now):
        found.append({"field": "first_day", "code": "period", "message": "还没有开始 / it has not begun"})
    if milestone is not None and milestone not in {one.id for one in plan.milestones if one.to and one.by}:
        found.append({"field": "milestone", "code": "unknown", "message": "方案没有这一项 / not in the plan"})
    if milestone is not None and kind not in UPWARD:
        found.append({"field": "kind", "code": "kind", "message": "上报事项请选战况、总结或汇报 / choose a report upward"})
    if to_agency is not None and to_agency not in {one.id for one in plan.agencies if one.external}:
        found.append({"field": "to_agency", "code": "unknown", "message": "不是方案以外的上级单位 / not an agency above the plan"})
    return found


def _addressee(plan: Plan, kind: str, milestone: str | None, to_agency: str | None) -> str | None:
    """Whom a report upward is for: who is named, the milestone's, else whoever receives the plan's first one."""
    if kind not in UPWARD:
        return None
    if to_agency:
        return to_agency
    ends = [one for one in plan.milestones if one.to and (milestone is None or one.id == milestone)]
    return ends[0].to if ends else None


async def _drawn_up(
    conn: AsyncConnection, room: Room, plan: Plan, kind: str, first: date, last: date, total: Mapping[str, int]
) -> tuple[dict[str, Any], dict[str, Any]]:
    rows, missing = await sent.sources(conn, plan.id, first, last)
    known = {one.id for one in plan.agencies}
    sources = [
        Source(row.agency, bool(row.in_time), row.counts, room.open(row.id, row.contents))
        for row in rows
        if row.agency in known
    ]
    missing = [one for one in missing if one in known]
    made = compiled(plan, kind, first, last, total, sources, missing)
    values = {"reports": [{"id": str(row.id), "version": row.version} for row in rows], "missing": missing}
    return values, {"title": made.title, "sections": made.sections}


async def locked(
    conn: AsyncConnection, room: Room, caller: Caller, bulletin_id: UUID, right: str, version: int
) -> tuple[Any, Plan]:
    """A bulletin the caller may change by a right, locked, at the version given. Raises `NotFound` or `Outdated`."""
    plan = room.service.plans.get(caller.plan or "")
    found = select(bulletins).where(b.id == bulletin_id, reached(caller, right, plan)).with_for_update()
    row = (await conn.execute(found)).one_or_none()
    if row is None:
        raise NotFound("没有这份简报，或不归您办理。 No such bulletin, or not yours to change.")
    same_version(row, version)
    return row, room.plan(row.plan)


def step(row: Any, action: BulletinAction) -> BulletinState:
    """The state after an action. Raises `Conflict`, saying where it is."""
    try:
        return next_bulletin_state(BulletinState(row.state), action)
    except BulletinRefusedError:
        zh, en = _STATE_WORDS[BulletinState(row.state)]
        raise Conflict(
            f"这份简报{zh}，现在不能这样办；没有改动。 This cannot be done now: {en}. Nothing was changed.",
            code="wrong-state",
            state=row.state,
        ) from None


async def edit(
    conn: AsyncConnection, room: Room, caller: Caller, bulletin_id: UUID, *, version: int, title: str,
    sections: Sequence[Mapping[str, str]], claim: Claim, now: datetime,
) -> UUID:  # fmt: skip
    """Keep what the draft says now. Raises `NotFound`, `Outdated` or `Conflict`."""
    known = await taken(conn, claim, now)
    if known is not None:
        return known
    row, _ = await locked(conn, room, caller, bulletin_id, "bulletin.edit", version)
    state = step(row, BulletinAction.EDIT)
    kept = room.open(row.id, row.contents) | {"title": title, "sections": [dict(one) for one in sections]}
    await change(conn, row, caller, "edited", now, state=state.value, contents=room.seal(row.id, kept), edited_by=caller.actor)
    await audit.record(conn, kit, caller, "bulletin.edited", "bulletin", [row.id], now)
    return row.id


async def take_anew(
    conn: AsyncConnection, room: Room, caller: Caller, bulletin_id: UUID, *, version: int, claim: Claim, now: datetime
) -> UUID:
    """Count and compile the draft anew as things stand now; what was edited in it is replaced.

    Raises `NotFound`, `Outdated` or `Conflict`.
    """
    known = await taken(conn, claim, now)
    if known is not None:
        return known
    row, plan = await locked(conn, room, caller, bulletin_id, "bulletin.edit", version)
    state = step(row, BulletinAction.EDIT)
    position = await counted.position_now(conn)
    figures = await counted.of_period(conn, row.plan, row.first_day, row.last_day, position)
    values, made = await _drawn_up(conn, room, plan, row.kind, row.first_day, row.last_day, figures.total)
    contents = room.open(row.id, row.contents) | made
    await change(
        conn, row, caller, "compiled", now, state=state.value, contents=room.seal(row.id, contents),
        figures=figures.as_record(), position=figures.position, digest=figures.digest, edited_by=caller.actor, **values,
    )  # fmt: skip
    await audit.record(conn, kit, caller, "bulletin.compiled", "bulletin", [row.id], now)
    return row.id


async def change(conn: AsyncConnection, row: Any, caller: Caller, said: str, now: datetime, **values: Any) -> None:
    """Save a change with its line in the history."""
    history = [*row.history, entry(said, caller, now)]
    await conn.execute(
        update(bulletins).where(b.id == row.id).values(version=row.version + 1, history=history, **values)
    )
