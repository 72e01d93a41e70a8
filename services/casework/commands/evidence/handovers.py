"""Items change hands (交接): offered by their keeper, theirs until the receiver accepts; each step in every item's chain."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.adapters.evidence_words import opened, sealed
from services.casework.commands.evidence.chain import Note, append, lock
from services.casework.commands.evidence.room import (
    EvidenceRoom,
    no_item,
    not_holder,
    not_now,
    outdated,
    taken_before,
    wrong,
)
from services.casework.domain.evidence import (
    PURPOSES,
    HandoverAction,
    HandoverState,
    ItemAction,
    ItemState,
    Refused,
    next_handover_state,
    next_item_state,
)
from services.casework.queries import evidence as queries
from services.casework.schemas.evidence import AcceptIn, HandoverIn, RefuseIn, WithdrawIn
from services.casework.tables import evidence_handovers, evidence_items, kit
from shared.events.casework_evidence import EvidenceHandedOver
from shared.kit import audit, outbox
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.etag import etag
from shared.kit.idempotency import Claim
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Forbidden, NotFound, Outdated
from shared.rules.calendar import local_day
from shared.rules.deadlines import open_deadline


def no_handover() -> NotFound:
    """No such handing over for this caller."""
    return NotFound("没有这次交接，或不在您的权限内。 No such handing over within your reach.", code="handover-not-found")


async def offer(
    conn: AsyncConnection, room: EvidenceRoom, caller: Caller, case_id: UUID, body: HandoverIn, claim: Claim, now: datetime
) -> UUID:
    """Offer items that the caller's agency keeps. Until the receiver accepts, their keeper answers for them.

    Raises `NotFound`, `Forbidden` (kept by another), `Conflict` (an item's state), `Outdated` (an item changed since it
    was seen) or `Invalid` (receiver, twice the same item).
    """
    if (known := await taken_before(conn, claim, now)) is not None:
        return known
    versions = {one.item_id: one.version for one in body.items}
    if len(versions) != len(body.items):
        raise wrong("named-twice", "同一证据列了两次", "An item is named twice", "items")
    rows = await _held(conn, caller, case_id, list(versions))
    for row in rows:
        if versions[row.id] != row.version:
            raise outdated(row, versions[row.id])
    case = rows[0]
    external = _receiver(room, case, body)
    rule, due, provisional = _limit(room, case.case_plan, body, now)
    # what comes back from outside is given by those who keep its record
    keepers = {
        (row.agency, row.unit) if row.holder_external else (row.holder_agency, row.holder_unit) for row in rows
    }
    if len(keepers) > 1:
        raise wrong("several-keepers", "所选证据由不同部门保管，请分开移交", "Different units keep these items", "items")
    [(agency, unit)] = keepers
    handover_id = claim.object_id
    await insert_many(
        conn,
        evidence_handovers,
        [
            {
                "id": handover_id,
                "case_id": case_id,
                "purpose": body.purpose,
                "items": [str(row.id) for row in rows],
                "from_agency": agency,
                "from_unit": unit,
                "to_agency": body.to_agency,
                "to_unit": body.to_unit,
                "external": external,
                "offered_by": caller.actor,
                "offered_at": now,
                "rule": rule,
                "due": due,
                "provisional": provisional,
                "state": HandoverState.OFFERED.value,
                "words": sealed(room.keys, handover_id, {"note": body.note}),
                "version": 1,
            }
        ],
    )
    facts = {"handover": str(handover_id), "to_agency": body.to_agency, "to_unit": body.to_unit, "purpose": body.purpose}
    notes = []
    for row in rows:
        state = _step(row, ItemAction.OFFER)
        changes = {"state": state.value, "offered_agency": body.to_agency, "offered_unit": body.to_unit}
        notes.append(Note(row, "offered", facts, {"note": body.note}, changes))
    await append(conn, room.keys, caller, notes, now)
    await audit.record(
        conn, kit, caller, "evidence.offer", "evidence", [row.id for row in rows], now,
        handover=str(handover_id), to=body.to_agency, purpose=body.purpose,
    )  # fmt: skip
    return handover_id


async def _held(conn: AsyncConnection, caller: Caller, case_id: UUID, ids: list[UUID]) -> list[Any]:
    """Items of the case, all locked and kept by the caller's agency, in the order of their numbers."""
    seen = queries.items().where(evidence_items.c.id.in_(ids), evidence_items.c.case_id == case_id)
    known = (await conn.execute(seen.where(queries.seen(caller, "evidence.read")))).all()
    if len(known) != len(ids):
        raise no_item()
    await lock(conn, ids)
    rows = (await conn.execute(seen.where(queries.held(caller, "evidence.manage")).order_by(evidence_items.c.number))).all()
    if len(rows) != len(ids):
        raise not_holder()
    return list(rows)


def _receiver(room: EvidenceRoom, case: Any, body: HandoverIn) -> bool:
    """Whether the receiver is outside this system. Raises `Invalid` for one that the plan does not have."""
    try:
        agency = room.basis.plan(case.case_plan).agency(body.to_agency)
    except KeyError:
        raise wrong("unknown-agency", "方案中没有这个单位", "The plan has no such agency", "to_agency") from None
    if body.to_unit is not None and agency.unit(body.to_unit) is None:
        raise wrong("unknown-unit", "这个单位没有这个内设机构", "That agency has no such unit", "to_unit")
    return agency.external


