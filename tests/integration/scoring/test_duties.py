"""Departments are assessed by their duties and reports: done late, not done, given back, told in any order."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

from shared.events import Event
from shared.events.duties import DutyDone, DutyGivenBack, DutyMissed, DutySet
from shared.events.reports import ReportMissed, ReportOwed, ReportSubmitted
from shared.kit import clock
from shared.kit.ids import new_id
from tests.integration.scoring.conftest import Score, event

HOUR = timedelta(hours=1)


class Duty:
    """A duty of the labour office, as notify tells of it."""

    def __init__(self, agency: str = "labour") -> None:
        self.due = clock.now() - timedelta(days=2)
        self.common: dict[str, Any] = {
            "duty_id": new_id(), "plan": "dayong", "agency": agency, "unit": None, "area": None, "origin": "plan",
            "duty": "h1", "phase": None, "clause": "D-H", "meeting_id": None, "due": self.due, "dataref": "x",
        }  # fmt: skip

    def _told(self, data: Any, at: datetime) -> Event[Any]:
        return event(data, at)

    @property
    def opened(self) -> Event[Any]:
        return self._told(DutySet(**self.common, counts=True, set_at=self.due - 9 * HOUR), self.due - 9 * HOUR)

    def missed(self) -> Event[Any]:
        return self._told(DutyMissed(**self.common, missed_at=self.due), self.due)

    def done(self, after: timedelta) -> Event[Any]:
        at = self.due + after
        return self._told(DutyDone(**self.common, late=after > timedelta(0), proofs=1, done_at=at), at)

    def given_back(self, after: timedelta) -> Event[Any]:
        at = self.due + after
        return self._told(DutyGivenBack(**self.common, given_back_at=at), at)


async def points(score: Score) -> list[tuple[str, Any]]:
    return [(row.line, row.points) for row in await score.rows("SELECT line, points FROM ledger ORDER BY seq")]


async def test_a_duty_not_done_costs_and_its_lateness_costs_once__d_m1__d_m2(score: Score) -> None:
    """D-M1, D-M2: missed at its time, done later: the miss is taken back and the lateness counts, in any order told."""
    seen = []
    for order in permutations(range(3)):
        duty = Duty()
        told = [duty.opened, duty.missed(), duty.done(HOUR)]
        await score.tell(*(told[n] for n in order))
        rows = await score.rows(
            "SELECT line, points, basis, case_id, subject, fact_type FROM ledger WHERE deadline_id = :id ORDER BY points",
            id=duty.common["duty_id"],
        )
        seen.append([(row.line, row.points) for row in rows])
        assert {(row.basis, row.case_id, row.subject) for row in rows} == {("deadline", None, "labour")}
        assert {row.fact_type for row in rows} == {DutyMissed.TYPE, DutyDone.TYPE}
    assert len({str(one) for one in seen}) == 1 and [float(p) for _, p in seen[0]] == [-2.0, -0.5, 2.0]
    standing = (await score.get("/v1/standings", score.office(), agency="labour")).json()["items"]
    assert [(one["rulebook"], one["late"]) for one in standing] == [("v1", 6)]


async def test_what_the_office_gives_back_is_owed_again__d_m2(score: Score) -> None:
    """D-M2: a duty said to be done in time and given back is missed when nothing better comes."""
    duty = Duty()
    await score.tell(duty.opened, duty.done(-5 * HOUR), duty.given_back(-3 * HOUR), duty.missed())
    assert [(line, float(worth)) for line, worth in await points(score)] == [("duty-missed", -2.0)]
    state = (await score.rows("SELECT state FROM obligations"))[0].state
    assert state == "missed"
    await score.tell(duty.done(HOUR))
    assert sorted(float(worth) for _, worth in await points(score)) == [-2.0, -0.5, 2.0]


async def test_a_late_act_that_is_given_back_leaves_the_miss_standing__d_m2(score: Score) -> None:
    """D-M2: missed, done late, given back: the miss counts again until the next act, each time; told twice, nothing doubles."""
    duty = Duty()
    late, again, once_more = duty.done(HOUR), duty.done(5 * HOUR), duty.done(9 * HOUR)
    back, back_again = duty.given_back(3 * HOUR), duty.given_back(7 * HOUR)
    sums = []
    for told in (duty.opened, duty.missed(), late, back, again, back_again, once_more):
        await score.tell_all([told])
        for repeated in (late, back):
            if sums and sums[-1] is not None and told in (back, again, back_again, once_more):
                await score.tell_all([repeated])
        sums.append(sum(float(worth) for _, worth in await points(score)))
    assert sums == [0, -2.0, -0.5, -2.0, -0.5, -2.0, -0.5]
    standing = (await score.get("/v1/standings", score.office(), agency="labour")).json()["items"]
    assert [(float(one["points"]), one["late"]) for one in standing if one["rulebook"] == "v1"] == [(-0.5, 1)]
    rows = await score.rows("SELECT count(*) AS n, count(corrects) AS taken FROM ledger")
    assert (rows[0].n, rows[0].taken) == (11, 5), "what counted and why it does not any more both stay"


async def test_reports_count_by_the_rulebooks_lines__d_r(score: Score) -> None:
    """D-R: in time, late, or not at all; each report once."""
    day = clock.now()
    made: dict[str, UUID] = {}

    def of(agency: str) -> dict[str, Any]:
        made[agency] = new_id()
        return {
            "report_id": made[agency], "plan": "dayong", "agency": agency, "area": None, "to_agency": "commerce",
            "kind": "regular", "origin": "plan", "clause": "D-R", "first_day": day.date(), "day": day.date(), "due": day,
            "dataref": "x",
        }  # fmt: skip

    timely, late, never = of("police"), of("transport"), of("education")
    told = [event(ReportOwed(**one, counts=True, owed_at=day), day) for one in (timely, late, never)]
    told += [
        event(ReportSubmitted(**timely, late=False, submitted_at=day), day),
        event(ReportMissed(**late, missed_at=day), day),
        event(ReportSubmitted(**late, late=True, submitted_at=day + HOUR), day + HOUR),
        event(ReportMissed(**never, missed_at=day), day),
    ]
    await score.tell(*told)
    await score.tell_all(told[-1:])
    sums = await score.rows("SELECT agency, sum(points) AS points FROM ledger GROUP BY agency")
    assert {row.agency: float(row.points) for row in sums} == {"police": 1.0, "transport": -0.5, "education": -1.0}
