"""Measures and penalties through the API: lists of items, lapsing, the track's penalties, instalments, publication."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from services.casework.commands.penalties import end_publications
from services.casework.commands.proceedings import mark_proceedings_missed
from shared.kit import clock, db
from shared.kit.ids import new_id
from shared.rules.calendar import local_day
from tests.integration.casework.conftest import DAY, Desk, lead

OFFICER = {"agency": "commerce", "unit": "enforcement", "posts": ("investigator",), "principal_id": "c1"}
REVIEWER = {"agency": "commerce", "unit": "enforcement", "posts": ("investigator",), "principal_id": "c2"}
HEAD = {"agency": "commerce", "unit": "enforcement", "posts": ("head",), "principal_id": "c9"}
POLICE = {"agency": "police", "unit": "economic_crime", "posts": ("investigator",), "principal_id": "p1"}
POLICE_HEAD = {"agency": "police", "unit": "economic_crime", "posts": ("head",), "principal_id": "p9"}
FINANCE = {"agency": "finance", "posts": ("head",), "principal_id": "f1"}


async def send(
    desk: Desk, method: str, path: str, who: dict[str, Any], body: Any, version: int | None = None, key: str | None = None
) -> Any:
    desk.keys += 1
    headers = desk.bearer(**who) | {"idempotency-key": key or f"test-key-{desk.keys:05d}"}
    if version is not None:
        headers["if-match"] = f'"{version}"'
    return await desk.client.request(method, path, headers=headers, json=body)


async def opened(desk: Desk, case_id: UUID, kind: str, who: dict[str, Any], **values: Any) -> Any:
    answer = await send(desk, "POST", f"/v1/cases/{case_id}/proceedings", who, {"kind": kind, "values": values})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def read(desk: Desk, made: Any, who: dict[str, Any] = HEAD) -> Any:
    return (await desk.get(f"/v1/proceedings/{made['proceeding_id']}", desk.bearer(**who))).json()


async def tried(desk: Desk, made: Any, name: str, who: dict[str, Any], **values: Any) -> Any:
    current = await read(desk, made, who)
    path = f"/v1/proceedings/{made['proceeding_id']}/steps/{name}"
    return await send(desk, "POST", path, who, {"values": values}, current["version"])


async def step(desk: Desk, made: Any, name: str, who: dict[str, Any], **values: Any) -> Any:
    answer = await tried(desk, made, name, who, **values)
    assert answer.status_code == 200, (name, answer.text)
    return answer.json()


async def refused(desk: Desk, made: Any, name: str, who: dict[str, Any], **values: Any) -> Any:
    """A step that is refused; the answer, once nothing is seen to have changed."""
    before = await read(desk, made, who)
    answer = await tried(desk, made, name, who, **values)
    assert answer.status_code in (403, 409, 422), answer.text
    assert await read(desk, made, who) == before
    return answer.json()


async def issue(desk: Desk, case_id: UUID, made: Any, *kinds: str) -> None:
    """Documents issued for a proceeding, as the register of documents keeps them."""
    for kind in kinds:
        desk.keys += 1
        await desk.rows(
            """INSERT INTO documents (id, case_id, proceeding_id, plan, kind, issuer, agency, personal, state, contents, lacking,
               series, year, serial, number, digest, written_at, written_by, issued_at, issued_by, version, history)
               VALUES (:id, :case, :proceeding, 'dayong', :kind, 'commerce', 'commerce', false, 'issued', '\\x00', 0, 'test', 2026,
               :serial, :number, :number, now(), 'x', now(), 'x', 1, '[]') RETURNING id""",
            id=new_id(), case=case_id, proceeding=UUID(made["proceeding_id"]), kind=kind, serial=desk.keys, number=f"n{desk.keys}",
        )  # fmt: skip


async def a_track(desk: Desk, case_id: UUID) -> Any:
    """The administrative case, filed."""
    track = await opened(desk, case_id, "administrative_case", OFFICER, conduct=["organise", "premises"])
    await step(desk, track, "ask_filing", OFFICER, officers=2, evidence=True, reason="有证据")
    await issue(desk, case_id, track, "filing_approval")
    await step(desk, track, "approve_filing", HEAD)
    return track


async def a_place(desk: Desk) -> str:
    made = new_id()
    await desk.rows(
        "INSERT INTO registered_places (id, plan, area, kind, seen_at) VALUES (:id, 'dayong', 'dayong-antang', 'rental', now()) RETURNING id",
        id=made,
    )
    return str(made)


ITEMS = {
    "items": [
        {"kind": "goods", "name": "化妆品套装", "quantity": 30, "unit": "盒", "value": "2980.50", "kept_at": "物证室甲柜", "holder": "某甲"},
        {"kind": "papers", "name": "会员名册", "quantity": 2, "unit": "本"},
    ]
}


async def test_goods_are_listed_seized_lapse_by_themselves_and_go_back(desk: Desk) -> None:
    """X-D8b: prior approval in writing, list and decision on the spot, thirty days, deemed lifted once, all goods returned."""
    [case_id] = await desk.open(lead())
    made = await opened(desk, case_id, "seize_goods", OFFICER, reason="涉嫌传销", subject="某甲的货物")
    path = f"/v1/proceedings/{made['proceeding_id']}"
    listed = await send(desk, "POST", f"{path}/items", OFFICER, ITEMS, 1, key="the-same-key-1")
    assert listed.status_code == 201 and listed.json()["facts"]["items_value"] == "2980.50"
    again = await send(desk, "POST", f"{path}/items", OFFICER, ITEMS, 1, key="the-same-key-1")
    assert again.status_code == 201 and len(again.json()["beside"]["items"]) == 2
    outdated = await send(desk, "POST", f"{path}/items", REVIEWER, ITEMS, 1)
    assert outdated.status_code == 412 and outdated.json()["changes"][0]["step"] == "list_items"
    [first, _] = (await desk.rows("SELECT details FROM measure_items ORDER BY seq"))
    assert "化妆品".encode() not in bytes(first.details)

    assert (await refused(desk, made, "approve", OFFICER, form="written"))["approval"] == "seal.order"
    assert (await refused(desk, made, "approve", HEAD, form="oral"))["type"].endswith("no-oral-approval")
    await step(desk, made, "approve", HEAD, form="written")
    spot = {"executed_at": clock.now().isoformat(), "officers": 2, "decision_given": True, "list_given": True, "signed": "signed"}
    assert (await refused(desk, made, "execute", OFFICER, **spot))["documents"] == ["seal_decision", "seal_list"]
    await issue(desk, case_id, made, "seal_decision", "seal_list")
    assert (await refused(desk, made, "execute", OFFICER, **(spot | {"officers": 1})))["fields"].keys() == {"officers"}
    seized = await step(desk, made, "execute", OFFICER, **spot)
    [period] = seized["clocks"]
    assert period["rule"] == "prohibition.seal_period" and local_day_of(period["due"]) == local_day(clock.now()) + timedelta(days=30)
    late = await send(desk, "POST", f"{path}/items", OFFICER, ITEMS, seized["version"])
    assert late.status_code == 409 and late.json()["type"].endswith("list-handed-over")

    who = desk.bearer(**OFFICER)
    soon = (await desk.get("/v1/measures/lapsing", who, days=30)).json()
    assert [one["proceeding_id"] for one in soon["items"]] == [made["proceeding_id"]] and soon["items"][0]["days_left"] == 30
    assert (await desk.get("/v1/measures/lapsing", who)).json() == {"days": 5, "rule": "plan.measure_warning", "items": []}
    assert (await desk.get("/v1/measures/lapsing", desk.bearer(**FINANCE), days=60)).json()["items"] == []

    for expected in (1, 0):
        async with db.begin(desk.service.engine) as conn:
            assert await mark_proceedings_missed(conn, desk.basis, clock.now() + 31 * DAY) == expected
    lapsed = await read(desk, made)
    assert lapsed["state"] == "lapsed" and lapsed["beside"]["items"][0]["state"] == "kept" and not lapsed["late"]
    told = [data for _, data in await desk.events() if data.TYPE.endswith("proceeding.stepped.v1") and data.step == "lapse"]
    assert len(told) == 1 and told[0].by_system and told[0].facts["items_kept"] == 2
    assert [one.deadline.rule for one in told[0].clocks if one.change == "started"] == ["plan.goods_return"]

    kept = {"outcome": "confiscated", "on": local_day(clock.now()).isoformat()}
    wrong = await send(desk, "POST", f"{path}/items/outcomes", OFFICER, kept, lapsed["version"])
    assert wrong.status_code == 409 and wrong.json()["allowed"] == ["returned"]
    one = {"outcome": "returned", "on": kept["on"], "receipt": "某甲签收", "items": [lapsed["beside"]["items"][0]["item_id"]]}
    assert (await send(desk, "POST", f"{path}/items/outcomes", OFFICER, one, lapsed["version"])).status_code == 200
    assert (await refused(desk, made, "finish_lapse", OFFICER, finished_on=kept["on"]))["left"] == 1
    rest = {"outcome": "returned", "on": kept["on"]}
    current = await read(desk, made)
    assert (await send(desk, "POST", f"{path}/items/outcomes", OFFICER, rest, current["version"])).status_code == 200
    done = await step(desk, made, "finish_lapse", OFFICER, finished_on=kept["on"])
    assert done["final"] and done["outcome"] == "deemed_lifted" and done["facts"]["items_returned"] == 2
    assert "化妆品" not in "".join(data.model_dump_json() for _, data in await desk.events())


def local_day_of(moment: str) -> date:
    return local_day(datetime.fromisoformat(moment))


async def test_premises_are_sealed_with_their_place_extended_once_and_lifted(desk: Desk) -> None:
    """X-D8b: fifteen more days by the head for a complex case, no second time; the track does not close before."""
    [case_id] = await desk.open(lead())
    track = await a_track(desk, case_id)
    body = {"kind": "seal_premises", "values": {"reason": "窝点", "subject": "场所", "place_id": str(new_id())}}
    unknown = await send(desk, "POST", f"/v1/cases/{case_id}/proceedings", OFFICER, body)
    assert unknown.status_code == 422 and set(unknown.json()["fields"]) == {"place_id"}
    place = await a_place(desk)
    made = await opened(desk, case_id, "seal_premises", OFFICER, reason="窝点", subject="场所", place_id=place)
    path = f"/v1/proceedings/{made['proceeding_id']}"
    await step(desk, made, "approve", HEAD, form="written")
    current = await read(desk, made)
    await send(desk, "POST", f"{path}/items", OFFICER, {"items": [{"kind": "premises", "name": "一层会场"}]}, current["version"])
    await issue(desk, case_id, made, "seal_decision", "seal_list", "seal_extension", "seal_lifting")
    now = clock.now().isoformat()
    await step(desk, made, "execute", OFFICER, executed_at=now, officers=2, decision_given=True, list_given=True, signed="absent")
    assert (await refused(desk, made, "extend", OFFICER, complex=True, reason="复杂"))["approval"] == "period.extend"
    longer = await step(desk, made, "extend", HEAD, complex=True, reason="涉及多地")
    [period] = longer["clocks"]
    assert local_day_of(period["due"]) == local_day(clock.now()) + timedelta(days=45)
    assert (await refused(desk, made, "extend", HEAD, complex=True, reason="再延长"))["type"].endswith("no-extension")
    opened_event = next(data for _, data in await desk.events() if data.TYPE.endswith("proceeding.opened.v1") and data.kind == "seal_premises")
    assert opened_event.facts == {"place_id": place}

    assert track["state"] == "verifying"
    await step(desk, made, "lift", HEAD, reason="查清")
    current = await read(desk, made)
    today = local_day(clock.now()).isoformat()
    await send(desk, "POST", f"{path}/items/outcomes", OFFICER, {"outcome": "returned", "on": today}, current["version"])
    done = await step(desk, made, "finish_lifting", OFFICER, finished_on=today)
    assert done["outcome"] == "lifted"


async def test_a_landlord_is_penalised_on_the_track_and_pays_in_instalments(desk: Desk) -> None:
    """D-A4, D-B5a, D-B5b, X-D7c: tied to the rental, within the range, less than the maximum with its grounds, paid."""
    [case_id] = await desk.open(lead())
    place, today = await a_place(desk), local_day(clock.now())
    values = {
        "article": "fine_premises", "role": "landlord", "party": "person", "place_id": place, "conduct": "出租给传销人员",
        "act_on": (today - timedelta(days=60)).isoformat(), "found_on": (today - timedelta(days=50)).isoformat(),
    }  # fmt: skip
    early = await send(desk, "POST", f"/v1/cases/{case_id}/proceedings", OFFICER, {"kind": "administrative_penalty", "values": values})
    assert early.status_code == 409 and early.json()["track"] == "administrative_case"
    await a_track(desk, case_id)
    made = await opened(desk, case_id, "administrative_penalty", OFFICER, **values)
    path = f"/v1/proceedings/{made['proceeding_id']}"
    assert (made["facts"]["band_from"], made["facts"]["band_to"]) == ("50000.00", "500000.00")

    await step(desk, made, "gains", OFFICER, method="premises", income="12000", how="六个月租金")
    assert (await refused(desk, made, "propose", OFFICER, fine="600000", confiscate_gains=True, reason="理由"))["high"] == "500000.00"
    none = await refused(desk, made, "propose", OFFICER, fine="60000", confiscate_gains=True, reason="理由")
    assert none["type"].endswith("not-maximum-reason")
    await step(desk, made, "propose", OFFICER, fine="60000", confiscate_gains=True, grounds=["confessed"], reason="主动供述")
    assert (await refused(desk, made, "review", OFFICER, opinion="同意"))["type"].endswith("four-eyes")
    await step(desk, made, "review", REVIEWER, opinion="同意")
    await issue(desk, case_id, made, "penalty_notice", "hearing_rights_notice", "penalty_decision", "proof_of_service")
    await step(desk, made, "notify", OFFICER, told_on=today.isoformat())
    waiting = await refused(desk, made, "decide", HEAD)
    assert waiting["type"].endswith("defence-term") and waiting["certainty"] == "M"
    await desk.rows("UPDATE deadlines SET due = due - interval '60 days' WHERE kind = 'defence' RETURNING id")
    async with db.begin(desk.service.engine) as conn:
        assert await mark_proceedings_missed(conn, desk.basis, clock.now()) == 1
    assert not (await read(desk, made))["late"], "the party's term is over, and nobody is late"
    assert not [data for _, data in await desk.events() if data.TYPE.endswith("deadline-missed.v1")]
    assert (await refused(desk, made, "decide", HEAD))["type"].endswith("not-discussed")
    await step(desk, made, "discuss", OFFICER, discussed_on=today.isoformat(), record="同意")
    decided = await step(desk, made, "decide", HEAD)
    assert {one["kind"] for one in decided["clocks"] if one["state"] == "running"} == {"serve", "publish"}
    fact = next(data for _, data in await desk.events() if data.TYPE.endswith("stepped.v1") and data.step == "decide").facts
    assert fact["fine"] == "60000.00" and fact["gains_confiscated"] == "12000.00" and fact["not_maximum"] is True
    assert fact["place_id"] == place and fact["role"] == "landlord" and fact["maximum"] == "500000.00" and fact["grounds"] == ("confessed",)

    await step(desk, made, "serve", OFFICER, served_on=today.isoformat(), way="direct")
    parts = {"instalments": [{"due_on": (today + timedelta(days=30 * k)).isoformat(), "amount": "36000"} for k in (1, 2)]}
    current = await read(desk, made)
    drawn = await send(desk, "PUT", f"{path}/instalments", OFFICER, parts, current["version"])
    assert drawn.status_code == 200 and len(drawn.json()["beside"]["instalments"]) == 2
    assert (await refused(desk, made, "instalments", OFFICER, reason="困难"))["approval"] == "measure.order"
    await step(desk, made, "instalments", HEAD, reason="困难")
    current = await read(desk, made)
    fixed = await send(desk, "PUT", f"{path}/instalments", OFFICER, parts, current["version"])
    assert fixed.status_code == 409 and fixed.json()["type"].endswith("approved-already")
    due = "SELECT state, (due AT TIME ZONE 'Asia/Shanghai')::date AS day FROM deadlines WHERE kind = 'instalment' ORDER BY due"
    assert [tuple(one) for one in await desk.rows(due)] == [("running", today + timedelta(days=30))]
    await desk.rows("UPDATE deadlines SET due = due - interval '40 days' WHERE kind = 'instalment' RETURNING id")
    await desk.rows("UPDATE penalty_instalments SET due_on = due_on - 40 WHERE seq = 1 RETURNING seq")
    async with db.begin(desk.service.engine) as conn:
        assert await mark_proceedings_missed(conn, desk.basis, clock.now()) == 1
    passed = [data for _, data in await desk.events() if getattr(data, "step", "") == "instalment_passed"]
    assert [one.facts for one in passed] == [{"overdue": "36000.00"}], "told as an event, and the agency is not late"
    assert [one.state for one in await desk.rows(due)][-1] == "running" and not (await read(desk, made))["late"]
    for amount, status in (("36000", 201), ("36000.01", 409), ("36000", 201)):
        current = await read(desk, made)
        body = {"paid_on": today.isoformat(), "amount": amount, "receipt": "票据1"}
        assert (await send(desk, "POST", f"{path}/payments", OFFICER, body, current["version"])).status_code == status
        if status == 409:
            assert (await read(desk, made))["version"] == current["version"]
            assert (await refused(desk, made, "close", HEAD, executed_on=today.isoformat()))["left"] == "36000.00"
    await step(desk, made, "publish", OFFICER, published_on=(today - timedelta(days=200)).isoformat(), minor=True, where="公示系统")
    closed = await step(desk, made, "close", HEAD, executed_on=today.isoformat())
    assert closed["outcome"] == "executed" and closed["beside"]["paid"] == "72000.00"

    for expected in (1, 0):
        async with db.begin(desk.service.engine) as conn:
            assert await end_publications(conn, desk.basis, clock.now()) == expected
    after = await read(desk, made)
    assert after["facts"]["publication_ended_on"] == today.isoformat() and after["ended_at"] == closed["ended_at"]
    assert "租金" not in "".join(data.model_dump_json() for _, data in await desk.events())


async def test_an_organiser_is_detained_by_the_new_law_and_not_for_an_act_before_it(desk: Desk) -> None:
    """D-B5a, D-B1: the police's penalty, days within the range; the law of the day of the act."""
    [case_id] = await desk.open(lead())
    track = await opened(desk, case_id, "public_order_case", POLICE, conduct=["organise"], receipt_given=True)
    await step(desk, track, "investigate", POLICE)
    values = {"article": "detain_organise", "role": "organiser", "party": "person", "conduct": "组织传销", "found_on": "2026-02-01"}
    body = {"kind": "police_penalty", "values": values | {"act_on": "2025-12-31"}}
    before = await send(desk, "POST", f"/v1/cases/{case_id}/proceedings", POLICE, body)
    assert before.status_code == 409 and before.json()["first"] == "2026-01-01"
    made = await opened(desk, case_id, "police_penalty", POLICE, **values, act_on="2026-01-15")
    assert (await refused(desk, made, "propose", POLICE, days=16, reason="理由"))["high"] == "15.00"
    proposed = await step(desk, made, "propose", POLICE, days=15, reason="顶格")
    assert proposed["facts"]["not_maximum"] is False
    closing = await tried(desk, track, "close", POLICE, executed_on=local_day(clock.now()).isoformat())
    assert closing.status_code == 409
    assert (await desk.get(f"/v1/proceedings/{made['proceeding_id']}", desk.bearer(**FINANCE))).status_code == 404
    others = await tried(desk, made, "review", OFFICER, opinion="同意")
    assert others.status_code == 403


