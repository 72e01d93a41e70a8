"""What if: the same facts under another rulebook; what each subject would have, and which entries make the difference."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from services.scoring.domain.decisions import Decided, entries_of
from services.scoring.domain.ledger import Entry, entries_for
from services.scoring.domain.obligations import Obligation
from services.scoring.domain.rulebook import Rulebook as View
from services.scoring.domain.rulebooks.model import Rulebook
from services.scoring.domain.rulebooks.parts import Band
from services.scoring.domain.rulebooks.sheet import Counted, Sheet, sheet_of

Subject = tuple[str, str, str | None, str]
"""Kind, agency, unit, subject."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What happened in a period: obligations with news in it, and acts about findings and other matters."""

    obligations: Sequence[Obligation]
    decisions: Sequence[Decided]
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Valued:
    """What one matter gives: the line and its points, corrections settled. None: nothing."""

    line: str | None
    points: Decimal


@dataclass(frozen=True, slots=True)
class Cause:
    """One matter that is worth something else: an obligation, a finding or a decision (`basis`, `basis_id`)."""

    basis: str
    basis_id: UUID
    occurred_on: date
    entry_id: UUID
    before: Valued
    after: Valued

    @property
    def difference(self) -> Decimal:
        return self.after.points - self.before.points


@dataclass(frozen=True, slots=True)
class Compared:
    """One subject before and after, and the matters that make the difference, the greatest first."""

    subject_kind: str
    agency: str
    unit: str | None
    subject: str
    before: Sheet
    after: Sheet
    causes: tuple[Cause, ...]

    @property
    def difference(self) -> Decimal:
        return self.after.score - self.before.score

    @property
    def moved(self) -> tuple[Band | None, Band | None] | None:
        """The grades, where they differ."""
        old, new = self.before.band, self.after.band
        return None if (old and old.id) == (new and new.id) else (old, new)


@dataclass(frozen=True, slots=True)
class Under:
    """One version, whenever things happened."""

    view: View

    def at(self, moment: datetime) -> tuple[View, ...]:
        """That version."""
        return (self.view,)


def compare(facts: Facts, before: View, after: View, old: Rulebook, new: Rulebook) -> tuple[Compared, ...]:
    """Every subject of either side, the greatest change first. `old` and `new` give the shape of the scores."""
    lefts, rights = _booked(facts, Under(before)), _booked(facts, Under(after))
    found = []
    for subject in sorted({*lefts, *rights}, key=lambda one: (one[0], one[1], one[2] or "", one[3])):
        left, right = lefts.get(subject, []), rights.get(subject, [])
        kind, agency, unit, name = subject
        found.append(
            Compared(
                kind, agency, unit, name, sheet_of(old, _counted(left)), sheet_of(new, _counted(right)),
                _causes(left, right),
            )
        )  # fmt: skip
    return tuple(sorted(found, key=lambda one: (-abs(one.difference), one.subject_kind, one.subject)))


def _booked(facts: Facts, books: Under) -> Mapping[Subject, list[Entry]]:
    found: dict[Subject, list[Entry]] = defaultdict(list)
    entries: dict[UUID, Entry] = {}
    for obligation in facts.obligations:
        entries.update((one.entry_id, one) for one in entries_for(obligation, books))
    for decided in facts.decisions:
        entries.update((one.entry_id, one) for one in entries_of(decided, books))
    for one in entries.values():
        if facts.first <= one.occurred_on <= facts.last:
            found[(one.subject_kind, one.agency, one.unit, one.subject)].append(one)
    return found


def _counted(entries: Iterable[Entry]) -> list[Counted]:
    return [Counted(one.line, one.points, one.corrects is not None) for one in entries]


def _causes(left: Sequence[Entry], right: Sequence[Entry]) -> tuple[Cause, ...]:
    olds, news = _by_matter(left), _by_matter(right)
    causes = []
    for matter in {*olds, *news}:
        some = (olds.get(matter) or news[matter])[0]
        before, after = _valued(olds.get(matter, [])), _valued(news.get(matter, []))
        if before != after:
            causes.append(Cause(*matter, some.occurred_on, some.entry_id, before, after))
    return tuple(sorted(causes, key=lambda one: (-abs(one.difference), one.occurred_on, str(one.basis_id))))


def _by_matter(entries: Iterable[Entry]) -> dict[tuple[str, UUID], list[Entry]]:
    found: dict[tuple[str, UUID], list[Entry]] = defaultdict(list)
    for one in entries:
        found[(one.basis, one.basis_id)].append(one)
    return found


def _valued(entries: Sequence[Entry]) -> Valued:
    taken = {one.corrects for one in entries if one.corrects is not None}
    standing = [one for one in entries if one.corrects is None and one.entry_id not in taken]
    return Valued(standing[-1].line if standing else None, sum((one.points for one in entries), Decimal(0)))
