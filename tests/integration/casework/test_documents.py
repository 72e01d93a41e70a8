"""Documents through the API: drafted from the case, approved by another, numbered, frozen, served, withdrawn."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from shared.events.casework import DeadlineMissed
from shared.events.documents import DocumentIssued, DocumentServed, DocumentWithdrawn
from shared.kit import clock
from tests.integration.casework.conftest import Desk, lead
from tests.integration.casework.documents import DIRECTOR, HEAD, INVESTIGATOR, LEADER, OFFICE, POLICE, Papers
from tests.unit.casework.documents.samples import sample


@pytest.fixture
def papers(desk: Desk) -> Papers:
    return Papers(desk)


def kind_of(desk: Desk, name: str):
    return desk.client._transport.app.state.documents.desk.catalogue.kinds[name]  # type: ignore[attr-defined]


async def test_a_penalty_decision_is_drafted_approved_by_another_issued_and_served__d_a4(desk: Desk, papers: Papers) -> None:
    """D-A4, X-D8b: the administrative track ends in a decision that names what 行政处罚法 59 asks, is numbered and served."""
    [case_id] = await desk.open(lead())
    kind = kind_of(desk, "penalty_decision")
    made = await papers.draft(case_id, "penalty_decision", {"party": "王五", "fine": 50000}, INVESTIGATOR)
    assert made.status_code == 201, made.text
    told = made.json()
    assert {one["field"] for one in told["missing"]} == {
        field.id for field in kind.fields if field.required and field.id not in ("party", "court")
    }, "the court comes from the plan, the rest is asked for"
    assert next(f for f in told["fields"] if f["id"] == "fine")["printed"] == "50000.00元（人民币伍万元整）"
    assert any(b["cited"] == "《行政处罚法》第五十九条" and b["certainty"] == "T" for b in told["basis"])
    at = told["document_id"]
    early = await papers.act("issue", at, 1, INVESTIGATOR)
    assert (early.status_code, early.json()["type"]) == (409, "urn:dachuan:problem:approval-missing")
    lacking = await papers.act("approve", at, 1, HEAD)
    assert lacking.status_code == 422
    assert {one["field"] for one in lacking.json()["errors"]} == {one["field"] for one in told["missing"]}
    changed = await desk.client.put(
        f"/v1/documents/{at}", headers=papers.headers(INVESTIGATOR, 1), json={"fields": sample(kind)}
    )
    assert changed.status_code == 200 and changed.json()["missing"] == []
    own = await papers.act("approve", at, 2, HEAD | {"principal_id": "writer"})
    assert (own.status_code, own.json()["type"]) == (403, "urn:dachuan:problem:own-draft")
    wrong_post = await papers.act("approve", at, 2, INVESTIGATOR | {"principal_id": "another"})
    assert (wrong_post.status_code, wrong_post.json()["type"]) == (403, "urn:dachuan:problem:post-may-not-approve")
    approved = await papers.act("approve", at, 2, HEAD)
    assert (approved.json()["state"], approved.json()["approved_post"]) == ("approved", "head")
    issued = await papers.act("issue", at, 3, INVESTIGATOR)
    told = issued.json()
    year = clock.now().astimezone().year
    assert told["state"] == "issued" and told["number"] == f"大涌市监传罚〔{year}〕1号" and len(told["digest"]) == 64
    again = await desk.client.put(
        f"/v1/documents/{at}", headers=papers.headers(INVESTIGATOR, 4), json={"fields": {"party": "别人"}}
    )
    assert again.status_code == 409, "what was issued is frozen"
    served = await papers.act(
        "serve", at, 4, INVESTIGATOR, {"served_at": clock.now().isoformat(), "way": "direct", "receiver": "party"}
    )
    assert served.json()["services"][0] | {"served_at": None} == {
        "served_at": None, "way": "direct", "receiver": "party", "in_time": True,
    }  # fmt: skip
    events = [data for _, data in await desk.events()]
    issue, serve = (next(e for e in events if isinstance(e, t)) for t in (DocumentIssued, DocumentServed))
    assert (issue.number, issue.deadline.rule, issue.kind) == (told["number"], "penalty.serve", "penalty_decision")
    assert serve.in_time and serve.way == "direct"
    rows = await desk.rows("SELECT state FROM deadlines WHERE kind = 'document.serve'")
    assert [row.state for row in rows] == ["met"]


async def test_a_decision_served_too_late_is_told_as_missed_and_late__d_a4(desk: Desk, papers: Papers) -> None:
    """D-A4: seven working days until service (行政处罚法 61); its miss is the owner's event, once."""
    [case_id] = await desk.open(lead())
    told = await papers.issued(case_id, "penalty_decision", sample(kind_of(desk, "penalty_decision")), INVESTIGATOR, HEAD)
    past = clock.now() - timedelta(days=40)
    await desk.rows("UPDATE documents SET issued_at = :past RETURNING id", past=past)
    await desk.rows(
        "UPDATE deadlines SET start = :past, due = :due, history = jsonb_build_array(jsonb_build_object("
        "'at', CAST(:past AS timestamptz), 'action', 'open', 'due', CAST(:due AS timestamptz), 'detail', '')) "
        "WHERE kind = 'document.serve' RETURNING id",
        past=past, due=past + timedelta(days=9),
    )  # fmt: skip
    late = await papers.act(
        "serve", told["document_id"], told["version"], INVESTIGATOR,
        {"served_at": (past + timedelta(days=12)).isoformat(), "way": "mail", "receiver": "family"},
    )  # fmt: skip
    assert late.status_code == 200, late.text
    assert late.json()["services"][0]["in_time"] is False
    missed = [data for _, data in await desk.events() if isinstance(data, DeadlineMissed)]
    assert [(m.deadline.rule, m.agency) for m in missed] == [("penalty.serve", "commerce")]
    assert await desk.miss(clock.now()) == 0 or len([d for _, d in await desk.events() if isinstance(d, DeadlineMissed) and d.deadline.rule == "penalty.serve"]) == 1


