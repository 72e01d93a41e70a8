"""Persons of cases over a real database: recorded, seen before, identified, disposed of, entered, merged."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from services.casework.commands import revisits
from shared.kit import clock, db
from shared.rules.calendar import local_day
from tests.integration.casework.conftest import Desk, lead
from tests.integration.casework.people import ago, id_number, identified, person, post, record, step, told

XIYUAN = {"plan": "xiyuan", "agency": "police"}


async def test_a_person_is_kept_sealed_and_found_by_tokens_alone(desk: Desk) -> None:
    """D-M7: recorded in time is told as such; nothing that names the person stands in the tables or the events."""
    [case] = await desk.open(lead())
    made = await record(desk, case, identified(1, name="甲小明", phones=["13800138000"]))
    assert (made["late"], made["seen_before_in"]["seen"], made["version"]) == (False, False, 1)
    [event] = await told(desk, "PersonRecorded")
    assert event.in_time and event.seen_before == 0 and event.rule == "plan.person_record"
    stored = str([tuple(row) for table in ("persons", "person_phones", "case_persons", "outbox", "audit")
                  for row in await desk.rows(f"SELECT * FROM {table}")])  # fmt: skip
    for secret in ("甲小明", id_number(1), "13800138000"):
        assert secret not in stored and secret.encode().hex() not in stored
    whole = (await desk.get(f"/v1/persons/{made['person_id']}", desk.bearer("police"))).json()
    assert (whole["name"], whole["id_number"], whole["home_area"]) == ("甲小明", id_number(1), "440106")


async def test_recorded_late_is_told__d_m7(desk: Desk) -> None:
    """D-M7: a person recorded three days after being found is late, by the plan's (assumed) 24 hours."""
    [case] = await desk.open(lead())
    made = await record(desk, case, person(found_at=ago(days=3).isoformat()))
    assert made["late"]
    [event] = await told(desk, "PersonRecorded")
    assert not event.in_time and event.due == event.found_at + timedelta(hours=24)


async def test_seen_before_is_shown_at_once_and_no_more_than_may_be_known(desk: Desk) -> None:
    """X-G2, point 4: the same number is the same person; beyond reach only that there is another case."""
    first, second = await desk.open(lead(), lead())
    [other] = await desk.open(lead(plan="xiyuan", area=None))
    await record(desk, first, identified(1, role="backbone"))
    again = await record(desk, second, identified(1, name="甲大明", role="organiser"))
    seen = again["seen_before_in"]
    assert seen["seen"] and seen["elsewhere"] == 0
    assert [(one["case_id"], one["role"]) for one in seen["cases"]] == [(str(first), "backbone")]
    third = await record(desk, other, identified(1), desk.bearer(**XIYUAN))
    assert third["seen_before_in"] == {"seen": True, "cases": [], "elsewhere": 2}
    assert str(first) not in str(third["seen_before_in"])
    [one, two] = await told(desk, "PersonSeenAgain")
    assert (one.earlier_cases, two.earlier_cases, one.role) == (1, 2, "organiser")
    whole = (await desk.get(f"/v1/persons/{again['person_id']}", desk.bearer("police"))).json()
    assert whole["aliases"] == ["甲大明"] and len(whole["cases"]) == 2 and whole["elsewhere"] == 1
    assert len(await desk.rows("SELECT 1 FROM persons")) == 1


async def test_a_name_with_a_phone_in_common_is_the_same_person_and_a_number_is_added(desk: Desk) -> None:
    first, second, third = await desk.open(lead(), lead(), lead())
    one = await record(desk, first, person(name="乙 晓", phones=["13900139000"]))
    two = await record(desk, second, identified(2, name="乙晓", phones=["+86 139 0013 9000", "0760-88886666".replace("-", "")]))
    assert one["person_id"] == two["person_id"] and two["seen_before_in"]["seen"]
    # another number under the same name and phone is another person
    three = await record(desk, third, identified(3, name="乙晓", phones=["13900139000"]))
    assert three["person_id"] != one["person_id"]


async def test_the_same_person_twice_in_one_case_is_refused_and_repeats_do_nothing(desk: Desk) -> None:
    [case] = await desk.open(lead())
    me = desk.bearer("police")
    body = identified(1)
    path = f"/v1/cases/{case}/persons"
    one = await post(desk, path, me, body, **{"idempotency-key": "the-same-key-1"})
    two = await post(desk, path, me, body, **{"idempotency-key": "the-same-key-1"})
    assert (one.status_code, two.status_code) == (201, 200)
    assert one.json()["case_person_id"] == two.json()["case_person_id"]
    twice = await post(desk, path, me, body)
    assert twice.status_code == 409 and twice.json()["type"].endswith("already-in-case")
    assert twice.json()["case_person_id"] == one.json()["case_person_id"]
    assert len(await told(desk, "PersonRecorded")) == 1


