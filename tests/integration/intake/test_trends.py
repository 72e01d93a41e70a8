"""Figures over time by community and kind, within the caller's reach."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from services.intake.commands import trends
from services.intake.queries.trends import spans, start_of
from shared.kit import clock, db
from tests.integration.intake.conftest import HEADCOUNT, Desk

SHOP = "青岗社区有人以传销方式卖保健品给老人，交钱发展下线拿提成"


async def counted(desk: Desk) -> int:
    async with db.begin(desk.service.engine) as conn:
        return await trends.count(conn, desk.service.plans["dayong"], clock.now())


async def asked(desk: Desk, who: dict[str, str], **what: Any) -> dict[str, Any]:
    answer = await desk.get("/v1/trends", who, **what)
    assert answer.status_code == 200, answer.text
    return answer.json()


def sums(told: dict[str, Any]) -> dict[str | None, int]:
    return {one["code"]: sum(one["tips"]) for one in told["series"]}


async def test_tips_are_counted_by_community_and_kind_within_reach(desk: Desk) -> None:
    """D-N2, D-M5: pictures over time; an agency sees its own, the office all; corrections are counted anew."""
    headcount = await desk.tip(HEADCOUNT)
    await desk.tip("安堂社区步行街有人拉人头发展下线搞传销，交2900元")
    await desk.tip(SHOP)
    await desk.tip("楼下路灯坏了一个月，请维修")
    await desk.as_owner(
        "UPDATE tips SET received_at = received_at - interval '21 days' WHERE id = $1", headcount["tip_id"]
    )
    assert await counted(desk) >= 22, "every day since the first"
    office = desk.bearer("commerce", ("office-director",), unit="office")
    by_area = await asked(desk, office, by="area")
    assert sums(by_area) == {"dayong-antang": 2, "dayong-qinggang": 1}, "what is not ours is not counted"
    antang = next(one for one in by_area["series"] if one["code"] == "dayong-antang")
    assert antang["tips"][-1] == 1 and antang["tips"][-4] == 1, "three weeks apart"
    by_kind = sums(await asked(desk, office, by="kind"))
    assert by_kind["headcount"] == 3 and by_kind["health_products"] == 1
    assert sums(await asked(desk, office, by="kind", area="dayong-qinggang", span="month"))["health_products"] == 1
    assert sums(await asked(desk, office, by="area", kind="health_products")) == {"dayong-qinggang": 1}
    police = desk.bearer("police", ("head", "conference-member"))
    assert sums(await asked(desk, police, by="area")) == {"dayong-antang": 2}
    assert await counted(desk) <= 3, "days that did not change are left alone"
    assert sums(await asked(desk, office, by="area")) == {"dayong-antang": 2, "dayong-qinggang": 1}, "nothing doubles"
    await desk.as_owner("UPDATE tips SET area = 'dayong-nanwen', reviewed_at = now() WHERE id = $1", headcount["tip_id"])
    await counted(desk)
    assert sums(await asked(desk, office, by="area"))["dayong-nanwen"] == 1


async def test_the_page_shows_the_figures_also_without_a_script(desk: Desk) -> None:
    """D-N2: picture and table; a clear word when there is nothing; a time that runs backwards is refused."""
    office = desk.bearer("commerce", ("office-director",), unit="office") | {"accept": "text/html"}
    empty = await desk.client.get("/trends", headers=office)
    assert empty.status_code == 200 and "data-chart" not in empty.text
    await desk.tip(HEADCOUNT)
    await counted(desk)
    for path in ("/trends", "/trends?by=area&span=month", "/trends?by=area&kind=headcount&lang=en"):
        page = await desk.client.get(path, headers=office)
        assert page.status_code == 200 and "data-chart" in page.text and "<table" in page.text, path
    bad = await desk.get("/v1/trends", office, since="2026-12-01", until="2026-11-01")
    assert bad.status_code == 422
    liaison = await desk.get("/v1/trends", desk.bearer("rental_mgmt", ("liaison",)))
    assert liaison.status_code == 403


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    assert start_of(date(2026, 11, 22), "week") == date(2026, 11, 16)
    assert spans(date(2026, 11, 15), date(2026, 11, 23), "week") == [date(2026, 11, day) for day in (9, 16, 23)]
    assert spans(date(2026, 1, 31), date(2026, 3, 1), "month") == [date(2026, month, 1) for month in (1, 2, 3)]
    assert len(spans(date(2026, 1, 1), date(2026, 1, 1) + timedelta(days=364), "month")) == 12
