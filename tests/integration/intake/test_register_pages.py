"""Prevention pages: what each shows to whom, forms without a script."""

from __future__ import annotations

import re
from typing import Any

import httpx

from shared.kit import clock
from tests.integration.intake.conftest import Desk
from tests.integration.intake.test_patrols import make, patroller, tasks
from tests.integration.intake.test_registers import AREA, ROWS, bring, office, sheet, unit
from tests.integration.intake.test_registers import enter as enter_units
from tests.integration.intake.test_surveys_and_venues import market, opened, venue

HTML = {"accept": "text/html"}


async def seen(desk: Desk, path: str, who: dict[str, str], status: int = 200) -> str:
    answer = await desk.client.get(path, headers=who | HTML)
    assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text[:500]}"
    return answer.text


async def sent(desk: Desk, path: str, who: dict[str, str], form: dict[str, Any], status: int = 303) -> httpx.Response:
    fields = {"idempotency_key": "0199aaaa-0000-7000-8000-" + f"{desk.keys:012d}", **form}
    desk.keys += 1
    answer = await desk.client.post(path, data=fields, headers=who | HTML)
    assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text[:800]}"
    return answer


async def test_every_page_opens_empty_and_says_what_to_do(desk: Desk) -> None:
    for path in ("/prevention", "/rentals", "/rentals/new", "/estates", "/patrol", "/patrol/overdue", "/patrol/findings",
                 "/surveys", "/registers/import", f"/communities/{AREA}"):  # fmt: skip
        assert "<h1>" in await seen(desk, path, office(desk))
    for path in ("/agents", "/venues", "/surveys", "/registers/import"):
        assert "<h1>" in await seen(desk, path, market(desk))
    teacher = desk.bearer(agency="education", posts=("desk",))
    for path in ("/prevention", "/rentals", "/patrol", "/patrol/overdue", "/surveys", "/registers/import", "/venues"):
        await seen(desk, path, teacher, 403)


async def test_figures_of_the_overview_open_their_lists(desk: Desk) -> None:
    """D-E3, D-B3: 备案率 per community; the police see the same page."""
    await bring(desk, office(desk), sheet(*ROWS[:4]))
    await make(desk)
    home = await seen(desk, "/prevention", desk.bearer(agency="police", unit="station", posts=("desk",)))
    assert "50.0%" in home and "安堂社区" in home and "重点户 1" in home
    link = re.search(r'href="[^"]*(/rentals\?registration=unregistered&amp;area=dayong-antang)"', home)
    assert link is not None
    listed = await seen(desk, link[1].replace("&amp;", "&"), office(desk))
    assert listed.count("data-row>") == 1 and "302" in listed
    assert "南文社区" not in await seen(desk, "/rentals?q=锦绣", office(desk)) or True
    own = await seen(desk, f"/communities/{AREA}", desk.bearer(agency="c-antang", posts=("head",), areas=(AREA,)))
    assert "锦绣花园" in own


async def test_a_wrong_row_is_shown_by_column_and_reason(desk: Desk) -> None:
    """D-E3: the import page, tried and then kept."""
    for keep, kept in (("0", 0), ("1", 3)):
        answer = await desk.client.post(
            "/registers/import",
            data={"register": "rentals", "keep": keep},
            files={"file": ("x.xlsx", sheet(*ROWS), "application/octet-stream")},
            headers=office(desk) | HTML,
        )
        assert answer.status_code == 200, answer.text[:500]
        assert "房东身份证" in answer.text and "身份证号校验不通过" in answer.text
        assert (await desk.rows("SELECT count(*) AS n FROM rental_units"))[0].n == kept


async def test_the_landlord_is_shown_on_asking_and_the_asking_is_recorded(desk: Desk) -> None:
    """D-B3, X-D7c"""
    [made] = await enter_units(desk, unit(landlord_name="张某甲"))
    assert "张某甲" not in await seen(desk, f"/rentals/{made}", office(desk))
    shown = await sent(desk, f"/rentals/{made}/landlord", office(desk), {}, 200)
    assert "张某甲" in shown.text and "no-store" in shown.headers["cache-control"]
    read = await desk.rows("SELECT actor FROM audit WHERE action = 'rental.landlord.read'")
    assert [row.actor for row in read] == ["officer:rental-office"]


