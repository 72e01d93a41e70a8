"""The law in force on a day: every statutory number as dated data with its article (spec: law of 2026-11-22).

A `Limit` is one number of one article: a time limit, a money range, a share or a threshold. Files in
`deploy/law/*.yaml` hold them, one file for each instrument, so that a lawyer can check and change a line without
code. The rule of the event's day governs; where the file has none for that day the nearest text is used and the
answer says so (`provisional`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from shared.rules.yaml_source import Source, Stamp, Where, YamlProblem, read_yaml, stamp


class Unit(StrEnum):
    """What an amount counts."""

    AT_ONCE = "at_once"
    MINUTES = "minutes"
    HOURS = "hours"
    CALENDAR_DAYS = "calendar_days"
    WORKING_DAYS = "working_days"
    MONTHS = "months"
    YEARS = "years"
    YUAN = "yuan"
    PERCENT = "percent"
    TIMES = "times"
    PERSONS = "persons"
    LEVELS = "levels"
    OFFICERS = "officers"
    POINTS = "points"
    COUNT = "count"


CLOCK_UNITS = frozenset(
    {Unit.AT_ONCE, Unit.MINUTES, Unit.HOURS, Unit.CALENDAR_DAYS, Unit.WORKING_DAYS, Unit.MONTHS, Unit.YEARS}
)


class Text(BaseModel):
    """One wording in Simplified Chinese and in English."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class LawExtension(BaseModel):
    """A lengthening the article allows: how much, and who approves it (a post or a body, in words)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    amount: int = Field(gt=0)
    approver: Text
    article: str | None = None
    certainty: str | None = Field(default=None, pattern="^[TSM]$")


class Limit(BaseModel):
    """One number of one article, from a day to a day (both inclusive; empty = open).

    Certainty: T the text was read, S quoted by a secondary page, M recalled only. ``verified`` turns true when a
    lawyer has checked the line against the text; ``repealed``: nothing took its place after its last day. ``amount`` is the limit itself; a range gives ``at_least`` and/or
    ``at_most`` (both inclusive).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: str = Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$")
    what: Text
    unit: Unit
    amount: float | int | None = None
    at_least: float | int | None = None
    at_most: float | int | None = None
    article: str = Field(min_length=1)
    instrument: str = ""
    certainty: str = Field(pattern="^[TSM]$")
    effective_from: date | None = Field(default=None, alias="from")
    effective_to: date | None = Field(default=None, alias="to")
    rolls: bool = False
    extensions: tuple[LawExtension, ...] = ()
    excluded: Text | None = None
    verified: bool = False
    repealed: bool = False
    note: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> Limit:
        values = (self.amount, self.at_least, self.at_most)
        if self.unit is not Unit.AT_ONCE and all(value is None for value in values):
            raise ValueError("要写 amount，或 at_least / at_most / give amount, or at_least / at_most")
        if any(value is not None and value < 0 for value in values):
            raise ValueError("数值不能为负 / a number cannot be negative")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError("at_least 大于 at_most / at_least is above at_most")
        if self.effective_from and self.effective_to and self.effective_from > self.effective_to:
            raise ValueError("from 晚于 to / from is after to")
        if self.unit in CLOCK_UNITS and self.amount is not None and self.amount != int(self.amount):
            raise ValueError("期限要写整数 / a time limit is a whole number")
        return self

    def covers(self, day: date) -> bool:
        """Whether the line is in force on the day."""
        return (self.effective_from is None or self.effective_from <= day) and (
            self.effective_to is None or day <= self.effective_to
        )


@dataclass(frozen=True, slots=True)
class LimitInForce:
    """The answer to “which rule governs on this day”: the line, and whether that is sure.

    ``provisional`` with ``reason``: the file has no line for that day, so the nearest one is used.
    """

    limit: Limit
    day: date
    provisional: bool = False
    reason: str = ""

    @property
    def rule_id(self) -> str:
        return self.limit.id

    @property
    def value(self) -> float | int | None:
        """The amount, or the upper end of a range where there is no single amount."""
        return self.limit.amount if self.limit.amount is not None else self.limit.at_most

    @property
    def unit(self) -> Unit:
        return self.limit.unit

    @property
    def article(self) -> str:
        """Instrument and article, as cited to people: 《禁止传销条例》第十八条."""
        return f"{self.limit.instrument}{self.limit.article}"

    @property
    def certainty(self) -> str:
        return self.limit.certainty


class UnknownRule(LookupError):
    """No line with this id in the law files or the plan."""


class NotInForce(UnknownRule):
    """The rule was repealed before the day and nothing took its place."""