async def test_a_seal_order_cannot_run_beyond_thirty_days__x_d8b(desk: Desk, papers: Papers) -> None:
    """X-D8b: a seal order with expiry (30 days, 条例 18), its list, its extension and lifting, each on paper."""
    [case_id] = await desk.open(lead())
    kind = kind_of(desk, "seal_decision")
    given = sample(kind) | {"from_on": "2026-11-01", "until_on": "2026-12-02"}
    made = (await papers.draft(case_id, "seal_decision", given, INVESTIGATOR)).json()
    assert [(one["field"], one["code"]) for one in made["missing"]] == [("until_on", "beyond-law")]
    assert "第十八条" in made["missing"][0]["message"]["zh"]
    refused = await papers.act("approve", made["document_id"], 1, HEAD)
    assert refused.status_code == 422
    for name in ("seal_decision", "seal_list", "seal_extension", "seal_lifting"):
        values = sample(kind_of(desk, name))
        if name == "seal_decision":
            values |= {"from_on": "2026-11-01", "until_on": "2026-12-01"}
        told = await papers.issued(case_id, name, values, INVESTIGATOR, HEAD)
        assert told["number"]
    filled = (await papers.draft(case_id, "seal_decision", {}, INVESTIGATOR)).json()
    dates = {one["id"]: one["value"] for one in filled["fields"] if one["type"] == "date"}
    assert (clock.now() + timedelta(days=29)).date().isoformat() <= dates["until_on"], "from the law: today + 30 days"