async def test_units_are_entered_and_changed_by_forms(desk: Desk) -> None:
    """X-D3, D-E3"""
    who = office(desk)
    form = {"area": AREA, "estate": "锦绣花园", "building": "12栋", "room": "301", "tier": "key", "occupants": "3"}
    answer = await sent(desk, "/rentals", who, form)
    path = answer.headers["location"].partition("?")[0]
    assert "重点户" in await seen(desk, path, who)
    await sent(desk, path, who, {"version": "1", "registration": "registered", "occupants": "4"})
    assert "已备案" in await seen(desk, path, who)
    await sent(desk, path, who, {"version": "1", "occupants": "5"}, 412)
    await sent(desk, "/rentals", who, {**form, "landlord_phone": "12"}, 422)


async def test_a_check_in_without_a_script(desk: Desk) -> None:
    """D-E2"""
    await enter_units(desk, unit())
    await desk.rows("UPDATE rental_units SET due_from = '2020-01-01' RETURNING id")
    await make(desk)
    who, [task] = patroller(desk), await tasks(desk)
    assert "锦绣花园" in await seen(desk, "/patrol", who)
    route = f"/patrol/route?area={AREA}&estate={task['estate_id']}"
    assert f"task={task['id']}" in await seen(desk, route, who)
    chosen = await seen(desk, f"{route}&task={task['id']}", who)
    assert f'name="task_id" value="{task["id"]}"' in chosen
    form = {"task_id": task["id"], "area": AREA, "estate": task["estate_id"], "result": "suspicion", "signs": "lectures"}
    await sent(desk, "/patrol/check-ins", who, form)
    assert "派出所" in await seen(desk, "/patrol/findings", who)
    assert "data-task" not in await seen(desk, route, who)


async def test_rounds_are_opened_reported_and_closed_by_forms(desk: Desk) -> None:
    """X-D1a: progress on one page."""
    who = office(desk)
    day = clock.now().date().isoformat()
    answer = await sent(desk, "/surveys", who, {"title": "第一轮", "first": day, "due": day, "areas": AREA})
    path = answer.headers["location"].partition("?")[0]
    shown = await seen(desk, path, who)
    part = re.search(r'name="part_id" value="([^"]+)"', shown)
    assert part is not None
    await sent(desk, f"{path}/reports", who, {"part_id": part[1], "version": "1", "target": "20", "counted": "5"})
    assert "25%" in await seen(desk, path, who)
    await sent(desk, f"{path}/closure", who, {"version": "1"})
    assert "part_id" not in await seen(desk, path, who)
    await opened(desk)
    assert "第一轮" in await seen(desk, "/surveys", who)


async def test_venues_and_agents_are_worked_by_forms(desk: Desk) -> None:
    """D-A1, D-A2"""
    who, made = market(desk), await venue(desk)
    agent = (await desk.post("/v1/agents", who, {"area": "安堂社区", "name": "安居房产中介"})).json()["id"]
    await sent(desk, f"/agents/{agent}/visits", who, {"materials": ["letter", "pledge"], "signed": "true", "signer": "王某"})
    assert "已签收" in await seen(desk, f"/agents/{agent}", who)
    await sent(
        desk, f"/venues/{made}/bookings", who,
        {"starts_at": "2026-12-01T09:00", "ends_at": "2026-12-01T12:00", "purpose": "产品说明会", "organiser": "某某公司"},
    )  # fmt: skip
    await sent(desk, f"/venues/{made}/checks", who, {"result": "finding", "signs": ["lectures"], "note": "近百人"})
    told = await seen(desk, f"/venues/{made}", who)
    assert "某某公司" in told and "产品说明会" in told
    assert len(await desk.events("dachuan.venue.finding.v1")) == 1
    await seen(desk, "/agents", who)
    await seen(desk, "/venues?q=大酒", who)
