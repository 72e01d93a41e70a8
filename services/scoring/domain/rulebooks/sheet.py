"""A score: a pure function of entries and of the rulebook's shape (sections, caps, vetoes, bounds, bands, rounding).

The order of entries does not matter. Corrections are entries like others, with the sign turned.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from services.scoring.domain.rulebooks.model import Rulebook
from services.scoring.domain.rulebooks.parts import Band, Section


@dataclass(frozen=True, slots=True)
class Counted:
    """What a score is made from: the line of an entry, its points, and whether it takes another back."""

    line: str
    points: Decimal
    taken_back: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """A score and how it came about. `points` is the plain sum of the entries; `lines` and `sections` are what counts."""

    points: Decimal
    score: Decimal
    band: Band | None
    vetoed_by: tuple[str, ...]
    lines: Mapping[str, Decimal]
    sections: Mapping[str | None, Decimal]


def sheet_of(rulebook: Rulebook, entries: Iterable[Counted]) -> Sheet:
    """The score that entries come to under a rulebook.

    A line that the rulebook does not have (any more) counts as booked. Caps bound a line and a section; bonus lines
    stand outside their section's cap; a veto line that stands loses the whole; the last step is rounding, half up.
    """
    sums: dict[str, Decimal] = defaultdict(Decimal)
    standing: dict[str, int] = defaultdict(int)
    for entry in entries:
        sums[entry.line] += entry.points
        standing[entry.line] += -1 if entry.taken_back else 1
    plain = sum(sums.values(), Decimal(0))
    lines: dict[str, Decimal] = {}
    inside: dict[str | None, Decimal] = defaultdict(Decimal)
    beside: dict[str | None, Decimal] = defaultdict(Decimal)
    vetoes: list[str] = []
    for line_id in sorted(sums):
        line = rulebook.line(line_id)
        counted = sums[line_id]
        if line is not None and line.cap is not None:
            counted = max(-line.cap, min(line.cap, counted))
        if line is not None and line.veto and standing[line_id] > 0:
            vetoes.append(line_id)
        lines[line_id] = counted
        where = beside if line is not None and line.bonus else inside
        where[line.section if line is not None else None] += counted
    sections: dict[str | None, Decimal] = {one.id: _section(one, inside[one.id]) for one in rulebook.sections}
    if inside[None]:
        sections[None] = inside[None]
    for section, more in beside.items():
        sections[section] = sections.get(section, Decimal(0)) + more
    scale = rulebook.scale
    score = scale.base + sum(sections.values(), Decimal(0))
    if scale.most is not None:
        score = min(score, scale.most)
    if scale.least is not None:
        score = max(score, scale.least)
    if vetoes:
        score = min(score, scale.after_veto if scale.after_veto is not None else scale.least or Decimal(0))
    score = score.quantize(Decimal(1).scaleb(-scale.places), ROUND_HALF_UP)
    return Sheet(plain, score, band_of(rulebook, score), tuple(vetoes), lines, sections)


def band_of(rulebook: Rulebook, score: Decimal) -> Band | None:
    """The grade of a score; None where the rulebook has no grades, or none for it."""
    return next((band for band in rulebook.bands if band.at_least is None or score >= band.at_least), None)


def _section(section: Section, added: Decimal) -> Decimal:
    value = section.base + section.weight * added
    if section.cap is not None:
        value = min(value, section.cap)
    return max(value, section.floor) if section.floor is not None else value
