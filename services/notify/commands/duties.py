"""Duties: set from the plan and by meetings, shown done with proofs, given back, dropped, and missed by the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import Request
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.commands import files
from services.notify.commands.publicity.parts import PublicityRoom
from services.notify.commands.telling import Desk, check_version, claim_of, repeated, traced, wrong
from services.notify.domain import duties as domain
from services.notify.domain.duties import STEPS, DutyState, DutyStep, Proof
from services.notify.queries import duties as queries
from services.notify.tables import duties, duty_proofs, kept_files, kit
from shared.events import EventData
from shared.events.duties import DutyDone, DutyDropped, DutyGivenBack, DutyMissed, DutySet
from shared.kit import audit, clock, db
from shared.kit.access import Caller, service_caller
from shared.kit.idempotency import Claim
from shared.kit.ids import new_id
from shared.kit.problem import Conflict
from shared.rules.plan import Plan

_ACTOR = service_caller("notify")
MOST_PROOFS = 50
OWNER = "duty"
"""What the files of duties belong to."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A proof as given: words of what it shows, and a count, a link or the id of a photo."""

    kind: Proof
    note: str
    number: int | None = None
    link: str | None = None
    file_id: UUID | None = None


async def ensure(conn: AsyncConnection, desk: Desk, plan: Plan, now: datetime) -> int:
    """Set what a plan asks and is not there yet, drop what it no longer asks; how many were set."""
    asked = {one.id: one for one in domain.asked_by(plan)}
    d = duties.c
    there = {
        row.id: row
        for row in await conn.execute(select(duties).where(d.plan == plan.id, d.origin.in_(("plan", "activity"))))
    }
    fresh = [
        {
            "id": one.id, "plan": plan.id, "agency": one.agency, "unit": one.unit, "area": one.area,
            "origin": one.origin, "duty": one.duty, "phase": one.phase, "clause": one.clause, "starts": one.starts,
            "due": one.due, "counts": one.due >= now, "state": DutyState.OPEN.value, "created_at": now, "version": 1,
            "history": [],
        }
        for one in asked.values()
        if one.id not in there
    ]  # fmt: skip
    events: list[EventData] = []
    if fresh:
        made = await conn.execute(upsert(duties).values(fresh).on_conflict_do_nothing().returning(duties))
        events += [DutySet(**_facts(desk, row), counts=row.counts, set_at=now) for row in made]
    gone = [row for row in there.values() if row.id not in asked and (row.state, DutyStep.DROP) in STEPS]
    events += [await _dropped(conn, desk, row, _ACTOR, now) for row in gone]
    await desk.tell(conn, events, now)
    return len(fresh)


async def set_by_meeting(
    conn: AsyncConnection, desk: Desk, caller: Caller, meeting: Any, agency: str, unit: str | None, due: datetime,
    what: str, duty_id: UUID, now: datetime,
) -> Any:  # fmt: skip
    """A meeting's decision becomes a duty with its deadline (D-N1)."""
    row = {
        "id": duty_id, "plan": meeting.plan, "agency": agency, "unit": unit, "area": None, "origin": "meeting",
        "duty": None, "phase": None, "clause": None, "meeting_id": meeting.id,
        "sealed": desk.seal(duty_id, {"what": what}), "starts": now.date(), "due": due, "counts": True,
        "state": DutyState.OPEN.value, "created_at": now, "version": 1, "history": [],
    }  # fmt: skip
    made = (await conn.execute(insert(duties).values(row).returning(duties))).one()
    await desk.tell(conn, [DutySet(**_facts(desk, made), counts=True, set_at=now)], now)
    await audit.record(conn, kit, caller, "duty.set", "duty", [duty_id], now, agency=agency)
    return made


