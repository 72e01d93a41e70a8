"""Duties of the plan and of meetings, through the API and the pages of a real notify."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from PIL import Image

from services.notify.commands import duties
from shared.kit import clock, db
from shared.kit.ids import new_id
from tests.integration.notify.conftest import House, told
from tests.integration.notify.test_notices import opened

BEGINNING = datetime(2015, 10, 2, 1, tzinfo=UTC)
"""A day on which Dayong's plan had begun and none of its times was over."""


@pytest.fixture
async def asked(house: House) -> House:
    """Dayong's duties, set as the plan began."""
    desk = house.client._transport.app.state.duty_desk  # type: ignore[attr-defined]
    async with db.begin(house.service.engine) as conn:
        await duties.ensure(conn, desk, house.service.plans["dayong"], BEGINNING)
    return house


async def do(house: House, method: str, path: str, who: dict[str, str], version: int | None = None, **body: Any) -> httpx.Response:
    headers = who | {"idempotency-key": str(new_id())}
    if version is not None:
        headers["if-match"] = f'"{version}"'
    return await house.client.request(method, path, headers=headers, json=body or None)


def labour(house: House, **more: Any) -> dict[str, str]:
    return house.bearer(**({"agency": "labour", "posts": ("desk",)} | more))


def office(house: House) -> dict[str, str]:
    return house.bearer(agency="commerce", unit="office", posts=("office-director",))


def photo() -> bytes:
    """A photo whose hidden data name the device it was taken with."""
    exif = Image.Exif()
    exif[0x010F] = "MAKER-7"
    made = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(made, "JPEG", exif=exif)
    return made.getvalue()


async def miss(house: House) -> int:
    desk = house.client._transport.app.state.duty_desk  # type: ignore[attr-defined]
    async with db.begin(house.service.engine) as conn:
        return await duties.mark_missed(conn, desk, clock.now(), limit=1000)


async def events(house: House, kind: str) -> list[Any]:
    return await house.rows("SELECT key, data FROM outbox WHERE type = :kind ORDER BY seq", kind=f"dachuan.{kind}.v1")


async def the(house: House, duty: str, agency: str) -> Any:
    rows = await house.rows(
        "SELECT * FROM duties WHERE duty = :duty AND agency = :agency ORDER BY due", duty=duty, agency=agency
    )
    return rows[0]


async def test_each_agency_sees_its_own_duties_and_the_office_how_all_stand(asked: House) -> None:
    """D-M1, D-M2: duties down to each agency and community; the office sees who is late."""
    mine = (await asked.client.get("/v1/duties", headers=labour(asked))).json()["items"]
    assert {one["agency"] for one in mine} == {"labour"}
    assert {one["duty"] for one in mine} == {"h1", "h2", "p2", "p3"}
    assert next(one for one in mine if one["duty"] == "h1")["clause"] == "D-H"
    community = asked.bearer(agency="c-antang", posts=("community-worker",), areas=("dayong-antang",))
    theirs = (await asked.client.get("/v1/duties", headers=community)).json()["items"]
    assert theirs and {one["area"] for one in theirs} == {"dayong-antang"}
    counted = (await asked.client.get("/v1/duties/counts", headers=office(asked))).json()
    assert len(counted) > 10 and all(row["late"] and not row["done"] for row in counted)
    other = await the(asked, "i", "education")
    assert (await asked.client.get(f"/v1/duties/{other.id}", headers=labour(asked))).status_code == 404


async def test_setting_the_duties_again_sets_nothing_twice(asked: House) -> None:
    before = await asked.rows("SELECT count(*) AS n FROM duties")
    desk = asked.client._transport.app.state.duty_desk  # type: ignore[attr-defined]
    async with db.begin(asked.service.engine) as conn:
        assert await duties.ensure(conn, desk, asked.service.plans["dayong"], clock.now()) == 0
    assert await asked.rows("SELECT count(*) AS n FROM duties") == before
    assert len(await events(asked, "duty.set")) == before[0].n


async def test_what_was_over_before_it_was_known_is_never_late(house: House) -> None:
    desk = house.client._transport.app.state.duty_desk  # type: ignore[attr-defined]
    async with db.begin(house.service.engine) as conn:
        await duties.ensure(conn, desk, house.service.plans["dayong"], clock.now())
    assert await miss(house) == 0
    mine = (await house.client.get("/v1/duties?show=past", headers=labour(house))).json()["items"]
    assert mine and not any(one["late"] for one in mine)


