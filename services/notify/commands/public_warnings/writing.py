"""A warning step by step (条例 23, D-M4); each step is on record, and what was public is never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.commands.publicity import telling
from services.notify.commands.publicity.parts import (
    PublicityRoom,
    check_version,
    not_possible,
    refuse_personal,
    repeated,
    wrong,
)
from services.notify.domain.publicity.schedule import top_area
from services.notify.domain.publicity.states import OUT, WORK, NotPossible, Out, OutAct, Work, WorkAct, after
from services.notify.domain.publicity.warnings import APPROVAL, CHECKS, right_of, same_person
from services.notify.queries.publicity.reach import within
from services.notify.tables import kit, warning_recalls, warning_steps, warning_versions, warnings
from shared.events.publicity import WarningPublished, WarningRecalled
from shared.kit import audit, outbox
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.idempotency import Claim
from shared.kit.ids import new_id
from shared.kit.problem import Forbidden, NotFound
from shared.rules.calendar import local_day
from shared.rules.plan import Plan

w = warnings.c
_CLEARED: Mapping[str, Any] = {
    "checked_by": None, "checks": [], "approved_by": None, "approved_at": None, "released_by": None,
}  # fmt: skip
_NEXT_NUMBER = text(
    """
    INSERT INTO warning_numbers (plan, year, last) VALUES (:plan, :year, 1)
    ON CONFLICT (plan, year) DO UPDATE SET last = warning_numbers.last + 1 RETURNING last
    """
)


@dataclass(frozen=True, slots=True)
class Draft:
    """What a warning is to say, and for which areas; none: for all."""

    title: str
    body: str
    areas: tuple[str, ...] = ()
    case_id: UUID | None = None


def _check(plan: Plan, draft: Draft) -> None:
    known = {area.id for area in plan.areas}
    if any(area not in known for area in draft.areas):
        raise wrong([("areas", "unknown-area", "方案里没有这个地区", "the plan has no such area")])
    refuse_personal(plan, title=draft.title, body=draft.body)


async def draft(
    conn: AsyncConnection, room: PublicityRoom, caller: Caller, warning_id: UUID,
    kind: Literal["warning", "reminder", "exposed_case"], words: Draft, claim: Claim, now: datetime,
) -> UUID:  # fmt: skip
    """Begin a warning of the caller's agency. Raises `Invalid` for personal data or unknown areas: nothing is kept."""
    known = await repeated(conn, claim, now)
    if known is not None:
        return known
    plan = room.plan_of(caller)
    _check(plan, words)
    row = {
        "id": warning_id, "plan": plan.id, "agency": caller.agency or plan.office, "kind": kind, "current": 0,
        "state": Work.DRAFT.value, "public_state": Out.UNPUBLISHED.value, "drafted_by": caller.actor, "created_at": now,
        "changed_at": now, "version": 1, **_words(plan, words), "checks": [],
    }  # fmt: skip
    await insert_many(conn, warnings, [row])
    await _noted(conn, caller, warning_id, 1, WorkAct.SAVE.value, Work.DRAFT.value, Out.UNPUBLISHED.value, "", now)
    await audit.record(conn, kit, caller, "warning.save", "warning", [warning_id], now, kind=kind)
    return warning_id


def _words(plan: Plan, words: Draft) -> dict[str, Any]:
    area = words.areas[0] if len(words.areas) == 1 else top_area(plan)
    return {
        "title": words.title, "body": words.body, "areas": list(words.areas), "area": area, "case_id": words.case_id,
    }  # fmt: skip


async def locked(conn: AsyncConnection, caller: Caller, warning_id: UUID, right: str) -> Any:
    """A warning on which the caller holds a right, locked. Raises `NotFound`, or `Forbidden` where it may only be read."""
    query = select(warnings).where(w.id == warning_id, within(caller, right, warnings)).with_for_update()
    row = (await conn.execute(query)).one_or_none()
    if row is None:
        readable = select(w.id).where(w.id == warning_id, within(caller, "warning.read", warnings))
        if (await conn.execute(readable)).one_or_none() is None:
            raise no_warning()
        raise Forbidden(
            "这一步不归您办；未作更改。 This step is not yours; nothing was changed.", code="not-your-step", right=right
        )
    return row


