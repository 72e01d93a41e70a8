"""Reporting and bulletins through the API, over a real database: calendar, figures, release, numbers, files."""

from __future__ import annotations

import asyncio
import io
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest
from docx import Document

from services.notify.commands.reports import calendar
from services.notify.commands.reports.room import Room
from shared.events import EventData
from shared.events.casework import CaseAccepted, CaseOpened
from shared.events.common import DeadlineFact
from shared.events.intake import AgentVisited
from shared.kit import clock, db
from shared.kit.ids import new_id
from shared.rules.calendar import local_day
from tests.integration.notify.conftest import House

SAYS = {"done": "在人才市场设宣传栏两处", "results": "发放资料三百份", "problems": "人手不足", "suggestions": "请增拨资料"}


def at(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=UTC)  # type: ignore[misc]


def room_of(house: House) -> Room:
    return Room.of(house.service, house.settings)


async def follow(house: House, plan: str, now: datetime) -> None:
    room = room_of(house)
    async with db.begin(house.service.engine) as conn:
        await calendar.follow_plan(conn, room, room.plan(plan), now)


async def tick(house: House, now: datetime) -> None:
    for work in (calendar.mark_missed, calendar.remind):
        async with db.begin(house.service.engine) as conn:
            while await work(conn, room_of(house), now) == calendar.AT_ONCE:
                pass


def officer(house: House, agency: str, *posts: str, **more: Any) -> dict[str, str]:
    return house.bearer(agency=agency, posts=posts, **more)


def office(house: House, post: str = "office-staff", **more: Any) -> dict[str, str]:
    return officer(house, "commerce", post, **more)


async def send(
    house: House, who: dict[str, str], method: str, path: str, body: Any = None, version: int | None = None, key: str | None = None
) -> httpx.Response:
    headers = who | {"idempotency-key": key or str(new_id())}
    if version is not None:
        headers["if-match"] = f'"{version}"'
    return await house.client.request(method, path, json=body, headers=headers)


async def events(house: House, kind: str) -> list[dict[str, Any]]:
    rows = await house.rows("SELECT data FROM outbox WHERE type = :type ORDER BY seq", type=f"dachuan.report.{kind}.v1")
    return [orjson.loads(row.data) for row in rows]


async def asked(house: House, *agencies: str, days: int = 1) -> list[dict[str, Any]]:
    """The office asks for a report for a day ahead."""
    today = local_day(clock.now())
    body = {"day": str(today + timedelta(days=days)), "first_day": str(today - timedelta(days=13)), "agencies": list(agencies)}
    made = await send(house, office(house), "POST", "/v1/reports", body)
    assert made.status_code == 201, made.text
    return made.json()


def case(n: int, moment: datetime, area: str = "dayong-nanwen") -> list[EventData]:
    """A case opened for police and commerce, and accepted by police."""
    about = {"case_id": uuid.UUID(int=n), "plan": "dayong", "area": area, "urgent": False}
    opened = {
        "number": f"案{n}", "lead_id": uuid.UUID(int=n), "kinds": ["headcount"], "deadlines": [], "received_at": moment,
        "opened_at": moment, "dataref": "https://casework/v1/cases/x",
        "parties": [{"agency": "police", "role": "lead"}, {"agency": "commerce", "role": "co"}],
    }  # fmt: skip
    deadline = DeadlineFact(
        deadline_id=uuid.UUID(int=n + 500), kind="acceptance", agency="police", rule="plan.accept", calendar="cn-2026",
        start=moment, due=moment + timedelta(days=1),
    )  # fmt: skip
    accepted = {"number": f"案{n}", "agency": "police", "unit": None, "deadline": deadline, "accepted_at": moment, "in_time": True}
    return [CaseOpened.model_validate(about | opened), CaseAccepted.model_validate(about | accepted)]