async def test_papers_of_a_transfer_name_police_and_case__d_a5(desk: Desk, papers: Papers) -> None:
    """D-A5: letter and list of a transfer to police, approved by the head; police answer with receipt and decision."""
    [case_id] = await desk.open(lead())
    number = (await desk.get(f"/v1/cases/{case_id}", desk.bearer("police"))).json()["number"]
    draft = (await papers.draft(case_id, "crime_transfer_letter", {}, INVESTIGATOR)).json()
    assert {f["id"]: f["value"] for f in draft["fields"] if f["id"] in ("case_number", "to_police")} == {
        "case_number": number, "to_police": "公安分局",
    }  # fmt: skip
    for name, who, head in (
        ("crime_transfer_letter", INVESTIGATOR, HEAD), ("goods_list", INVESTIGATOR, HEAD),
        ("case_receipt", POLICE | {"principal_id": "p2"}, POLICE), ("criminal_filing_decision", POLICE | {"principal_id": "p2"}, POLICE),
        ("no_filing_notice", POLICE | {"principal_id": "p2"}, POLICE),
    ):  # fmt: skip
        assert (await papers.issued(case_id, name, sample(kind_of(desk, name)), who, head))["state"] == "issued"
    seen = {one["kind"]: one for one in (await papers.get(f"/v1/cases/{case_id}/documents", POLICE)).json()["items"]}
    assert seen["crime_transfer_letter"]["readable"] and "crime_transfer_letter" in seen
    for_commerce = {one["kind"]: one for one in (await papers.get(f"/v1/cases/{case_id}/documents", HEAD)).json()["items"]}
    assert for_commerce["no_filing_notice"]["readable"]
    closed = for_commerce["criminal_filing_decision"]
    assert closed["number"] and not closed["readable"], "of the criminal track the number and stage, not the words"
    shut = await papers.get(f"/v1/documents/{closed['document_id']}", HEAD)
    assert (shut.status_code, shut.json()["type"]) == (403, "urn:dachuan:problem:contents-closed")
    file = await papers.get(f"/v1/documents/{closed['document_id']}.docx", HEAD)
    assert file.status_code == 403


async def test_a_supervision_notice_is_the_offices_approved_by_its_director__d_n4(desk: Desk, papers: Papers) -> None:
    """D-N4: the office supervises any case of the plan on paper, under its own number."""
    [case_id] = await desk.open(lead())
    kind = kind_of(desk, "supervision_notice")
    by_enforcement = await papers.draft(case_id, "supervision_notice", sample(kind), INVESTIGATOR)
    assert (by_enforcement.status_code, by_enforcement.json()["type"]) == (403, "urn:dachuan:problem:not-your-kind")
    told = await papers.issued(case_id, "supervision_notice", sample(kind), OFFICE, DIRECTOR)
    assert told["issuer"] == "office" and "传打办督" in told["number"]
    printed = {one["id"]: one["printed"] for one in told["fields"]}
    assert printed["to_agency"] == "公安分局" and printed["answer_by"] == "2026年11月24日"
    seen = (await papers.get(f"/v1/cases/{case_id}/documents", POLICE)).json()["items"]
    assert [(one["kind"], one["readable"]) for one in seen] == [("supervision_notice", True)]


async def test_an_operation_plan_is_hidden_from_who_has_no_right_to_it__x_d7a(desk: Desk, papers: Papers) -> None:
    """X-D7a, X-D1b: without an emergency plan none is issued; the leader approves; until then and after, need to know."""
    [case_id] = await desk.open(lead())
    values = sample(kind_of(desk, "operation_plan"))
    emergency = values.pop("emergency")
    made = (await papers.draft(case_id, "operation_plan", values, POLICE)).json()
    assert [one["field"] for one in made["missing"]] == ["emergency"]
    assert (await papers.act("approve", made["document_id"], 1, LEADER)).status_code == 422
    told = await papers.issued(case_id, "operation_plan", values | {"emergency": emergency}, POLICE, LEADER)
    assert told["confidential"] == "operation" and told["approved_post"] == "leader"
    listed = (await papers.get(f"/v1/cases/{case_id}/documents", HEAD)).json()["items"]
    assert listed == [], "commerce does not even learn that there is one"
    assert (await papers.get(f"/v1/documents/{told['document_id']}", HEAD)).status_code == 404
    assert (await papers.get(f"/v1/documents/{told['document_id']}", POLICE)).status_code == 200


