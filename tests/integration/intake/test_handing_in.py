"""Tips through the public agency API, with bad input and good."""

from __future__ import annotations

import json
import uuid

import httpx
import pytest

from tests.instances import Stack

HELD = "我表弟被骗到南文社区金桥公寓12栋1203的传销窝点，被控制不让出门，手机也收走了，请马上救人"
HEADCOUNT = "安堂社区兴华里5栋301有人搞传销，每天几十人听课拉人头，发展下线，每人交3900元"
POTHOLE = "南文社区门口的路坑坑洼洼，下雨天积水，希望修一修"


@pytest.fixture
def system(stack: Stack) -> dict[str, str]:
    return stack.bearer(kind="system", principal_id="board", posts=("desk",), scopes=("tip.submit",))


@pytest.fixture
def url(stack: Stack) -> str:
    return stack.url("intake")


def key() -> dict[str, str]:
    return {"idempotency-key": uuid.uuid4().hex}


def tip(text: str = HEADCOUNT, **more: object) -> dict[str, object]:
    return {"plan": "dayong", "channel": "message-board", "text": text, **more}


def refused(answer: httpx.Response, status: int, code: str) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["type"] == f"urn:dachuan:problem:{code}"
    assert told["detail"]
    return told


def test_a_tip_gets_a_receipt_and_its_place_with_the_reason(url: str, system: dict[str, str]) -> None:
    """D-A5, D-B6: accepted with a receipt, routed by the plan, the reason shown."""
    answer = httpx.post(f"{url}/v1/tips", json=tip(), headers={**system, **key()})
    assert answer.status_code == 201
    told = answer.json()
    assert len(told["receipt"]) == 16 and told["receipt"].isdigit()
    assert told["state"] == "lead" and told["lead_id"] and told["area"] == "dayong-antang"
    assert told["agency"] and told["rule"] and told["reason"]["zh"] and told["reason"]["en"]


def test_a_held_person_goes_to_criminal_investigation_at_once(url: str, system: dict[str, str]) -> None:
    """D-B2: inside the police by what the tip shows: 非法拘禁 → 刑侦."""
    told = httpx.post(f"{url}/v1/tips", json=tip(HELD), headers={**system, **key()}).json()
    assert told["urgent"] and told["agency"] == "police" and told["unit"] == "criminal_investigation"


def test_internet_schemes_go_to_the_cyber_unit_and_petitions_to_the_petition_office(
    url: str, system: dict[str, str]
) -> None:
    """D-B2: 网监 and 信访 by the plan's ordered rules; the steps tried are shown to an officer."""
    text = "南文社区有人用手机APP搞传销，注册会员充值投资，拉人头有推荐奖，发展下线团队返利"
    told = httpx.post(f"{url}/v1/tips", json=tip(text), headers={**system, **key()}).json()
    assert (told["agency"], told["unit"]) == ("police", "cyber")


def test_an_irrelevant_message_ends_at_triage_with_its_place(url: str, system: dict[str, str]) -> None:
    told = httpx.post(f"{url}/v1/tips", json=tip(POTHOLE), headers={**system, **key()}).json()
    assert told["state"] == "referred" and told["lead_id"] is None and told["agency"] is None
    assert told["referral"]["place"]["zh"]


def test_a_missing_area_goes_to_the_office(url: str, system: dict[str, str]) -> None:
    text = "有人搞传销，每天拉人头听课，发展下线交人头费"
    told = httpx.post(f"{url}/v1/tips", json=tip(text), headers={**system, **key()}).json()
    assert told["area"] is None and told["rule"] == "area-unknown" and told["agency"] == "commerce"


