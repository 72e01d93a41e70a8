"""A special fund: its budget, what is committed, what is paid, what is free (X-S1, D-L)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Move:
    """A move of money. `commitment`: the commit that is released or paid."""

    id: UUID
    kind: str
    yuan: int
    commitment: UUID | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """`committed` is what is promised and not yet paid; `free` what can still be promised."""

    budget: int
    committed: int
    paid: int

    @property
    def free(self) -> int:
        return self.budget - self.committed - self.paid


def balance(moves: Iterable[Move]) -> Balance:
    """What moves come to, in any order."""
    sums = {"budget": 0, "commit": 0, "release": 0, "pay": 0}
    for move in moves:
        sums[move.kind] += move.yuan
    return Balance(sums["budget"], sums["commit"] - sums["release"] - sums["pay"], sums["pay"])


def left_of(commitment: UUID, moves: Iterable[Move]) -> int:
    """What of a commitment is neither released nor paid."""
    left = 0
    for move in moves:
        if move.id == commitment and move.kind == "commit":
            left += move.yuan
        elif move.commitment == commitment:
            left -= move.yuan
    return left
