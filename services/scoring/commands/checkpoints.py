"""Checkpoints: the tree over the ledger grown by what is new, its root signed, told to Kafka and kept outside.

A checkpoint is taken only over a ledger that still has what the newest one known outside the database covers: whoever
rolls the database back, or swaps its checkpoints, gets no new signature over it.
"""

from __future__ import annotations

import asyncio
import base64
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.domain import leaves, notes
from services.scoring.domain.merkle import LEVELS, STEP, Frontier, Subtrees
from services.scoring.domain.notes import Checkpoint, Closing
from services.scoring.tables import checkpoints, kit, ledger, ledger_tree, periods
from shared.events.scoring import CheckpointTaken
from shared.kit import outbox
from shared.kit.crypto import KeyRing
from shared.kit.db import insert_many

KEY = "checkpoint"
"""The name of the signing key."""
MOST = 50_000
"""Entries that one checkpoint by the clock adds at most; what is left, the next adds at once."""

_PAGE = 1000
_TURN = select(func.pg_advisory_xact_lock(zlib.crc32(b"scoring:checkpoint")))


class LedgerBroken(RuntimeError):
    """The database no longer holds what a checkpoint covers. Nothing was signed."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs: the ledger's name and the keys."""

    origin: str
    keys: KeyRing

    def note(self, checkpoint: Checkpoint) -> str:
        """A checkpoint as a signed note."""
        return notes.signed(checkpoint, lambda text: self.keys.sign(KEY, text), self.keys.public_key(KEY))


@dataclass(frozen=True, slots=True)
class Taken:
    """A checkpoint that was taken. `more`: there are entries behind it already."""

    number: int
    checkpoint: Checkpoint
    note: str
    more: bool


class _Tree:
    """The tree as it stands in the database, and what is added to it."""

    def __init__(self) -> None:
        self.frontier = Frontier()
        self.after = 0
        self.new: list[dict[str, Any]] = []
        self._subtrees = Subtrees()

    async def load(self, conn: AsyncConnection) -> None:
        """Read the subtrees that make up all whole blocks."""
        newest = select(func.max(ledger_tree.c.index)).where(ledger_tree.c.level == LEVELS[0])
        index = (await conn.execute(newest)).scalar_one_or_none()
        blocks = 0 if index is None else index + 1
        for level, above in zip(reversed(LEVELS), (None, *reversed(LEVELS[1:])), strict=True):
            first = blocks >> (above - STEP) << (above - level) if above else 0
            rows = await conn.execute(
                select(ledger_tree)
                .where(ledger_tree.c.level == level, ledger_tree.c.index >= first)
                .order_by(ledger_tree.c.index)
            )
            for row in rows:
                if row.index != self.frontier.size >> level:
                    raise LedgerBroken(f"subtree {level}/{self.frontier.size >> level} is missing")
                self.frontier.push(bytes(row.hash), level)
                self._subtrees.resume(level, bytes(row.hash))
                self.after = max(self.after, row.last_seq)

    def add(self, row: Any) -> None:
        """Add the next entry."""
        leaf = leaves.hash_of(row)
        self.frontier.push(leaf)
        for level, index, root in self._subtrees.add(leaf):
            self.new.append({"level": level, "index": index, "hash": root, "last_seq": row.seq})


