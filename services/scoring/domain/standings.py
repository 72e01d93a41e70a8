"""Standings (得分): a pure function of the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from services.scoring.domain.ledger import Entry
from services.scoring.domain.rulebook import Outcome

Key = tuple[str, str, str, str | None, str, str]
"""Plan, rulebook, agency, unit, kind of subject, subject."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a subject's entries come to.

    `in_time` and `late` count obligations: done in time; done late or not done. `version` is the number of entries, so
    equal ledgers give equal versions; `as_of` is when the newest fact behind it was recorded.
    """

    plan: str
    rulebook: str
    agency: str
    unit: str | None
    subject_kind: str
    subject: str
    points: Decimal
    entries: int
    in_time: int
    late: int
    as_of: datetime

    @property
    def version(self) -> int:
        return self.entries

    @property
    def key(self) -> Key:
        return (self.plan, self.rulebook, self.agency, self.unit, self.subject_kind, self.subject)


def counts(entry: Entry) -> tuple[int, int]:
    """What an entry adds to `in_time` and `late`; a correction takes away what it corrects. Only deadlines count."""
    if entry.basis != "deadline":
        return (0, 0)
    sign = 1 if entry.corrects is None else -1
    return (sign, 0) if entry.outcome is Outcome.MET else (0, sign)


def standings_of(entries: Iterable[Entry]) -> dict[Key, Standing]:
    """The standing of every subject that has entries. The order of the entries does not matter."""
    found: dict[Key, Standing] = {}
    for entry in entries:
        key = (entry.plan, entry.rulebook, entry.agency, entry.unit, entry.subject_kind, entry.subject)
        in_time, late = counts(entry)
        old = found.get(key)
        if old is None:
            found[key] = Standing(*key, entry.points, 1, in_time, late, entry.recorded_at)
        else:
            found[key] = replace(
                old,
                points=old.points + entry.points,
                entries=old.entries + 1,
                in_time=old.in_time + in_time,
                late=old.late + late,
                as_of=max(old.as_of, entry.recorded_at),
            )
    return found