async def show(
    conn: AsyncConnection, desk: Desk, caller: Caller, duty_id: UUID, shown: Shown, *, claim: Claim, now: datetime
) -> Any:
    """Add a proof. Raises `Conflict` for a duty that is over, `Invalid` for a proof that shows nothing."""
    if await repeated(conn, claim, now):
        return await queries.one(conn, caller, duty_id)
    row = await queries.one(conn, caller, duty_id, "duty.act", lock=True)
    if (DutyState(row.state), DutyStep.FINISH) not in STEPS:
        raise _not_now(row)
    if shown.kind is Proof.COUNT and shown.number is None:
        raise wrong("number", "number-missing", "请填写数量。", "Give the number.")
    if shown.kind is Proof.LINK and not shown.link:
        raise wrong("link", "link-missing", "请填写网址。", "Give the address.")
    if len(await queries.proofs_of(conn, [duty_id])) >= MOST_PROOFS:
        raise Conflict(
            f"一项职责最多 {MOST_PROOFS} 件证明，本件未保存。 A duty takes {MOST_PROOFS} proofs; this one was not kept.",
            code="too-many-proofs",
        )
    words = {"note": shown.note, "link": shown.link}
    await conn.execute(
        insert(duty_proofs).values(
            id=claim.object_id, duty_id=duty_id, kind=shown.kind.value, sealed=desk.seal(claim.object_id, words),
            number=shown.number, file_id=shown.file_id, recorded_at=now, recorded_by=caller.actor,
        )
    )  # fmt: skip
    await audit.record(conn, kit, caller, "duty.shown", "duty", [duty_id], now, kind=shown.kind.value)
    return await _changed(conn, row, "show", caller, now)


async def show_files(request: Request, desk: Desk, room: PublicityRoom, caller: Caller, duty_id: UUID) -> None:
    """Add each file of a request as a proof; a file sent again is there once. Raises as `show` and `take_request`."""

    async def may(conn: AsyncConnection) -> None:
        row = await queries.one(conn, caller, duty_id, "duty.act")
        if (DutyState(row.state), DutyStep.FINISH) not in STEPS:
            raise _not_now(row)

    for kept in await files.take_request(request, room, caller, OWNER, duty_id, may):
        shown = Shown(Proof.PHOTO, "", file_id=kept.row.id)
        claim = claim_of(desk, caller, "duty.file", str(kept.row.id), duty_id, new_id())
        async with db.begin(desk.service.engine) as conn:
            await show(conn, desk, caller, duty_id, shown, claim=claim, now=clock.now())


async def take_away(
    conn: AsyncConnection, desk: Desk, caller: Caller, duty_id: UUID, proof_id: UUID, *, claim: Claim, now: datetime
) -> Any:
    """Take a wrong proof away again, while the duty is not done."""
    if await repeated(conn, claim, now):
        return await queries.one(conn, caller, duty_id)
    row = await queries.one(conn, caller, duty_id, "duty.act", lock=True)
    if (DutyState(row.state), DutyStep.FINISH) not in STEPS:
        raise _not_now(row)
    p = duty_proofs.c
    gone = await conn.execute(delete(duty_proofs).where(p.id == proof_id, p.duty_id == duty_id).returning(p.file_id))
    removed = gone.one_or_none()
    if removed is None:
        return row
    # its bytes go with the next sweep of files that no row names
    await conn.execute(delete(kept_files).where(kept_files.c.id == removed.file_id))
    await audit.record(conn, kit, caller, "duty.proof_removed", "duty", [duty_id], now, proof=str(proof_id))
    return await _changed(conn, row, "take-away", caller, now)


async def step(
    conn: AsyncConnection, desk: Desk, caller: Caller, duty_id: UUID, step: DutyStep, *, version: int,
    reason: str | None, claim: Claim, now: datetime,
) -> Any:  # fmt: skip
    """Say that a duty is done, give it back, or drop a meeting's. The same key again gives the duty as it stands.

    Raises:
        Conflict: not possible in its state, without a proof, or dropping what the plan asks. Outdated. Invalid.
    """
    right = "duty.act" if step is DutyStep.FINISH else "duty.manage"
    if await repeated(conn, claim, now):
        return await queries.one(conn, caller, duty_id)
    row = await queries.one(conn, caller, duty_id, right, lock=True)
    check_version(row, version)
    if (DutyState(row.state), step) not in STEPS or step is DutyStep.MISS:
        raise _not_now(row)
    if step is DutyStep.FINISH:
        proofs = len(await queries.proofs_of(conn, [duty_id]))
        if not proofs:
            raise Conflict(
                "还没有证明：请先上传照片、填写链接或数量，再报完成。状态未变。 "
                "There is no proof yet: add a photo, a link or a number first. Nothing has changed.",
                code="proof-missing",
            )
        return await finish(conn, desk, caller, row, proofs, now)
    if step is DutyStep.DROP and row.origin != "meeting":
        raise Conflict(
            "方案规定的职责不能撤销，只能修改方案。 A duty of the plan cannot be dropped; only the plan can change it.",
            code="duty-of-the-plan",
        )
    if not reason:
        raise wrong("reason", "reason-missing", "请写明理由。", "Give the reason.")
    row = await _sealed(conn, desk, row, reason)
    if step is DutyStep.DROP:
        await desk.tell(conn, [await _dropped(conn, desk, row, caller, now)], now)
        return await queries.one(conn, caller, duty_id)
    made = await _changed(
        conn, row, step.value, caller, now, state=DutyState.OPEN.value, done_at=None, done_by=None, late=None
    )
    await desk.tell(conn, [DutyGivenBack(**_facts(desk, made), given_back_at=now)], now)
    await audit.record(conn, kit, caller, "duty.given_back", "duty", [duty_id], now)
    return made


