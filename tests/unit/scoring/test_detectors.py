"""Detectors are functions of the set of facts: any order, any repetition, the same findings."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.scoring.commands.findings.basis import ground_of
from services.scoring.domain.detectors import (
    CONDITIONS,
    Fact,
    Ground,
    Origin,
    Proposal,
    detect,
    matter_of,
    worth_keeping,
)
from services.scoring.domain.rulebooks.vocabulary import DETECTORS
from shared.events import EVENT_TYPES
from shared.rules.plan import load_plans

START = datetime(2026, 11, 2, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def ground() -> Ground:
    return ground_of(load_plans("deploy/plans", ["dayong"])["dayong"])


class Story:
    """Facts of one matter, one minute after another."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.id = uuid4()

    def tell(self, type_: str, **data: Any) -> Story:
        data = {"plan": "dayong", "area": "dayong-antang", "case_id": None, "dataref": "https://x/v1/y/z"} | data
        matter = matter_of(type_, data)
        assert matter is not None and type_ in EVENT_TYPES
        at = START + timedelta(minutes=len(self.facts))
        self.facts.append(Fact(uuid4(), type_, matter, at, at + timedelta(seconds=1), data))
        return self

    def found(self, ground: Ground) -> dict[str, Proposal]:
        """What is found, the same in twenty orders with repetitions; by condition."""
        kept = [fact for fact in self.facts if worth_keeping(fact)]
        first = detect(kept, ground)
        for seed in range(20):
            mixed = kept * 2
            random.Random(seed).shuffle(mixed)
            assert detect(mixed, ground) == first
        return {one.condition: one for one in first.values()}


def proceeding(story: Story, what: str, kind: str, **more: Any) -> Story:
    data = {
        "proceeding_id": str(story.id), "kind": kind, "agency": "commerce", "unit": "office", "to_agency": "police",
        "to_unit": "public_order", "facts": {}, "urgent": kind == "rescue",
    }  # fmt: skip
    steps = {"step": "x", "final": False, "outcome": None} if what == "stepped" else {}
    return story.tell(f"dachuan.proceeding.{what}.v1", **(data | steps | more))


def late(story: Story, kind: str, clock: str, agency: str = "police", unit: str | None = "public_order") -> Story:
    deadline = {"kind": f"{kind}.{clock}", "agency": agency, "unit": unit, "deadline_id": str(uuid4())}
    return proceeding(story, "deadline-missed", kind, deadline=deadline)


def test_a_rescue_whose_clock_passed__d_q1_6(ground: Ground) -> None:
    """D-Q1.6: missed by the clock or on record; not where nobody was held."""
    story = proceeding(Story(), "opened", "rescue", facts={"persons": 2})
    assert story.found(ground) == {}
    late(story, "rescue", "accept")
    one = story.found(ground)["missed_rescue"]
    assert (one.subject_kind, one.agency, one.unit, one.measure["persons"]) == ("town", "police", "public_order", 2)
    assert len(one.events) == 2
    proceeding(story, "stepped", "rescue", step="nobody_there", final=True, outcome="not_found")
    assert story.found(ground) == {}


def test_an_incident_is_grave_by_what_it_was_and_by_its_influence__d_q1_2(ground: Ground) -> None:
    """D-Q1.2: and what the area reported itself in time is told apart."""
    story = proceeding(Story(), "opened", "incident", facts={"what": "confinement", "influence": "local", "source": "tip"})
    assert story.found(ground) == {}
    proceeding(story, "stepped", "incident", step="first_report", facts={"to": "city"})
    proceeding(story, "stepped", "incident", step="continued_report", facts={"influence": "serious", "deaths": 1})
    one = story.found(ground)["grave_incident"]
    assert (one.origin, one.measure["deaths"]) == (Origin.SELF_REPORTED, 1)
    exposed = proceeding(Story(), "opened", "incident", facts={"what": "death", "influence": "media", "source": "media"})
    assert exposed.found(ground)["grave_incident"].origin is Origin.EXPOSED
    proceeding(story, "stepped", "incident", step="unfounded", final=True, outcome="unfounded")
    assert story.found(ground) == {}


def test_a_case_made_by_a_higher_level__d_q1_4(ground: Ground) -> None:
    """D-Q1.4: not where the area had asked for it."""
    story = proceeding(Story(), "opened", "higher_case", facts={"made_by": "city"})
    proceeding(story, "stepped", "higher_case", step="confirm", final=True, outcome="made_by_higher")
    assert story.found(ground)["made_by_higher"].origin is Origin.EXPOSED
    other = proceeding(Story(), "stepped", "higher_case", step="confirm", final=True, outcome="asked_for")
    assert other.found(ground) == {}


