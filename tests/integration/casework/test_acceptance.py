"""A party accepts its case through the API: in time, late, twice, stale, and by those who may not."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from shared.events.casework import CaseAccepted, CaseOpened, DeadlineMissed
from shared.events.common import PartyFact
from shared.kit import clock
from tests.integration.casework.conftest import DAY, Desk, lead


async def test_police_then_commerce_accept_and_the_case_is_accepted__d_b6_d_a5(desk: Desk) -> None:
    """D-B6, D-A5 (case acceptance): each party accepts for itself; with the last one the case is accepted."""
    [case_id] = await desk.open(lead())
    first = await desk.accept(case_id, desk.bearer("police"))
    assert first.status_code == 200 and first.headers["etag"] == '"2"'
    body = first.json()
    assert body["state"] == "opened" and not body["may_accept"]
    police = next(d for d in body["deadlines"] if d["agency"] == "police")
    assert (police["state"], police["late"]) == ("met", False) and police["met_at"]
    second = await desk.accept(case_id, desk.bearer("commerce"), version=2)
    assert second.json()["state"] == "accepted"
    assert {p["agency"]: p["state"] for p in second.json()["parties"]} == {
        "police": "accepted",
        "commerce": "accepted",
    }
    told = [data for _, data in await desk.events()]
    assert [type(t) for t in told] == [CaseOpened, CaseAccepted, CaseAccepted]
    assert [(t.agency, t.unit, t.in_time) for t in told[1:]] == [
        ("police", "economic_crime", True),
        ("commerce", "enforcement", True),
    ]
    assert told[1].deadline == told[0].deadlines[0]
    actors = await desk.rows("SELECT agency, accepted_by FROM case_parties ORDER BY agency")
    assert {a for _, a in map(tuple, actors)} == {"officer:test"}


async def test_acceptance_after_the_clock_ran_out_unnoticed_tells_both_the_miss_and_the_late_acceptance(
    desk: Desk,
) -> None:
    [case_id] = await desk.open(lead(received_at=clock.now() - 3 * DAY))
    answer = await desk.accept(case_id, desk.bearer("police"))
    police = next(d for d in answer.json()["deadlines"] if d["agency"] == "police")
    assert (police["state"], police["late"]) == ("met_late", True)
    told = [data for _, data in await desk.events()][1:]
    assert [type(t) for t in told] == [DeadlineMissed, CaseAccepted]
    assert told[1].in_time is False
    assert await desk.miss(clock.now()) == 0, "the job does not tell it a second time"


async def test_acceptance_after_the_job_marked_the_miss_is_late_and_told_once(desk: Desk) -> None:
    [case_id] = await desk.open(lead(received_at=clock.now() - 2 * DAY))
    assert await desk.miss(clock.now()) >= 1
    case = (await desk.get(f"/v1/cases/{case_id}", desk.bearer("police"))).json()
    answer = await desk.accept(case_id, desk.bearer("police"), version=case["version"])
    assert answer.status_code == 200
    told = [data for _, data in await desk.events() if getattr(data, "agency", "") == "police"]
    assert [type(t) for t in told] == [DeadlineMissed, CaseAccepted]
    assert told[1].in_time is False
    row = (await desk.rows("SELECT state, missed_at, met_at FROM deadlines WHERE agency = 'police'"))[0]
    assert row.state == "met_late" and row.missed_at <= row.met_at


async def test_a_second_acceptance_by_the_same_agency_is_a_conflict_that_says_when(desk: Desk) -> None:
    [case_id] = await desk.open(lead())
    await desk.accept(case_id, desk.bearer("police"))
    for version in (1, 2):
        again = await desk.accept(case_id, desk.bearer("police", principal_id="another"), version=version)
        problem = again.json()
        assert (again.status_code, problem["type"]) == (409, "urn:dachuan:problem:already-accepted")
        assert problem["accepted_at"] and "首次受理为准" in problem["detail"]
    assert len(await desk.events()) == 2


async def test_the_same_request_again_has_its_effect_once_and_the_same_answer(desk: Desk) -> None:
    [case_id] = await desk.open(lead())
    first = await desk.accept(case_id, desk.bearer("police"), key="one-and-the-same")
    again = await desk.accept(case_id, desk.bearer("police"), key="one-and-the-same")
    assert first.json() == again.json() and first.status_code == again.status_code == 200
    assert (first.headers["idempotency-replayed"], again.headers["idempotency-replayed"]) == ("false", "true")
    assert len(await desk.events()) == 2
    other = await desk.accept(case_id, desk.bearer("police"), key="one-and-the-same", version=2)
    assert (other.status_code, other.json()["type"]) == (409, "urn:dachuan:problem:idempotency-key-reused")


async def test_five_officers_press_at_once_and_one_acceptance_counts(desk: Desk) -> None:
    [case_id] = await desk.open(lead())
    answers = await asyncio.gather(
        *(desk.accept(case_id, desk.bearer("police", principal_id=f"o{i}")) for i in range(5))
    )
    assert sorted(a.status_code for a in answers) == [200, 409, 409, 409, 409]
    assert len(await desk.events()) == 2


async def test_a_stale_version_is_refused_and_told_what_changed(desk: Desk) -> None:
    [case_id] = await desk.open(lead())
    await desk.accept(case_id, desk.bearer("police"))
    stale = await desk.accept(case_id, desk.bearer("commerce"), version=1)
    problem = stale.json()
    assert stale.status_code == 412 and stale.headers["etag"] == '"2"' and problem["current"] == '"2"'
    assert [(c["step"], c["agency"], c["version"]) for c in problem["changes"]] == [("party.accepted", "police", 2)]
    fresh = await desk.accept(case_id, desk.bearer("commerce"), version=2)
    assert fresh.status_code == 200


async def test_a_miss_changes_the_version_too(desk: Desk) -> None:
    [case_id] = await desk.open(lead(received_at=clock.now() - 2 * DAY))
    await desk.miss(clock.now())
    stale = await desk.accept(case_id, desk.bearer("police"), version=1)
    assert stale.status_code == 412
    assert ("deadline.missed", "police") in {(c["step"], c["agency"]) for c in stale.json()["changes"]}


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"idempotency-key": "test-key-a"}, 428, "if-match-required"),
        ({"if-match": '"1"'}, 400, "idempotency-key-required"),
        ({"if-match": '"1"', "idempotency-key": "short"}, 400, "bad-idempotency-key"),
        ({"if-match": "yes", "idempotency-key": "test-key-b"}, 400, "bad-etag"),
    ],
)
async def test_an_acceptance_without_its_headers_is_refused(
    desk: Desk, headers: dict[str, str], status: int, code: str
) -> None:
    [case_id] = await desk.open(lead())
    answer = await desk.client.post(f"/v1/cases/{case_id}/acceptance", headers=desk.bearer() | headers)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:dachuan:problem:{code}")


async def test_a_body_with_unknown_fields_is_refused_and_nothing_is_kept(desk: Desk) -> None:
    [case_id] = await desk.open(lead())
    answer = await desk.accept(case_id, desk.bearer(), json={"accepted_at": "2020-01-01T00:00:00Z"})
    assert answer.status_code == 422
    assert len(await desk.events()) == 1


async def test_an_officer_of_another_agency_finds_no_case(desk: Desk) -> None:
    [case_id] = await desk.open(lead())
    outsider = desk.bearer("education")
    assert (await desk.accept(case_id, outsider)).status_code == 404
    assert (await desk.get(f"/v1/cases/{case_id}", outsider)).status_code == 404
    assert (await desk.accept(case_id, desk.bearer("police", plan="xiyuan"))).status_code == 404
    assert len(await desk.events()) == 1


async def test_the_office_sees_the_case_but_only_its_parties_accept__d_o1(desk: Desk) -> None:
    """D-O1: the office sees all; what others have to do stays theirs to do."""
    food = (
        PartyFact(agency="food_drug", role="lead"),
        PartyFact(agency="commerce", unit="market", role="co"),
        PartyFact(agency="police", unit="economic_crime", role="co"),
    )
    [case_id] = await desk.open(lead(parties=food))
    office = desk.bearer("commerce", posts=("office-staff",), unit="office")
    assert (await desk.get(f"/v1/cases/{case_id}", office)).status_code == 200
    refused = await desk.accept(case_id, office)
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:dachuan:problem:not-a-party")
    own = lead(parties=(PartyFact(agency="commerce", unit="office", role="lead"),))
    [of_office] = await desk.open(own)
    assert (await desk.accept(of_office, office)).status_code == 200


async def test_a_unit_of_a_party_that_the_case_does_not_concern_cannot_accept(desk: Desk) -> None:
    [case_id] = await desk.open(lead())
    investigator = ("investigator",)
    elsewhere = desk.bearer("police", posts=investigator, unit="cyber")
    assert (await desk.accept(case_id, elsewhere)).status_code == 404
    right = desk.bearer("police", posts=investigator, unit="economic_crime")
    assert (await desk.accept(case_id, right)).status_code == 200


async def test_an_agencys_system_accepts_with_its_scope_and_not_without(desk: Desk) -> None:
    [case_id] = await desk.open(lead())
    without = desk.bearer("police", posts=(), kind="system", scopes=("case.read",), principal_id="system-1")
    assert (await desk.accept(case_id, without)).status_code == 403
    with_scope = desk.bearer(
        "police", posts=(), kind="system", scopes=("case.read", "case.accept"), principal_id="system-1"
    )
    assert (await desk.accept(case_id, with_scope)).status_code == 200
    assert (await desk.rows("SELECT accepted_by FROM case_parties WHERE agency = 'police'"))[0][0] == "system:system-1"


async def test_nobody_signed_in_and_a_post_without_the_right(desk: Desk) -> None:
    [case_id] = await desk.open(lead())
    assert (await desk.accept(case_id, {})).status_code == 401
    assert (await desk.accept(case_id, desk.bearer("police", posts=("reporter",)))).status_code == 403


async def test_acceptance_is_audited_with_its_actor(desk: Desk) -> None:
    [case_id] = await desk.open(lead())
    await desk.accept(case_id, desk.bearer("police", principal_id="officer-7"))
    row = (await desk.rows("SELECT * FROM audit WHERE action = 'case.accept'"))[0]
    assert (row.actor, row.agency, row.object_ids) == ("officer:officer-7", "police", [str(case_id)])
    assert row.facts["in_time"] is True


async def test_the_last_second_is_in_time(desk: Desk) -> None:
    received = clock.now()
    [case_id] = await desk.open(lead(received_at=received - timedelta(hours=23, minutes=59)))
    assert await desk.miss(received) == 0
    answer = await desk.accept(case_id, desk.bearer("police"))
    assert next(d for d in answer.json()["deadlines"] if d["agency"] == "police")["state"] == "met"
