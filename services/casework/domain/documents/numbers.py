"""Document numbers (发文字号), such as 涌市监传罚〔2026〕7号: consecutive per issuer, series and year; the style is data.

GB/T 9704-2012: agency's mark, year in 〔〕, running number without leading zeros. No national list of marks was
verified, so they are the plan's or the office's to set.
"""

from __future__ import annotations

from collections.abc import Mapping

from services.casework.domain.documents.kinds import OFFICE, Series
from shared.rules.plan import Plan

_ENDINGS = ("街道办事处", "街道", "镇", "乡", "区", "市")


def place_of(plan: Plan) -> str:
    """The town's short name."""
    place = plan.areas[0].name.zh
    for ending in _ENDINGS:
        if len(place) > len(ending) + 1 and place.endswith(ending):
            return place.removesuffix(ending)
    return place


def mark_of(plan: Plan, issuer: str, marks: Mapping[str, str]) -> tuple[str, bool]:
    """An issuer's mark (代字), and whether the plan itself gives it."""
    own = plan.documents.marks.get(issuer)
    if own:
        return own, True
    if issuer == OFFICE:
        return marks.get(OFFICE) or marks["default"], False
    agency = plan.agency(issuer)
    alike = sum(one.kind == agency.kind for one in plan.members)
    # several of a kind, such as the communities, would otherwise give the same numbers
    return agency.name.zh if alike > 1 else marks.get(agency.kind) or marks["default"], False


def style_of(plan: Plan, series: Series, issuer: str) -> str:
    """The style of a series before an office sets its own: the plan's for it, else the kind's default."""
    return plan.documents.series.get(series.id) or series.style


def number(style: str, *, place: str, mark: str, word: str, year: int, n: int) -> str:
    """The n-th number (n ≥ 1) of a year in a style."""
    filled = {"place": place, "mark": mark, "word": word, "year": str(year), "n": str(n)}
    for name, value in filled.items():
        style = style.replace(f"{{{name}}}", value)
    return style
