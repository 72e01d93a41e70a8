"""The league table and a unit's page, as a browser gets them: Chinese first, every number opens to its entries."""

from __future__ import annotations

import html
import re

import pytest

from tests.integration.scoring.conftest import Score, case

HTML = {"accept": "text/html", "sec-fetch-site": "same-origin"}


def signed_in(score: Score, **caller: object) -> dict[str, str]:
    token = score.stack.token(**({"agency": "commerce", "posts": ("office-director",)} | caller))  # type: ignore[arg-type]
    return HTML | {"cookie": f"dachuan_session={token}"}


async def page(score: Score, path: str, **caller: object) -> str:
    answer = await score.client.get(path, headers=signed_in(score, **caller))
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.fixture
async def played(score: Score) -> Score:
    one, two = case(number=11), case(number=12)
    await score.tell(
        one.opened, two.opened, one.accepted("police"), two.accepted("police"),
        one.missed("commerce"), one.accepted("commerce", in_time=False),
    )  # fmt: skip
    score.app.state.case = one
    return score


async def test_the_league_table_names_units_in_chinese_and_opens_every_number(played: Score) -> None:
    shown = await page(played, "/scores")
    assert '<html lang="zh-CN"' in shown and "公安分局" in shown and "工商分局" in shown and "+2" in shown
    assert shown.index("公安分局") < shown.index("工商分局", shown.index("<tbody>"))
    links = [html.unescape(one) for one in re.findall(r'href="(/scores/[^"]+)"', shown)]
    assert len(links) == 6, "points, in time and late of two units"
    for link in links:
        assert (await played.client.get(link, headers=signed_in(played))).status_code == 200
    assert "D-Q1.3" in shown, "the clause stands beside each line"
    for title in ("大涌镇打传成员单位考核细则", "“无传销镇区”创建项目考评细则"):
        assert f"怎样计分 · {title}" in shown, "the lines of each rulebook stand by themselves"
    assert shown.count("大涌镇打传成员单位考核细则") > shown.count("怎样计分 · 大涌镇打传成员单位考核细则")


async def test_a_number_and_its_entries_agree(played: Score) -> None:
    shown = await page(played, "/scores/police?plan=dayong&unit=economic_crime&outcome=met")
    assert len(re.findall(r'<tr id="e-', shown)) == 2
    late = await page(played, "/scores/police?plan=dayong&unit=economic_crime&outcome=late")
    assert "<tr id=" not in late


async def test_an_entry_shows_rule_clause_and_leads_to_its_case__d_q1_3(played: Score) -> None:
    """D-Q1.3: the lateness, the miss and its correction each stand with the clause and the case."""
    one = played.app.state.case
    shown = await page(played, "/scores/commerce")
    assert shown.split('aria-label="考核记录"')[-1].count("D-Q1.3") == 3 and "逾期受理" in shown and "到期未受理" in shown and "更正" in shown
    assert f"/cases/{one.case_id}" in shown and one.number in shown
    assert "假定" in shown, "values the plan does not give are marked"


async def test_a_unit_sees_its_own_page_only(played: Score) -> None:
    police = {"agency": "police", "posts": ("head",)}
    shown = await page(played, "/scores", **police)
    assert "工商分局" not in shown.split("<tbody>")[1].split("</tbody>")[0]
    strange = await played.client.get("/scores/commerce", headers=signed_in(played, **police))
    assert strange.status_code == 404 and "<html" in strange.text
    assert (
        await played.client.get("/scores", headers=signed_in(played, agency="economy", posts=()))
    ).status_code == 403


async def test_without_a_sign_in_the_browser_is_sent_to_it(played: Score) -> None:
    away = await played.client.get("/scores", headers=HTML)
    assert away.status_code == 303 and "/sign-in?next=" in away.headers["location"]
    front = await played.client.get("/", headers=signed_in(played))
    assert front.status_code == 303 and front.headers["location"] == "/scores"