async def test_the_calendar_reminds_marks_and_lists_who_is_missing(house: House) -> None:
    """D-R: dates as listed, not before issue; reminded, missing by name and marked late; events for scoring."""
    await follow(house, "dayong", at(2015, 10, 20, 1))
    shown = (await house.client.get("/v1/reporting/calendar", headers=officer(house, "labour", "head"))).json()
    assert [turn["day"] for turn in shown if turn["kind"] == "regular"] == ["2015-10-15", "2015-10-29", "2015-11-12", "2015-11-26"]

    await tick(house, at(2015, 10, 20, 2))
    assert {(row.state, row.counts) for row in await house.rows("SELECT state, counts FROM reports WHERE day = '2015-10-15'")} == {("missed", False)}
    assert await events(house, "missed") == [] and await house.rows("SELECT 1 FROM notices") == []

    await tick(house, at(2015, 10, 27, 2))
    reminded = await house.rows("SELECT agency, number, state FROM notices WHERE template = 'report.owed'")
    assert len(reminded) == 22 and {row.number for row in reminded} == {"2015-10-29"}
    await tick(house, at(2015, 10, 27, 3))
    assert len(await house.rows("SELECT 1 FROM notices")) == 22

    await tick(house, at(2015, 10, 29, 15, 59))
    assert await events(house, "missed") == []
    await tick(house, at(2015, 10, 29, 16, 1))
    missed = await events(house, "missed")
    assert len(missed) == 22 and {one["clause"] for one in missed} == {"D-R"} and {one["day"] for one in missed} == {"2015-10-29"}
    told = {row.template: row.n for row in await house.rows("SELECT template, count(*) AS n FROM notices WHERE state = 'waiting' GROUP BY 1")}
    assert told == {"report.missed": 22, "report.missed.office": 22}

    rounds = (await house.client.get("/v1/reporting/rounds", headers=office(house))).json()
    [late] = [one for one in rounds if one["day"] == "2015-10-29"]
    assert late["owed"] == 22 and late["came"] == 0 and "labour" in late["missing"]
    mine = (await house.client.get("/v1/reports", headers=officer(house, "labour", "reporter"))).json()["items"]
    assert mine[0]["day"] == "2015-10-29" and mine[0]["late"] and {one["agency"] for one in mine} == {"labour"}

    wrote = await send(house, officer(house, "labour", "reporter"), "POST", f"/v1/reports/{mine[0]['report_id']}/submission", SAYS, mine[0]["version"])
    assert wrote.status_code == 200 and wrote.json()["late"] and wrote.json()["in_time"] is False
    assert [one["late"] for one in await events(house, "submitted")] == [True]
    left = await house.rows("SELECT 1 FROM notices WHERE matter_id = :id AND state <> 'done'", id=uuid.UUID(mine[0]["report_id"]))
    assert left == []
    assert not any("text" in key or "done" == key for event in await events(house, "submitted") for key in event)


async def test_a_day_the_plan_no_longer_lists_is_dropped(house: House) -> None:
    """D-R: a changed plan takes back what it no longer asks; nobody is late for it."""
    await follow(house, "dayong", at(2015, 10, 20, 1))
    await house.run("UPDATE reports SET id = gen_random_uuid() WHERE agency = 'labour' AND day = '2015-10-29'")
    await follow(house, "dayong", at(2015, 10, 21, 1))
    rows = await house.rows("SELECT state FROM reports WHERE agency = 'labour' AND day = '2015-10-29' ORDER BY state")
    assert [row.state for row in rows] == ["owed", "withdrawn"]
    assert [one["agency"] for one in await events(house, "dropped")] == ["labour"]