async def test_two_officers_who_meet_the_same_person_at_once_make_one_record(desk: Desk) -> None:
    cases = await desk.open(*(lead() for _ in range(6)))
    answers = await asyncio.gather(*(record(desk, case, identified(1)) for case in cases))
    assert len({one["person_id"] for one in answers}) == 1
    assert sorted(one["seen_before"] for one in answers) == [0, 1, 2, 3, 4, 5]


async def test_what_cannot_be_is_refused_with_field_and_reason(desk: Desk) -> None:
    """Bad checksum, dates ahead and before the law, a place of another case: clear answers, nothing kept."""
    [case] = await desk.open(lead())
    wrong = id_number(1)[:-1] + ("0" if id_number(1)[-1] != "0" else "1")
    refusals = {
        "bad-checksum": person(id_kind="resident", id_number=wrong),
        "number-missing": person(id_kind="resident"),
        "in-the-future": person(found_at=(clock.now() + timedelta(hours=2)).isoformat()),
        "before-the-law": person(found_at="2005-10-31T00:00:00+08:00"),
        "bad-phone": person(phones=["123"]),
        "bad-area": person(home_area="44"),
        "place-not-in-case": person(place_id=str(case)),
    }
    for code, body in refusals.items():
        answer = await post(desk, f"/v1/cases/{case}/persons", desk.bearer("police"), body)
        assert answer.status_code == 422, (code, answer.text)
        assert answer.json()["errors"][0]["code"] == code and wrong not in answer.text
    new_county = await post(desk, f"/v1/cases/{case}/persons", desk.bearer("police"), identified(id_number=id_number(1, "449999")))
    assert new_county.status_code == 201
    assert len(await desk.rows("SELECT 1 FROM persons")) == 1


async def test_who_may_record_and_read(desk: Desk) -> None:
    """Point 11: by case reach; others of the town, the office and the leaders read no person."""
    [case] = await desk.open(lead())
    made = await record(desk, case, identified(1), desk.bearer("commerce", unit="enforcement", posts=("investigator",)))
    assert (await desk.get(f"/v1/persons/{made['person_id']}", desk.bearer("police", posts=("desk",)))).status_code == 200
    for agency, posts in (("finance", ("head",)), ("commerce", ("office-director",)), ("politics_law", ("leader",))):
        denied = await desk.get(f"/v1/persons/{made['person_id']}", desk.bearer(agency, posts))
        assert denied.status_code == 403, (agency, denied.text)
    stranger = desk.bearer(**XIYUAN)
    assert (await desk.get(f"/v1/persons/{made['person_id']}", stranger)).status_code == 404
    assert (await desk.get("/v1/persons", stranger)).json()["items"] == []
    unit = desk.bearer("police", ("investigator",), unit="criminal")
    assert (await post(desk, f"/v1/cases/{case}/persons", unit, identified(2))).status_code == 404
    found = await post(desk, "/v1/persons/search", stranger, {"id_number": id_number(1)})
    assert found.json() == {"items": [], "more": False, "elsewhere": 1}
    read = await desk.rows("SELECT action FROM audit WHERE object_type LIKE '%person%' ORDER BY seq")
    assert [row.action for row in read].count("person.search") == 1


async def test_found_by_number_phone_and_two_characters_of_a_name(desk: Desk) -> None:
    [case] = await desk.open(lead())
    await record(desk, case, identified(1, name="欧阳小明", phones=["13800138000"]))
    await record(desk, case, identified(2, name="小阳欧明"))
    me = desk.bearer("police")
    for asked, names in (
        ({"id_number": id_number(1).lower()}, {"欧阳小明"}),
        ({"phone": "+8613800138000"}, {"欧阳小明"}),
        ({"name": "小明"}, {"欧阳小明"}),
        ({"name": "欧阳小"}, {"欧阳小明"}),
        ({"name": "丙丁"}, set()),
    ):
        answer = (await post(desk, "/v1/persons/search", me, asked)).json()
        assert {one["name"] for one in answer["items"]} == names, asked
    assert answer["elsewhere"] == 0
    assert (await post(desk, "/v1/persons/search", me, {"name": "小明", "phone": "13800138000"})).status_code == 422


