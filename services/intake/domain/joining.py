"""Where a new signal stands among the leads already known: it opens one, joins one, or rings and takes one along. No I/O."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.intake.domain.aims import Aim, aim_from, compare_aims, together
from services.intake.domain.reading import KINDS
from services.intake.domain.same_target import Match
from shared.rules.plan.leads import LeadRules

MOST_SUGGESTED = 3
"""Suggestions a new lead brings: an officer looks at the surest ones."""

Near = Callable[[str | None, str | None], bool]


@dataclass(slots=True)
class Known:
    """A lead as far as joining needs it; `fresh` when it is made in this very batch. Changed in place, then saved."""

    id: UUID
    plan: str
    area: str | None
    kinds: tuple[str, ...]
    urgent: bool
    agency: str
    unit: str | None
    rule: str
    received_at: datetime
    tips: int
    first_tip: UUID
    last_at: datetime
    urgent_at: datetime | None
    targets: tuple[str, ...]
    closed_at: datetime | None = None
    merged_into: UUID | None = None
    gathering_at: datetime | None = None
    fresh: bool = False
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Signal:
    """A tip that concerns pyramid selling; `lead` is what it becomes when it joins none."""

    tip_id: UUID
    aim: Aim
    area: str | None
    kinds: tuple[str, ...]
    urgent: bool
    moment: datetime
    """When it was said: where it was written elsewhere first, then; else when it came in."""
    received_at: datetime


class Step(StrEnum):
    """What becomes of a signal.

    `OPEN`: a lead of its own. `JOIN`: it joins a lead. `RING`: it opens a lead of its own on the fast lane, and the
    older lead about its target joins that one; so nothing stands between a held person and the police.
    """

    OPEN = "open"
    JOIN = "join"
    RING = "ring"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a signal stands, beside whom (`lead`, for JOIN and RING), why, and what is only suggested or remembered."""

    step: Step
    lead: Known | None = None
    match: Match | None = None
    suggested: tuple[tuple[Known, Match], ...] = ()
    seen_before: tuple[tuple[Known, Match], ...] = field(default=())


def stand(signal: Signal, candidates: Iterable[Known], rules: LeadRules, near: Near) -> Standing:
    """Decide for one signal; candidates are leads of its plan that share a key with it.

    The surest candidate at or above the plan's bound is joined, the older one on a tie. Leads that were closed, or last
    spoken of longer ago than the window, are never joined: they are seen before (死灰复燃).
    """
    best: tuple[int, Known, Match] | None = None
    asked: list[tuple[Known, Match]] = []
    seen: list[tuple[Known, Match]] = []
    for lead in candidates:
        if lead.merged_into is not None:
            continue
        match = compare_aims(signal.aim, aim_from(lead.targets), near(signal.area, lead.area))
        if match.score < rules.suggest:
            continue
        if lead.closed_at is not None or abs(signal.moment - lead.last_at) > rules.window:
            if match.score >= rules.join:
                seen.append((lead, match))
            continue
        asked.append((lead, match))
        if match.score >= rules.join and (
            best is None or (match.score, -lead.received_at.timestamp()) > (best[0], -best[1].received_at.timestamp())
        ):
            best = (match.score, lead, match)
    seen_before = _surest(seen)
    if best is None:
        return Standing(Step.OPEN, suggested=_surest(asked), seen_before=seen_before)
    _, lead, match = best
    others = _surest(pair for pair in asked if pair[0] is not lead)
    rung = lead.urgent_at is not None and abs(signal.received_at - lead.urgent_at) <= rules.ring_again
    step = Step.RING if signal.urgent and not rung else Step.JOIN
    return Standing(step, lead, match, others, seen_before)


def _surest(pairs: Iterable[tuple[Known, Match]]) -> tuple[tuple[Known, Match], ...]:
    return tuple(sorted(pairs, key=lambda pair: -pair[1].score)[:MOST_SUGGESTED])


def union_kinds(*kinds: Sequence[str]) -> tuple[str, ...]:
    """Kinds of several tips, in the order of the vocabulary; `unspecified` only alone."""
    all_of = set().union(*kinds)
    found = tuple(kind for kind in KINDS if kind in all_of and kind != "unspecified")
    return found or ("unspecified",)


def join(lead: Known, signal: Signal) -> None:
    """A signal joins a lead: it rises by one, keeps its earliest reporter, and learns what the tip says."""
    lead.tips += 1
    lead.kinds = union_kinds(lead.kinds, signal.kinds)
    lead.last_at = max(lead.last_at, signal.moment)
    lead.area = lead.area or signal.area
    if signal.urgent:
        lead.urgent = True
        lead.urgent_at = max(lead.urgent_at or signal.received_at, signal.received_at)
    if (signal.received_at, signal.tip_id) < (lead.received_at, lead.first_tip):
        lead.received_at, lead.first_tip = signal.received_at, signal.tip_id
    lead.targets = together((lead.targets, signal.aim.targets))
    lead.changed = True


def absorb(into: Known, other: Known) -> None:
    """A lead joins another: every tip goes along, the earliest reporter and the earliest date stand."""
    into.tips += other.tips
    into.kinds = union_kinds(into.kinds, other.kinds)
    into.urgent = into.urgent or other.urgent
    into.last_at = max(into.last_at, other.last_at)
    into.urgent_at = max((at for at in (into.urgent_at, other.urgent_at) if at), default=None)
    into.area = into.area or other.area
    into.gathering_at = into.gathering_at or other.gathering_at
    if (other.received_at, other.first_tip) < (into.received_at, into.first_tip):
        into.received_at, into.first_tip = other.received_at, other.first_tip
    into.targets = together((into.targets, other.targets))
    into.changed = True
    other.merged_into, other.tips, other.changed = into.id, 0, True


def from_tips(lead: Known, tips: Sequence[Any]) -> None:
    """Make a lead say again exactly what its tips say (rows with id, kinds, urgent, area, received_at, posted_at, targets).

    ValueError without any tip: a lead is never empty unless it is joined with another.
    """
    if not tips:
        raise ValueError("a lead has at least one tip")
    ordered = sorted(tips, key=lambda tip: (tip.received_at, tip.id))
    lead.tips = len(ordered)
    lead.first_tip, lead.received_at = ordered[0].id, ordered[0].received_at
    lead.kinds = union_kinds(*(tip.kinds for tip in ordered))
    lead.urgent = any(tip.urgent for tip in ordered)
    lead.urgent_at = max((tip.received_at for tip in ordered if tip.urgent), default=None)
    lead.area = next((tip.area for tip in ordered if tip.area), None)
    lead.last_at = max(said_at(tip.posted_at, tip.received_at) for tip in ordered)
    lead.targets = together(tip.targets for tip in ordered)
    lead.changed = True


def said_at(posted_at: datetime | None, received_at: datetime) -> datetime:
    """When a tip was said: a date in the future is a slip, and counts as today."""
    return min(posted_at, received_at) if posted_at else received_at
