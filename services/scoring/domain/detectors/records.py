"""Conditions that the registers of casework show: persons and cases recorded late, or not at all (D-M7)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from services.scoring.domain.detectors.facts import Fact, Ground, Proposal, propose
from shared.events.persons import CaseEntered, PersonEntered, PersonRecorded, RecordOverdue

LATE = (PersonRecorded.TYPE, PersonEntered.TYPE, CaseEntered.TYPE)


def is_late(fact: Fact) -> bool:
    """Whether the fact tells of a record made late, or not made by its time."""
    if fact.type == RecordOverdue.TYPE:
        return fact.data["what"] != "follow_up"
    return fact.type in LATE and not fact.data["in_time"]


def late_recording(facts: Sequence[Fact], ground: Ground) -> list[Proposal]:
    """D-M7: so many records of one case were late; one finding for each unit that owed them.

    A record that was overdue and then came late is one record.
    """
    by: dict[tuple[str, str | None], list[Fact]] = defaultdict(list)
    for fact in facts:
        if is_late(fact):
            by[fact.data["agency"], fact.data["unit"]].append(fact)
    found = []
    for (agency, unit), late in by.items():
        records = {(_what(fact), str(fact.data.get("part_id"))) for fact in late}
        if len(records) >= ground.rules.late_records:
            found.append(
                propose(
                    "late_recording", "D-M7", late, plan=ground.plan, subject_kind="unit", agency=agency, unit=unit,
                    area=late[0].data["area"], records=len(records),
                    never=sum(1 for what in records if not any(_came(fact, what) for fact in late)),
                )
            )  # fmt: skip
    return found


def _what(fact: Fact) -> str:
    if fact.type == RecordOverdue.TYPE:
        return str(fact.data["what"])
    return {PersonRecorded.TYPE: "person_record", PersonEntered.TYPE: "person_entry"}.get(fact.type, "case_entry")


def _came(fact: Fact, record: tuple[str, str]) -> bool:
    return fact.type != RecordOverdue.TYPE and (_what(fact), str(fact.data.get("part_id"))) == record
