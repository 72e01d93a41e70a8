"""Which tool of a rulebook's ladder a subject's record triggers; the order of the ladder is the rulebook's (D-Q1)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from services.scoring.domain.rulebooks import LadderStep, Rulebook
from services.scoring.domain.rulebooks.parts import Trigger


@dataclass(frozen=True, slots=True)
class Known:
    """A confirmed finding and the condition (or detector) it is of."""

    finding_id: UUID
    condition: str


@dataclass(frozen=True, slots=True)
class Record:
    """A subject's assessment year under a rulebook: findings that stand, the score, vetoes, tools it has had."""

    subject_kind: str
    findings: tuple[Known, ...]
    score: Decimal | None
    vetoed: bool
    had: frozenset[str]


@dataclass(frozen=True, slots=True)
class Triggered:
    """A tool that a trigger calls for, its rung (1 the mildest), and the findings that count for it."""

    tool: LadderStep
    rung: int
    trigger: Trigger
    findings: tuple[UUID, ...]


def triggered(rulebook: Rulebook, record: Record) -> tuple[Triggered, ...]:
    """Every tool whose trigger holds, the mildest first."""
    found = []
    for rung, tool in enumerate(rulebook.ladder, 1):
        if tool.subjects and record.subject_kind not in tool.subjects:
            continue
        for trigger in tool.triggers:
            counted = _counted(rulebook, trigger, record.findings)
            if holds(trigger, counted, record):
                found.append(Triggered(tool, rung, trigger, counted))
                break
    return tuple(found)


def called_for(rulebook: Rulebook, record: Record, begun: Collection[str]) -> Triggered | None:
    """The gravest tool that is triggered, unless it or a graver one was begun for the subject this year already.

    What is milder is contained in it; nobody collects six tools for one matter.
    """
    found = triggered(rulebook, record)
    if not found:
        return None
    gravest = found[-1]
    rungs = {tool.id: rung for rung, tool in enumerate(rulebook.ladder, 1)}
    return None if any(rungs.get(one, 0) >= gravest.rung for one in begun) else gravest


def still_holds(rulebook: Rulebook, tool: str, record: Record) -> bool:
    """Whether a tool that was triggered still is, after a finding fell."""
    return any(one.tool.id == tool for one in triggered(rulebook, record))


def holds(trigger: Trigger, counted: Collection[UUID], record: Record) -> bool:
    """Whether all that a trigger asks for is so."""
    if trigger.findings is not None and len(counted) < trigger.findings:
        return False
    if trigger.score_below is not None and (record.score is None or record.score >= trigger.score_below):
        return False
    if trigger.after is not None and trigger.after not in record.had:
        return False
    return record.vetoed or not trigger.veto


def _counted(rulebook: Rulebook, trigger: Trigger, findings: tuple[Known, ...]) -> tuple[UUID, ...]:
    found = []
    for one in findings:
        condition = rulebook.condition(one.condition)
        if condition is not None and (not trigger.of or condition.id in trigger.of):
            found.append(one.finding_id)
    return tuple(found)