async def test_the_duties_of_a_phase_end_with_it(house: House) -> None:
    """X-P: a community's duties stand by phase; in the third one, those of the survey are late and those of creation are not."""
    desk = house.client._transport.app.state.duty_desk  # type: ignore[attr-defined]
    plan = house.service.plans["xiyuan"]
    assert plan.year
    days = {phase.id: phase.last for phase in plan.phases}
    async with db.begin(house.service.engine) as conn:
        await duties.ensure(conn, desk, plan, datetime(plan.year, 5, 10, tzinfo=UTC))
        await duties.mark_missed(conn, desk, datetime(plan.year, 6, 20, tzinfo=UTC), limit=1000)
    own = house.bearer(plan="xiyuan", agency="c-meihong", posts=("community-worker",), areas=("xiyuan-meihong",))
    for phase, state in (("survey", "missed"), ("creation", "open")):
        asked = (await house.client.get("/v1/duties", params={"phase": phase}, headers=own)).json()["items"]
        assert asked and {one["state"] for one in asked} == {state}
        assert {one["phase"] for one in asked} == {phase} and {one["agency"] for one in asked} == {"c-meihong"}
        assert {datetime.fromisoformat(one["due"]).astimezone(clock.CHINA).date() for one in asked} == {days[phase]}
        told_of = {row.key for row in await events(house, "duty.missed")} & {one["duty_id"] for one in asked}
        assert told_of == ({one["duty_id"] for one in asked} if state == "missed" else set())


async def test_a_duty_is_done_with_proof_or_missed(asked: House) -> None:
    """D-M2, D-Q1.3: nothing is done without proof; what is overdue is told the agency and the office, and scoring."""
    duty = await the(asked, "h2", "labour")
    path = f"/v1/duties/{duty.id}"
    bare = await do(asked, "POST", f"{path}/steps/finish", labour(asked), 1)
    assert bare.status_code == 409 and bare.json()["type"].endswith("proof-missing")
    empty = await do(asked, "POST", f"{path}/proofs", labour(asked), kind="count", note="培训人数")
    assert empty.status_code == 422 and empty.json()["errors"][0]["field"] == "number"
    shown = await do(asked, "POST", f"{path}/proofs", labour(asked), kind="count", note="培训人数", number=120)
    assert shown.status_code == 201 and shown.json()["proofs"][0]["number"] == 120
    stale = await do(asked, "POST", f"{path}/steps/finish", labour(asked), 1)
    assert stale.status_code == 412
    done = await do(asked, "POST", f"{path}/steps/finish", labour(asked), shown.json()["version"])
    assert (done.json()["state"], done.json()["late"]) == ("done", True)
    missed = await miss(asked)
    assert missed == (await asked.rows("SELECT count(*) AS n FROM duties WHERE state = 'missed'"))[0].n > 50
    assert str(duty.id) not in {row.key for row in await events(asked, "duty.missed")}
    assert [row.key for row in await events(asked, "duty.done")] == [str(duty.id)]
    notices = await asked.rows(
        "SELECT agency, template FROM notices WHERE matter_id = :id ORDER BY template", id=(await the(asked, "h1", "labour")).id
    )
    assert [(n.agency, n.template) for n in notices] == [("labour", "duty.missed"), ("commerce", "duty.missed.office")]
    assert await miss(asked) == 0


async def test_words_of_proofs_are_sealed_and_told_nobody(asked: House) -> None:
    duty = await the(asked, "h2", "labour")
    await do(asked, "POST", f"/v1/duties/{duty.id}/proofs", labour(asked), kind="link", note="某甲的报告", link="https://a.example/1")
    assert "某甲的报告".encode() not in bytes((await asked.rows("SELECT sealed FROM duty_proofs"))[0].sealed)
    assert not any("某甲" in str(row.data) for row in await asked.rows("SELECT data FROM outbox"))


async def test_a_proof_sent_twice_counts_once_and_a_wrong_one_is_taken_away(asked: House) -> None:
    duty = await the(asked, "h2", "labour")
    path = f"/v1/duties/{duty.id}/proofs"
    headers = labour(asked) | {"idempotency-key": str(new_id())}
    body = {"kind": "count", "note": "", "number": 3}
    for _ in range(2):
        answer = await asked.client.post(path, headers=headers, json=body)
        assert answer.status_code == 201 and len(answer.json()["proofs"]) == 1
    other = await asked.client.post(path, headers=headers, json=body | {"number": 4})
    assert other.status_code == 409
    proof = answer.json()["proofs"][0]["proof_id"]
    gone = await do(asked, "DELETE", f"{path}/{proof}", labour(asked))
    assert gone.status_code == 200 and gone.json()["proofs"] == []


