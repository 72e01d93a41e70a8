"""Who gets which notice (通知) of what happened to a case, and when one is done with. Rows are made here, kept elsewhere."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from shared.events.casework import CaseOpened, DeadlineMissed
from shared.rules.plan import Plan

SPACE = UUID("6d9a1c3e-0f5b-5c1a-9d52-0f6f2f3a7b11")


class Template(StrEnum):
    """What a notice is about."""

    CASE_OPENED = "case.opened"
    DEADLINE_MISSED = "deadline.missed"
    DEADLINE_MISSED_OFFICE = "deadline.missed.office"
    HANDOVER_PROPOSED = "handover.proposed"
    HANDOVER_ACCEPTED = "handover.accepted"
    HANDOVER_REFUSED = "handover.refused"
    HANDOVER_ESCALATED = "handover.escalated"
    HANDOVER_TO_DECIDE = "handover.to-decide"
    HANDOVER_DECIDED = "handover.decided"
    HANDOVER_LATE = "handover.late"
    HANDOVER_LATE_OFFICE = "handover.late.office"
    GATHERING_FOUND = "gathering.found"
    FUND_SHORT = "fund.short"
    REWARD_PROPOSED = "reward.proposed"
    TIP_ANSWERED = "tip.answered"
    TIP_ADDED = "tip.added"
    CONTEST_OPENED = "contest.opened"
    REVEAL_REQUESTED = "reveal.requested"
    REVEAL_DECIDED = "reveal.decided"
    PATROL_OVERDUE = "patrol.overdue"
    SURVEY_UNFINISHED = "survey.unfinished"
    LEAD_MAJOR = "lead.major"
    VERIFICATION_MISSED = "verification.missed"
    VERIFICATION_MISSED_OFFICE = "verification.missed.office"
    PROCEEDING_AWAITS = "proceeding.awaits"
    PROCEEDING_MISSED = "proceeding.missed"
    PROCEEDING_MISSED_OFFICE = "proceeding.missed.office"
    CAMPAIGN_SOON = "campaign.soon"
    CAMPAIGN_MISSED = "campaign.missed"
    CAMPAIGN_MISSED_OFFICE = "campaign.missed.office"
    CAMPAIGN_RETURNED = "campaign.returned"
    WARNING_WAITS = "warning.waits"
    REPORT_OWED = "report.owed"
    REPORT_MISSED = "report.missed"
    REPORT_MISSED_OFFICE = "report.missed.office"
    REPORT_RETURNED = "report.returned"
    BULLETIN_TO_RELEASE = "bulletin.to-release"
    BULLETIN_ISSUED = "bulletin.issued"
    DUTY_SET = "duty.set"
    DUTY_GIVEN_BACK = "duty.given-back"
    DUTY_MISSED = "duty.missed"
    DUTY_MISSED_OFFICE = "duty.missed.office"
    MEETING_CALLED = "meeting.called"
    MEETING_MOVED = "meeting.moved"
    MEETING_CANCELLED = "meeting.cancelled"
    UNSIGNED_DEPUTY = "notice.unsigned.deputy"
    UNSIGNED_HEAD = "notice.unsigned.head"
    TARGET_OFF = "target.off"
    FINDING_PROPOSED = "finding.proposed"
    FINDING_TO_DECIDE = "finding.to-decide"
    FINDING_CONFIRMED = "finding.confirmed"
    FINDING_REJECTED = "finding.rejected"
    FINDING_APPEALED = "finding.appealed"
    FINDING_APPEAL_DECIDED = "finding.appeal-decided"
    TOOL_CALLED_FOR = "tool.called-for"
    TOOL_TO_DECIDE = "tool.to-decide"
    TOOL_IN_EFFECT = "tool.in-effect"
    TOOL_REPORTED = "tool.reported"
    TOOL_REFUSED = "tool.refused"
    TOOL_RECTIFY_LATE = "tool.rectify-late"
    TOOL_OVER = "tool.over"
    MEASURE_TO_DECIDE = "measure.to-decide"
    MEASURE_DECIDED = "measure.decided"
    ACCOUNTABILITY_SENT = "accountability.sent"
    UNSIGNED_OFFICE = "notice.unsigned.office"
    UNSIGNED_LEADING = "notice.unsigned.leading"
    DEADLINE_SOON = "deadline.soon"
    DEADLINE_DUE = "deadline.due"
    DEADLINE_OVERDUE = "deadline.overdue"
    DIGEST = "deadline.digest"


class State(StrEnum):
    """`done` is final: the act the notice asks for has happened, signed or not."""

    WAITING = "waiting"
    SIGNED = "signed"
    DONE = "done"


ENDED_BY_ACCEPTANCE = (Template.CASE_OPENED, Template.DEADLINE_MISSED)
"""Notices that are done once their agency has accepted the case; the office's own are not."""


