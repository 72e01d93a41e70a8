"""What detectors work with: the facts of one matter, the town's ground, and the findings they propose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from services.scoring.domain.subjects import SubjectKind
from shared.rules.plan.conditions import FindingRules

_NAMESPACE = UUID("4d0f6a2e-7f62-5f0d-8a44-0c2b5b6a9e37")


class Origin(StrEnum):
    """How a matter came to be known (last part of the clauses, point 10: discovering never hurts).

    `self_reported`: found by the town itself and reported by it; `self_found`: its own records or channels show it;
    `exposed`: others made it known (a higher level, media, another agency).
    """

    SELF_REPORTED = "self_reported"
    SELF_FOUND = "self_found"
    EXPOSED = "exposed"


@dataclass(frozen=True, slots=True)
class Fact:
    """One event as its owner told it: `at` is when it happened, `recorded_at` when its owner recorded it."""

    event: UUID
    type: str
    matter: str
    at: datetime
    recorded_at: datetime
    data: Mapping[str, Any]

    @property
    def order(self) -> tuple[datetime, datetime, UUID]:
        """Facts are read in this order, in whichever they arrived."""
        return (self.at, self.recorded_at, self.event)


@dataclass(frozen=True, slots=True)
class Ground:
    """What a plan gives the detectors: its rules of findings, its office and which agency answers for which area."""

    plan: str
    town: str | None
    office: str
    communities: Mapping[str, str]
    """Area of a community → its agency."""
    rules: FindingRules
    refusals: int
    """So many refusals and returns of one matter are too many."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A finding as its facts bear it out: the condition, whom it concerns, what it rests on.

    `agency` (and `unit`) answer for it; `subject_kind` says who is scored. `measure` holds counts and codes that say
    how grave it is.
    """

    finding_id: UUID
    condition: str
    clause: str
    matter: str
    plan: str
    subject_kind: SubjectKind
    agency: str
    unit: str | None
    area: str | None
    case_id: UUID | None
    origin: Origin
    occurred_at: datetime
    events: tuple[UUID, ...]
    measure: Mapping[str, int | str] = field(default_factory=dict)


def finding_id(plan: str, condition: str, matter: str, agency: str, unit: str | None) -> UUID:
    """The id of a finding: the same condition of the same matter and agency is the same finding (UUID version 5)."""
    return uuid5(_NAMESPACE, f"{plan}:{condition}:{matter}:{agency}:{unit or ''}")


def propose(
    condition: str,
    clause: str,
    rests_on: Sequence[Fact],
    *,
    plan: str,
    subject_kind: SubjectKind,
    agency: str,
    unit: str | None = None,
    area: str | None = None,
    origin: Origin = Origin.SELF_FOUND,
    **measure: int | str | None,
) -> Proposal:
    """A finding that rests on these facts (one at least); it happened at the first of them."""
    facts = sorted(set_of(rests_on), key=lambda fact: fact.order)
    matter = facts[0].matter
    case_id = next((fact.data["case_id"] for fact in facts if fact.data.get("case_id")), None)
    return Proposal(
        finding_id=finding_id(plan, condition, matter, agency, unit),
        condition=condition,
        clause=clause,
        matter=matter,
        plan=plan,
        subject_kind="agency" if subject_kind == "unit" and unit is None else subject_kind,
        agency=agency,
        unit=unit,
        area=area,
        case_id=UUID(str(case_id)) if case_id else None,
        origin=origin,
        occurred_at=facts[0].at,
        events=tuple(fact.event for fact in facts),
        measure={name: value for name, value in measure.items() if value is not None},
    )


def set_of(facts: Sequence[Fact]) -> list[Fact]:
    """Each fact once, in the order they happened."""
    return sorted({fact.event: fact for fact in facts}.values(), key=lambda fact: fact.order)