def test_a_major_case_reported_late__d_q1_8(ground: Ground) -> None:
    """D-Q1.8: and not where it proved not to be major."""
    story = late(proceeding(Story(), "opened", "major_report"), "major_report", "report", "commerce", "office")
    assert story.found(ground)["late_major_report"].origin is Origin.SELF_FOUND
    proceeding(story, "stepped", "major_report", step="report")
    assert story.found(ground)["late_major_report"].origin is Origin.SELF_REPORTED
    proceeding(story, "stepped", "major_report", step="not_major", final=True, outcome="not_major")
    assert story.found(ground) == {}


@pytest.mark.parametrize(
    ("outcome", "condition", "origin"),
    [
        ("concealed", "concealment", Origin.EXPOSED),
        ("reported_late", "reported_late", Origin.SELF_REPORTED),
        ("self_reported", None, None),
        ("not_known", None, None),
    ],
)
def test_an_inquiry_into_concealment__d_q1_7(
    ground: Ground, outcome: str, condition: str | None, origin: Origin | None
) -> None:
    """D-Q1.7; point 10: what the area reported itself, or did not know, is no concealment."""
    story = proceeding(Story(), "opened", "concealment", facts={"what": "incident", "source": "media"})
    proceeding(story, "stepped", "concealment", step="find", final=True, outcome=outcome)
    found = story.found(ground)
    assert set(found) == ({condition} if condition else set())
    if condition:
        assert found[condition].origin is origin and found[condition].agency == "police"


def test_an_order_that_was_not_answered__d_q1_3(ground: Ground) -> None:
    """D-Q1.3: of the other side's clocks only; not of one that was withdrawn."""
    story = late(proceeding(Story(), "opened", "supervision"), "supervision", "review", "commerce", "office")
    assert story.found(ground) == {}
    late(story, "supervision", "reply")
    assert story.found(ground)["neglected_order"].agency == "police"
    proceeding(story, "stepped", "supervision", step="withdraw", final=True, outcome="withdrawn")
    assert story.found(ground) == {}


def test_a_major_lead_not_verified__d_q1_4(ground: Ground) -> None:
    """D-Q1.4: late is late; in time after all is nothing."""
    lead = str(uuid4())
    deadline = {"agency": "commerce", "unit": "enforcement"}
    story = Story().tell("dachuan.lead.verification-missed.v1", lead_id=lead, deadline=deadline)
    assert story.found(ground)["unverified_lead"].measure["verified"] == "no"
    assert story.tell("dachuan.lead.verified.v1", lead_id=lead, in_time=False).found(ground)["unverified_lead"].measure[
        "verified"
    ] == "late"
    assert story.tell("dachuan.lead.verified.v1", lead_id=lead, in_time=True).found(ground) == {}


def test_a_bounced_matter__point_1(ground: Ground) -> None:
    """D-N4; beyond both plans, 1: each who sent it on answers; once decided, who had refused what was theirs."""
    lead = str(uuid4())
    story = Story()
    for to in ("police", "commerce"):
        story.tell(
            "dachuan.handover.refused.v1", lead_id=lead, tip_id=None, to_agency=to, to_unit=None, from_agency="food_drug",
            reason="not_our_duty",
        )  # fmt: skip
    assert {one.agency for one in detect(story.facts, ground).values()} == {"police", "commerce"}
    story.tell("dachuan.handover.decided.v1", lead_id=lead, tip_id=None, assigned_agency="commerce")
    assert {one.agency for one in detect(story.facts, ground).values()} == {"commerce"}
    one = Story().tell(
        "dachuan.handover.refused.v1", lead_id=lead, tip_id=None, to_agency="police", to_unit=None,
        from_agency="food_drug", reason="not_our_duty",
    )  # fmt: skip
    assert detect(one.facts, ground) == {}


def test_exposure_tells_own_finds_apart__d_q1_3(ground: Ground) -> None:
    """D-Q1.3; point 10: what was found and reported before is no exposure, unless an omission was exposed."""
    told = {"exposure_id": str(uuid4()), "agency": None, "unit": None, "source": "media", "medium": "television", "level": "city"}
    kind = "dachuan.publicity.exposure-recorded.v1"
    story = Story().tell(kind, **told, version=1, grounds=["activity"], found_before=False)
    one = story.found(ground)["exposure"]
    assert (one.origin, one.agency) == (Origin.EXPOSED, ground.office)
    story.tell(kind, **told, version=2, grounds=["activity"], found_before=True)
    assert story.found(ground) == {}
    story.tell(kind, **told, version=3, grounds=["complaint_unhandled"], found_before=True)
    assert story.found(ground)["exposure"].origin is Origin.SELF_REPORTED
    story.tell("dachuan.publicity.exposure-withdrawn.v1", **told, version=4)
    assert story.found(ground) == {}