async def test_a_report_has_its_figures_filled_in_and_is_sealed(house: House) -> None:
    """D-N2: what was done, results, problems, suggestions, and the agency's own figures; words encrypted at rest."""
    [row] = await asked(house, "police")
    await house.tell(*case(1, clock.now()), *case(2, clock.now()))
    who = officer(house, "police", "desk")
    draft = (await house.client.get(f"/v1/reports/{row['report_id']}", headers=who)).json()
    assert draft["figures"]["total"] == {"cases_joined": 2, "cases_accepted": 2}
    saved = await send(house, who, "PUT", f"/v1/reports/{row['report_id']}/contents", SAYS, 1)
    assert saved.status_code == 200 and saved.json()["state"] == "drafted" and saved.json()["says"] == SAYS
    key = str(new_id())
    sent = await send(house, who, "POST", f"/v1/reports/{row['report_id']}/submission", None, 2, key)
    again = await send(house, who, "POST", f"/v1/reports/{row['report_id']}/submission", None, 2, key)
    assert sent.status_code == again.status_code == 200 and sent.json() == again.json()
    assert sent.json()["in_time"] and not sent.json()["late"] and len(await events(house, "submitted")) == 1
    await house.tell(*case(3, clock.now()))
    kept = (await house.client.get(f"/v1/reports/{row['report_id']}", headers=who)).json()
    assert kept["figures"]["total"] == {"cases_joined": 2, "cases_accepted": 2}
    [stored] = await house.rows("SELECT contents FROM reports WHERE contents IS NOT NULL")
    assert SAYS["done"].encode() not in bytes(stored.contents)

    outdated = await send(house, who, "PUT", f"/v1/reports/{row['report_id']}/contents", SAYS, 1)
    assert outdated.status_code == 412
    settled = await send(house, who, "PUT", f"/v1/reports/{row['report_id']}/contents", SAYS, 3)
    assert settled.status_code == 409 and settled.json()["state"] == "submitted"
    bare = await house.client.put(f"/v1/reports/{row['report_id']}/contents", json=SAYS, headers=who | {"idempotency-key": str(new_id())})
    assert bare.status_code == 428
    stranger = await house.client.get(f"/v1/reports/{row['report_id']}", headers=officer(house, "labour", "head"))
    assert stranger.status_code == 404

    back = await send(house, office(house), "POST", f"/v1/reports/{row['report_id']}/return", {"reason": "请补充数据"}, 3)
    assert back.status_code == 200 and back.json()["state"] == "returned" and back.json()["reason"] == "请补充数据"
    resent = await send(house, who, "POST", f"/v1/reports/{row['report_id']}/submission", SAYS, 4)
    assert resent.json()["state"] == "submitted" and len(await events(house, "submitted")) == 1
    assert resent.json()["figures"]["total"]["cases_joined"] == 3


async def test_visits_to_letting_agents_stand_in_the_report_of_who_paid_them(house: House) -> None:
    """D-A1: the visits that the register records are the agency's own figures, and nobody else's."""
    [commerce, labour] = [(await asked(house, agency))[0]["report_id"] for agency in ("commerce", "labour")]
    for signed in (True, False):
        await house.tell(
            AgentVisited(
                visit_id=new_id(), agent_id=new_id(), plan="dayong", area="dayong-antang", agency="commerce",
                materials=("letter",), signed=signed, visited_at=clock.now(), dataref="http://127.0.0.1:8401/v1/agents/x",
            )
        )  # fmt: skip
    for agency, report, figures in (("commerce", commerce, {"agents_visited": 2}), ("labour", labour, {})):
        draft = await house.client.get(f"/v1/reports/{report}", headers=officer(house, agency, "head"))
        assert draft.json()["figures"]["total"] == figures
    form = await house.client.get(
        f"/reports/{commerce}", headers=officer(house, "commerce", "head") | {"accept": "text/html"}
    )
    assert "走访中介" in form.text