async def test_a_photo_shows_a_duty_done_without_place_or_device(asked: House) -> None:
    """Only the copy without hidden data is kept; sent twice it is there once; taken away it is gone."""
    duty = await the(asked, "h1", "labour")
    path = f"/v1/duties/{duty.id}"
    for _ in range(2):
        sent = await asked.client.post(f"{path}/files", headers=labour(asked), content=photo())
        assert sent.status_code == 201, sent.text
    [proof] = sent.json()["proofs"]
    assert proof["kind"] == "photo"
    got = await asked.client.get(f"{path}/files/{proof['file_id']}", headers=labour(asked))
    assert got.status_code == 200 and b"MAKER-7" not in got.content
    other = asked.bearer(agency="finance", posts=("desk",))
    assert (await asked.client.get(f"{path}/files/{proof['file_id']}", headers=other)).status_code == 404
    gone = await do(asked, "DELETE", f"{path}/proofs/{proof['proof_id']}", labour(asked))
    assert gone.json()["proofs"] == []
    assert (await asked.client.get(f"{path}/files/{proof['file_id']}", headers=labour(asked))).status_code == 404
    again = await asked.client.post(f"{path}/files", headers=labour(asked), content=photo())
    assert len(again.json()["proofs"]) == 1


async def test_the_clock_of_a_duty_is_reminded_of_and_ends(asked: House) -> None:
    """Point 8: duties stand among the deadlines of all services, and end there when they are done or missed."""
    duty = await the(asked, "h2", "labour")
    assert (await asked.rows("SELECT standing FROM clocks WHERE id = :id", id=duty.id))[0].standing == "running"
    shown = await do(asked, "POST", f"/v1/duties/{duty.id}/proofs", labour(asked), kind="count", number=2)
    await do(asked, "POST", f"/v1/duties/{duty.id}/steps/finish", labour(asked), shown.json()["version"])
    await miss(asked)
    told = await asked.rows("SELECT standing, count(*) AS n FROM clocks WHERE kind = 'duty' GROUP BY standing ORDER BY 1")
    assert [(row.standing, row.n > 0) for row in told] == [("met_late", True), ("missed", True)]


async def test_the_office_gives_back_what_is_not_done(asked: House) -> None:
    """D-N4 (督导): the agency is told why, and the duty runs again."""
    duty = await the(asked, "h2", "labour")
    path = f"/v1/duties/{duty.id}"
    shown = await do(asked, "POST", f"{path}/proofs", labour(asked), kind="count", number=1)
    done = await do(asked, "POST", f"{path}/steps/finish", labour(asked), shown.json()["version"])
    own = await do(asked, "POST", f"{path}/steps/give-back", labour(asked), done.json()["version"], reason="不足")
    assert own.status_code == 403
    silent = await do(asked, "POST", f"{path}/steps/give-back", office(asked), done.json()["version"], reason="")
    assert silent.status_code == 422
    back = await do(asked, "POST", f"{path}/steps/give-back", office(asked), done.json()["version"], reason="照片不清楚")
    assert (back.json()["state"], back.json()["reason"]) == ("open", "照片不清楚")
    assert len(await events(asked, "duty.given-back")) == 1
    notice = await asked.rows("SELECT state FROM notices WHERE template = 'duty.given-back'")
    assert len(notice) == 1
    dropped = await do(asked, "POST", f"{path}/steps/drop", office(asked), back.json()["version"], reason="x")
    assert dropped.status_code == 409 and dropped.json()["type"].endswith("duty-of-the-plan")


async def test_the_page_shows_what_is_late_first_and_takes_a_proof(asked: House) -> None:
    """The page of an agency: late first; a number and one press show a duty done."""
    await asked.officer(agency="labour", unit=None, posts=("desk",))
    await asked.sign_in("wang")
    page = await asked.page("/duties")
    assert page.status_code == 200 and "技能培训" in page.text and "D-H" in page.text
    duty = await the(asked, "h2", "labour")
    answer = await asked.post(f"/duties/{duty.id}/proofs", kind="count", number="80", note="下岗人员")
    assert answer.status_code == 303
    shown = told((await asked.page(f"/duties/{duty.id}")).text)
    assert "80" in shown and "下岗人员" in shown
    version = (await asked.rows("SELECT version FROM duties WHERE id = :id", id=duty.id))[0].version
    assert (await asked.post(f"/duties/{duty.id}/finish", version=version)).status_code == 303
    assert "技能培训" in (await asked.page("/duties?show=done")).text


