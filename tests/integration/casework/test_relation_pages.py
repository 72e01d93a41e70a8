"""Forms for what binds persons and places, for one recruitment, and for the documents that a step needs."""

from __future__ import annotations

from shared.kit import clock
from shared.rules.calendar import local_day
from tests.integration.casework.conftest import DAY, Desk, lead
from tests.integration.casework.people import den, found, identified, record
from tests.integration.casework.proceedings import COMMERCE, COMMERCE_HEAD, Way
from tests.integration.casework.test_measures import OFFICER, REVIEWER, a_place, a_track, opened, refused, step
from tests.integration.casework.test_people_pages import fields, signed_in


async def test_relations_and_a_landlord_are_stated_by_forms__x_d7c(desk: Desk) -> None:
    """X-D7c, X-G2: the landlord of the den and who recruited whom are put on record by pages, and taken back."""
    [case] = await desk.open(lead())
    me = signed_in(desk)
    landlord = await record(desk, case, identified(1, role="landlord", name="房东甲"))
    recruit = await record(desk, case, identified(2, name="学员乙"))
    place = await found(desk, case, den())
    page = (await desk.client.get(f"/places/{place['place_id']}", headers=me)).text
    assert page.index("房东甲") < page.index("学员乙"), "landlords first"
    sent = fields(page, f"/places/{place['place_id']}/landlord") | {"person_id": landlord["person_id"]}
    assert (await desk.client.post(f"/places/{place['place_id']}/landlord", headers=me, data=sent)).status_code == 303
    assert "出租人" in (await desk.client.get(f"/places/{place['place_id']}", headers=me)).text
    [row] = await desk.rows("SELECT landlord_id FROM places WHERE id = :id", id=place["place_id"])
    assert str(row.landlord_id) == landlord["person_id"]

    action = f"/cases/{case}/links"
    assert action in (await desk.client.get(f"/cases/{case}", headers=me)).text
    page = (await desk.client.get(action, headers=me)).text
    base = fields(page, action)
    wrong = base | {"kind": "lives_at", "one": f"person:{recruit['person_id']}", "other": f"person:{landlord['person_id']}"}
    told = await desk.client.post(action, headers=me, data=wrong)
    assert told.status_code == 422 and "未保存" in told.text and await desk.rows("SELECT 1 FROM links") == []
    right = wrong | {"kind": "recruited_by", "idempotency_key": "7a0c7a52-9b0e-4a2e-9e39-5f9f3a5a0077"}
    assert (await desk.client.post(action, headers=me, data=right)).status_code == 303
    group = right | {"kind": "member_of", "other": "", "organisation": "某某团队", "idempotency_key": "7a0c7a52-9b0e-4a2e-9e39-5f9f3a5a0078"}
    assert (await desk.client.post(action, headers=me, data=group)).status_code == 303
    rents = wrong | {"kind": "rents", "other": f"place:{place['place_id']}", "idempotency_key": "7a0c7a52-9b0e-4a2e-9e39-5f9f3a5a0079"}
    assert (await desk.client.post(action, headers=me, data=rents)).status_code == 303
    [bound] = await desk.rows("SELECT from_id, to_id, to_type FROM links WHERE kind = 'rents'")
    assert (str(bound.from_id), str(bound.to_id), bound.to_type) == (recruit["person_id"], place["place_id"], "place")
    network = (await desk.client.get(f"/places/{place['place_id']}", headers=me)).text
    assert "学员乙" in network and "承租" in network, "the place's own page draws it"
    page = (await desk.client.get(action, headers=me)).text
    assert "学员乙" in page and "某某团队" in page and page.count("/removal") == 3
    [link] = await desk.rows("SELECT id FROM links WHERE kind = 'member_of'")
    gone = await desk.client.post(f"/links/{link.id}/removal", headers=me, data=fields(page, f"/links/{link.id}/removal"))
    assert gone.status_code == 303
    assert "某某团队" not in (await desk.client.get(action, headers=me)).text
    clerk = signed_in(desk, agency="commerce", unit="office", posts=("office-director",))
    assert (await desk.client.get(action, headers=clerk)).status_code == 403