async def test_a_role_that_proved_to_be_another_keeps_the_former(desk: Desk) -> None:
    """X-G1: outcomes by role; the change is dated and the former role stays."""
    [case] = await desk.open(lead())
    made = await record(desk, case, person(role="deceived"))
    me, path = desk.bearer("police"), f"/v1/case-persons/{made['case_person_id']}/role"
    body = {"role": "organiser", "since": local_day(clock.now()).isoformat()}
    first = await post(desk, path, me, body, version=1)
    assert first.status_code == 200 and first.json()["role"] == "organiser"
    assert [(one["step"], one.get("before")) for one in first.json()["history"]] == [("recorded", None), ("role", "deceived")]
    late = await post(desk, path, me, body | {"role": "backbone"}, version=1)
    assert late.status_code == 412 and [one["step"] for one in late.json()["changes"]] == ["role"]
    assert (await desk.client.post(path, headers=me | {"idempotency-key": "no-version-1"}, json=body)).status_code == 428


async def test_without_a_document_a_person_is_taken_back_questioned_within_hours_and_identified__x_d7d(desk: Desk) -> None:
    """X-D7d: the check is a step with its outcome and article; questioning has its 8 hours, 24 only when approved."""
    one, two = await desk.open(lead(), lead())
    known = await record(desk, one, identified(5, name="丁某"))
    made = await record(desk, two, person(name="不详一号", found_at=ago(hours=3).isoformat()))
    made = (await step(desk, made, kind="identity_check", code="taken_back", at=ago(hours=2).isoformat())).json()
    assert made["steps"][0]["article"] == "《人民警察法》第九条" and made["steps"][0]["certainty"] == "M"
    made = (await step(desk, made, kind="questioning", at=ago(hours=2).isoformat())).json()
    [clock_row] = await desk.rows("SELECT * FROM deadlines WHERE kind = 'questioning'")
    assert clock_row.due - clock_row.start == timedelta(hours=8) and clock_row.article.endswith("第六十九条")
    refused = await step(desk, made, desk.bearer("police", ("desk",)), kind="questioning_longer")
    assert refused.status_code == 403 and refused.json()["type"].endswith("not-approved")
    made = (await step(desk, made, kind="questioning_longer")).json()
    [clock_row] = await desk.rows("SELECT * FROM deadlines WHERE kind = 'questioning'")
    assert clock_row.due - clock_row.start == timedelta(hours=24)
    again = await step(desk, made, kind="questioning")
    assert again.status_code == 409 and again.json()["type"].endswith("questioning-runs")
    answer = await step(
        desk, made, kind="identity_check", code="no_document_identified", id_kind="resident", id_number=id_number(5)
    )
    made = answer.json()
    assert answer.status_code == 201 and made["person_id"] == known["person_id"] and made["seen_before_in"]["seen"]
    assert len(await told(desk, "PersonSeenAgain")) == 1, "a checked identity tells it too"
    done = (await step(desk, made, kind="questioning_ended")).json()
    assert done["steps"][-1]["state"] == "met" and done["steps"][-1]["facts"] == {"in_time": True}
    assert [one.outcome for one in await told(desk, "PersonChecked")] == ["taken_back", "no_document_identified"]


async def test_questioning_past_its_hours_is_missed_like_any_deadline(desk: Desk) -> None:
    """程序规定 art. 69: past 8 hours the deadline is missed, told, counted on the case until it ends."""
    [case] = await desk.open(lead(received_at=ago(minutes=5)))
    made = await record(desk, case, person(found_at=ago(hours=9.5).isoformat()))
    made = (await step(desk, made, kind="questioning", at=ago(hours=9).isoformat())).json()
    assert await desk.miss(clock.now()) == 1
    [missed] = await told(desk, "DeadlineMissed")
    assert missed.deadline.kind == "questioning" and missed.deadline.rule == "police.questioning"
    [row] = await desk.rows("SELECT missed FROM cases")
    assert row.missed == 1
    assert (await step(desk, made, kind="questioning_longer")).status_code == 409
    done = (await step(desk, made, kind="questioning_ended")).json()
    assert done["steps"][-1]["state"] == "met_late"
    [row] = await desk.rows("SELECT missed FROM cases")
    assert row.missed == 0
    page = await desk.get(f"/v1/cases/{case}", desk.bearer("police"))
    assert {one["kind"] for one in page.json()["deadlines"]} == {"acceptance", "questioning"}