def conference(**more: Any) -> dict[str, Any]:
    begins = clock.now() + timedelta(days=2)
    return {
        "kind": "joint_conference", "title": "第三次联席会议", "place": "镇政府二楼会议室",
        "agenda": ["通报上月情况", "部署下阶段工作"], "starts_at": begins.isoformat(),
        "ends_at": (begins + timedelta(hours=2)).isoformat(), "agencies": ["police", "labour", "education"],
    } | more  # fmt: skip


async def test_a_joint_conference_from_the_call_to_the_duties_it_sets(asked: House) -> None:
    """D-N1, D-M1: called by the office, everyone told; who came, minutes, decisions that become duties with a day."""
    refused = await do(asked, "POST", "/v1/meetings", asked.bearer(agency="police", posts=("head",)), **conference())
    assert refused.status_code == 403
    made = await do(asked, "POST", "/v1/meetings", office(asked), **conference())
    assert made.status_code == 201 and made.json()["agencies"] == ["commerce", "police", "labour", "education"]
    meeting = made.json()["meeting_id"]
    asked_to = await asked.rows("SELECT agency FROM notices WHERE template = 'meeting.called' ORDER BY agency")
    assert [row.agency for row in asked_to] == ["education", "labour", "police"]
    assert (await asked.client.get(f"/v1/meetings/{meeting}", headers=labour(asked))).json()["title"] == "第三次联席会议"
    finance = asked.bearer(agency="finance", posts=("desk",))
    assert (await asked.client.get(f"/v1/meetings/{meeting}", headers=finance)).status_code == 404
    path = f"/v1/meetings/{meeting}"
    early = await do(asked, "POST", f"{path}/steps/hold", office(asked), 1, present=["police"])
    assert early.status_code == 422
    earlier = clock.now() - timedelta(hours=3)
    await asked.run("UPDATE meetings SET starts_at = :t, ends_at = :u", t=earlier, u=earlier + timedelta(hours=2))
    held = await do(asked, "POST", f"{path}/steps/hold", office(asked), 1, present=["commerce", "police"])
    assert held.json()["present"] == ["commerce", "police"]
    early = await do(asked, "POST", f"{path}/steps/close", office(asked), 2)
    assert early.status_code == 409 and early.json()["type"].endswith("minutes-missing")
    written = await do(asked, "PUT", f"{path}/minutes", office(asked), 2, minutes="会议强调……")
    due = (clock.now() + timedelta(days=10)).date()
    decided = await do(
        asked, "POST", f"{path}/decisions", office(asked), written.json()["version"], agency="labour", due=due.isoformat(), what="核查全部求职中介"
    )
    assert decided.status_code == 201
    duty = decided.json()["decisions"][0]
    assert (duty["agency"], duty["what_zh"], duty["origin"], duty["late"]) == ("labour", "核查全部求职中介", "meeting", False)
    notice = await asked.rows("SELECT state, due FROM notices WHERE template = 'duty.set'")
    assert [row.due.astimezone(clock.CHINA).date() for row in notice] == [due]
    closed = await do(asked, "POST", f"{path}/steps/close", office(asked), decided.json()["version"])
    assert closed.json()["state"] == "closed"
    late = await do(asked, "PUT", f"{path}/minutes", office(asked), closed.json()["version"], minutes="改")
    assert late.status_code == 409
    shown = await do(asked, "POST", f"/v1/duties/{duty['duty_id']}/proofs", labour(asked), kind="count", number=14)
    done = await do(asked, "POST", f"/v1/duties/{duty['duty_id']}/steps/finish", labour(asked), shown.json()["version"])
    assert (done.json()["state"], done.json()["late"]) == ("done", False)
    assert (await asked.rows("SELECT state, in_time FROM notices WHERE template = 'duty.set'"))[0] == ("done", True)
    sealed = await asked.rows("SELECT sealed FROM meetings UNION ALL SELECT sealed FROM duties WHERE sealed IS NOT NULL")
    assert not any("核查".encode() in bytes(row.sealed) or "联席".encode() in bytes(row.sealed) for row in sealed)
    assert not any("核查" in str(row.data) or "联席" in str(row.data) for row in await asked.rows("SELECT data FROM outbox"))


async def test_a_conference_fulfils_the_turn_of_the_plans_calendar(asked: House) -> None:
    """D-N1 (定期联席会议): the month's duty is done by the conference that was held in it, and by no case conference."""
    made = await do(asked, "POST", "/v1/meetings", office(asked), **conference())
    november = datetime(2015, 11, 12, 1, tzinfo=UTC)
    await asked.run("UPDATE meetings SET starts_at = :t, ends_at = :u", t=november, u=november + timedelta(hours=1))
    held = await do(asked, "POST", f"/v1/meetings/{made.json()['meeting_id']}/steps/hold", office(asked), 1, present=["commerce"])
    assert held.status_code == 200, held.text
    turns = await asked.rows("SELECT starts, state FROM duties WHERE origin = 'activity' ORDER BY starts")
    assert [(row.starts, row.state) for row in turns] == [
        (date(2015, 10, 1), "open"), (date(2015, 11, 1), "done"), (date(2015, 12, 1), "open"),
    ]  # fmt: skip