async def finish(conn: AsyncConnection, desk: Desk, caller: Caller, row: Any, proofs: int, now: datetime) -> Any:
    """A duty is done; late when its time had passed and counts."""
    late = not domain.in_time(row.due, row.counts, now)
    made = await _changed(
        conn, row, DutyStep.FINISH.value, caller, now, state=DutyState.DONE.value, done_at=now, done_by=caller.actor,
        late=late,
    )  # fmt: skip
    await desk.tell(conn, [DutyDone(**_facts(desk, made), late=late, proofs=proofs, done_at=now)], now)
    await audit.record(conn, kit, caller, "duty.done", "duty", [row.id], now, late=late)
    return made


async def mark_missed(conn: AsyncConnection, desk: Desk, now: datetime, *, limit: int = 500) -> int:
    """Mark duties whose time has passed; how many, at most `limit`."""
    d = duties.c
    rows = (
        await conn.execute(
            select(duties)
            .where(d.state == DutyState.OPEN.value, d.counts, d.due < now)
            .order_by(d.due, d.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    ).all()
    if not rows:
        return 0
    ids = [row.id for row in rows]
    await conn.execute(
        update(duties)
        .where(d.id == func.any(ids))
        .values(state=DutyState.MISSED.value, missed_at=func.coalesce(d.missed_at, now), version=d.version + 1)
    )
    # one given back is not missed a second time
    news = [DutyMissed(**_facts(desk, row), missed_at=now) for row in rows if row.missed_at is None]
    await desk.tell(conn, news, now)
    await audit.record(conn, kit, _ACTOR, "duty.missed", "duty", ids, now)
    return len(rows)


async def _dropped(conn: AsyncConnection, desk: Desk, row: Any, caller: Caller, now: datetime) -> DutyDropped:
    made = await _changed(conn, row, DutyStep.DROP.value, caller, now, state=DutyState.DROPPED.value)
    await audit.record(conn, kit, caller, "duty.dropped", "duty", [row.id], now)
    return DutyDropped(**_facts(desk, made), dropped_at=now)


async def _sealed(conn: AsyncConnection, desk: Desk, row: Any, reason: str) -> Any:
    words = desk.words(row.id, row.sealed) | {"reason": reason}
    changed = update(duties).where(duties.c.id == row.id).values(sealed=desk.seal(row.id, words)).returning(duties)
    return (await conn.execute(changed)).one()


async def _changed(conn: AsyncConnection, row: Any, step: str, caller: Caller, now: datetime, **values: Any) -> Any:
    changed = (
        update(duties)
        .where(duties.c.id == row.id)
        .values(version=row.version + 1, history=traced(row, step, caller, now), **values)
        .returning(duties)
    )
    return (await conn.execute(changed)).one()


def _not_now(row: Any) -> Conflict:
    return Conflict(
        "这项职责现在的状态不能这样办理，请重新打开查看；未保存任何内容。 "
        "That is not possible for this duty now; open it again. Nothing was kept.",
        code="duty-state",
        state=row.state,
    )


def _facts(desk: Desk, row: Any) -> dict[str, Any]:
    return {
        "duty_id": row.id, "plan": row.plan, "agency": row.agency, "unit": row.unit, "area": row.area,
        "origin": row.origin, "duty": row.duty, "phase": row.phase, "clause": row.clause,
        "meeting_id": row.meeting_id, "due": row.due, "dataref": desk.address(f"duties/{row.id}"),
    }  # fmt: skip


