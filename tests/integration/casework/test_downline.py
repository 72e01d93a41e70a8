"""The criminal threshold over the API: facts in, counts out with article and certainty, told once, within reach."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import httpx
import pytest
from python_calamine import CalamineWorkbook
from xlsxwriter import Workbook

from services.casework.commands.downline import evaluate_due
from shared.events.common import PartyFact
from shared.kit import clock
from tests.integration.casework.conftest import Desk, lead

HEADING = "上线编号,下线编号,下线姓名,证据种类,日期,金额"
INVESTIGATOR = {"agency": "commerce", "unit": "enforcement", "posts": ("investigator",)}


def chain(levels: int, heads: int, kind: str = "口供", day: str = "2025-06-01") -> list[str]:
    """Rows of a downline with so many levels and heads, the organiser A0 included."""
    rows = [f"A{at},A{at + 1},某{at + 1},{kind},{day},3800" for at in range(levels - 1)]
    return rows + [f"A0,A{at},某{at},{kind},{day},3800" for at in range(levels, heads)]


def as_csv(rows: Sequence[str], heading: str = HEADING, encoding: str = "utf-8") -> bytes:
    return "\r\n".join([heading, *rows]).encode(encoding)


async def send(
    desk: Desk, case_id: UUID, content: bytes, who: dict[str, str] | None = None, **params: Any
) -> httpx.Response:
    return await desk.client.post(
        f"/v1/cases/{case_id}/downline/imports",
        headers=(who or desk.bearer()) | {"content-type": "application/octet-stream"},
        params={"dry_run": "false"} | params,
        content=content,
    )


async def kept(desk: Desk, case_id: UUID, content: bytes, **params: Any) -> dict[str, Any]:
    answer = await send(desk, case_id, content, **params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def evaluation(desk: Desk, case_id: UUID, who: dict[str, str] | None = None, **params: Any) -> dict[str, Any]:
    answer = await desk.get(f"/v1/cases/{case_id}/downline/evaluation", who or desk.bearer(), **params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def enter(desk: Desk, case_id: UUID, what: str, body: dict[str, Any], key: str | None = None) -> httpx.Response:
    desk.keys += 1
    headers = desk.bearer() | {"idempotency-key": key or f"downline-{desk.keys:04d}"}
    return await desk.client.post(f"/v1/cases/{case_id}/downline/{what}", headers=headers, json=body)


async def amend(desk: Desk, case_id: UUID, no: int, body: dict[str, Any], version: int = 1) -> httpx.Response:
    desk.keys += 1
    headers = desk.bearer() | {"idempotency-key": f"downline-{desk.keys:04d}", "if-match": f'"{version}"'}
    return await desk.client.patch(f"/v1/cases/{case_id}/downline/members/{no}", headers=headers, json=body)


async def events(desk: Desk) -> list[Any]:
    return [data for row, data in await desk.events() if row.type == "dachuan.case.downline-evaluated.v1"]


async def test_police_see_what_is_missing_and_that_it_is_reached__d_b1_x_d7b(desk: Desk) -> None:
    """D-B1, X-D7b: on a headcount case the evidence says whether filing is reached, by which article, or what lacks."""
    [case_id] = await desk.open(lead())
    await kept(desk, case_id, as_csv(chain(3, 29)))
    before = await evaluation(desk, case_id)
    assert before["reached"] == []
    [top] = before["evaluation"]["organisers"]
    persons, levels = top["verdicts"][0]["items"]
    assert (persons["missing"], persons["bound"], levels["missing"]) == (1, 30, 0)
    assert "第七十条" in persons["article"] and persons["certainty"] == "M"
    assert before["names"][str(top["members"][0])] == "A0"
    await kept(desk, case_id, as_csv(["A0,A99,某人,付款,2025-07-01,3800"]))
    after = await evaluation(desk, case_id)
    assert after["reached"] == ["filing"]
    [top] = after["evaluation"]["organisers"]
    firm = {one["strength"]: one["filing"] for one in top["firmness"]}
    assert firm == {"all": True, "undisputed": True, "two_kinds": False, "records": False, "statements": False}
    assert after["evaluation"]["day"] == "2025-07-01", "the law of the last act's day governs"


async def test_commerce_decides_on_transfer_by_it__d_a5(desk: Desk) -> None:
    """D-A5: commerce's investigator of the case reads the threshold, with the way that counts each member."""
    [case_id] = await desk.open(lead())
    await kept(desk, case_id, as_csv(chain(4, 31)))
    who = desk.bearer(**INVESTIGATOR)
    told = await evaluation(desk, case_id, who)
    assert told["reached"] == ["filing"]
    top = told["evaluation"]["organisers"][0]["members"][0]
    found = await desk.get(f"/v1/cases/{case_id}/downline/members", who, q="A3")
    [member] = found.json()["items"]
    way = (await evaluation(desk, case_id, who, organiser=top, member=member["no"]))["way"]
    assert way["counted"] and len(way["steps"]) == 3
    assert all(edge["facts"][0]["kind"] == "statement" for step in way["steps"] for edge in step)