def notice_id(case_id: UUID, agency: str, unit: str | None, template: Template, about: UUID | None = None) -> UUID:
    """The id of a notice: the same for the same case, addressee and reason, however often it is made."""
    return uuid5(SPACE, f"{case_id}|{agency}|{unit or ''}|{template}|{about or ''}")


def of_opened(case: CaseOpened, now: datetime) -> list[dict[str, Any]]:
    """One notice for each party of a new case, due when the party's acceptance is."""
    due = {(d.agency, d.unit): d for d in case.deadlines} | {(d.agency, None): d for d in case.deadlines}
    rows = []
    for party in case.parties:
        deadline = None
        if party.role != "coordinator":
            deadline = due.get((party.agency, party.unit)) or due.get((party.agency, None))
        row = _row(case, party.agency, party.unit, Template.CASE_OPENED, now)
        row["kinds"] = list(case.kinds)
        row["role"] = party.role
        if deadline is not None:
            row["rule"], row["due"], row["provisional"] = deadline.rule, deadline.due, deadline.provisional
        rows.append(row)
    return rows


def of_missed(event: DeadlineMissed, plan: Plan | None, now: datetime) -> list[dict[str, Any]]:
    """A notice to the agency that let a deadline pass, and one to the office."""
    addressees: dict[tuple[str, str | None], Template] = {}
    if plan is not None:
        addressees[office_of(plan)] = Template.DEADLINE_MISSED_OFFICE
    addressees[event.agency, event.unit] = Template.DEADLINE_MISSED
    rows = []
    for (agency, unit), template in addressees.items():
        row = _row(event, agency, unit, template, now, about=event.deadline.deadline_id)
        row["rule"], row["due"], row["provisional"] = (
            event.deadline.rule,
            event.deadline.due,
            event.deadline.provisional,
        )
        rows.append(row)
    return rows


def office_of(plan: Plan) -> tuple[str, str | None]:
    """The agency that hosts the office, and the unit the office is there, if it is one."""
    unit = plan.agency(plan.office).unit(plan.office_body.id)
    return plan.office, unit.id if unit else None


def _row(
    event: CaseOpened | DeadlineMissed,
    agency: str,
    unit: str | None,
    template: Template,
    now: datetime,
    about: UUID | None = None,
) -> dict[str, Any]:
    return {
        "id": notice_id(event.case_id, agency, unit, template, about),
        "case_id": event.case_id,
        "handover_id": None,
        "lead_id": event.lead_id if isinstance(event, CaseOpened) else None,
        "number": event.number,
        "plan": event.plan,
        "area": event.area,
        "kinds": [],
        "urgent": event.urgent,
        "agency": agency,
        "unit": unit,
        "role": None,
        "template": template.value,
        "state": State.WAITING.value,
        "rule": None,
        "due": None,
        "provisional": False,
        "created_at": now,
        "version": 1,
    }


def is_late(row: Mapping[str, Any], now: datetime) -> bool:
    """Whether what the notice asks for is overdue."""
    return row["state"] != State.DONE and row["due"] is not None and row["due"] < now
