"""Case numbers (案号), such as 大涌传联〔2026〕0001号: consecutive per plan, series and year; the style is data."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Literal

from shared.rules.plan import Plan

Series = Literal["normal", "urgent"]


def series_of(urgent: bool) -> Series:
    """Urgent cases are numbered in a series of their own, so that taking a number waits for no ordinary batch."""
    return "urgent" if urgent else "normal"


@lru_cache(maxsize=1)
def _styles() -> dict[str, dict[str, dict[str, str]]]:
    return tomllib.loads(Path(__file__).with_name("numbering.toml").read_text(encoding="utf-8"))


def style(plan: Plan, series: Series, year: int) -> str:
    """The style of a plan's numbers in a year; `number` fills in what is left."""
    data = _styles()
    own = data.get("plans", {}).get(plan.id, {})
    return styled(own.get(series) or data["default"][series], plan, year)


def styled(template: str, plan: Plan, year: int) -> str:
    """A template with the short name of the plan's town and the year filled in."""
    place = plan.areas[0].name.zh
    for ending in _styles()["short_names"]["drop"]:
        if len(place) > len(ending) + 1 and place.endswith(ending):
            place = place.removesuffix(ending)
            break
    return template.replace("{place}", place).replace("{year}", str(year))


def number(filled: str, n: int) -> str:
    """The n-th number (n ≥ 1) in a style from `style` or `styled`."""
    return filled.format(n=n)