async def take(
    conn: AsyncConnection,
    signer: Signer,
    now: datetime,
    *,
    outside: Taken | None = None,
    closing: Closing | None = None,
    period_id: UUID | None = None,
) -> Taken | None:
    """Take a checkpoint over the entries there are; None when there is nothing new and no period to close.

    `outside` is the newest checkpoint known from outside the database. Raises `LedgerBroken`.
    """
    await conn.execute(_TURN)
    last = (await conn.execute(select(checkpoints).order_by(checkpoints.c.number.desc()).limit(1))).one_or_none()
    await _still_there(conn, outside)
    # entries get their numbers in the order of commits (booking takes turns): what is there now up to the newest is all
    newest = (await conn.execute(select(func.max(ledger.c.seq)))).scalar_one_or_none() or 0
    if closing is None and newest <= (last.seq if last else 0):
        if last and newest < last.seq:
            raise LedgerBroken(f"entries are missing: the newest has seq {newest}, a checkpoint covers {last.seq}")
        return None
    tree = _Tree()
    await tree.load(conn)
    old = last.size if last else 0
    reached, more, proven = tree.after, False, old == 0 or _as_covered(tree, last, tree.after)
    async for row in _entries(conn, tree.after, newest):
        if closing is None and tree.frontier.size >= old + MOST:
            more = True
            break
        tree.add(row)
        reached = row.seq
        proven = proven or _as_covered(tree, last, reached)
    if not proven:
        raise LedgerBroken(f"the first {old} entries are no longer those of checkpoint {last.number}")  # type: ignore[union-attr]
    made = Checkpoint(signer.origin, tree.frontier.size, tree.frontier.root(), now, reached, closing)
    taken = Taken((last.number if last else 0) + 1, made, signer.note(made), more)
    if tree.new:
        await insert_many(conn, ledger_tree, tree.new)
    await _keep(conn, taken, period_id, now)
    return taken


def _as_covered(tree: _Tree, last: Any, seq: int) -> bool:
    return tree.frontier.size == last.size and seq == last.seq and tree.frontier.root() == bytes(last.root)


async def _entries(conn: AsyncConnection, after: int, newest: int) -> AsyncIterator[Any]:
    while True:
        rows = (
            await conn.execute(
                select(ledger).where(ledger.c.seq > after, ledger.c.seq <= newest).order_by(ledger.c.seq).limit(_PAGE)
            )
        ).all()
        for row in rows:
            yield row
        if len(rows) < _PAGE:
            return
        after = rows[-1].seq
        # hashing a page takes some milliseconds: others may go in between
        await asyncio.sleep(0)


async def _still_there(conn: AsyncConnection, outside: Taken | None) -> None:
    if outside is None:
        return
    found = (
        await conn.execute(select(checkpoints.c.note).where(checkpoints.c.number == outside.number))
    ).scalar_one_or_none()
    if found != outside.note:
        raise LedgerBroken(f"checkpoint {outside.number}, known outside, is missing or another in the database")


async def _keep(conn: AsyncConnection, taken: Taken, period_id: UUID | None, now: datetime) -> None:
    made = taken.checkpoint
    await insert_many(
        conn,
        checkpoints,
        [
            {
                "number": taken.number,
                "origin": made.origin,
                "size": made.size,
                "root": made.root,
                "seq": made.seq,
                "taken_at": made.taken_at,
                "period_id": period_id,
                "note": taken.note,
            }
        ],
    )
    told = CheckpointTaken(
        number=taken.number,
        origin=made.origin,
        size=made.size,
        root=base64.b64encode(made.root).decode(),
        seq=made.seq,
        taken_at=made.taken_at,
        note=taken.note,
        plan=made.closing.plan if made.closing else None,
        period=made.closing.label if made.closing else None,
    )
    await outbox.put(conn, kit.outbox, [told], now)


async def unstored(conn: AsyncConnection, limit: int) -> list[Any]:
    """Checkpoints that were not written outside yet, with the document of the period they close; oldest first."""
    query = (
        select(checkpoints, periods.c.document, periods.c.plan, periods.c.label)
        .outerjoin(periods, periods.c.id == checkpoints.c.period_id)
        .where(checkpoints.c.stored_at.is_(None))
        .order_by(checkpoints.c.number)
        .limit(limit)
    )
    return list(await conn.execute(query))


async def mark_stored(conn: AsyncConnection, numbers: list[int], now: datetime) -> None:
    """They stand outside now."""
    await conn.execute(update(checkpoints).where(checkpoints.c.number.in_(numbers)).values(stored_at=now))


__all__ = ["KEY", "MOST", "LedgerBroken", "Signer", "Taken", "mark_stored", "take", "unstored"]