def _limit(room: EvidenceRoom, plan: str, body: HandoverIn, now: datetime) -> tuple[str | None, datetime | None, bool]:
    """The rule, its moment and whether that is provisional; nothing for a purpose without a limit in law."""
    rule = PURPOSES[body.purpose]
    if rule is None or body.filed_on is None:
        return None, None, False
    if body.filed_on > now:
        raise wrong("filed-later", "立案时间不能晚于现在", "The case cannot have been filed later than now", "filed_on")
    law = room.basis.plan(plan).limit(rule, local_day(body.filed_on), room.basis.law)
    deadline, _ = open_deadline(
        id=str(new_id()), kind="evidence_handover", rule=law, start=body.filed_on, calendar=room.basis.calendar
    )
    return rule, deadline.due, deadline.provisional


def _step(row: Any, action: ItemAction) -> ItemState:
    try:
        return next_item_state(ItemState(row.state), action)
    except Refused:
        raise not_now(row, action.value) from None


async def answer(
    conn: AsyncConnection, room: EvidenceRoom, caller: Caller, handover_id: UUID, version: int, action: HandoverAction,
    body: AcceptIn | RefuseIn | WithdrawIn, claim: Claim, now: datetime,
) -> UUID:  # fmt: skip
    """The receiver accepts all items with its receipt's number, or refuses with a reason; the giver withdraws.

    Whoever offered cannot accept. For a receiver outside this system another officer of the giver records its paper
    receipt. Raises `NotFound`, `Forbidden` (the other side's step), `Conflict` or `Outdated`.
    """
    if (known := await taken_before(conn, claim, now)) is not None:
        return known
    if await queries.handover(conn, caller, handover_id) is None:
        raise no_handover()
    await conn.execute(
        select(evidence_handovers.c.id).where(evidence_handovers.c.id == handover_id).with_for_update()
    )
    row = await queries.handover(conn, caller, handover_id)
    if row is None:
        raise no_handover()
    _may(caller, row, action)
    if row.version != version:
        raise Outdated(
            "这次交接在您读取后有变化，未作更改；请看最新状态。 It changed after you read it; nothing was changed.",
            state=row.state, version=row.version, headers={"etag": etag(row.version)},
        )  # fmt: skip
    try:
        state = next_handover_state(HandoverState(row.state), action)
    except Refused:
        raise Conflict(
            f"这次交接已有结果（{row.state}），不能再办；未作更改。 It was answered before ({row.state}); nothing was changed.",
            code="answered-before", state=row.state,
        ) from None  # fmt: skip
    said = opened(room.keys, handover_id, row.words) | body.model_dump(exclude={"note"})
    if isinstance(body, AcceptIn):
        said["receiver_note"] = body.note
    await conn.execute(
        update(evidence_handovers)
        .where(evidence_handovers.c.id == handover_id)
        .values(
            state=state.value, answered_by=caller.actor, answered_at=now, words=sealed(room.keys, handover_id, said),
            version=row.version + 1,
        )
    )  # fmt: skip
    items = await lock(conn, [UUID(one) for one in row.items])
    await append(conn, room.keys, caller, [_note(room, row, one, action, body) for one in items], now)
    if action is HandoverAction.ACCEPT:
        event = EvidenceHandedOver(
            case_id=row.case_id, plan=row.case_plan, area=row.case_area, urgent=row.case_urgent, handover_id=handover_id,
            purpose=row.purpose, items=len(items), from_agency=row.from_agency, from_unit=row.from_unit,
            to_agency=row.to_agency, to_unit=row.to_unit, offered_at=row.offered_at, accepted_at=now, rule=row.rule,
            due=row.due, in_time=row.due is None or now <= row.due,
            dataref=f"{room.basis.address}/v1/evidence/handovers/{handover_id}",
        )  # fmt: skip
        await outbox.put(conn, kit.outbox, [event], now)
    await audit.record(
        conn, kit, caller, f"evidence.handover-{action.value}", "evidence", row.items, now, handover=str(handover_id)
    )
    return handover_id


def _may(caller: Caller, row: Any, action: HandoverAction) -> None:
    theirs = row.from_me if action is HandoverAction.WITHDRAW else row.to_me
    if not theirs:
        raise Forbidden(
            "这一步由交接的另一方办理；未作更改。 That is the other side's step; nothing was changed.", code="other-side"
        )
    if action is HandoverAction.ACCEPT and row.offered_by == caller.actor:
        raise Forbidden(
            "移交人不能自己接收，须由另一人接收；未作更改。 Whoever hands over cannot receive; another person has to.",
            code="same-person",
        )


def _note(room: EvidenceRoom, row: Any, item: Any, action: HandoverAction, body: Any) -> Note:
    facts: dict[str, Any] = {"handover": str(row.id), "from_agency": row.from_agency, "to_agency": row.to_agency}
    freed = {"offered_agency": None, "offered_unit": None}
    if action is not HandoverAction.ACCEPT:
        kept = freed | {"state": _step(item, ItemAction.KEEP).value}
        if action is HandoverAction.WITHDRAW:
            return Note(item, "withdrawn", facts, None, kept)
        return Note(item, "refused", facts, {"reason": body.reason}, kept)
    particulars = opened(room.keys, item.id, item.particulars) | {"kept_where": body.kept_where}
    moved = freed | {
        "state": _step(item, ItemAction.TAKE).value,
        "holder_agency": row.to_agency,
        "holder_unit": row.to_unit,
        "holder_external": row.external,
        "particulars": sealed(room.keys, item.id, particulars),
    }
    if row.external:
        facts["recorded_for"] = row.to_agency
    said = {"receipt": body.receipt, "kept_where": body.kept_where, "note": body.note}
    return Note(item, "handed_over", facts | {"from_unit": row.from_unit, "to_unit": row.to_unit}, said, moved)