async def test_the_threshold_is_told_once_when_reached_and_once_when_lost_without_names(desk: Desk) -> None:
    [case_id] = await desk.open(lead())
    await kept(desk, case_id, as_csv(chain(3, 30)))
    assert await evaluate_due(desk.service, clock.now()) == 1
    await evaluation(desk, case_id)
    assert await evaluate_due(desk.service, clock.now()) == 0
    [told] = await events(desk)
    assert (told.gained, told.lost, told.levels, told.heads_from) == (("filing",), (), 3, 30)
    assert {one.rule for one in told.rules} == {"crime.filing_persons", "crime.filing_levels"}
    # more of the same tells nothing new
    await kept(desk, case_id, as_csv(["A0,B1,某,口供,2025-06-02,1"]))
    await evaluate_due(desk.service, clock.now())
    assert len(await events(desk)) == 1
    # two of the codes prove to be one person, again and again: the heads fall below
    who = (await desk.get(f"/v1/cases/{case_id}/downline/members", desk.bearer(), limit=200)).json()["items"]
    one = "0192f000-0000-7000-8000-000000000001"
    for member in who[-3:]:
        assert (await amend(desk, case_id, member["no"], {"person_id": one})).status_code == 204
    await evaluate_due(desk.service, clock.now())
    assert [(event.gained, event.lost) for event in await events(desk)] == [(("filing",), ()), ((), ("filing",))]
    assert "某" not in (await events(desk))[0].model_dump_json() and "A0" not in (await events(desk))[0].model_dump_json()


async def test_a_trial_keeps_nothing_and_the_same_file_again_changes_nothing(desk: Desk) -> None:
    [case_id] = await desk.open(lead())
    content = as_csv(chain(3, 10), encoding="gb18030")
    trial = await kept(desk, case_id, content, dry_run="true")
    assert (trial["rows"], trial["members"], trial["facts"], trial["dry_run"]) == (9, 10, 9, True)
    assert trial["columns"]["upline"] == 0 and trial["preview"][0][0] == "A0"
    assert await desk.rows("SELECT 1 FROM downlines") == []
    first = await kept(desk, case_id, content)
    again = await kept(desk, case_id, content)
    assert again["repeated"] and again["import_id"] == first["import_id"]
    longer = await kept(desk, case_id, as_csv([*chain(3, 10), "A0,Z1,某,口供,2025-06-01,5"]))
    assert (longer["same"], longer["facts"], longer["members"]) == (9, 1, 1), "the rows of the earlier file are known"
    assert (await desk.rows("SELECT facts FROM downlines"))[0].facts == 10


