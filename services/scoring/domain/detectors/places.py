"""Conditions that places show: venues used, patrols left out, dens that come back."""

from __future__ import annotations

from collections.abc import Sequence

from services.scoring.domain.detectors.facts import Fact, Ground, Proposal, propose
from shared.events.intake import PatrolOverdue, VenueFinding
from shared.events.places import PlaceSeenAgain


def venue_used(facts: Sequence[Fact], ground: Ground) -> list[Proposal]:
    """D-Q1.5: a meeting or exhibition venue was used for pyramid selling, as a check of it found."""
    return [
        propose(
            "venue_used", "D-Q1.5", [fact], plan=ground.plan, subject_kind="town", agency=fact.data["agency"],
            area=fact.data["area"], signs=len(fact.data["signs"]),
        )
        for fact in facts
        if fact.type == VenueFinding.TYPE
    ]  # fmt: skip


def neglected_patrol(facts: Sequence[Fact], ground: Ground) -> list[Proposal]:
    """D-E2, D-Q1.3: so many windows of one patrol passed without it. One finding for each task, whatever it still misses."""
    late = [fact for fact in facts if fact.type == PatrolOverdue.TYPE]
    most = max((fact.data["missed"] for fact in late), default=0)
    if not ground.rules.patrols or most < ground.rules.patrols:
        return []
    fact = late[0].data
    return [
        propose(
            "neglected_patrol", "D-E2", late, plan=ground.plan, subject_kind="agency", agency=fact["agency"],
            area=fact["area"], missed=most, tier=fact["tier"],
        )
    ]  # fmt: skip


def recurrence(facts: Sequence[Fact], ground: Ground) -> list[Proposal]:
    """X-G2: 死灰复燃, a place that had been cleared is used again. Its community answers; where none is known, the office."""
    again = [fact for fact in facts if fact.type == PlaceSeenAgain.TYPE]
    if not again:
        return []
    area = next((fact.data["area"] for fact in again if fact.data["area"]), None)
    agency = ground.communities.get(area or "")
    return [
        propose(
            "recurrence", "X-G2", again, plan=ground.plan, subject_kind="community" if agency else "agency",
            agency=agency or ground.office, area=area, times=len(again), what=again[0].data["what"],
        )
    ]  # fmt: skip