async def test_a_sample_is_only_recorded_as_taken_with_its_basis__d_b5a(desk: Desk) -> None:
    """D-B5a: urine, fingerprints, DNA: never without a legal basis, never the sample or its result."""
    [case] = await desk.open(lead())
    made = await record(desk, case, identified(1))
    bare = await step(desk, made, kind="sampling", code="urine")
    assert bare.status_code == 422 and bare.json()["errors"][0]["code"] == "basis-missing"
    other = await step(desk, made, desk.bearer("commerce"), kind="sampling", code="urine", basis="某条")
    assert other.status_code == 403 and other.json()["type"].endswith("not-your-step")
    done = await step(desk, made, kind="sampling", code="urine", basis="吸毒检测程序规定第四条，检字〔2026〕12号")
    assert done.status_code == 201 and done.json()["steps"][0]["facts"] == {}
    extra = await step(desk, done.json(), kind="sampling", code="urine", basis="某条", result="阴性")
    assert extra.status_code == 422, "there is no field for a result"
    [event] = await told(desk, "PersonSampled")
    assert event.sample == "urine" and "检字" not in event.model_dump_json()


async def test_dispositions_with_force_unit_and_outcome(desk: Desk) -> None:
    """D-B1, D-J: sent home to an area; D-M4: education has a follow-up, done or overdue; X-D3, D-B5b: relief."""
    [case] = await desk.open(lead())
    home = await record(desk, case, identified(1, role="deceived"))
    missing = await step(desk, home, kind="disposition", code="sent_home")
    assert missing.json()["errors"][0]["code"] == "force-missing"
    home = (await step(desk, home, kind="disposition", code="sent_home", officers=2)).json()
    assert home["disposition"] == "sent_home" and home["steps"][0]["facts"]["home_area"] == "440106"
    taught = await record(desk, case, identified(2, role="participant"))
    late = await step(desk, taught, kind="disposition", code="released_educated", officers=1)
    assert late.json()["errors"][0]["code"] == "follow-up-missing"
    day = local_day(clock.now()) + timedelta(days=30)
    taught = (await step(desk, taught, kind="disposition", code="released_educated", officers=1, follow_up=day.isoformat())).json()
    assert taught["follow_up_due"] == day.isoformat()
    async with db.begin(desk.service.engine) as conn:
        assert await revisits.mark_persons(conn, clock.now() + timedelta(days=32)) >= 1
    overdue = [one for one in await told(desk, "RecordOverdue") if one.what == "follow_up"]
    assert [str(one.part_id) for one in overdue] == [taught["case_person_id"]]
    done = (await step(desk, taught, kind="follow_up", code="changed")).json()
    assert done["follow_up_due"] is None and done["steps"][-1]["facts"] == {"in_time": True}
    helped = await record(desk, case, person(name="戊某", role="deceived"))
    assert (await step(desk, helped, kind="disposition", code="relief", officers=1)).status_code == 201
    told_of = {one.disposition: one for one in await told(desk, "PersonDisposed")}
    assert told_of["sent_home"].home_area == "440106" and told_of["sent_home"].officers == 2
    assert told_of["relief"].home_area is None and all(one.in_time for one in told_of.values())
    assert (await told(desk, "PersonFollowedUp"))[0].outcome == "changed"


async def test_entry_into_the_police_system_is_acknowledged_and_measured__d_b5a__d_m7(desk: Desk) -> None:
    """D-B5a, D-M7: the receipt's number and by whom; in time, late, and not at all are facts for scoring."""
    [case] = await desk.open(lead())
    one = await record(desk, case, identified(1))
    path = f"/v1/case-persons/{one['case_person_id']}/entry"
    body = {"number": "JZ20261123-0001", "at": clock.now().isoformat()}
    assert (await post(desk, path, desk.bearer("commerce"), body, version=1)).status_code == 403
    done = await post(desk, path, desk.bearer("police", ("investigator",), unit="economic_crime"), body, version=1)
    assert done.status_code == 200 and done.json()["entry_number"] == "JZ20261123-0001" and not done.json()["entry_late"]
    assert (await post(desk, path, desk.bearer("police"), body, version=2)).status_code == 409
    two = await record(desk, case, identified(2))
    async with db.begin(desk.service.engine) as conn:
        later = clock.now() + timedelta(hours=25)
        assert await revisits.mark_persons(conn, later) == 1
        assert await revisits.mark_persons(conn, later) == 0
    [overdue] = await told(desk, "RecordOverdue")
    assert (overdue.what, str(overdue.part_id)) == ("person_entry", two["case_person_id"])
    [row] = await desk.rows("SELECT entered_by, entry_number FROM case_persons WHERE entered_at IS NOT NULL")
    assert row.entered_by == "officer:test"
    [event] = await told(desk, "PersonEntered")
    assert event.in_time and "JZ" not in event.model_dump_json()