async def test_numbers_have_no_gap_and_no_double_when_many_issue_at_once(desk: Desk, papers: Papers) -> None:
    [case_id] = await desk.open(lead())
    values = sample(kind_of(desk, "inquiry_notice"))
    drafts = [(await papers.draft(case_id, "inquiry_notice", values, INVESTIGATOR)).json() for _ in range(12)]
    incomplete = (await papers.draft(case_id, "inquiry_notice", {"party": "某人"}, INVESTIGATOR)).json()
    answers = await asyncio.gather(
        *(papers.act("issue", one["document_id"], 1, INVESTIGATOR) for one in [*drafts, incomplete]),
        *(papers.act("issue", drafts[0]["document_id"], 1, INVESTIGATOR) for _ in range(3)),
    )
    assert sorted({a.status_code for a in answers}) == [200, 412, 422]
    given = await desk.rows("SELECT serial, number FROM documents WHERE serial IS NOT NULL ORDER BY serial")
    assert [row.serial for row in given] == list(range(1, 13)) and len({row.number for row in given}) == 12
    assert [row.last for row in await desk.rows("SELECT last FROM document_numbers")] == [12]


async def test_the_same_request_again_issues_once_and_a_stale_one_is_told_what_changed(desk: Desk, papers: Papers) -> None:
    [case_id] = await desk.open(lead())
    values = sample(kind_of(desk, "inquiry_notice"))
    key = uuid4().hex
    one = await papers.draft(case_id, "inquiry_notice", values, INVESTIGATOR, key=key)
    two = await papers.draft(case_id, "inquiry_notice", values, INVESTIGATOR, key=key)
    assert one.json()["document_id"] == two.json()["document_id"]
    other = await papers.draft(case_id, "inquiry_notice", values | {"contact": "别的"}, INVESTIGATOR, key=key)
    assert (other.status_code, other.json()["type"]) == (409, "urn:dachuan:problem:idempotency-key-reused")
    at = one.json()["document_id"]
    first = await papers.act("issue", at, 1, INVESTIGATOR, key=key)
    again = await papers.act("issue", at, 1, INVESTIGATOR, key=key)
    assert first.json()["number"] == again.json()["number"]
    stale = await papers.act("withdraw", at, 1, INVESTIGATOR, {"reason": "写错了"})
    assert stale.status_code == 412 and [c["step"] for c in stale.json()["changes"]] == ["issued"]
    bare = await desk.client.post(f"/v1/documents/{at}/issue", headers=desk.bearer(**INVESTIGATOR) | {"idempotency-key": key})
    assert bare.status_code == 428


async def test_a_withdrawn_document_keeps_its_number_used_and_its_text(desk: Desk, papers: Papers) -> None:
    [case_id] = await desk.open(lead())
    kind = kind_of(desk, "penalty_decision")
    told = await papers.issued(case_id, "penalty_decision", sample(kind), INVESTIGATOR, HEAD)
    by_writer = await papers.act("withdraw", told["document_id"], told["version"], INVESTIGATOR, {"reason": "事实有误"})
    assert by_writer.status_code == 403, "what was approved is withdrawn by who may approve it"
    gone = await papers.act("withdraw", told["document_id"], told["version"], HEAD, {"reason": "事实有误"})
    assert (gone.json()["state"], gone.json()["number"], gone.json()["withdrawal_reason"]) == (
        "withdrawn", told["number"], "事实有误",
    )  # fmt: skip
    next_one = await papers.issued(case_id, "penalty_decision", sample(kind), INVESTIGATOR, HEAD)
    assert next_one["number"].endswith("2号")
    events = [data for _, data in await desk.events()]
    assert [e.number for e in events if isinstance(e, DocumentWithdrawn)] == [told["number"]]
    assert [r.state for r in await desk.rows("SELECT state FROM deadlines WHERE kind = 'document.serve' ORDER BY id")] == [
        "cancelled", "running",
    ]  # fmt: skip