async def test_a_case_conference_needs_a_case_one_has_part_in(asked: House) -> None:
    """D-N1 (小型案件会议): about one joint case, called by an agency that has part in it, told to those asked only."""
    case = opened()
    await asked.tell(case)
    head = asked.bearer(agency="police", posts=("head",))
    strange = await do(asked, "POST", "/v1/meetings", head, **conference(kind="case_conference", case_id=str(new_id()), agencies=["commerce"]))
    assert strange.status_code == 422 and strange.json()["errors"][0]["field"] == "case_id"
    made = await do(asked, "POST", "/v1/meetings", head, **conference(kind="case_conference", case_id=str(case.case_id), agencies=["commerce"]))
    assert made.status_code == 201 and made.json()["case_number"] == case.number
    moved = await do(asked, "PATCH", f"/v1/meetings/{made.json()['meeting_id']}", head, 1, place="派出所会议室")
    assert moved.json()["place"] == "派出所会议室"
    off = await do(asked, "POST", f"/v1/meetings/{made.json()['meeting_id']}/steps/cancel", head, 2)
    assert off.json()["state"] == "cancelled"
    kinds = await asked.rows("SELECT template FROM notices WHERE agency = 'commerce' AND matter = 'meeting' ORDER BY created_at")
    assert [row.template for row in kinds] == ["meeting.called", "meeting.moved", "meeting.cancelled"]
    assert (await asked.client.get(f"/v1/meetings/{made.json()['meeting_id']}", headers=labour(asked))).status_code == 404


async def test_the_calendar_file_holds_what_is_coming(asked: House) -> None:
    """iCalendar (RFC 5545), read back by a library."""
    from icalendar import Calendar

    made = (await do(asked, "POST", "/v1/meetings", office(asked), **conference())).json()
    answer = await asked.client.get("/v1/meetings/calendar.ics", headers=labour(asked))
    assert answer.headers["content-type"].startswith("text/calendar")
    entry = Calendar.from_ical(answer.content).walk("VEVENT")[0]
    assert str(entry["uid"]).startswith(made["meeting_id"]) and str(entry["summary"]) == "第三次联席会议"
    assert entry["dtstart"].dt == datetime.fromisoformat(made["starts_at"]).replace(microsecond=0)
    assert (await asked.client.get(f"/v1/meetings/{made['meeting_id']}/calendar.ics", headers=asked.bearer(agency="finance", posts=("desk",)))).status_code == 404


async def test_the_pages_of_a_meeting(asked: House) -> None:
    """Called, held, written and decided by clicks alone."""
    await asked.officer(agency="commerce", unit="office", posts=("office-director",))
    await asked.sign_in("wang")
    assert "police" in (await asked.page("/meetings/new")).text
    begins = (clock.now() + timedelta(days=1)).astimezone(clock.CHINA)
    form = {
        "kind": "joint_conference", "title": "十一月联席会议", "place": "镇政府", "agenda": "一、通报\n二、部署",
        "starts_at": begins.strftime("%Y-%m-%dT%H:%M"), "ends_at": (begins + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M"),
        "agencies": ["police", "labour"],
    }  # fmt: skip
    wrong = await asked.post("/meetings", **(form | {"ends_at": form["starts_at"]}))
    assert wrong.status_code == 422 and "十一月联席会议" in wrong.text
    made = await asked.post("/meetings", **form)
    assert made.status_code == 303
    path = made.headers["location"].partition("?")[0]
    page = await asked.page(path)
    assert "一、通报" in page.text and asked.service.plans["dayong"].agency("labour").name.zh in page.text
    assert "十一月联席会议" in (await asked.page("/meetings")).text

    # a case is named by its number, as people know it
    case = opened()
    await asked.tell(case)
    about = form | {"kind": "case_conference", "title": "案件会议"}
    unknown = await asked.post("/meetings", **about, case_number="没有的编号")
    assert unknown.status_code == 422 and "没有的编号" in unknown.text
    called = await asked.post("/meetings", **about, case_number=f" {case.number} ")
    assert called.status_code == 303
    assert case.number in (await asked.page(called.headers["location"].partition("?")[0])).text
