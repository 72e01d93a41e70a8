"""The findings desk and a finding's page, as a browser gets them: Chinese first, the unit answers where the office decides."""

from __future__ import annotations

import re
import uuid

import pytest

from tests.integration.scoring.conftest import Score
from tests.integration.scoring.test_findings import Desk, Rescue

HTML = {"accept": "text/html", "sec-fetch-site": "same-origin"}
DIRECTOR = {"agency": "commerce", "unit": "office", "posts": ("office-director",), "principal_id": "director"}
LEADER = {"agency": "politics_law", "posts": ("leader",), "principal_id": "leader"}
POLICE = {"agency": "police", "posts": ("head",), "principal_id": "head-police"}


@pytest.fixture
def desk(score: Score) -> Desk:
    return Desk(score, score.app.state.findings)


def signed_in(score: Score, caller: dict[str, object]) -> dict[str, str]:
    return HTML | {"cookie": f"dachuan_session={score.stack.token(**caller)}"}  # type: ignore[arg-type]


async def page(score: Score, path: str, caller: dict[str, object], status: int = 200) -> str:
    answer = await score.client.get(path, headers=signed_in(score, caller))
    assert answer.status_code == status, answer.text
    return answer.text


async def press(score: Score, shown: str, step: str, caller: dict[str, object], words: str) -> tuple[int, str]:
    """Send the form of a step as it stands on a page."""
    form = re.search(rf'<form method="post" action="([^"]+/{step})".*?</form>', shown, re.S)
    assert form, f"no form for {step}"
    hidden = dict(re.findall(r'name="(idempotency_key|version)" value="([^"]+)"', form[0]))
    path = form[1].partition("://")[2].partition("/")[2] if "://" in form[1] else form[1].lstrip("/")
    answer = await score.client.post(f"/{path}", headers=signed_in(score, caller), data=hidden | {"words": words})
    if answer.status_code == 303:
        return 303, await page(score, answer.headers["location"], caller)
    return answer.status_code, answer.text


async def test_from_the_desk_to_the_appeal(desk: Desk) -> None:
    """D-Q1: the unit answers, the office confirms, the unit appeals, a leader decides; every page says it in Chinese."""
    empty = await page(desk.score, "/findings", DIRECTOR)
    assert "没有待您办理的事项" in empty and '<html lang="zh-CN"' in empty
    finding, _ = await desk.proposed(Rescue())
    assert finding not in await page(desk.score, "/findings", DIRECTOR), "it waits for the unit first"
    assert finding in await page(desk.score, "/findings?show=open", DIRECTOR)
    listed = await page(desk.score, "/findings", POLICE)
    assert finding in listed and "应解救未解救" in listed and "本地自身记录反映" in listed
    shown = await page(desk.score, f"/findings/{finding}", POLICE)
    assert "申辩" in shown and "D-Q1.6" in shown and "程序时限届满未办" in shown and "/proceedings/" in shown
    status, shown = await press(desk.score, shown, "answer", POLICE, "警力在处置另一警情")
    assert status == 303 and "申辩已记录" in shown
    shown = await page(desk.score, f"/findings/{finding}", DIRECTOR)
    assert "警力在处置另一警情" in shown
    status, after = await press(desk.score, shown, "confirm", DIRECTOR, "")
    assert status == 303 and "已计入台账" in after
    units = await page(desk.score, "/scores/police", DIRECTOR)
    assert f"/findings/{finding}" in units or f"/findings/{finding}" in await page(desk.score, "/scores/commerce", DIRECTOR)
    status, refused = await press(desk.score, shown, "reject", DIRECTOR, "再想想")
    assert status == 412 and "再想想" in refused and "未保存" in refused, "what was typed is kept on the page"
    shown = await page(desk.score, f"/findings/{finding}", POLICE)
    status, shown = await press(desk.score, shown, "appeal", POLICE, "已在三分钟内出警")
    assert status == 303 and "申诉已记录" in shown
    assert "overturn" not in await page(desk.score, f"/findings/{finding}", DIRECTOR), "not by who confirmed it"
    shown = await page(desk.score, f"/findings/{finding}", LEADER)
    status, shown = await press(desk.score, shown, "overturn", LEADER, "出警属实")
    assert status == 303 and "未计入台账" in shown and "更正" in shown


async def test_who_may_not_see_it_gets_no_page(desk: Desk) -> None:
    finding, _ = await desk.proposed(Rescue())
    other = {"agency": "food_drug", "posts": ("head",), "principal_id": "other"}
    await page(desk.score, f"/findings/{finding}", other, status=404)
    await page(desk.score, f"/findings/{uuid.uuid4()}", DIRECTOR, status=404)


async def test_english_is_complete(desk: Desk) -> None:
    finding, _ = await desk.proposed(Rescue())
    for path in ("/findings?lang=en", f"/findings/{finding}?lang=en"):
        shown = await page(desk.score, path, DIRECTOR)
        assert "Findings" in shown or "a rescue was missed" in shown