def no_warning() -> NotFound:
    """No such warning for this caller."""
    return NotFound("没有这份警示，或不在您的权限内。 No such warning within your reach.", code="warning-not-found")


async def step(
    conn: AsyncConnection, room: PublicityRoom, caller: Caller, warning_id: UUID, version: int, action: WorkAct,
    claim: Claim, now: datetime, *, words: Draft | None = None, checks: tuple[str, ...] = (), note: str = "",
) -> UUID:  # fmt: skip
    """Take a step. `words` with `save`; `checks` with `check`; `note` says why with `refuse`.

    Raises `NotFound`, `Forbidden` (not the caller's step, not a post that approves, the same person twice), `Outdated`,
    `Conflict` (not in this state), `Invalid` (personal data, an unticked check, no reason).
    """
    known = await repeated(conn, claim, now)
    if known is not None:
        return known
    state = await conn.scalar(select(w.state).where(w.id == warning_id))
    if state is None:
        raise no_warning()
    row = await locked(conn, caller, warning_id, right_of(action, Work(state)))
    check_version(row, version)
    try:
        following = after(WORK, Work(row.state), action)
    except NotPossible:
        raise not_possible(row.state, action.value) from None
    plan = room.plan(row.plan)
    _may(plan, caller, row, action)
    values: dict[str, Any] = {"state": following.value}
    if action is WorkAct.SAVE:
        assert words is not None
        _check(plan, words)
        values |= _words(plan, words) | {"drafted_by": caller.actor, "refusal": None}
    elif action in (WorkAct.SUBMIT, WorkAct.RELEASE):
        refuse_personal(plan, title=row.title, body=row.body)
    if action is WorkAct.CHECK:
        missing = [one for one in CHECKS if one not in checks]
        if missing:
            raise wrong([(f"checks.{one}", "unchecked", "每一项都要核对后勾选", "each point is checked and ticked") for one in missing])
        values |= {"checked_by": caller.actor, "checks": list(CHECKS)}
    elif action is WorkAct.APPROVE:
        values |= {"approved_by": caller.actor, "approved_at": now}
    elif action is WorkAct.HOLD:
        values |= {"released_by": None}
    elif action in (WorkAct.REFUSE, WorkAct.TAKE_BACK, WorkAct.REVISE):
        if action is WorkAct.REFUSE and not note.strip():
            raise wrong([("note", "reason-missing", "退回要写理由", "a refusal needs its reason")])
        values |= dict(_CLEARED) | {"refusal": note if action is WorkAct.REFUSE else None}
    elif action is WorkAct.RELEASE and following is Work.RELEASING:
        values |= {"released_by": caller.actor}
    published = action is WorkAct.RELEASE and following is Work.SETTLED
    if published:
        values |= await _publish(conn, room, plan, caller, row, now)
    changed = await _change(conn, row, values, now)
    await telling.warning_waits(conn, room, changed, now)
    await _noted(conn, caller, warning_id, changed.version, action.value, changed.state, changed.public_state, note, now)
    await audit.record(
        conn, kit, caller, f"warning.{action.value}", "warning", [warning_id], now, version=changed.version
    )
    return warning_id


def _may(plan: Plan, caller: Caller, row: Any, action: WorkAct) -> None:
    if action is WorkAct.APPROVE and not plan.may_approve(caller.posts, APPROVAL):
        raise Forbidden(
            "公开警示须经主要负责人批准（条例第二十三条），您的岗位不能批准；未作更改。 "
            "A public warning is approved by the principal head (art. 23); your post cannot; nothing was changed.",
            code="not-the-head",
        )
    reason = same_person(action, Work(row.state), caller.actor, row)
    if reason is not None:
        code, zh, en = reason
        raise Forbidden(f"{zh}；未作更改。 {en[:1].upper()}{en[1:]}; nothing was changed.", code=code)