BAD_ROWS: list[tuple[str, str, str]] = [
    ("A1,A1,某,口供,2025-06-01,1", "upline", "self"),
    ("A1,,某,口供,2025-06-01,1", "downline", "missing"),
    ("A1,A2,某,口供,2025-13-01,1", "on", "bad-date"),
    ("A1,A2,某,口供,2099-01-01,1", "on", "impossible-date"),
    ("A1,A2,某,口供,1970-01-01,1", "on", "impossible-date"),
    ("A1,A2,某,口供,2025-06-01,-5", "amount", "bad-amount"),
    ("A1,A2,某,口供,2025-06-01,很多", "amount", "bad-amount"),
    ("A1,A2,某,口供,2025-06-01,NaN", "amount", "bad-amount"),
    ("A1,A2,某,传闻,2025-06-01,1", "kind", "unknown-kind"),
    ("A1,=HYPERLINK(1),某,口供,2025-06-01,1", "downline", "formula"),
    ("A1,A2," + "长" * 61 + ",口供,2025-06-01,1", "downline_name", "too-long"),
]


async def test_each_wrong_row_is_told_by_field_and_reason_and_the_others_are_kept(desk: Desk) -> None:
    [case_id] = await desk.open(lead())
    told = await kept(desk, case_id, as_csv([*(row for row, _, _ in BAD_ROWS), "A1,A2,某,口供,2025-06-01,1"]))
    assert [(one["row"], one["field"], one["code"]) for one in told["rejects"]] == [
        (at, field, code) for at, (_, field, code) in enumerate(BAD_ROWS, start=2)
    ]
    assert (told["rejected"], told["facts"], told["members"]) == (len(BAD_ROWS), 1, 2)


async def test_identity_numbers_that_cannot_be_or_clash_are_told(desk: Desk) -> None:
    [case_id] = await desk.open(lead())
    heading = "上线编号,编号,身份证号"
    good, other, bad = "11010519491231002X", "110105194912310038", "110105194912310021"
    told = await kept(desk, case_id, as_csv([f"A,B,{good}", f"A,C,{bad}", f"A,B,{other}", f"A,D,{good}"], heading))
    codes = {one["row"]: one["code"] for one in told["rejects"]}
    assert codes == {3: "bad-checksum", 4: "identity-differs"}
    found = await evaluation(desk, case_id)
    assert found["evaluation"]["organisers"][0]["firmness"][0]["own"]["heads"] == 2, "B and D are one person"


async def test_two_uplines_and_a_cycle_are_kept_as_disputed_and_told(desk: Desk) -> None:
    [case_id] = await desk.open(lead())
    told = await kept(desk, case_id, as_csv(["A,B,,口供,,", "C,B,,银行流水,,", "B,A,,口供,,"]))
    assert told["rejected"] == 0 and told["disputed"] == 1
    answer = await desk.get(f"/v1/cases/{case_id}/downline/edges", desk.bearer(), disputed="true")
    assert len(answer.json()["items"]) == 2
    found = await evaluation(desk, case_id)
    assert found["evaluation"]["cycles_total"] == 1 and len(found["evaluation"]["cycles"][0]) == 2


def workbook(rows: Sequence[Sequence[Any]]) -> bytes:
    out = io.BytesIO()
    book = Workbook(out)
    sheet = book.add_worksheet()
    for at, row in enumerate(rows):
        for column, cell in enumerate(row):
            sheet.write(at, column, cell)
    book.close()
    return out.getvalue()


async def test_a_workbook_comes_in_with_english_headings_numbers_and_formulas(desk: Desk) -> None:
    [case_id] = await desk.open(lead())
    rows = [
        ["Sponsor ID", "Member ID", "Amount", "Date"],
        [1001, 1002, 3800.5, "2025/6/1"],
        [1001, "=1+1", 1, ""],
        [1001, 1234567890123456789, 1, ""],
    ]
    told = await kept(desk, case_id, workbook(rows), kind="bank")
    assert told["facts"] >= 1 and {(one["row"], one["code"]) for one in told["rejects"]} >= {(4, "number-cut")}
    items = (await desk.get(f"/v1/cases/{case_id}/downline/members", desk.bearer())).json()["items"]
    assert [one["code"] for one in items][:2] == ["1001", "1002"]
    edges = (await desk.get(f"/v1/cases/{case_id}/downline/edges", desk.bearer())).json()["items"]
    assert edges[0]["kinds"] == ["bank"] and edges[0]["paid"] == 3800.5 and edges[0]["first_on"] == "2025-06-01"


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"\xff\xfe\x00\x00", 415, "unsupported-type"),
        (b"PK\x03\x04 nothing", 415, "unsupported-type"),
        ("姓名,电话\n某,1".encode(), 422, "no-heading"),
        (b"", 422, "no-heading"),
    ],
)
async def test_a_file_that_cannot_be_read_says_what_to_do(desk: Desk, content: bytes, status: int, code: str) -> None:
    [case_id] = await desk.open(lead())
    answer = await send(desk, case_id, content)
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (status, code)
    assert await desk.rows("SELECT 1 FROM downlines") == []