async def test_a_report_that_says_nothing_is_refused(house: House) -> None:
    """D-N2: what was done must be said; the office takes back what it need not have."""
    [row] = await asked(house, "police")
    nothing = await send(house, officer(house, "police", "desk"), "POST", f"/v1/reports/{row['report_id']}/submission", {"done": "  "}, 1)
    assert nothing.status_code == 422 and nothing.json()["errors"][0]["field"] == "done"
    denied = await send(house, officer(house, "police", "head"), "POST", f"/v1/reports/{row['report_id']}/withdrawal", {"reason": "不必了"}, 1)
    assert denied.status_code == 403
    gone = await send(house, office(house), "POST", f"/v1/reports/{row['report_id']}/withdrawal", {"reason": "并入下次"}, 1)
    assert gone.json()["state"] == "withdrawn" and len(await events(house, "dropped")) == 1
    wrong = await send(house, office(house), "POST", "/v1/reports", {"day": "2015-10-29", "first_day": "2015-10-16", "agencies": ["nobody"]})
    assert {one["field"] for one in wrong.json()["errors"]} == {"day", "agencies"}


async def test_one_named_person_reports_for_a_unit(house: House) -> None:
    """X-R3: 定人定时 — named by the unit's head, and nobody else reports."""
    where = {"plan": "xiyuan", "agency": "justice"}
    named = await house.officer("chen", posts=("desk",), unit=None, **where)
    other = await house.officer("liu", posts=("desk",), unit=None, **where)
    head = officer(house, "justice", "head", plan="xiyuan")
    told = await send(house, head, "PUT", "/v1/reporters/justice", {"account_id": str(named)}, 0)
    assert told.status_code == 200 and told.json()["version"] == 1
    stale = await send(house, head, "PUT", "/v1/reporters/justice", {"account_id": str(other)}, 0)
    assert stale.status_code == 412
    foreign = await send(house, head, "PUT", "/v1/reporters/police", {"account_id": str(other)}, 0)
    assert foreign.status_code == 403

    await follow(house, "xiyuan", at(2015, 5, 12, 1))
    desk = officer(house, "justice", "desk", plan="xiyuan", principal_id=str(other))
    [first] = [one for one in (await house.client.get("/v1/reports", headers=desk)).json()["items"] if one["day"] == "2015-05-15"]
    path = f"/v1/reports/{first['report_id']}/submission"
    refused = await send(house, desk, "POST", path, SAYS, first["version"])
    assert refused.status_code == 403 and refused.json()["type"].endswith("not-the-reporter")
    let = await send(house, officer(house, "justice", "desk", plan="xiyuan", principal_id=str(named)), "POST", path, SAYS, first["version"])
    assert let.status_code == 200, let.text
    shown = (await house.client.get("/v1/reporters", headers=head)).json()
    assert [(one["agency"], one["display_name"]) for one in shown] == [("justice", "测试甲")]