def test_the_same_key_gives_the_same_tip_and_receipt_once(url: str, system: dict[str, str]) -> None:
    headers = {**system, **key()}
    first = httpx.post(f"{url}/v1/tips", json=tip(), headers=headers)
    again = httpx.post(f"{url}/v1/tips", json=tip(), headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["replayed"] and not first.json()["replayed"]
    for field in ("tip_id", "receipt", "lead_id", "received_at"):
        assert first.json()[field] == again.json()[field]
    refused(httpx.post(f"{url}/v1/tips", json=tip(POTHOLE), headers=headers), 409, "idempotency-key-reused")


def test_equal_keys_in_one_batch_and_over_batches_do_not_double(url: str, system: dict[str, str]) -> None:
    ref = uuid.uuid4().hex
    row = {"text": HEADCOUNT, "external_ref": ref}
    body = {"plan": "dayong", "channel": "12345", "tips": [row, row, {**row, "text": POTHOLE}]}
    told = httpx.post(f"{url}/v1/tips/batch", json=body, headers=system).json()
    assert [one["status"] for one in told["rows"]] == ["created", "replayed", "rejected"]
    assert told["rows"][0]["tip"]["tip_id"] == told["rows"][1]["tip"]["tip_id"]
    again = httpx.post(f"{url}/v1/tips/batch", json=body, headers=system).json()
    assert (again["created"], again["replayed"], again["rejected"]) == (0, 2, 1)


def test_a_wrong_row_is_rejected_with_its_field_and_the_others_stand(url: str, system: dict[str, str]) -> None:
    rows = [
        {"text": HEADCOUNT, "external_ref": uuid.uuid4().hex},
        {"text": "", "external_ref": uuid.uuid4().hex},
        {"text": HEADCOUNT, "area": "没有这个地方", "external_ref": uuid.uuid4().hex},
        {"text": HEADCOUNT},
        {"text": HEADCOUNT, "colour": "red", "external_ref": uuid.uuid4().hex},
    ]
    told = httpx.post(
        f"{url}/v1/tips/batch", json={"plan": "dayong", "channel": "12345", "tips": rows}, headers=system
    ).json()
    assert [one["status"] for one in told["rows"]] == ["created", *["rejected"] * 4]
    fields = [one["problem"]["errors"][0]["field"] for one in told["rows"][1:]]
    assert fields == ["text", "area", "external_ref", "colour"]


@pytest.mark.parametrize(
    ("content", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "bad-json"),
        (b"[]", "application/json", 422, "invalid"),
        (b'{"plan":"dayong","channel":"web","text":"a\\u0000b"}', "application/json", 400, "bad-text"),
        (b'{"plan":"dayong","channel":"web","text":"a\\ud800b"}', "application/json", 400, "bad-text"),
        (b'{"plan":"dayong","channel":"web","text":"\xff\xfe"}', "application/json", 400, "bad-json"),
        (b'{"plan":"dayong","channel":"web","text":"x","who":"me"}', "application/json", 422, "invalid"),
        (b'{"plan":"nowhere","channel":"web","text":"x"}', "application/json", 422, "unknown-plan"),
        (b'{"plan":"dayong","channel":"pigeon","text":"x"}', "application/json", 422, "invalid"),
        (
            b'{"plan":"dayong","channel":"web","text":"x","posted_at":"2020-01-01T00:00:00"}',
            "application/json",
            422,
            "invalid",
        ),
        (b'{"plan":"dayong","channel":"web","text":"x","area":"Atlantis"}', "application/json", 422, "unknown-area"),
        (b"text=x", "application/x-www-form-urlencoded", 415, "unsupported-type"),
        (
            json.dumps({"plan": "dayong", "channel": "web", "text": "x" * 20_001}).encode(),
            "application/json",
            422,
            "invalid",
        ),
        (b'{"text":"' + b"x" * 10_000_000 + b'"}', "application/json", 413, "too-large"),
    ],
)
def test_bad_input_is_refused_clearly_and_keeps_nothing(
    url: str, system: dict[str, str], content: bytes, content_type: str, status: int, code: str
) -> None:
    headers = {**system, **key(), "content-type": content_type}
    told = refused(httpx.post(f"{url}/v1/tips", content=content, headers=headers), status, code)
    assert "x" * 50 not in json.dumps(told), "the submitted input must not be echoed"
    # the key is still free: nothing was recorded under it
    again = httpx.post(f"{url}/v1/tips", json=tip(), headers={**headers, "content-type": "application/json"})
    assert again.status_code == 201


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, "not-authenticated"),
        ({"authorization": "Bearer nonsense"}, 401, "not-authenticated"),
        ({"authorization": "Basic dTpw"}, 401, "not-authenticated"),
    ],
)
def test_without_a_valid_token_nothing_is_taken(url: str, headers: dict[str, str], status: int, code: str) -> None:
    refused(httpx.post(f"{url}/v1/tips", json=tip(), headers=headers), status, code)


