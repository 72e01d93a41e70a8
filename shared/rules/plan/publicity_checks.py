"""Cross references of what a plan says of publicity: each broken one at its line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from shared.rules.plan.model import Plan
from shared.rules.yaml_source import Path_


class Check(Protocol):
    """What a check of a plan offers its parts."""

    plan: Plan

    def say(self, path: Path_, code: str, zh: str, en: str) -> None: ...

    def known(self, path: Path_, value: str | None, ids: Iterable[str], what_zh: str, what_en: str) -> bool: ...

    def known_all(self, path: Path_, values: Iterable[str], ids: Iterable[str], zh: str, en: str) -> None: ...

    def agency(self, path: Path_, value: str | None) -> bool: ...

    def once(self, path: Path_, ids: Iterable[str], key: str = "id") -> None: ...


def check_publicity(check: Check) -> None:
    """Every campaign names a kind, an agency, places and phases that exist, and finds at least one target."""
    plan, here = check.plan, "publicity"
    rules = plan.publicity
    for key in ("kinds", "groups", "operators", "places", "campaigns"):
        check.once((here, key), (item.id for item in getattr(rules, key)))
    check.once((here, "map"), (spot.area for spot in rules.map), "area")
    areas = {area.id for area in plan.areas}
    for index, spot in enumerate(rules.map):
        check.known((here, "map", index, "area"), spot.area, areas, "地区", "area")
    for index, place in enumerate(rules.places):
        check.known((here, "places", index, "area"), place.area, areas, "地区", "area")
    for index, kind in enumerate(rules.kinds):
        figures = {figure.id for figure in kind.figures}
        check.once((here, "kinds", index, "figures"), (figure.id for figure in kind.figures))
        for number, figure in enumerate(kind.figures):
            check.known((here, "kinds", index, "figures", number, "at_most"), figure.at_most, figures, "数字", "figure")
    places, kinds = {place.id for place in rules.places}, {kind.id for kind in rules.kinds}
    phases = {phase.id for phase in plan.phases}
    for index, campaign in enumerate(rules.campaigns):
        path: Path_ = (here, "campaigns", index)
        check.known((*path, "kind"), campaign.kind, kinds, "宣传种类", "campaign kind")
        check.known_all((*path, "phases"), campaign.phases, phases, "阶段", "phase")
        check.known_all((*path, "targets", "places"), campaign.targets.places, places, "宣传场所", "place")
        if campaign.by is not None and check.agency((*path, "by"), campaign.by):
            agency = plan.agency(campaign.by)
            if agency.external:
                check.say(
                    (*path, "by"), "external-agency", f"“{campaign.by}”不属于本方案，不能由它承办。",
                    f"“{campaign.by}” is outside the plan and cannot be asked",
                )  # fmt: skip
            check.known((*path, "unit"), campaign.unit, (unit.id for unit in agency.units), "内设机构", "unit")
        if campaign.targets.operators and not rules.operators:
            check.say(
                (*path, "targets"), "no-operators", "写了 operators，却没有列出运营商；请在 publicity.operators 写明。",
                "it goes to operators, but none is listed; list them in publicity.operators",
            )  # fmt: skip