async def _publish(
    conn: AsyncConnection, room: PublicityRoom, plan: Plan, caller: Caller, row: Any, now: datetime
) -> dict[str, Any]:
    number, version = row.number, row.current + 1
    if number is None:
        year = local_day(now).year
        last = (await conn.execute(_NEXT_NUMBER, {"plan": plan.id, "year": year})).scalar_one()
        number = plan.publicity.warnings.number.format(year=year, number=last)
    await conn.execute(
        insert(warning_versions).values(
            warning_id=row.id, number=version, title=row.title, body=row.body, areas=row.areas, drafted_by=row.drafted_by,
            checked_by=row.checked_by, approved_by=row.approved_by, approved_at=row.approved_at,
            released_by=row.released_by, confirmed_by=caller.actor, published_at=now,
        )
    )
    event = WarningPublished(**_facts(room, plan, row, number), version=version, published_at=now)
    await outbox.put(conn, kit.outbox, [event], now)
    out = after(OUT, Out(row.public_state), OutAct.PUBLISH)
    return {"number": number, "current": version, "public_state": out.value, "published_at": now}


def _facts(room: PublicityRoom, plan: Plan, row: Any, number: str) -> dict[str, Any]:
    rules = plan.publicity.warnings
    return {
        "plan": plan.id, "area": row.area, "agency": row.agency, "unit": None,
        "clause": rules.clause or plan.publicity.clause or "", "dataref": room.address(f"warnings/{row.id}"),
        "warning_id": row.id, "number": number, "kind": row.kind, "areas": tuple(row.areas),
    }  # fmt: skip


async def recall(
    conn: AsyncConnection, room: PublicityRoom, caller: Caller, warning_id: UUID, version: int, reason: str, statement: str,
    claim: Claim, now: datetime,
) -> UUID:  # fmt: skip
    """Take what is public back at once; `statement` stands there instead. Raises as `step`."""
    known = await repeated(conn, claim, now)
    if known is not None:
        return known
    row = await locked(conn, caller, warning_id, "warning.recall")
    check_version(row, version)
    plan = room.plan(row.plan)
    try:
        out = after(OUT, Out(row.public_state), OutAct.RECALL)
    except NotPossible:
        raise not_possible(row.public_state, OutAct.RECALL.value) from None
    refuse_personal(plan, statement=statement)
    await conn.execute(
        insert(warning_recalls).values(
            warning_id=row.id, number=row.current, reason=reason, statement=statement, recalled_by=caller.actor,
            recalled_at=now,
        )
    )
    changed = await _change(conn, row, {"public_state": out.value}, now)
    event = WarningRecalled(
        **_facts(room, plan, row, row.number), version=row.current, reason=reason, recalled_at=now  # type: ignore[arg-type]
    )
    await outbox.put(conn, kit.outbox, [event], now)
    await _noted(conn, caller, row.id, changed.version, OutAct.RECALL.value, changed.state, out.value, reason, now)
    await audit.record(conn, kit, caller, "warning.recall", "warning", [row.id], now, reason=reason)
    return warning_id


async def _change(conn: AsyncConnection, row: Any, values: Mapping[str, Any], now: datetime) -> Any:
    change = update(warnings).where(w.id == row.id).values(**values, changed_at=now, version=row.version + 1)
    return (await conn.execute(change.returning(warnings))).one()


async def _noted(
    conn: AsyncConnection, caller: Caller, warning_id: UUID, version: int, action: str, state: str, out: str, note: str,
    now: datetime,
) -> None:  # fmt: skip
    await conn.execute(
        insert(warning_steps).values(
            id=new_id(), warning_id=warning_id, version=version, action=action, state=state, public_state=out,
            agency=caller.agency, actor=caller.actor, note=note, at=now,
        )
    )