async def test_one_recruitment_is_entered_by_hand__d_b1(desk: Desk) -> None:
    """D-B1: from a statement, without a file; what cannot be is told with what was typed."""
    [case] = await desk.open(lead())
    me, address = signed_in(desk), f"/cases/{case}/downline"
    page = (await desk.client.get(address, headers=me)).text
    sent = fields(page, f"{address}/edges") | {
        "upline": "A0", "downline": "A1", "name": "某人", "kind": "statement", "on": "2026-05-01", "amount": "3,800",
        "source": "询问笔录第2页",
    }  # fmt: skip
    itself = await desk.client.post(f"{address}/edges", headers=me, data=sent | {"upline": "A1"})
    assert itself.status_code == 422 and 'value="询问笔录第2页"' in itself.text
    assert (await desk.client.post(f"{address}/edges", headers=me, data=sent)).status_code == 303
    again = await desk.client.post(f"{address}/edges", headers=me, data=sent)
    assert again.status_code == 303 and "A0" in (await desk.client.get(address, headers=me)).text
    edges = (await desk.get(f"/v1{address}/edges", desk.bearer("police"))).json()["items"]
    assert [(one["paid"], one["first_on"], one["facts"]) for one in edges] == [(3800.0, "2026-05-01", 1)]


async def test_a_step_leads_to_the_document_it_needs__d_a4(desk: Desk) -> None:
    """D-A4: the page names the document that is missing, drafts it for this very step, and shows it from then on."""
    [case] = await desk.open(lead())
    way = Way(desk, case, "administrative_case")
    await way.open(COMMERCE, conduct=["organise"])
    await way.step("ask_filing", COMMERCE, officers=2, evidence=True, reason="有缴费记录")
    head, me = signed_in(desk, **COMMERCE_HEAD), signed_in(desk, **COMMERCE)
    address = f"/proceedings/{way.id}"
    page = (await desk.client.get(address, headers=head)).text
    assert "立案审批表" in page and "filing_approval" not in page.replace('value="filing_approval"', "")
    missing = await desk.client.post(
        f"{address}/steps/approve_filing", headers=head, data=fields(page, f"{address}/steps/approve_filing")
    )
    assert missing.status_code == 409 and "还缺文书，未保存。请先签发：</b></p><ul><li>立案审批表" in missing.text
    told = await refused(desk, {"proceeding_id": way.id}, "approve_filing", COMMERCE_HEAD)
    assert told["documents"] == ["filing_approval"] and told["named"]["filing_approval"]["zh"] == "立案审批表"
    assert "《立案审批表》" in told["detail"] and "filing_approval" not in told["detail"]
    page = (await desk.client.get(address, headers=me)).text
    made = await desk.client.post(f"/cases/{case}/documents", headers=me, data=fields(page, f"/cases/{case}/documents"))
    assert made.status_code == 303
    [draft] = await desk.rows("SELECT id, kind, proceeding_id FROM documents")
    assert (draft.kind, str(draft.proceeding_id)) == ("filing_approval", way.id)
    assert f"/documents/{draft.id}" in (await desk.client.get(address, headers=me)).text


async def test_a_form_offers_the_places_of_the_case_and_never_asks_for_an_id__x_d8b(desk: Desk) -> None:
    """X-D8b: a seal names a place found in the case, picked by its address; without one the page leads to recording it."""
    [case] = await desk.open(lead())
    me = signed_in(desk, **COMMERCE)
    action = f"/cases/{case}/proceedings/new"
    bare = (await desk.client.get(action, headers=me, params={"kind": "seal_premises"})).text
    assert f"/cases/{case}/dens/new" in bare
    place = await found(desk, case, den("青岗花园9栋909"))
    page = (await desk.client.get(action, headers=me, params={"kind": "seal_premises"})).text
    assert f'<option value="{place["place_id"]}">' in page and "青岗花园9栋909" in page


async def test_who_handles_a_penalty_neither_reviews_nor_decides_it__d_a4(desk: Desk) -> None:
    """D-A4: whoever drew it up is refused at the review, also when a colleague proposed it in the end."""
    [case] = await desk.open(lead())
    await a_track(desk, case)
    day = local_day(clock.now()) - DAY
    made = await opened(
        desk, case, "administrative_penalty", OFFICER, article="fine_premises", role="landlord", party="person",
        place_id=await a_place(desk), conduct="出租给传销人员", act_on=day.isoformat(), found_on=day.isoformat(),
    )  # fmt: skip
    colleague, reviewer = {**OFFICER, "principal_id": "c3"}, REVIEWER
    await step(desk, made, "gains", OFFICER, method="premises", income="12000", how="六个月租金")
    await step(desk, made, "propose", colleague, fine="60000", confiscate_gains=True, grounds=["confessed"], reason="主动供述")
    for handler in (OFFICER, colleague):
        assert (await refused(desk, made, "review", handler, opinion="同意"))["type"].endswith("four-eyes")
    await step(desk, made, "return_from_review", reviewer, reason="请补充")
    await step(desk, made, "propose", colleague, fine="60000", confiscate_gains=True, grounds=["confessed"], reason="主动供述")
    assert (await step(desk, made, "review", reviewer, opinion="同意"))["state"] == "reviewed", "a reviewer is no handler"
