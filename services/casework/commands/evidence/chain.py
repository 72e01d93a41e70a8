"""The one writer of custody chains: items are locked, lines appended, heads moved; in the caller's transaction."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.adapters.evidence_words import sealed_line
from services.casework.domain.custody import Entry, words_line
from services.casework.tables import evidence_custody, evidence_items
from shared.kit.access import Caller
from shared.kit.crypto import KeyRing
from shared.kit.db import insert_many


@dataclass(frozen=True, slots=True)
class Note:
    """One line to be appended to an item (a locked row, or the row about to be inserted, with its chain so far).

    `changes`: columns of the item that change with it; any make a new version.
    """

    item: Any
    action: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    words: Mapping[str, str] | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)


def line(keys: KeyRing, caller: Caller, note: Note, now: datetime) -> tuple[Entry, dict[str, Any]]:
    """The entry and its row."""
    item = note.item
    words = {name: said for name, said in (note.words or {}).items() if said}
    seq = item.custody_length + 1
    spoken = words_line(words, os.urandom(16).hex(), seq) if words else None
    entry = Entry(
        str(item.id), seq, now, note.action, caller.actor, caller.agency, caller.unit, dict(note.facts),
        hashlib.sha256(spoken).digest() if spoken else None, bytes(item.custody_head),
    )  # fmt: skip
    return entry, {
        "item_id": item.id,
        "seq": seq,
        "at": now,
        "action": note.action,
        "actor": caller.actor,
        "agency": caller.agency,
        "unit": caller.unit,
        "facts": dict(note.facts),
        "words": sealed_line(keys, item.id, spoken) if spoken else None,
        "words_sha256": entry.words,
        "previous": entry.previous,
        "hash": entry.hash(),
    }


async def append(conn: AsyncConnection, keys: KeyRing, caller: Caller, notes: Sequence[Note], now: datetime) -> None:
    """Append one line to each of several locked items, and change them."""
    rows = [line(keys, caller, note, now)[1] for note in notes]
    await insert_many(conn, evidence_custody, rows)
    names = sorted({name for note in notes for name in note.changes})
    values: dict[str, Any] = {"custody_length": bindparam("b_seq"), "custody_head": bindparam("b_head")}
    values |= {name: bindparam(f"b_{name}") for name in names}
    if names:
        values["version"] = evidence_items.c.version + 1
    change = update(evidence_items).where(evidence_items.c.id == bindparam("b_id")).values(values)
    await conn.execute(
        change,
        [
            {"b_id": row["item_id"], "b_seq": row["seq"], "b_head": row["hash"]}
            | {f"b_{name}": note.changes[name] for name in names}
            for note, row in zip(notes, rows, strict=True)
        ],
    )


async def lock(conn: AsyncConnection, item_ids: Sequence[UUID]) -> list[Any]:
    """Items as they are now, locked in one order so that no two wait for each other."""
    query = (
        select(evidence_items).where(evidence_items.c.id.in_(item_ids)).order_by(evidence_items.c.id).with_for_update()
    )
    return list((await conn.execute(query)).all())