async def test_an_empty_table_says_how_scores_come(score: Score) -> None:
    shown = await page(score, "/scores?lang=en")
    assert "No scores yet" in shown and "accepts a case" in shown


async def test_a_period_is_closed_on_its_page_and_read_with_its_corrections(score: Score) -> None:
    from datetime import UTC, datetime, timedelta

    from shared.kit.ids import new_id

    assert "尚无已结账的期间" in await page(score, "/periods")
    at = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
    one = case(number=21, at=at)
    await score.tell(one.opened, one.missed("commerce", at=at + timedelta(days=8)))
    sent = {"idempotency_key": str(new_id()), "period": "2026-03"}
    done = await score.client.post("/periods", data=sent, headers=signed_in(score))
    assert done.status_code == 303 and done.headers["location"].startswith("/periods/dayong/2026-03"), done.text
    assert "这些日期之后没有新增情况" in await page(score, "/periods/dayong/2026-03")
    await score.tell(one.accepted("commerce", in_time=False, at=at + timedelta(days=9)))
    shown = await page(score, "/periods/dayong/2026-03")
    assert "更正" in shown and "工商分局" in shown
    police = await page(score, "/periods/dayong/2026-03", agency="police", posts=("head",))
    assert "工商分局" not in police, "another agency's figures are not the police's to read"
    refused = await score.client.post(
        "/periods", data=sent, headers=signed_in(score, agency="police", posts=("head",))
    )
    assert refused.status_code == 403
    assert "2026-03" in await page(score, "/periods")


async def test_a_unit_page_says_what_its_points_are_made_of(played: Score) -> None:
    shown = await page(played, "/scores/commerce?plan=dayong")
    assert "分值构成" in shown and "/v1/explain/document" in shown


async def test_towns_are_compared_for_those_alone_who_see_whole_towns__d_c1(played: Score) -> None:
    """D-C1: the central office's board; who holds two towns sees both, the office its own, a unit none."""
    await played.tell(case(plan="xiyuan", area=None, parties=(("police", None),)).missed("police"))
    central = {"agency": "city_office", "unit": None, "posts": ("head",)}
    by_system = {"kind": "system", "agency": "politics_law", "posts": (), "scopes": ("score.read:all",)}
    both = await page(played, "/board", **central)
    rows = re.findall(r"<tr>.*?</tr>", both.split("<tbody>")[1].split("</tbody>")[0], re.S)
    assert "西园" in (await page(played, "/board", **by_system)).split("<tbody>")[1]
    assert len(rows) == 2 and "大涌" in rows[0] and "西园" in rows[1], "two of three in time stand before none of one"
    assert "67%" in rows[0] and "0%" in rows[1]
    one = await page(played, "/board")
    assert "大涌" in one and "西园" not in one.split("<tbody>")[1]
    assert "待办认定" in one, "the office may read the findings of its town; so they are counted"
    refused = await played.client.get("/board", headers=signed_in(played, agency="police", posts=("head",)))
    assert refused.status_code == 403
    assert "xiyuan" not in (await page(played, "/scores?plan=dayong", **central)).split("<tbody>")[1]


async def test_the_sketch_shows_each_community_at_its_place_with_its_points(score: Score) -> None:
    one = case(parties=(("c-antang", None), ("police", None)))
    await score.tell(one.opened, one.missed("c-antang"), one.accepted("police"))
    shown = await page(score, "/scores")
    sketch = shown.split("<svg viewBox=")[1].split("</svg>")[0]
    assert sketch.count("<circle") == 11 and sketch.count("<a href=") == 1
    assert 'aria-label="安堂社区: 得分 -2，逾期或未办 1 项"' in sketch and "/scores/c-antang?plan=dayong" in sketch
    own = await page(score, "/scores", agency="police", posts=("head",))
    assert "<svg viewBox=" not in own, "one's own figures need no map"
