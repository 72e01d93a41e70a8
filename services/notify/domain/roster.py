"""Who sits at which post, who is away, and who stands in for them. Pure; the accounts and the office's words are given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Officer:
    """An active account, without its name."""

    id: UUID
    plan: str
    agency: str
    unit: str | None
    posts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seat:
    """A post in an agency or unit, and its standing deputy."""

    plan: str
    agency: str
    unit: str | None
    post: str
    deputy: UUID | None


@dataclass(frozen=True, slots=True)
class Leave:
    """An officer is away from the first day to the last; `deputy` None: whoever is deputy of the seat."""

    account: UUID
    deputy: UUID | None
    first: date
    last: date

    def covers(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Roster:
    """Officers, seats and leave as they are on a day."""

    officers: Sequence[Officer]
    seats: Sequence[Seat]
    leaves: Sequence[Leave]
    day: date
    _by_id: dict[UUID, Officer] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_id", {one.id: one for one in self.officers})

    def away(self, account: UUID) -> Leave | None:
        """The leave an officer is on."""
        return next((one for one in self.leaves if one.account == account and one.covers(self.day)), None)

    def _present(self, account: UUID | None) -> bool:
        return account in self._by_id and self.away(account) is None  # type: ignore[arg-type]

    def deputy(self, plan: str, agency: str, unit: str | None, post: str) -> UUID | None:
        """The standing deputy of a seat, of the unit's own before the agency's; None: none who is there."""
        for wanted in dict.fromkeys((unit, None)):
            for seat in self.seats:
                if (seat.plan, seat.agency, seat.unit, seat.post) == (plan, agency, wanted, post):
                    if self._present(seat.deputy):
                        return seat.deputy
        return None

    def holders(self, plan: str, post: str, agency: str | None = None) -> list[Officer]:
        """Who holds a post, in one agency or anywhere in the plan."""
        return [
            one for one in self.officers
            if one.plan == plan and post in one.posts and agency in (None, one.agency)
        ]  # fmt: skip

    def stands_in(self, away: Officer, post: str) -> UUID | None:
        """Who stands in for an officer that is on leave, at one of their posts."""
        leave = self.away(away.id)
        if leave is not None and self._present(leave.deputy):
            return leave.deputy
        return self.deputy(away.plan, away.agency, away.unit, post)

    def manned(self, plan: str, agency: str, post: str) -> bool:
        """Whether somebody would read what goes to a post: a holder who is there, or who stands in for one away."""
        return any(
            self.away(one.id) is None or self.stands_in(one, post) is not None
            for one in self.holders(plan, post, agency)
        )
