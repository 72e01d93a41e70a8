"""Ringing (催签) for a held person: which desks ring, and when again. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.rules.plan import Plan
from shared.rules.plan.handover import Ringing

USUAL = Ringing(every_minutes=1, widen_after_minutes=5)
"""For a plan that says nothing: a locked-up person is minutes, not working days (point 2)."""


def rules_of(plan: Plan | None) -> Ringing:
    """How often a plan rings."""
    return plan.handover.ring if plan and plan.handover and plan.handover.ring else USUAL


def next_ring(rules: Ringing, now: datetime) -> datetime:
    """When it rings again, unless someone has signed by then."""
    return now + timedelta(minutes=rules.every_minutes)


def rings_wide(rules: Ringing, started_at: datetime, now: datetime) -> bool:
    """Whether every desk of the case rings by now, not only those of the agency that leads it."""
    return now - started_at >= timedelta(minutes=rules.widen_after_minutes)
