"""Conditions that leads and handovers of intake show: major leads not verified, matters bounced, complaints upheld."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from services.scoring.domain.detectors.facts import Fact, Ground, Proposal, propose
from shared.events.followups import LeadVerificationMissed, LeadVerified
from shared.events.handovers import HandoverDecided, HandoverRefused, HandoverReturned
from shared.events.intake import ContestDecided


def unverified_lead(facts: Sequence[Fact], ground: Ground) -> list[Proposal]:
    """D-Q1.4: a major lead was not verified in its time. Verified in time after all: nothing was missed."""
    missed = [fact for fact in facts if fact.type == LeadVerificationMissed.TYPE]
    verified = [fact for fact in facts if fact.type == LeadVerified.TYPE]
    if not missed or any(fact.data["in_time"] for fact in verified):
        return []
    fact = missed[0].data
    return [
        propose(
            "unverified_lead", "D-Q1.4", [*missed, *verified], plan=ground.plan, subject_kind="town",
            agency=fact["deadline"]["agency"], unit=fact["deadline"]["unit"], area=fact["area"],
            verified="late" if verified else "no",
        )
    ]  # fmt: skip


def bounced(facts: Sequence[Fact], ground: Ground) -> list[Proposal]:
    """Nobody may bounce a tip (D-N4; last part of the clauses, point 1): a matter was refused or returned too often.

    Each agency that sent it on answers for it; once the office has decided who takes it, only an agency that had refused
    what was its own to do.
    """
    sent_on = [fact for fact in facts if fact.type in (HandoverRefused.TYPE, HandoverReturned.TYPE)]
    if len(sent_on) < ground.refusals:
        return []
    decided = [fact for fact in facts if fact.type == HandoverDecided.TYPE]
    assigned = decided[-1].data["assigned_agency"] if decided else None
    by: dict[tuple[str, str | None], list[Fact]] = {}
    for fact in sent_on:
        by.setdefault((fact.data["to_agency"] or fact.data["from_agency"], fact.data["to_unit"]), []).append(fact)
    return [
        propose(
            "bounced", "D-N4", [*own, *decided], plan=ground.plan, subject_kind="unit", agency=agency, unit=unit,
            area=own[0].data["area"], times=len(own), bounces=len(sent_on),
            reason=Counter(fact.data["reason"] for fact in own).most_common(1)[0][0],
        )
        for (agency, unit), own in by.items()
        if assigned in (None, agency)
    ]  # fmt: skip


def upheld_complaint(facts: Sequence[Fact], ground: Ground) -> list[Proposal]:
    """D-Q1.3: a closing was contested, and the second look found the reporter right (投诉不认真查处)."""
    upheld = [fact for fact in facts if fact.type == ContestDecided.TYPE and fact.data["upheld"]]
    if not upheld:
        return []
    fact = upheld[0].data
    return [
        propose(
            "upheld_complaint", "D-Q1.3", upheld, plan=ground.plan, subject_kind="town",
            agency=fact["agency"] or ground.office, unit=fact["unit"], area=fact["area"], outcome=fact["outcome"],
        )
    ]  # fmt: skip
