"""Duties and meetings as they are shown, with their words opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.notify.commands.telling import Desk
from services.notify.domain.duties import DutyState, words_of
from services.notify.domain.meetings import MeetingState
from services.notify.schemas.duties import DutyFullOut, DutyOut, DutyProofOut, MeetingFullOut, MeetingOut

CALENDAR = "text/calendar; charset=utf-8"
"""The media type of `DutyPresenter.calendar`."""
_STATUS = {MeetingState.CANCELLED: "CANCELLED"}


@dataclass(frozen=True, slots=True)
class DutyPresenter:
    """Opens the words of duties and meetings."""

    desk: Desk

    def duty(self, row: Any, now: datetime) -> DutyOut:
        """A duty of the plan in the plan's words, one of a meeting in the decision's."""
        words = self.desk.words(row.id, row.sealed)
        plan = self.desk.service.plans.get(row.plan)
        text = words_of(plan, row.origin, row.duty) if plan and row.duty else None
        what = words.get("what", row.duty or "")
        waits = row.state in (DutyState.OPEN, DutyState.MISSED) and row.counts and row.due < now
        return DutyOut(
            duty_id=row.id, plan=row.plan, agency=row.agency, unit=row.unit, area=row.area, origin=row.origin,
            duty=row.duty, phase=row.phase, clause=row.clause, meeting_id=row.meeting_id,
            what_zh=text.zh if text else what, what_en=text.en if text else what, starts=row.starts, due=row.due,
            counts=row.counts, state=row.state, late=bool(row.late) or waits, done_at=row.done_at,
            reason=words.get("reason"), version=row.version,
        )  # fmt: skip

    def full(self, row: Any, proofs: Sequence[Any], now: datetime) -> DutyFullOut:
        """A duty with its proofs."""
        return DutyFullOut(**self.duty(row, now).model_dump(), proofs=[self.proof(one) for one in proofs])

    def proof(self, row: Any) -> DutyProofOut:
        """One proof."""
        words = self.desk.words(row.id, row.sealed)
        return DutyProofOut(
            proof_id=row.id, kind=row.kind, note=words["note"], number=row.number, link=words["link"],
            file_id=row.file_id, recorded_at=row.recorded_at,
        )  # fmt: skip

    def meeting(self, row: Any) -> MeetingOut:
        """A meeting with its words."""
        words = self.desk.words(row.id, row.sealed)
        return MeetingOut(
            meeting_id=row.id, plan=row.plan, kind=row.kind, title=words["title"], place=words["place"],
            agenda=words["agenda"], minutes=words["minutes"], starts_at=row.starts_at, ends_at=row.ends_at,
            agency=row.agency, agencies=list(row.agencies), present=list(row.present), state=row.state,
            case_id=row.case_id, case_number=row.case_number, version=row.version,
        )  # fmt: skip

    def meeting_full(self, row: Any, decisions: Sequence[Any], now: datetime) -> MeetingFullOut:
        """A meeting with the duties that its decisions set."""
        return MeetingFullOut(
            **self.meeting(row).model_dump(), decisions=[self.duty(decision, now) for decision in decisions]
        )

    def calendar(self, rows: Sequence[Any]) -> bytes:
        """Meetings as a calendar file (RFC 5545): times in UTC, a moved meeting with a higher SEQUENCE."""
        from icalendar import Calendar, Event

        calendar = Calendar()
        calendar.add("prodid", "-//Dachuan//notify//ZH")
        calendar.add("version", "2.0")
        calendar.add("method", "PUBLISH")
        for row in rows:
            words = self.desk.words(row.id, row.sealed)
            entry = Event()
            entry.add("uid", f"{row.id}@dachuan")
            entry.add("dtstamp", row.changed_at.astimezone(UTC))
            entry.add("dtstart", row.starts_at.astimezone(UTC))
            entry.add("dtend", row.ends_at.astimezone(UTC))
            entry.add("summary", words["title"])
            entry.add("location", words["place"])
            entry.add("description", "\n".join(f"{n}. {item}" for n, item in enumerate(words["agenda"], 1)))
            entry.add("sequence", row.version)
            entry.add("status", _STATUS.get(MeetingState(row.state), "CONFIRMED"))
            entry.add("url", f"{self.desk.service.settings.base_url('notify')}/meetings/{row.id}")
            calendar.add_component(entry)
        return calendar.to_ical()
