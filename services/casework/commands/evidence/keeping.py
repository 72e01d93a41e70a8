"""What its keeper does with an item: moves it, gives it back, has it destroyed; destruction takes two persons."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.adapters.evidence_words import opened, sealed
from services.casework.commands.evidence.chain import Note, append
from services.casework.commands.evidence.room import EvidenceRoom, held_item, taken_before
from services.casework.domain.evidence import ItemAction
from services.casework.schemas.evidence import DecisionIn, DestructionIn, MoveIn, ReturnIn
from services.casework.tables import evidence_copies, evidence_files, kit
from shared.kit import audit
from shared.kit.access import Caller
from shared.kit.idempotency import Claim
from shared.kit.problem import Forbidden


async def move(
    conn: AsyncConnection, room: EvidenceRoom, caller: Caller, item_id: UUID, version: int, body: MoveIn, claim: Claim,
    now: datetime,
) -> UUID:  # fmt: skip
    """The item is kept somewhere else from now on. Raises as `held_item`."""
    if (known := await taken_before(conn, claim, now)) is not None:
        return known
    item, state = await held_item(conn, caller, item_id, "evidence.manage", ItemAction.MOVE, version)
    assert state is not None
    said = opened(room.keys, item_id, item.particulars)
    words = {"from": said["kept_where"], "kept_where": body.kept_where, "note": body.note}
    changes = {"state": state.value, "particulars": sealed(room.keys, item_id, said | {"kept_where": body.kept_where})}
    await _done(conn, room, caller, Note(item, "moved", {}, words, changes), now)
    return item_id


async def give_back(
    conn: AsyncConnection, room: EvidenceRoom, caller: Caller, item_id: UUID, version: int, body: ReturnIn, claim: Claim,
    now: datetime,
) -> UUID:  # fmt: skip
    """The item goes back to whom it belongs (发还); its files stay on record. Raises as `held_item`."""
    if (known := await taken_before(conn, claim, now)) is not None:
        return known
    item, state = await held_item(conn, caller, item_id, "evidence.manage", ItemAction.RETURN, version)
    assert state is not None
    words = {"receiver": body.receiver, "reason": body.reason}
    await _done(conn, room, caller, Note(item, "returned", {}, words, {"state": state.value}), now)
    return item_id


async def propose_destruction(
    conn: AsyncConnection, room: EvidenceRoom, caller: Caller, item_id: UUID, version: int, body: DestructionIn,
    claim: Claim, now: datetime,
) -> UUID:  # fmt: skip
    """Propose to destroy the item; somebody else has to approve. Raises as `held_item`."""
    if (known := await taken_before(conn, claim, now)) is not None:
        return known
    item, state = await held_item(
        conn, caller, item_id, "evidence.manage", ItemAction.PROPOSE_DESTRUCTION, version
    )
    assert state is not None
    said = opened(room.keys, item_id, item.particulars) | {"destroy_files": body.files}
    changes = {
        "state": state.value, "proposed_by": caller.actor, "particulars": sealed(room.keys, item_id, said),
    }  # fmt: skip
    note = Note(item, "destruction_proposed", {"files": body.files}, {"reason": body.reason}, changes)
    await _done(conn, room, caller, note, now)
    return item_id


async def decide_destruction(
    conn: AsyncConnection, room: EvidenceRoom, caller: Caller, item_id: UUID, version: int, body: DecisionIn,
    claim: Claim, now: datetime,
) -> UUID:  # fmt: skip
    """A second person approves or refuses. With approval of its files' end their keys go, and nobody reads them again.

    Raises as `held_item`, and `Forbidden` for the one who proposed it.
    """
    if (known := await taken_before(conn, claim, now)) is not None:
        return known
    action = ItemAction.DESTROY if body.approve else ItemAction.REFUSE_DESTRUCTION
    item, state = await held_item(conn, caller, item_id, "evidence.destroy", action, version)
    assert state is not None
    if item.proposed_by == caller.actor:
        raise Forbidden(
            "提出销毁的人不能自己批准，须由另一人决定；未作更改。 Who proposed it cannot approve it; another person has to.",
            code="same-person",
        )
    changes: dict[str, Any] = {"state": state.value, "proposed_by": None}
    facts: dict[str, Any] = {"proposed_by": item.proposed_by}
    if body.approve:
        facts["files_destroyed"] = 0
        if opened(room.keys, item_id, item.particulars).get("destroy_files"):
            facts["files_destroyed"] = await _shred(conn, item_id)
    kind = "destroyed" if body.approve else "destruction_refused"
    await _done(conn, room, caller, Note(item, kind, facts, {"note": body.note}, changes), now)
    return item_id


async def _shred(conn: AsyncConnection, item_id: UUID) -> int:
    """Destroy the keys of an item's files and copies; the sweeper removes the bytes nobody can read any more."""
    files = update(evidence_files).where(evidence_files.c.item_id == item_id, evidence_files.c.state != "destroyed")
    gone = await conn.execute(files.values(state="destroyed", data_key=None))
    await conn.execute(update(evidence_copies).where(evidence_copies.c.item_id == item_id).values(data_key=None))
    return gone.rowcount


async def _done(conn: AsyncConnection, room: EvidenceRoom, caller: Caller, note: Note, now: datetime) -> None:
    await append(conn, room.keys, caller, [note], now)
    await audit.record(
        conn, kit, caller, f"evidence.{note.action.replace('_', '-')}", "evidence", [note.item.id], now, **note.facts
    )