async def test_columns_can_be_named_where_headings_say_nothing(desk: Desk) -> None:
    [case_id] = await desk.open(lead())
    told = await kept(desk, case_id, as_csv(["x,Q1,Q2"], "甲,乙,丙"), columns="upline:1,downline:2")
    assert told["facts"] == 1
    assert (await send(desk, case_id, b"a\n1", columns="upline=1")).status_code == 400


async def test_facts_by_hand_stand_beside_each_other_and_repeat_safely(desk: Desk) -> None:
    [case_id] = await desk.open(lead())
    body = {"upline": {"code": "甲"}, "downline": {"code": "乙", "name": "王某"}, "kind": "statement", "on": "2025-03-01"}
    first = await enter(desk, case_id, "edges", body, "by-hand-0001")
    again = await enter(desk, case_id, "edges", body, "by-hand-0001")
    assert (first.status_code, again.status_code, again.json()["replayed"]) == (201, 200, True)
    denied = await enter(desk, case_id, "facts", {"upline": 1, "downline": 2, "kind": "statement", "denies": True})
    assert denied.status_code == 201, denied.text
    member = (await desk.get(f"/v1/cases/{case_id}/downline/members/2", desk.bearer())).json()
    assert [fact["denies"] for fact in member["facts"]] == [False, True]
    edges = (await desk.get(f"/v1/cases/{case_id}/downline/edges", desk.bearer())).json()["items"]
    assert edges[0]["denied"] and edges[0]["kinds"] == ["statement"] and edges[0]["facts"] == 2
    self_made = await enter(desk, case_id, "edges", body | {"upline": {"code": "乙"}})
    assert self_made.status_code == 422 and self_made.json()["errors"][0]["code"] == "self"
    unknown = await enter(desk, case_id, "facts", {"upline": 1, "downline": 9, "kind": "chart"})
    assert unknown.status_code == 422


async def test_two_officers_changing_one_member_the_second_gets_412(desk: Desk) -> None:
    [case_id] = await desk.open(lead())
    await kept(desk, case_id, as_csv(chain(3, 5)))
    assert (await amend(desk, case_id, 1, {"roles": ["initiator"], "convicted": True})).status_code == 204
    assert (await amend(desk, case_id, 1, {"roles": []})).status_code == 412
    assert (await amend(desk, case_id, 1, {"still_paid": True}, version=2)).status_code == 422
    found = await evaluation(desk, case_id)
    assert found["evaluation"]["organisers"][0]["roles"] == ["initiator"]


async def test_who_recurs_elsewhere_is_named_within_reach_and_only_counted_beyond(desk: Desk) -> None:
    others = (PartyFact(agency="police", unit="economic_crime", role="lead"), PartyFact(agency="commerce", unit="market", role="co"))
    first, second = await desk.open(lead(), lead(parties=others))
    number = "11010519491231002X"
    for case_id, code in ((first, "A"), (second, "Q")):
        await kept(desk, case_id, as_csv([f"T,{code},{number}"], "上线编号,编号,身份证号"))
    told = (await desk.get(f"/v1/cases/{first}/downline/recurrences", desk.bearer())).json()
    assert [one["case_id"] for one in told["items"]] == [str(second)] and told["items"][0]["by"] == "identity"
    narrow = (await desk.get(f"/v1/cases/{first}/downline/recurrences", desk.bearer(**INVESTIGATOR))).json()
    assert narrow == {"items": [], "beyond_reach": 1}


