"""Proofs from the tree over the ledger: that an entry is in it, and that it only ever grew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.domain import leaves
from services.scoring.domain.merkle import LEVELS, Frontier, consistency_path, inclusion_path
from services.scoring.queries.ledger import visible
from services.scoring.tables import checkpoints, ledger, ledger_tree
from shared.kit.access import Caller

_BLOCK = 1 << LEVELS[0]


class NotCovered(LookupError):
    """No checkpoint covers it yet."""


@dataclass(frozen=True, slots=True)
class Inclusion:
    """An entry's leaf, its place, and the way from it to a checkpoint's root."""

    leaf: bytes
    index: int
    path: Sequence[bytes]
    checkpoint: Any


class _Subtrees:
    """The parts of the tree that a proof needs: kept subtrees, and leaves beside them."""

    def __init__(self) -> None:
        self._hashes: dict[tuple[int, int], bytes] = {}

    async def load(self, conn: AsyncConnection, positions: Sequence[int], size: int) -> None:
        """Read what surrounds these leaves and the end of the tree."""
        near = {max(0, min(one, size - 1)) for one in (*positions, size)}
        for level, above in zip(LEVELS, (*LEVELS[1:], None), strict=True):
            query = select(ledger_tree.c.index, ledger_tree.c.hash).where(
                ledger_tree.c.level == level, ledger_tree.c.index < size >> level
            )
            if above is not None:
                wide = above - level
                groups = sorted({one >> above for one in near})
                query = query.where(
                    or_(*(ledger_tree.c.index.between(g << wide, ((g + 1) << wide) - 1) for g in groups))
                )
            for row in await conn.execute(query):
                self._hashes[level, row.index] = bytes(row.hash)
        for block in {one // _BLOCK for one in near}:
            for number, row in enumerate(await _block(conn, block)):
                self._hashes[0, block * _BLOCK + number] = leaves.hash_of(row)

    def over(self, low: int, high: int) -> bytes:
        """The hash of the subtree over leaves [low, high)."""
        found = Frontier()
        while low < high:
            for level in (*reversed(LEVELS), 0):
                if not low & ((1 << level) - 1) and low + (1 << level) <= high and (level, low >> level) in self._hashes:
                    break
            found.push(self._hashes[level, low >> level], level)
            low += 1 << level
        return found.root()


async def _block(conn: AsyncConnection, block: int) -> Sequence[Any]:
    """The entries of a block of 256, or what there is of it."""
    after = 0
    if block:
        before = select(ledger_tree.c.last_seq).where(
            ledger_tree.c.level == LEVELS[0], ledger_tree.c.index == block - 1
        )
        after = (await conn.execute(before)).scalar_one()
    return (
        await conn.execute(select(ledger).where(ledger.c.seq > after).order_by(ledger.c.seq).limit(_BLOCK))
    ).all()


async def latest(conn: AsyncConnection) -> Any | None:
    """The newest checkpoint."""
    return (await conn.execute(select(checkpoints).order_by(checkpoints.c.number.desc()).limit(1))).one_or_none()


async def checkpoint(conn: AsyncConnection, number: int) -> Any | None:
    """One checkpoint."""
    return (await conn.execute(select(checkpoints).where(checkpoints.c.number == number))).one_or_none()


async def newest(conn: AsyncConnection, *, before: int | None, limit: int) -> Sequence[Any]:
    """Up to `limit + 1` checkpoints, newest first, before a number."""
    query = select(checkpoints).order_by(checkpoints.c.number.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(checkpoints.c.number < before)
    return (await conn.execute(query)).all()


async def inclusion(
    conn: AsyncConnection, caller: Caller, right: str, entry_id: UUID, number: int | None = None
) -> Inclusion | None:
    """The proof that an entry is under a checkpoint (the newest unless another is named); None out of reach.

    Raises `NotCovered` when no checkpoint covers it, or not the one that is named.
    """
    row = (
        await conn.execute(select(ledger).where(ledger.c.entry_id == entry_id, visible(caller, right)))
    ).one_or_none()
    if row is None:
        return None
    told = await latest(conn) if number is None else await checkpoint(conn, number)
    if told is None or told.seq < row.seq:
        raise NotCovered
    index = await _index(conn, row.seq)
    parts = _Subtrees()
    await parts.load(conn, [index], told.size)
    return Inclusion(leaves.leaf_of(row), index, inclusion_path(index, told.size, parts.over), told)


async def _index(conn: AsyncConnection, seq: int) -> int:
    before = (
        await conn.execute(
            select(ledger_tree.c.index, ledger_tree.c.last_seq)
            .where(ledger_tree.c.level == LEVELS[0], ledger_tree.c.last_seq < seq)
            .order_by(ledger_tree.c.last_seq.desc())
            .limit(1)
        )
    ).one_or_none()
    start, after = ((before.index + 1) * _BLOCK, before.last_seq) if before else (0, 0)
    counted = select(func.count()).select_from(ledger).where(ledger.c.seq > after, ledger.c.seq < seq)
    return start + (await conn.execute(counted)).scalar_one()


async def consistency(conn: AsyncConnection, first: int, second: int) -> tuple[Any, Any, list[bytes]] | None:
    """Two checkpoints by number and the proof that the later extends the earlier; None when one does not exist."""
    old, new = await checkpoint(conn, first), await checkpoint(conn, second)
    if old is None or new is None:
        return None
    if not 0 < old.size <= new.size:
        return old, new, []
    parts = _Subtrees()
    await parts.load(conn, [old.size - 1, old.size], new.size)
    return old, new, consistency_path(old.size, new.size, parts.over)