def test_duties_and_reports_late__d_q1_3__d_m2__d_r(ground: Ground) -> None:
    """D-Q1.3, D-M2: missed, late, dropped, given back; D-R: reports."""
    duty = {"duty_id": str(uuid4()), "agency": "labour", "unit": None, "origin": "plan", "duty": "h1", "clause": "D-H"}
    story = Story().tell("dachuan.duty.missed.v1", **duty)
    assert story.found(ground)["late_duty"].measure["done"] == "no"
    assert story.tell("dachuan.duty.done.v1", **duty, late=True).found(ground)["late_duty"].measure["done"] == "late"
    assert story.tell("dachuan.duty.dropped.v1", **duty).found(ground) == {}
    other = Story().tell("dachuan.duty.done.v1", **duty, late=False).tell("dachuan.duty.given-back.v1", **duty)
    assert other.found(ground) == {}
    assert set(other.tell("dachuan.duty.missed.v1", **duty).found(ground)) == {"late_duty"}
    report = {"report_id": str(uuid4()), "agency": "labour", "kind": "regular"}
    late_one = Story().tell("dachuan.report.missed.v1", **report)
    assert late_one.found(ground)["late_report"].clause == "D-R"
    assert late_one.tell("dachuan.report.submitted.v1", **report, late=False).found(ground) == {}


def test_a_certificate_missing_at_its_day__d_q1_1(ground: Ground) -> None:
    """D-Q1.1: told by the certificates' room."""
    one = Story().tell(
        "dachuan.certificate.missed.v1", due_id=str(uuid4()), holder_kind="town", agency="commerce",
        standard="town-free", stood="none",
    )  # fmt: skip
    assert one.found(ground)["missed_creation"].subject_kind == "town"


def test_a_venue_used__d_q1_5(ground: Ground) -> None:
    """D-Q1.5: as a check of the venue found."""
    one = Story().tell("dachuan.venue.finding.v1", check_id=str(uuid4()), agency="commerce", signs=["chanting"])
    assert one.found(ground)["venue_used"].agency == "commerce"


def test_records_made_late__d_m7(ground: Ground) -> None:
    """D-M7: one finding a case and unit; what was in time is not even kept; overdue and then late is one record."""
    case, part = str(uuid4()), str(uuid4())
    who = {"case_id": case, "agency": "police", "unit": "public_order", "part_id": part}
    story = Story().tell("dachuan.person.recorded.v1", **who, in_time=True)
    assert not any(worth_keeping(fact) for fact in story.facts)
    story.tell("dachuan.case.record-overdue.v1", **who, what="person_entry")
    assert story.found(ground)["late_recording"].measure == {"records": 1, "never": 1}
    story.tell("dachuan.person.entered.v1", **who, in_time=False)
    one = story.found(ground)["late_recording"]
    assert one.measure == {"records": 1, "never": 0} and one.case_id == UUID(case)


def test_a_complaint_upheld_and_a_relapse__d_q1_3__x_g2(ground: Ground) -> None:
    """D-Q1.3, X-G2: each contest by itself; a cleared place used again is its community's."""
    contest = {"contest_id": str(uuid4()), "agency": "police", "unit": None, "outcome": "unfounded"}
    assert Story().tell("dachuan.tip.contest-decided.v1", **contest, upheld=False).found(ground) == {}
    assert set(Story().tell("dachuan.tip.contest-decided.v1", **contest, upheld=True).found(ground)) == {"upheld_complaint"}
    again = Story().tell("dachuan.place.seen-again.v1", place_id=str(uuid4()), what="place", agency="police")
    assert again.found(ground)["recurrence"].subject_kind == "community"


def test_patrols_left_out__d_e2(ground: Ground) -> None:
    """D-E2: from the plan's number of windows on."""
    task = {"task_id": str(uuid4()), "agency": "rental_mgmt", "tier": "key"}
    story = Story().tell("dachuan.patrol.overdue.v1", **task, missed=1)
    assert story.found(ground) == {}
    assert story.tell("dachuan.patrol.overdue.v1", **task, missed=2).found(ground)["neglected_patrol"].measure["missed"] == 2


def test_every_detector_of_the_rulebooks_exists() -> None:
    """A rulebook names detectors; each is a row here, and the other way round."""
    assert set(CONDITIONS) == set(DETECTORS)
