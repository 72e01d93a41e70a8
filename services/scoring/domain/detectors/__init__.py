"""Detectors: each reads the facts of one matter (a proceeding, a lead, a place, a case) and proposes findings.

All are pure functions of the set of facts: the order in which they came and how often does not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from services.scoring.domain.detectors import duties, leads, places, proceedings, records
from services.scoring.domain.detectors.facts import Fact, Ground, Origin, Proposal, finding_id, set_of
from shared.events import certificates, followups, handovers, intake, persons, publicity, reports
from shared.events import duties as owed
from shared.events import places as dens
from shared.events import proceedings as procedures
from shared.rules.law import Text

Detector = Callable[[Sequence[Fact], Ground], list[Proposal]]
Matter = Literal[
    "proceeding", "lead", "matter", "place", "task", "venue", "tip", "records", "report", "duty", "exposure", "creation",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Condition:
    """One row of the table of detectors: the condition, its clause, what it reads and how."""

    id: str
    clause: str
    matter: Matter
    detect: Detector
    name: Text


def _row(id: str, clause: str, matter: Matter, detect: Detector, zh: str, en: str) -> Condition:
    return Condition(id, clause, matter, detect, Text(zh=zh, en=en))


CONDITIONS: Mapping[str, Condition] = {
    row.id: row
    for row in (
        _row("missed_rescue", "D-Q1.6", "proceeding", proceedings.missed_rescue, "应解救未解救", "a rescue was missed"),
        _row("grave_incident", "D-Q1.2", "proceeding", proceedings.grave_incident,
             "非法拘禁、致人伤亡造成严重影响", "confinement, injury or death with grave effect"),
        _row("made_by_higher", "D-Q1.4", "proceeding", proceedings.made_by_higher,
             "被上级直接查处", "a case made by a higher level"),
        _row("late_major_report", "D-Q1.8", "proceeding", proceedings.late_major_report,
             "重特大案件不及时上报", "a major case reported late"),
        _row("reported_late", "D-Q1.8", "proceeding", proceedings.reported_late,
             "迟报（本地自行上报）", "reported late by the area itself"),
        _row("concealment", "D-Q1.7", "proceeding", proceedings.concealment, "隐报瞒报", "concealed"),
        _row("neglected_order", "D-Q1.3", "proceeding", proceedings.neglected_order,
             "布置工作未按期完成", "work that was ordered was not done in time"),
        _row("unverified_lead", "D-Q1.4", "lead", leads.unverified_lead,
             "重大线索未按期核查", "a major lead was not verified in time"),
        _row("bounced", "D-N4", "matter", leads.bounced, "推诿（多次拒收、退回）", "a matter was bounced"),
        _row("upheld_complaint", "D-Q1.3", "tip", leads.upheld_complaint,
             "投诉不认真查处（异议成立）", "a complaint about a closing was upheld"),
        _row("venue_used", "D-Q1.5", "venue", places.venue_used,
             "会议展览场地被用于传销宣传", "a venue was used for pyramid selling"),
        _row("neglected_patrol", "D-E2", "task", places.neglected_patrol, "巡查长期未做", "patrols left out"),
        _row("recurrence", "X-G2", "place", places.recurrence, "死灰复燃", "a cleared place is used again"),
        _row("late_recording", "D-M7", "records", records.late_recording,
             "人员、案件填报不及时", "persons or cases recorded late"),
        _row("late_report", "D-R", "report", duties.late_report, "未按时报送", "a report late or missing"),
        _row("late_duty", "D-Q1.3", "duty", duties.late_duty,
             "布置任务未按时完成", "a duty not done in time"),
        _row("missed_creation", "D-Q1.1", "creation", duties.missed_creation, "未完成创建", "creation not completed in time"),
        _row("exposure", "D-Q1.3", "exposure", duties.exposure, "被媒体或上级曝光", "exposed by media or a superior"),
    )
}  # fmt: skip
"""Every condition that events can show."""

_BY_MATTER: dict[str, list[Condition]] = {}
for _condition in CONDITIONS.values():
    _BY_MATTER.setdefault(_condition.matter, []).append(_condition)

MATTER_OF: Mapping[str, tuple[Matter, str]] = {
    **dict.fromkeys((one.TYPE for one in procedures.ALL), ("proceeding", "proceeding_id")),
    followups.LeadVerificationMissed.TYPE: ("lead", "lead_id"),
    followups.LeadVerified.TYPE: ("lead", "lead_id"),
    handovers.HandoverRefused.TYPE: ("matter", ""),
    handovers.HandoverReturned.TYPE: ("matter", ""),
    handovers.HandoverDecided.TYPE: ("matter", ""),
    intake.ContestDecided.TYPE: ("tip", "contest_id"),
    intake.VenueFinding.TYPE: ("venue", "check_id"),
    intake.PatrolOverdue.TYPE: ("task", "task_id"),
    dens.PlaceSeenAgain.TYPE: ("place", "place_id"),
    **dict.fromkeys((*records.LATE, persons.RecordOverdue.TYPE), ("records", "case_id")),
    **dict.fromkeys((reports.ReportMissed.TYPE, reports.ReportSubmitted.TYPE), ("report", "report_id")),
    **dict.fromkeys(
        (owed.DutyMissed.TYPE, owed.DutyDone.TYPE, owed.DutyGivenBack.TYPE, owed.DutyDropped.TYPE), ("duty", "duty_id")
    ),
    **dict.fromkeys((publicity.CampaignMissed.TYPE, publicity.CampaignDone.TYPE), ("duty", "item_id")),
    certificates.CertificateMissed.TYPE: ("creation", "due_id"),
    **dict.fromkeys((publicity.ExposureRecorded.TYPE, publicity.ExposureWithdrawn.TYPE), ("exposure", "exposure_id")),
}
"""Type of event → the matter it belongs to, and the field that names it (of a handover: its lead or tip)."""


def matter_of(type_: str, data: Mapping[str, Any]) -> str | None:
    """The matter an event belongs to, `kind:id`; None for one that no detector reads."""
    found = MATTER_OF.get(type_)
    if found is None:
        return None
    kind, field = found
    if kind == "proceeding" and data["kind"] not in proceedings.KINDS:
        return None
    return f"{kind}:{data[field] if field else data['lead_id'] or data['tip_id']}"


def worth_keeping(fact: Fact) -> bool:
    """Whether any detector could need the fact: records made in time are not kept, there are too many of them."""
    return not fact.matter.startswith("records:") or records.is_late(fact)


def detect(facts: Sequence[Fact], ground: Ground) -> dict[UUID, Proposal]:
    """The findings that the facts of one matter bear out now, by their ids."""
    mine = set_of(facts)
    if not mine:
        return {}
    rows = _BY_MATTER[mine[0].matter.partition(":")[0]]
    return {found.finding_id: found for row in rows for found in row.detect(mine, ground)}


__all__ = [
    "CONDITIONS", "MATTER_OF", "Condition", "Fact", "Ground", "Matter", "Origin", "Proposal", "detect", "finding_id",
    "matter_of", "worth_keeping",
]  # fmt: skip
