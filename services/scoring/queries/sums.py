"""What entries come to, from the sums that are kept of them: few rows, however long the ledger is.

Spans of days that a question takes in wholly count as they are summed up. Where it also asks for what was known at a
moment, a span of which more became known later is looked into, down to the entries of a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Integer,
    Select,
    Subquery,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    union_all,
)

from services.scoring.domain.spans import Run, cover
from services.scoring.queries.ledger import LATE, LedgerFilter
from services.scoring.tables import ledger, line_sums, standings, sums
from shared.kit.clock import CHINA

_FIGURES = ("points", "entries", "corrections", "in_time", "late")
_WORDS = ("clause", "assumed", "newest")
_FORETOLD: ColumnElement[bool] = literal_column(
    "(ledger.recorded_at AT TIME ZONE 'Asia/Shanghai')::date < ledger.occurred_on", Boolean
)
"""Word for word as its index has it: entries recorded before the day they are about."""


def narrowed(wanted: LedgerFilter) -> list[ColumnElement[bool]]:
    """The standings whose entries a question is about."""
    s = standings.c
    found: list[ColumnElement[bool]] = [
        s[name] == value
        for name in ("plan", "rulebook", "agency", "subject_kind", "subject")
        if (value := getattr(wanted, name)) is not None
    ]
    if wanted.unit is not None:
        found.append(s.unit == wanted.unit if wanted.unit else s.unit.is_(None))
    return found


def parts(wanted: LedgerFilter, *, lines: bool = False) -> Subquery:
    """Rows that add up to what is asked: `standing`, the figures and `known`; with `lines` by line and area, too."""
    kept = line_sums if lines or wanted.area is not None else sums
    names = ("standing", *(("line", "area", *_WORDS) if lines else ()), *_FIGURES)
    last = wanted.last
    if wanted.outcome is not None or wanted.basis is not None:
        # no sums are kept by these
        return _entries(names, wanted).subquery("parts")
    if wanted.as_of is None:
        asked = select(*(kept.c[name] for name in names), kept.c.last_known.label("known")).where(
            _within(kept, cover(wanted.first, last)), *_whose(kept, wanted)
        )
        return asked.subquery("parts")
    today = wanted.as_of.astimezone(CHINA).date()
    # spans before the moment's day; that day, and what is about days to come, entry by entry
    before = today - timedelta(days=1)
    cells = _known(kept, names, replace(wanted, last=before if last is None else min(last, before)), wanted.as_of)
    whole = select(*(cells.c[name] for name in names), cells.c.last_known.label("known")).where(
        cells.c.last_known <= wanted.as_of
    )
    l = ledger.c  # noqa: E741
    same = [cells.c.standing == standings.c.key, l.occurred_on == cells.c.day]
    if kept is line_sums:
        same += [l.line == cells.c.line, func.coalesce(l.area, "") == cells.c.area]
    some = (
        select(*_of_entry(names))
        .select_from(cells)
        .join(standings, standings.c.key == cells.c.standing)
        .join(ledger, and_(_of_standing(), *same))
        .where(cells.c.level == 0, cells.c.last_known > wanted.as_of, l.recorded_at <= wanted.as_of)
    )
    return union_all(
        whole,
        some,
        _entries(names, wanted).where(l.occurred_on == today),
        _entries(names, wanted).where(l.occurred_on > today, _FORETOLD),
    ).subquery("parts")


def _known(kept: Any, names: Sequence[str], wanted: LedgerFilter, as_of: datetime) -> Any:
    """Spans of which something was known at a moment; those of which more became known later with what is in them."""
    columns = [kept.c[name] for name in dict.fromkeys((*names, *_keys(kept), "level", "day", "last_known"))]
    top = (
        select(*columns)
        .where(_within(kept, cover(wanted.first, wanted.last)), *_whose(kept, wanted), kept.c.first_known <= as_of)
        .cte("cells", recursive=True)
    )
    return top.union_all(
        select(*columns)
        .join(
            top,
            and_(
                *(kept.c[name] == top.c[name] for name in _keys(kept)),
                kept.c.level == top.c.level - 1,
                kept.c.day >= top.c.day,
                kept.c.day < func.sums_until(cast(top.c.level, Integer), top.c.day),
            ),
        )
        .where(top.c.level > 0, top.c.last_known > as_of, kept.c.first_known <= as_of)
    )


def _keys(kept: Any) -> tuple[str, ...]:
    return ("standing", "line", "area") if kept is line_sums else ("standing",)


def _within(kept: Any, runs: Sequence[Run]) -> ColumnElement[bool]:
    return or_(false(), *(and_(kept.c.level == level, kept.c.day.between(one, other)) for level, one, other in runs))


def _whose(kept: Any, wanted: LedgerFilter) -> list[ColumnElement[bool]]:
    """Few standings are looked up one by one; all of a plan are read together."""
    found: list[ColumnElement[bool]] = []
    if wanted.agency is not None or wanted.subject is not None:
        keys = select(standings.c.key).where(*narrowed(wanted)).scalar_subquery()
        found.append(kept.c.standing == func.any(func.array(keys)))
    if wanted.area is not None:
        found.append(kept.c.area == wanted.area)
    return found


@cache
def _of_standing() -> ColumnElement[bool]:
    return and_(
        *(ledger.c[name] == standings.c[name] for name in ("plan", "rulebook", "agency", "subject_kind", "subject")),
        ledger.c.unit.is_not_distinct_from(standings.c.unit),
    )


@cache
def _of_entry(names: tuple[str, ...]) -> list[ColumnElement[Any]]:
    """An entry as a row of sums. Made once: building these took a third of a question's time."""
    l = ledger.c  # noqa: E741
    sign = case((l.corrects.is_(None), 1), else_=-1)
    made: dict[str, ColumnElement[Any]] = {
        "standing": standings.c.key,
        "line": l.line,
        "area": func.coalesce(l.area, ""),
        "clause": l.clause,
        "assumed": l.assumed,
        "newest": l.occurred_on,
        "points": l.points,
        "entries": literal(1),
        "corrections": case((l.corrects.is_(None), 0), else_=1),
        "in_time": case((l.outcome == "met", sign), else_=0),
        "late": case((l.outcome.in_(LATE), sign), else_=0),
    }
    return [*(made[name].label(name) for name in names), l.recorded_at.label("known")]


def _entries(names: tuple[str, ...], wanted: LedgerFilter) -> Select[Any]:
    return select(*_of_entry(names)).join(standings, _of_standing()).where(*wanted.conditions())


__all__ = ["narrowed", "parts"]