async def test_a_case_is_entered_in_time_late_or_told_of__d_m7(desk: Desk) -> None:
    """D-M7: an accepted case not entered within the plan's three working days is told of once, and late when it comes."""
    one, two = await desk.open(lead(), lead())
    for case in (one, two):
        await desk.accept(case, desk.bearer("police"), version=1)
        await desk.accept(case, desk.bearer("commerce"), version=2)
    body = {"number": "DC-2026-0001", "at": clock.now().isoformat()}
    done = await post(desk, f"/v1/cases/{one}/entry", desk.bearer("police"), body)
    assert done.status_code == 200 and not done.json()["late"] and done.json()["rule"] == "plan.case_entry"
    async with db.begin(desk.service.engine) as conn:
        assert await revisits.mark_cases(conn, desk.basis, clock.now()) == 0
        assert await revisits.mark_cases(conn, desk.basis, clock.now() + timedelta(days=20)) == 1
        assert await revisits.mark_cases(conn, desk.basis, clock.now() + timedelta(days=20)) == 0
    [overdue] = await told(desk, "RecordOverdue")
    assert overdue.case_id == two and overdue.what == "case_entry"
    assert (await post(desk, f"/v1/cases/{one}/entry", desk.bearer("police"), body)).status_code == 409
    assert (await post(desk, f"/v1/cases/{two}/entry", desk.bearer("police"), body)).status_code == 200


async def test_two_records_prove_to_be_one_and_it_can_be_undone(desk: Desk) -> None:
    """Merging keeps both records' parts; two identity numbers are never merged; undone, each has its own again."""
    one, two = await desk.open(lead(), lead())
    first = await record(desk, one, identified(1, name="己某"))
    second = await record(desk, two, person(name="己阿某"))
    other = await record(desk, two, identified(9, name="庚某"))
    head = desk.bearer("police")
    path = f"/v1/persons/{second['person_id']}/merges"
    body = {"into": first["person_id"], "reason": "recognised"}
    assert (await post(desk, path, desk.bearer("police", ("desk",)), body, version=1)).status_code == 403
    never = await post(desk, f"/v1/persons/{other['person_id']}/merges", head, body, version=1)
    assert never.status_code == 409 and never.json()["type"].endswith("two-numbers")
    made = await post(desk, path, head, body, version=1)
    assert made.status_code == 201, made.text
    whole = (await desk.get(f"/v1/persons/{second['person_id']}", head)).json()
    assert whole["person_id"] == first["person_id"] and len(whole["cases"]) == 2 and whole["aliases"] == ["己阿某"]
    assert all(part["seen_before_in"]["seen"] for part in whole["cases"])
    found = (await post(desk, "/v1/persons/search", head, {"name": "阿某"})).json()["items"]
    assert [one["person_id"] for one in found] == [first["person_id"]]
    undone = await post(desk, f"/v1/merges/{made.json()['merge_id']}/undoing", head, None)
    assert undone.status_code == 200
    whole = (await desk.get(f"/v1/persons/{second['person_id']}", head)).json()
    assert whole["person_id"] == second["person_id"] and len(whole["cases"]) == 1
    assert whole["merges"][0]["undone_at"] is not None
    assert (await post(desk, f"/v1/merges/{made.json()['merge_id']}/undoing", head, None)).status_code == 409


async def test_details_are_corrected_as_they_were_read(desk: Desk) -> None:
    [case] = await desk.open(lead())
    one, two = await record(desk, case, identified(1)), await record(desk, case, identified(2, name="辛某"))
    me = desk.bearer("police")
    taken = await desk.client.patch(
        f"/v1/persons/{two['person_id']}", headers=me | {"if-match": '"1"', "idempotency-key": "patch-0001"},
        json={"id_kind": "resident", "id_number": id_number(1)},
    )  # fmt: skip
    assert taken.status_code == 409 and taken.json()["person_id"] == one["person_id"]
    done = await desk.client.patch(
        f"/v1/persons/{two['person_id']}", headers=me | {"if-match": '"1"', "idempotency-key": "patch-0002"},
        json={"name": "辛其", "phones": ["13700137000"]},
    )  # fmt: skip
    assert done.status_code == 200, done.text
    assert (done.json()["name"], done.json()["aliases"], done.json()["id_number"]) == ("辛其", ["辛某"], id_number(2))
    again = await desk.client.patch(
        f"/v1/persons/{two['person_id']}", headers=me | {"if-match": '"1"', "idempotency-key": "patch-0003"},
        json={"name": "辛"},
    )  # fmt: skip
    assert again.status_code == 412