def test_a_token_without_the_scope_or_of_another_plan_is_refused(stack: Stack, url: str) -> None:
    other = stack.bearer(kind="system", principal_id="x", posts=("desk",), scopes=("feed.read",))
    refused(httpx.post(f"{url}/v1/tips", json=tip(), headers=other), 403, "forbidden")
    elsewhere = stack.bearer(plan="xiyuan", kind="system", principal_id="y", posts=("desk",), scopes=("tip.submit",))
    refused(httpx.post(f"{url}/v1/tips", json=tip(), headers=elsewhere), 403, "other-plan")


def test_a_citizen_reports_without_a_name_and_follows_by_receipt(url: str) -> None:
    """Beyond both plans, 5 and 6: the reporter reads how it stands, and no identity is asked for."""
    made = httpx.post(f"{url}/v1/public/tips", json={"plan": "dayong", "text": HEADCOUNT})
    assert made.status_code == 201 and "set-cookie" not in made.headers
    receipt = made.json()["receipt"]
    spaced = " ".join(receipt[i : i + 4] for i in range(0, 16, 4))
    for typed in (receipt, spaced, receipt.translate(str.maketrans("0123456789", "０１２３４５６７８９"))):
        told = httpx.post(f"{url}/v1/receipts", json={"receipt": typed})
        assert told.status_code == 200 and told.json()["words"]["zh"]
    slip = receipt[:-1] + str((int(receipt[-1]) + 1) % 10)
    refused(httpx.post(f"{url}/v1/receipts", json={"receipt": slip}), 422, "bad-receipt")


def test_an_officer_of_another_agency_sees_neither_the_tip_nor_its_number(
    stack: Stack, url: str, system: dict[str, str]
) -> None:
    """Beyond both plans, 11: the same decision for the list and the single object."""
    made = httpx.post(f"{url}/v1/tips", json=tip(HELD), headers={**system, **key()}).json()
    police = stack.bearer(agency="police", unit="criminal_investigation", posts=("head",), principal_id="p")
    other = stack.bearer(agency="education", posts=("head",), principal_id="e")
    shown = httpx.get(f"{url}/v1/tips/{made['tip_id']}", headers=police)
    assert shown.status_code == 200 and shown.json()["text"] == HELD and shown.json()["words"]
    assert [step for step in shown.json()["steps"] if step["outcome"] == "matched"]
    listed = httpx.get(f"{url}/v1/tips", headers=police, params={"limit": 200}).json()["items"]
    assert made["tip_id"] in {one["tip_id"] for one in listed}
    for urgent in (True, False):
        asked = {"limit": 200, "urgent": str(urgent).lower()}
        some = httpx.get(f"{url}/v1/tips", headers=police, params=asked).json()["items"]
        assert all(one["urgent"] is urgent for one in some)
        assert (made["tip_id"] in {one["tip_id"] for one in some}) is urgent
    answer = httpx.get(f"{url}/v1/tips/{made['tip_id']}", headers=other)
    assert answer.status_code in (403, 404)
    listed_other = httpx.get(f"{url}/v1/tips", headers=other, params={"limit": 200})
    assert listed_other.status_code == 403 or made["tip_id"] not in listed_other.text


def test_pages_of_the_list_neither_skip_nor_repeat(stack: Stack, url: str, system: dict[str, str]) -> None:
    rows = [{"text": HEADCOUNT, "external_ref": uuid.uuid4().hex} for _ in range(7)]
    body = {"plan": "dayong", "channel": "letter", "tips": rows}
    made = httpx.post(f"{url}/v1/tips/batch", json=body, headers=system).json()
    wanted = {one["tip"]["tip_id"] for one in made["rows"]}
    office = stack.bearer(agency="commerce", unit="office", posts=("head",), principal_id="o")
    seen: list[str] = []
    cursor: str | None = None
    while True:
        params = {"limit": "3", "channel": "letter", **({"cursor": cursor} if cursor else {})}
        page = httpx.get(f"{url}/v1/tips", headers=office, params=params).json()
        seen += [one["tip_id"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) and wanted <= set(seen)
    bad = httpx.get(f"{url}/v1/tips", headers=office, params={"cursor": "nonsense!"})
    refused(bad, 400, "bad-request")
