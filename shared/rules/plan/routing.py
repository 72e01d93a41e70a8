"""Which agency and unit a tip goes to: ordered rules of the plan, each step shown with its reason (D-B2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from shared.rules.plan.parts import Referral, RoutingRule, When
from shared.rules.plan.vocabulary import KIND_NAMES

StepOutcome = Literal["matched", "skipped", "not_reached"]


@dataclass(frozen=True, slots=True)
class RoutingFacts:
    """What is known of a tip when it is routed; codes only, never its text."""

    kinds: frozenset[str] = frozenset()
    urgent: bool = False
    area: str | None = None
    channel: str = "web"
    relevant: bool = True
    belongs_to: str | None = None


@dataclass(frozen=True, slots=True)
class RuleStep:
    """One rule that was looked at, what came of it, and why (Chinese / English)."""

    rule: str
    outcome: StepOutcome
    why: str
    why_en: str


@dataclass(frozen=True, slots=True)
class Party:
    """An agency's part in the case that follows."""

    agency: str
    unit: str | None
    role: str


@dataclass(frozen=True, slots=True)
class Routing:
    """The decision. ``agency`` is empty for an irrelevant matter; then the referral says where it belongs.

    ``dispatch`` is a further unit of that agency to alert at once; ``parties`` names each agency once.
    """

    agency: str | None
    unit: str | None
    rule: str
    reason_zh: str
    reason_en: str
    steps: tuple[RuleStep, ...]
    parties: tuple[Party, ...]
    referral_topic: str | None = None
    referral_zh: str | None = None
    referral_en: str | None = None
    dispatch: str | None = None


def decide(rules: Sequence[RoutingRule], referrals: Mapping[str, Referral], facts: RoutingFacts) -> Routing:
    """Walk the rules in order; the first that fits decides. The last rule of a valid plan fits everything."""
    steps: list[RuleStep] = []
    chosen: RoutingRule | None = None
    for rule in rules:
        if chosen is not None:
            steps.append(RuleStep(rule.id, "not_reached", f"已由“{chosen.id}”决定", f"decided by {chosen.id}"))
            continue
        miss = _first_miss(rule.when, facts)
        if miss is None:
            chosen = rule
            steps.append(RuleStep(rule.id, "matched", rule.reason.zh, rule.reason.en))
        else:
            steps.append(RuleStep(rule.id, "skipped", *miss))
    if chosen is None:
        raise LookupError("no routing rule fits; a valid plan ends with a rule without conditions")
    if chosen.refer:
        referral = referrals.get(facts.belongs_to or "other") or referrals["other"]
        return Routing(
            None, None, chosen.id, chosen.reason.zh, chosen.reason.en, tuple(steps), (),
            referral.topic, referral.place.zh, referral.place.en,
        )
    assert chosen.to is not None
    parties = tuple(Party(line.agency, line.unit, line.role) for line in chosen.parties)
    if all(party.agency != chosen.to.agency for party in parties):
        parties = (Party(chosen.to.agency, chosen.to.unit, "lead"), *parties)
    return Routing(
        chosen.to.agency, chosen.to.unit, chosen.id, chosen.reason.zh, chosen.reason.en, tuple(steps), parties,
        dispatch=chosen.dispatch,
    )


def _first_miss(when: When, facts: RoutingFacts) -> tuple[str, str] | None:
    """Why a rule does not fit, or None when it does."""
    if when.relevant is not None and when.relevant != facts.relevant:
        return ("内容与传销有关", "it is about pyramid selling") if facts.relevant else (
            "内容与传销无关", "it is not about pyramid selling")
    if when.urgent is not None and when.urgent != facts.urgent:
        return ("属于紧急情况", "it is urgent") if facts.urgent else ("不是紧急情况", "it is not urgent")
    if when.kinds_any and not facts.kinds.intersection(when.kinds_any):
        zh, en = _named(when.kinds_any)
        return f"没有显示：{zh}", f"does not show: {en}"
    if when.kinds_all and not facts.kinds.issuperset(when.kinds_all):
        zh, en = _named(sorted(set(when.kinds_all) - facts.kinds))
        return f"还缺：{zh}", f"lacks: {en}"
    if when.channels and facts.channel not in when.channels:
        return f"来源渠道是 {facts.channel}", f"it came by {facts.channel}"
    if when.area is not None and (when.area == "known") != (facts.area is not None):
        return ("地点已知", "its area is known") if facts.area else ("地点不明", "its area is not known")
    if when.areas and facts.area not in when.areas:
        return "不在所列地区", "not in the areas listed"
    return None


def _named(kinds: Iterable[str]) -> tuple[str, str]:
    names = [KIND_NAMES[kind] for kind in kinds]
    return "、".join(zh for zh, _ in names), ", ".join(en for _, en in names)