async def bulletin(house: House, kind: str = "bulletin", who: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    today = local_day(clock.now())
    body = {"kind": kind, "first_day": str(today - timedelta(days=13)), "last_day": str(today + timedelta(days=2)), **more}
    made = await send(house, who or office(house, principal_id=str(new_id())), "POST", "/v1/bulletins", body)
    assert made.status_code == 201, made.text
    return made.json()


async def step(house: House, who: dict[str, str], row: dict[str, Any], name: str, body: Any = None) -> httpx.Response:
    return await send(house, who, "POST", f"/v1/bulletins/{row['bulletin_id']}/{name}", body, row["version"])


async def released(house: House, row: dict[str, Any], editor: dict[str, str], director: dict[str, str]) -> dict[str, Any]:
    proposed = (await step(house, editor, row, "proposal")).json()
    done = await step(house, director, proposed, "release")
    assert done.status_code == 200, done.text
    return done.json()


async def test_a_bulletin_is_compiled_edited_and_released_by_a_second_person(house: House) -> None:
    """D-N2: reports and live figures become a bulletin, reviewed by another, numbered, sent to every member; D-M2."""
    reports = await asked(house, "labour", "education", "transport")
    mine = next(one for one in reports if one["agency"] == "labour")
    sent = await send(house, officer(house, "labour", "reporter"), "POST", f"/v1/reports/{mine['report_id']}/submission", SAYS, 1)
    assert sent.status_code == 200
    await house.tell(*case(1, clock.now()))
    editor, director = office(house, principal_id=str(new_id())), office(house, "office-director", principal_id=str(new_id()))
    row = await bulletin(house, who=editor)
    says = "\n".join(one["body"] for one in row["sections"])
    assert SAYS["done"] in says and SAYS["suggestions"] in says and "新立联合案件1件" in says and "应报3份，已报1份" in says
    assert row["missing"] == ["education", "transport"] and [one["id"] for one in row["reports"]] == [mine["report_id"]]
    hidden = await house.client.get(f"/v1/bulletins/{row['bulletin_id']}", headers=officer(house, "labour", "head"))
    assert hidden.status_code == 404

    changed = {"title": "大涌镇第一期", "sections": [{"heading": "总体情况", "body": "改过的话"}]}
    edited = await send(house, editor, "PUT", f"/v1/bulletins/{row['bulletin_id']}/contents", changed, row["version"])
    assert edited.json()["sections"] == changed["sections"] and edited.json()["figures"] == row["figures"]
    early = await step(house, director, edited.json(), "release")
    assert early.status_code == 409
    proposed = (await step(house, editor, edited.json(), "proposal")).json()
    assert [r.needs for r in await house.rows("SELECT needs FROM notices WHERE template = 'bulletin.to-release'")] == ["bulletin.release"]
    staff = await step(house, office(house, principal_id=str(new_id())), proposed, "release")
    assert staff.status_code == 403
    back = (await step(house, director, proposed, "return", {"reason": "补一句"})).json()
    assert back["state"] == "draft" and back["reason"] == "补一句"

    done = await released(house, back, editor, director)
    year = local_day(clock.now()).year
    assert done["number"] == f"{year}年第1期" and done["released_by"] and done["state"] == "issued"
    issued = await house.rows("SELECT agency FROM notices WHERE template = 'bulletin.issued'")
    assert len(issued) == 22 and "commerce" not in {one.agency for one in issued}
    read = await house.client.get(f"/v1/bulletins/{row['bulletin_id']}", headers=officer(house, "labour", "head"))
    assert read.status_code == 200
    fixed = await send(house, editor, "PUT", f"/v1/bulletins/{row['bulletin_id']}/contents", changed, done["version"])
    assert fixed.status_code == 409
    [stored] = await house.rows("SELECT contents FROM bulletins")
    assert "改过的话".encode() not in bytes(stored.contents)


async def test_who_wrote_it_cannot_release_it(house: House) -> None:
    """D-N2: a director who edits or proposes needs another to release."""
    director = office(house, "office-director", principal_id=str(new_id()))
    row = await bulletin(house, who=director)
    proposed = (await step(house, director, row, "proposal")).json()
    own = await step(house, director, proposed, "release")
    assert own.status_code == 403 and own.json()["type"].endswith("same-person")
    other = await step(house, office(house, "office-director", principal_id=str(new_id())), proposed, "release")
    assert other.status_code == 200


async def test_numbers_have_no_gaps(house: House) -> None:
    """D-N2: ten released at once and some refused: 1 to 10, none left out; thrown away drafts take none."""
    director = office(house, "office-director", principal_id=str(new_id()))
    drafts = [await bulletin(house) for _ in range(11)]
    editor = office(house, principal_id=str(new_id()))
    gone = await step(house, editor, drafts.pop(), "discard")
    assert gone.json()["state"] == "discarded"
    proposed = [(await step(house, editor, one, "proposal")).json() for one in drafts]
    stale = [{**one, "version": one["version"] + 5} for one in proposed[:3]]
    answers = await asyncio.gather(*(step(house, director, one, "release") for one in [*proposed, *stale, *proposed[:2]]))
    assert sorted(one.status_code for one in answers) == [200] * 10 + [412] * 5
    serials = [row.serial for row in await house.rows("SELECT serial FROM bulletins WHERE serial IS NOT NULL ORDER BY serial")]
    assert serials == list(range(1, 11))


async def test_the_same_period_gives_the_same_figures_from_the_same_events(house: House) -> None:
    """D-N2: what comes later, or late for the same days, changes a new bulletin and never one that stands."""
    await house.tell(*case(1, clock.now()), *case(2, clock.now(), "dayong-antang"))
    first = await bulletin(house)
    twin = await bulletin(house)
    assert twin["figures"]["digest"] == first["figures"]["digest"] and twin["figures"]["total"] == first["figures"]["total"]
    await house.tell(*case(3, clock.now() - timedelta(days=3)))
    later = await bulletin(house)
    assert later["figures"]["total"]["cases_opened"] == 3 and later["figures"]["digest"] != first["figures"]["digest"]
    assert later["figures"]["position"] > first["figures"]["position"]
    check = (await house.client.get(f"/v1/bulletins/{first['bulletin_id']}/check", headers=office(house))).json()
    assert check["same"] and check["counted"] == first["figures"]
    assert first["figures"]["by_area"]["dayong-antang"]["cases_opened"] == 1
    anew = (await step(house, office(house), first, "figures")).json()
    assert anew["figures"]["total"] == later["figures"]["total"] and anew["figures"]["digest"] == later["figures"]["digest"]

    await house.run("UPDATE figures SET number = number + 1 WHERE measure = 'cases_opened'")
    forged = (await house.client.get(f"/v1/bulletins/{twin['bulletin_id']}/check", headers=office(house))).json()
    assert not forged["same"]
    proposed = (await step(house, office(house), twin, "proposal")).json()
    refused = await step(house, office(house, "office-director", principal_id=str(new_id())), proposed, "release")
    assert refused.status_code == 409 and refused.json()["type"].endswith("figures-differ")


async def test_events_still_on_their_way_stand_behind_the_position(house: House) -> None:
    """D-N2: a batch that commits after the figures were taken is not in them, also when it began before."""
    slow = await house.service.engine.connect()
    try:
        async with slow.begin():
            await house.apply(slow, *case(1, clock.now()))
            await house.tell(*case(2, clock.now()))
            row = await bulletin(house)
            assert row["figures"]["total"] == {}
        check = (await house.client.get(f"/v1/bulletins/{row['bulletin_id']}/check", headers=office(house))).json()
        assert check["same"]
        assert (await bulletin(house))["figures"]["total"]["cases_opened"] == 2
    finally:
        await slow.close()


async def test_the_summary_goes_upward_and_is_the_plans_report(house: House) -> None:
    """X-R3, X-D1d: the situation report is compiled and sent to the district office; what was owed has come."""
    await follow(house, "xiyuan", at(2015, 6, 1, 1))
    await tick(house, at(2015, 7, 4, 1))
    [owed] = await house.rows("SELECT id, state FROM reports WHERE kind = 'situation'")
    assert owed.state == "owed"
    editor = officer(house, "office", "office-staff", plan="xiyuan", principal_id=str(new_id()))
    director = officer(house, "office", "office-director", plan="xiyuan", principal_id=str(new_id()))
    direct = await send(house, officer(house, "office", "reporter", plan="xiyuan"), "POST", f"/v1/reports/{owed.id}/submission", SAYS, 1)
    assert direct.status_code == 409 and direct.json()["type"].endswith("compiled")
    body = {"kind": "situation", "first_day": "2015-05-11", "last_day": "2015-07-05", "milestone": "situation"}
    made = (await send(house, editor, "POST", "/v1/bulletins", body)).json()
    assert made["to_agency"] == "district_office" and "未报" in made["sections"][-1]["body"]
    done = await released(house, made, editor, director)
    assert done["number"].startswith("打传报〔")
    [kept] = await house.rows("SELECT state, bulletin_id, in_time FROM reports WHERE kind = 'situation'")
    assert (kept.state, str(kept.bulletin_id), kept.in_time) == ("submitted", made["bulletin_id"], False)
    assert [one["kind"] for one in await events(house, "submitted")] == ["situation"]
    assert await house.rows("SELECT 1 FROM notices WHERE template = 'bulletin.issued'") == []
    progress = await send(house, editor, "POST", "/v1/bulletins", body | {"kind": "progress", "milestone": None})
    assert progress.json()["to_agency"] == "district_office"
    wrong = await send(house, editor, "POST", "/v1/bulletins", body | {"kind": "bulletin", "to_agency": "police", "first_day": "2015-08-01"})
    assert {one["field"] for one in wrong.json()["errors"]} == {"kind", "to_agency", "last_day"}


async def test_what_is_recalled_keeps_its_number_and_says_why(house: House) -> None:
    director = office(house, "office-director", principal_id=str(new_id()))
    done = await released(house, await bulletin(house), office(house, principal_id=str(new_id())), director)
    gone = (await step(house, director, done, "recall", {"reason": "数据有误"})).json()
    assert gone["state"] == "recalled" and gone["number"] == done["number"] and gone["reason"] == "数据有误"
    following = await released(house, await bulletin(house), office(house, principal_id=str(new_id())), director)
    assert "第2期" in following["number"]
    shown = await house.client.get(f"/v1/bulletins/{done['bulletin_id']}", headers=officer(house, "labour", "head"))
    assert shown.json()["state"] == "recalled"


async def test_a_bulletin_is_a_word_and_a_pdf_file_with_charts(house: House) -> None:
    """D-N2: issued as a document (公文 layout), the same bytes whenever it is asked for; words stay words."""
    await house.tell(*case(1, clock.now()), *case(2, clock.now(), "dayong-antang"))
    editor, director = office(house, principal_id=str(new_id())), office(house, "office-director", principal_id=str(new_id()))
    row = await bulletin(house, who=editor)
    odd = {"title": "大涌镇 {{ 7*7 }} 通报", "sections": [{"heading": "总体情况", "body": "第一段 <b>\n第二段 {% raw %}"}]}
    row = (await send(house, editor, "PUT", f"/v1/bulletins/{row['bulletin_id']}/contents", odd, row["version"])).json()
    done = await released(house, row, editor, director)
    path = f"/v1/bulletins/{row['bulletin_id']}/file"
    word = await house.client.get(path, params={"form": "docx"}, headers=officer(house, "labour", "head"))
    assert word.status_code == 200, word.text
    document = Document(io.BytesIO(word.content))
    said = "\n".join(one.text for one in document.paragraphs)
    assert "大涌镇 {{ 7*7 }} 通报" in said and done["number"] in said and "一、总体情况" in said and "第二段 {% raw %}" in said
    assert [cell.text for row in document.tables[0].rows for cell in row.cells][2:4] == ["新立联合案件", "2件"]
    assert len(document.inline_shapes) == 2
    pdf = await house.client.get(path, headers=officer(house, "labour", "head"))
    assert pdf.content[:5] == b"%PDF-" and pdf.headers["content-disposition"].endswith('-1.pdf"')
    again = await house.client.get(path, headers=office(house))
    assert again.content == pdf.content
    read = await house.rows("SELECT action FROM audit WHERE action IN ('bulletin.pdf', 'bulletin.docx')")
    assert len(read) == 3


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/reports"), ("POST", "/v1/bulletins"), ("GET", "/v1/bulletins"), ("GET", "/v1/reports"), ("GET", "/v1/reporters")],
)
async def test_without_the_right_nothing_opens(house: House, method: str, path: str) -> None:
    """D-O1: an investigator or operator has no part in reporting."""
    body = {"day": str(date.today()), "first_day": str(date.today())} if path == "/v1/reports" else None
    assert (await send(house, officer(house, "police", "operator"), method, path, body)).status_code == 403