@dataclass(slots=True)
class LimitTable:
    """Lines by id, each id with one or more periods that do not overlap."""

    by_id: dict[str, tuple[Limit, ...]] = field(default_factory=dict)
    _cache: dict[tuple[str, date], LimitInForce] = field(default_factory=dict)

    @classmethod
    def of(cls, limits: Iterable[Limit]) -> LimitTable:
        table: dict[str, list[Limit]] = {}
        for limit in limits:
            table.setdefault(limit.id, []).append(limit)
        ordered = {
            rule_id: tuple(sorted(lines, key=lambda line: line.effective_from or date.min))
            for rule_id, lines in table.items()
        }
        return cls(ordered)

    def in_force(self, rule_id: str, day: date) -> LimitInForce:
        """The line in force on a day. Raises `UnknownRule` for an unknown id, `NotInForce` for a repealed one."""
        cached = self._cache.get((rule_id, day))
        if cached is not None:
            return cached
        lines = self.by_id.get(rule_id)
        if not lines:
            raise UnknownRule(rule_id)
        answer = next((LimitInForce(line, day) for line in lines if line.covers(day)), None)
        if answer is None:
            nearest = min(lines, key=lambda line: _distance(line, day))
            if nearest.repealed and nearest.effective_to and day > nearest.effective_to:
                raise NotInForce(f"{rule_id}: {nearest.effective_to} 起已废止 / repealed after that day")
            period = f"{nearest.effective_from or '…'}–{nearest.effective_to or '…'}"
            answer = LimitInForce(
                nearest, day, True, f"{day} 当日无已录入的条文，暂用 {period} 的条文 / no text on file for that day"
            )
        if len(self._cache) > 50_000:
            self._cache.clear()
        self._cache[(rule_id, day)] = answer
        return answer


def _distance(line: Limit, day: date) -> int:
    if line.effective_from and day < line.effective_from:
        return (line.effective_from - day).days
    return (day - line.effective_to).days if line.effective_to else 0


class LawBook:
    """All law files of a directory. Immutable after `load`."""

    def __init__(self, limits: Iterable[Limit]) -> None:
        self._table = LimitTable.of(limits)

    @classmethod
    def load(cls, directory: Path) -> LawBook:
        """Read every ``*.yaml`` except `calendar.yaml`. Raises `YamlProblem` with ``file:line``."""
        folder = Path(directory).absolute()
        return cls._loaded(folder, stamp(folder))

    @classmethod
    @lru_cache(8)
    def _loaded(cls, folder: Path, _stamp: Stamp) -> LawBook:
        limits: list[Limit] = []
        seen: dict[str, list[tuple[Limit, Where]]] = {}
        for path in sorted(folder.glob("*.yaml")):
            if path.name == "calendar.yaml":
                continue
            source = read_yaml(path, path.name)
            for limit, where in _limits_of(source):
                for other, other_where in seen.setdefault(limit.id, []):
                    if _overlap(limit, other):
                        raise YamlProblem(
                            where, "overlap", f"“{limit.id}”与 {other_where} 的有效期重叠；请改 from/to。",
                            f"“{limit.id}” overlaps in time with {other_where}; change from/to",
                        )
                seen[limit.id].append((limit, where))
                limits.append(limit)
        return cls(limits)

    @property
    def ids(self) -> tuple[str, ...]:
        """All rule ids, sorted."""
        return tuple(sorted(self._table.by_id))

    def lines(self, rule_id: str) -> tuple[Limit, ...]:
        """Every dated line of a rule, oldest first. Raises `UnknownRule`."""
        try:
            return self._table.by_id[rule_id]
        except KeyError:
            raise UnknownRule(rule_id) from None

    def __contains__(self, rule_id: object) -> bool:
        return rule_id in self._table.by_id

    def in_force(self, rule_id: str, day: date) -> LimitInForce:
        """The line that governs on the day of the event. Raises `UnknownRule` (`NotInForce` when repealed)."""
        return self._table.in_force(rule_id, day)


def _overlap(one: Limit, other: Limit) -> bool:
    return (one.effective_from or date.min) <= (other.effective_to or date.max) and (
        other.effective_from or date.min
    ) <= (one.effective_to or date.max)


def _limits_of(source: Source) -> list[tuple[Limit, Where]]:
    data: Any = source.value
    top = source.places[()]
    if not isinstance(data, dict) or not isinstance(data.get("instrument"), str):
        raise YamlProblem(
            top, "law-file", "文件要有 instrument（法规名称）和 limits（条目列表）。",
            "the file needs instrument (its name) and limits (a list)",
        )
    found: list[tuple[Limit, Where]] = []
    shared = {key: data[key] for key in ("instrument", "certainty", "from", "to", "rolls") if key in data}
    for index, entry in enumerate(data.get("limits") or []):
        where = source.places[("limits", index)]
        if not isinstance(entry, dict):
            raise YamlProblem(where, "law-line", "每条应是“键: 值”。", "each entry is a mapping")
        try:
            found.append((Limit.model_validate(shared | entry), where))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = source.places.get(("limits", index, *first["loc"]), where)
            name = ".".join(map(str, first["loc"]))
            raise YamlProblem(
                place, "law-line", f"{name} 有误：{first['msg']}", f"{name}: {first['msg']}"
            ) from error
    return found