async def test_nothing_a_document_says_stands_in_events_audit_or_plain_columns(desk: Desk, papers: Papers) -> None:
    [case_id] = await desk.open(lead())
    kind = kind_of(desk, "penalty_decision")
    await papers.issued(case_id, "penalty_decision", sample(kind, "秘密"), INVESTIGATOR, HEAD)
    for table in ("documents", "outbox", "audit"):
        rows = await desk.rows(f"SELECT t::text AS line FROM {table} t")
        assert rows and not any("秘密" in row.line for row in rows), table
    assert not any("秘密".encode() in bytes(row.data) for row in await desk.rows("SELECT data FROM outbox"))
    read = await desk.rows("SELECT count(*) FROM audit WHERE action = 'document.read'")
    assert read[0][0] >= 3


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"party": 7}, "bad-text"),
        ({"party": "甲" * 81}, "too-long"),
        ({"party": "王\u202e五"}, "bad-character"),
        ({"fine": "-1"}, "bad-money"),
        ({"fine": "1.005"}, "bad-money"),
        ({"fine": "NaN"}, "bad-money"),
        ({"fine": True}, "bad-money"),
        ({"evidence": [{"name": "a", "colour": "b"}]}, "unknown"),
        ({"evidence": "x"}, "bad-list"),
        ({"nonsense": "x"}, "unknown"),
    ],
)
async def test_wrong_fields_are_told_and_nothing_is_kept(desk: Desk, papers: Papers, fields: dict, code: str) -> None:
    [case_id] = await desk.open(lead())
    answer = await papers.draft(case_id, "penalty_decision", fields, INVESTIGATOR)
    assert answer.status_code == 422 and [one["code"] for one in answer.json()["errors"]] == [code]
    assert await desk.rows("SELECT id FROM documents") == []


async def test_another_towns_officer_and_another_agencys_see_nothing_to_change(desk: Desk, papers: Papers) -> None:
    [case_id] = await desk.open(lead())
    made = (await papers.draft(case_id, "inquiry_notice", sample(kind_of(desk, "inquiry_notice")), INVESTIGATOR)).json()
    stranger = {"plan": "xiyuan", "agency": "police", "posts": ("head",)}
    at = made["document_id"]
    for who in (stranger, POLICE):
        assert (await papers.get(f"/v1/documents/{at}", who)).status_code == 404, "drafts are their agency's"
        assert (await papers.act("issue", at, 1, who)).status_code == 404
    assert (await papers.get(f"/v1/cases/{case_id}/documents", stranger)).status_code == 404
    unknown = await papers.draft(case_id, "love_letter", {}, INVESTIGATOR)
    assert (unknown.status_code, unknown.json()["type"]) == (404, "urn:dachuan:problem:no-such-kind")
    astray = await papers.draft(case_id, "inquiry_notice", {}, INVESTIGATOR, body={"proceeding_id": str(uuid4())})
    assert astray.status_code == 422


async def test_an_edit_after_approval_asks_for_another_approval(desk: Desk, papers: Papers) -> None:
    [case_id] = await desk.open(lead())
    values = sample(kind_of(desk, "filing_approval"))
    made = (await papers.draft(case_id, "filing_approval", values, INVESTIGATOR)).json()
    waiting = (await papers.get("/v1/documents/waiting", HEAD)).json()["items"]
    assert [one["document_id"] for one in waiting] == [made["document_id"]] and "approve" in waiting[0]["may"]
    await papers.act("approve", made["document_id"], 1, HEAD)
    changed = await desk.client.put(
        f"/v1/documents/{made['document_id']}", headers=papers.headers(INVESTIGATOR, 2), json={"fields": values}
    )
    assert (changed.json()["state"], changed.json()["approved_at"]) == ("draft", None)
    assert (await papers.act("issue", made["document_id"], 3, INVESTIGATOR)).status_code == 409
    gone = await papers.act("discard", made["document_id"], 3, INVESTIGATOR)
    assert gone.status_code == 204
    assert (await papers.get(f"/v1/cases/{case_id}/documents", INVESTIGATOR)).json()["items"] == []