async def test_a_freeze_that_ends_soon_is_warned_of(desk: Desk) -> None:
    """D-A4: the judicial body's answer is recorded by who asked; its end is listed like a seal's."""
    [case_id] = await desk.open(lead())
    body = {"kind": "freeze_request", "counterpart": {"agency": "court"}, "values": {"amount": "100000", "evidence": True, "scope": "账户"}}
    made = (await send(desk, "POST", f"/v1/cases/{case_id}/proceedings", OFFICER, body)).json()
    await step(desk, made, "approve", HEAD, form="written")
    await step(desk, made, "send", OFFICER, executed_at=clock.now().isoformat(), reference="〔2026〕1号")
    today = local_day(clock.now())
    ends = (today + timedelta(days=3)).isoformat()
    await step(
        desk, made, "freeze", OFFICER, frozen_on=today.isoformat(), frozen_until=ends, frozen_amount="90000", reference="〔2026〕2号"
    )
    [soon] = (await desk.get("/v1/measures/lapsing", desk.bearer(**OFFICER))).json()["items"]
    assert soon["kind"] == "freeze_request" and soon["until"] == ends and soon["days_left"] == 3


async def test_who_provides_a_venue_is_penalised_for_that_venue__d_a2(desk: Desk) -> None:
    """D-A2: the hall of the venue register is named, and the fine is that of who provides premises (条例 26)."""
    [case_id] = await desk.open(lead())
    await a_track(desk, case_id)
    day = (local_day(clock.now()) - DAY).isoformat()
    values = {
        "article": "fine_premises", "role": "venue", "party": "entity", "conduct": "出借会议厅给传销团队授课",
        "act_on": day, "found_on": day,
    }  # fmt: skip
    path = f"/v1/cases/{case_id}/proceedings"
    nowhere = await send(desk, "POST", path, OFFICER, {"kind": "administrative_penalty", "values": values})
    assert nowhere.status_code == 409 and nowhere.json()["type"].endswith("place-missing")
    venue = await a_place(desk)
    made = await opened(desk, case_id, "administrative_penalty", OFFICER, **values, place_id=venue)
    assert (made["facts"]["band_from"], made["facts"]["band_to"]) == ("50000.00", "500000.00")
    opening = [data for _, data in await desk.events() if data.TYPE.endswith("proceeding.opened.v1")][-1]
    assert opening.facts["place_id"] == venue and opening.facts["role"] == "venue", "scoring learns which venue"
