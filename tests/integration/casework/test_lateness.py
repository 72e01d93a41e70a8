"""The job that marks missed deadlines, and its race with acceptance."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from services.casework import jobs
from shared.events.casework import DeadlineMissed
from shared.kit import clock
from shared.kit.metrics import DEADLINES_DUE, DEADLINES_OVERDUE
from tests.integration.casework.conftest import DAY, Desk, lead


async def test_a_deadline_past_due_is_missed_once_whatever_often_the_job_runs(desk: Desk) -> None:
    received = clock.now()
    [case_id] = await desk.open(lead(received_at=received))
    assert await desk.miss(received + timedelta(hours=23)) == 0
    at = received + timedelta(hours=25)
    assert await desk.miss(at) == 1
    assert await desk.miss(at + timedelta(seconds=1)) == 0
    [told] = [data for _, data in await desk.events() if isinstance(data, DeadlineMissed)]
    assert (told.case_id, told.agency, told.unit, told.missed_at) == (case_id, "police", "economic_crime", at)
    assert told.deadline.kind == "acceptance" and told.deadline.rule == "plan.police_acceptance"
    case = (await desk.get(f"/v1/cases/{case_id}", desk.bearer())).json()
    assert [(s["step"], s["agency"], s["version"]) for s in case["history"]] == [("deadline.missed", "police", 2)]
    assert case["version"] == 2 and case["state"] == "opened"
    late = (await desk.get("/v1/cases", desk.bearer(), late="true")).json()["items"]
    assert [item["case_id"] for item in late] == [str(case_id)]
    await desk.accept(case_id, desk.bearer(), version=2)
    assert (await desk.get("/v1/cases", desk.bearer(), late="true")).json()["items"] == []


async def test_both_clocks_of_one_case_may_run_out_in_one_round(desk: Desk) -> None:
    [case_id] = await desk.open(lead(received_at=clock.now() - 60 * DAY))
    assert await desk.miss(clock.now()) == 2
    case = (await desk.get(f"/v1/cases/{case_id}", desk.bearer())).json()
    assert case["version"] == 3 and {s["agency"] for s in case["history"]} == {"police", "commerce"}
    assert [s["version"] for s in case["history"]] == [2, 3]


async def test_two_instances_share_the_work_and_tell_each_miss_once(desk: Desk) -> None:
    await desk.open(*(lead(received_at=clock.now() - 60 * DAY) for _ in range(40)))
    now = clock.now()
    marked = await asyncio.gather(*(desk.miss(now) for _ in range(4)))
    rest = await desk.miss(now)
    assert sum(marked) + rest == 80
    told = [data.deadline.deadline_id for _, data in await desk.events() if isinstance(data, DeadlineMissed)]
    assert len(told) == len(set(told)) == 80


async def test_acceptances_and_the_job_at_the_same_time_lose_nothing_and_tell_nothing_twice(desk: Desk) -> None:
    ids = await desk.open(*(lead(received_at=clock.now() - 2 * DAY) for _ in range(12)))
    police = desk.bearer("police")

    async def accept_surely(case_id) -> int:  # type: ignore[no-untyped-def]
        for _ in range(5):
            case = (await desk.get(f"/v1/cases/{case_id}", police)).json()
            answer = await desk.accept(case_id, police, version=case["version"])
            if answer.status_code != 412:
                return answer.status_code
        return 0

    *answers, _ = await asyncio.gather(*(accept_surely(i) for i in ids), jobs.mark_missed(desk.service))
    await jobs.mark_missed(desk.service)
    assert answers == [200] * 12
    told = [(row.key, row.type) for row, data in await desk.events() if getattr(data, "agency", "") == "police"]
    assert len(told) == len(set(told)) == 24, "one miss and one late acceptance each"
    states = await desk.rows("SELECT DISTINCT state FROM deadlines WHERE agency = 'police'")
    assert [s[0] for s in states] == ["met_late"]


async def test_gauges_come_from_the_table(desk: Desk) -> None:
    now = clock.now()
    await desk.open(lead(received_at=now - timedelta(hours=1)), lead(received_at=now - 60 * DAY))
    await jobs.measure(desk.service)
    assert DEADLINES_DUE.labels("plan.police_acceptance")._value.get() == 1
    assert DEADLINES_OVERDUE.labels("plan.police_acceptance")._value.get() == 1
    assert DEADLINES_OVERDUE.labels("complaint.accept")._value.get() == 1
    await jobs.mark_missed(desk.service)
    await jobs.measure(desk.service)
    assert DEADLINES_OVERDUE.labels("complaint.accept")._value.get() == 1, "marked ones are overdue still"
    await desk.rows("UPDATE deadlines SET state = 'met' RETURNING 1")
    await jobs.measure(desk.service)
    assert not next(iter(DEADLINES_OVERDUE.collect())).samples, "a rule without open deadlines is not shown"


async def test_the_outbox_and_audit_cannot_be_changed_by_the_service(desk: Desk) -> None:
    await desk.open(lead())
    for statement in ("UPDATE outbox SET data = ''", "DELETE FROM audit", "DELETE FROM outbox"):
        try:
            await desk.rows(statement + " WHERE false RETURNING 1")
        except Exception as error:
            assert "permission denied" in str(error)
        else:
            raise AssertionError(f"allowed: {statement}")