async def test_nobody_beyond_the_investigation_sees_a_downline_and_every_reading_is_recorded(desk: Desk) -> None:
    [case_id] = await desk.open(lead())
    await kept(desk, case_id, as_csv(chain(3, 5)))
    for who in (
        {"agency": "commerce", "unit": "office", "posts": ("office-director",)},
        {"agency": "police", "posts": ("desk",)},
        {"agency": "education", "posts": ("head",)},
    ):
        answer = await desk.get(f"/v1/cases/{case_id}/downline/members", desk.bearer(**who))
        assert answer.status_code == 403, who
    stranger = desk.bearer(agency="commerce", unit="market", posts=("investigator",))
    for path in ("", "/members", "/edges", "/evaluation", "/picture", "/recurrences", "/export.csv", "/members/1"):
        assert (await desk.get(f"/v1/cases/{case_id}/downline{path}", stranger)).status_code == 404, path
    assert (await send(desk, case_id, as_csv(chain(3, 5)), stranger)).status_code == 404
    await desk.get(f"/v1/cases/{case_id}/downline/members", desk.bearer())
    [read] = await desk.rows("SELECT * FROM audit WHERE action = 'downline.members'")
    assert read.object_ids == [str(case_id)] and read.facts["count"] == 5


async def test_names_and_codes_stand_sealed_in_the_database(desk: Desk) -> None:
    [case_id] = await desk.open(lead())
    await kept(desk, case_id, as_csv(["代号天鹅,代号海燕,王小明,口供,2025-06-01,1"]))
    tables = ("downline_members", "downline_edges", "downline_facts", "downline_imports", "downlines", "audit")
    for table in tables:
        for row in await desk.rows(f"SELECT * FROM {table}"):
            words = " ".join(bytes(v).decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in row)
            assert not any(word in words for word in ("天鹅", "海燕", "王小明")), table


async def test_the_export_holds_no_formula_and_comes_in_again_unchanged(desk: Desk) -> None:
    [case_id] = await desk.open(lead())
    await kept(desk, case_id, as_csv(["+86-1,-B2,某,口供,2025-06-01,3800", "+86-1,C3,某,付款,2025-06-02,1"]))
    answer = await desk.get(f"/v1/cases/{case_id}/downline/export.csv", desk.bearer())
    text = answer.content.decode("utf-8-sig")
    assert answer.status_code == 200 and "'+86-1" in text and ",'-B2" in text
    xlsx = await desk.get(f"/v1/cases/{case_id}/downline/export.xlsx", desk.bearer())
    rows = CalamineWorkbook.from_filelike(io.BytesIO(xlsx.content)).get_sheet_by_index(0).to_python()
    assert rows[1][:3] == ["+86-1", "", "-B2"] and len(rows) == 3
    [other] = await desk.open(lead())
    back = await kept(desk, other, xlsx.content)
    assert (back["rejected"], back["members"], back["facts"]) == (0, 3, 2)
    assert len(await desk.rows("SELECT 1 FROM audit WHERE action = 'downline.export'")) == 2


async def test_a_closed_case_takes_no_more_facts(desk: Desk) -> None:
    [case_id] = await desk.open(lead())
    await desk.rows(f"UPDATE cases SET state = 'closed' WHERE id = '{case_id}' RETURNING 1")
    assert (await send(desk, case_id, as_csv(chain(3, 5)))).status_code == 409


async def test_a_large_network_is_evaluated_in_a_process_of_its_own(desk: Desk) -> None:
    [case_id] = await desk.open(lead())
    rows = [f"N{at // 3},N{at},口供" for at in range(1, 21_000)]
    told = await kept(desk, case_id, as_csv(rows, "上线,下线,证据种类"))
    assert (told["members"], told["facts"]) == (21_000, 20_999)
    found = (await evaluation(desk, case_id))["evaluation"]
    assert found["organisers"][0]["firmness"][0]["own"]["heads"] == 21_000 and found["reached"] == ["filing", "grave"]
    drawn = (await desk.get(f"/v1/cases/{case_id}/downline/picture", desk.bearer())).json()
    assert drawn["persons"] == 21_000 and drawn["roots"][0]["label"] == "N0"
