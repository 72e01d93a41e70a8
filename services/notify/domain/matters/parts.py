"""What a notice of a matter is made of, and who is told by the plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.notify.domain.notices import Template, office_of
from shared.rules.plan import Plan


class Matter(StrEnum):
    """What a notice is about, when it is no case and no handover."""

    GATHERING = "gathering"
    FUND = "fund"
    TIP = "tip"
    CONTEST = "contest"
    REVEAL = "reveal"
    PATROL = "patrol"
    SURVEY = "survey"
    REWARD = "reward"
    LEAD = "lead"
    PROCEEDING = "proceeding"
    TARGET = "target"
    CLOCK = "clock"
    DIGEST = "digest"
    REPORT = "report"
    BULLETIN = "bulletin"
    DUTY = "duty"
    CAMPAIGN = "campaign"
    WARNING = "warning"
    FINDING = "finding"
    MEETING = "meeting"
    TOOL = "tool"
    MEASURE = "measure"


NEEDS = (
    "bulletin.release", "consequence.decide", "consequence.propose", "finding.decide", "outcome.review", "reporter.request", "reporter.reveal", "reward.pay", "warning.approve", "warning.check", "warning.release",
)  # fmt: skip
"""Rights that a notice may need of its reader."""

Place = tuple[str, str | None]
DueOf = Callable[[Plan, datetime], tuple[str | None, datetime | None, bool]]
"""When a notice must be signed, by the plan's clock: the rule, the moment, whether it is provisional."""


@dataclass(frozen=True, slots=True)
class Told:
    """One notice to be made: for whom, what it is about, and by when something is due."""

    template: Template
    to: Place
    matter: Matter
    matter_id: UUID
    dataref: str
    needs: str | None = None
    rule: str | None = None
    due: datetime | None = None
    provisional: bool = False
    lead_id: UUID | None = None
    kinds: tuple[str, ...] = ()
    urgent: bool = False
    items: int | None = None
    turn: str = ""
    """Which of several turns in one matter it is: each has its own notice."""
    signs: bool = True
    """Whether the plan's time to sign runs, where nothing else is due."""


def place_of(event: Any, plan: Plan | None) -> Place | None:
    """Who has it; the office for what nobody has."""
    if event.agency:
        return event.agency, event.unit
    return office_of(plan) if plan else None


def with_duty(plan: Plan, clause: str | None, area: str | None) -> list[Place]:
    """Agencies that the plan gives the duty of a clause; a community only for what lies in it."""
    if clause is None:
        return []
    found: list[Place] = []
    for agency in plan.members:
        if agency.area is not None and (area is None or not plan.within(area, agency.area)):
            continue
        if any(duty.clause == clause for duty in plan.duties_of(agency.id)):
            found.append((agency.id, None))
    return found


def once(places: Iterable[Place]) -> list[Place]:
    """Each agency once: the first place named of it is told."""
    seen: dict[str, Place] = {}
    for agency, unit in places:
        seen.setdefault(agency, (agency, unit))
    return list(seen.values())


def beside(dataref: str, path: str) -> str:
    """Another thing of the same service as a dataref."""
    base, found, _ = dataref.partition("/v1/")
    return f"{base}/v1/{path}" if found else dataref


Makers = Mapping[type, Callable[[Any, Plan | None], list[Told]]]
"""Event → the notices it makes."""
