"""The fund that pays rewards (D-L, X-S1): entries are only ever added, and the balance is their sum."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Entry(StrEnum):
    """Kinds of entries; amounts are never negative, except a cut of the budget."""

    BUDGET = "budget"
    """Money given, or (negative) taken back, for the year."""
    COMMITMENT = "commitment"
    """A proposal sets its sum aside."""
    RELEASE = "release"
    """What was set aside and is not paid is free again."""
    PAYMENT = "payment"
    """Paid out of what was set aside."""


@dataclass(frozen=True, slots=True)
class Balance:
    """Sums of a fund in a year, in yuan."""

    budget: Decimal = Decimal(0)
    committed: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)

    @property
    def available(self) -> Decimal:
        """What is neither paid nor set aside; negative when more was promised than there is."""
        return self.budget - self.committed - self.paid


def balance(entries: Iterable[tuple[str, Decimal]]) -> Balance:
    """The balance of entries (kind, amount), in any order."""
    sums = dict.fromkeys(Entry, Decimal(0))
    for kind, amount in entries:
        sums[Entry(kind)] += amount
    paid = sums[Entry.PAYMENT]
    return Balance(sums[Entry.BUDGET], sums[Entry.COMMITMENT] - sums[Entry.RELEASE] - paid, paid)


def short(now: Balance, *, expected: Decimal, warn_below_percent: int) -> bool:
    """Whether the money runs short: what is left after the claims to be `expected` falls below the bound."""
    left = now.available - expected
    return left < 0 or left * 100 < now.budget * warn_below_percent
