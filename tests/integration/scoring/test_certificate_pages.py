"""The certificates' pages as a browser gets them: the desk, one certification with its forms, its evidence, the public list."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.scoring.conftest import Score
from tests.integration.scoring.test_certificates import AREA, HOLDER, Round

HTML = {"accept": "text/html", "sec-fetch-site": "same-origin"}


def signed_in(score: Score, agency: str, post: str, **more: Any) -> dict[str, str]:
    token = score.stack.token(plan="xiyuan", agency=agency, posts=(post,), principal_id=f"{agency}-{post}", **more)
    return HTML | {"cookie": f"dachuan_session={token}"}


@pytest.fixture
def road(score: Score) -> Round:
    return Round(score)


async def test_a_programme_is_started_and_worked_from_the_pages__x_d4(road: Round) -> None:
    """X-D4: 综治办 starts it; the community finds it waiting, does its step, and is told why it cannot apply yet."""
    politics = signed_in(road.score, "politics_law", "head")
    community = signed_in(road.score, HOLDER, "head", areas=(AREA,))
    shown = (await road.score.client.get("/certificates", headers=politics)).text
    assert "启动创建" in shown and "美虹社区" in shown and '<html lang="zh-CN"' in shown
    form = {"idempotency_key": str(uuid4()), "standard": "free-community", "holder": HOLDER}
    made = await road.score.client.post("/certificates", headers=politics, data=form)
    assert made.status_code == 303, made.text
    path = made.headers["location"].partition("?")[0]
    mine = (await road.score.client.get("/certificates", headers=community)).text
    assert f'href="{path}"' in mine and "创建中" in mine
    shown = (await road.score.client.get(path, headers=community)).text
    assert "没有未清理的传销窝点" in shown and "一票否决项" in shown and "X-D9" in shown
    sent = {"idempotency_key": str(uuid4()), "version": "1", "programme": "announce", "note": "居民大会 3 号记录"}
    done = await road.score.client.post(f"{path}/do_step", headers=community, data=sent)
    assert done.status_code == 303, done.text
    sent = {"idempotency_key": str(uuid4()), "version": "2"}
    refused = await road.score.client.post(f"{path}/apply", headers=community, data=sent)
    assert refused.status_code == 409 and "创建步骤还没有做完" in refused.text and "居民大会 3 号记录" in refused.text


async def test_the_page_of_a_granted_certificate_opens_to_its_events__x_g4(road: Round) -> None:
    """X-G4: every item of the checklist leads to its events; the whole road can be read, in English too."""
    await road.granted()
    community = signed_in(road.score, HOLDER, "head", areas=(AREA,))
    path = f"/certificates/{road.id}"
    for language in ("zh-CN", "en"):
        answer = await road.score.client.get(path, headers=community, params={"lang": language})
        assert answer.status_code == 200, answer.text
        links = set(re.findall(rf'href="({path}/items/[a-z]+)"', answer.text))
        assert len(links) >= 6
        for link in sorted(links):
            opened = await road.score.client.get(link, headers=community, params={"lang": language})
            assert opened.status_code == 200, opened.text
    rentals = (await road.score.client.get(f"{path}/items/rentals", headers=community)).text
    assert rentals.count("data-row id=") == 24
    for show in ("mine", "late", "open", "standing", "ended"):
        desk = await road.score.client.get("/certificates", headers=community, params={"show": show})
        assert desk.status_code == 200 and (path in desk.text) == (show == "standing")


async def test_the_public_list_is_open_to_anyone_and_says_when_it_no_longer_stands__x_g4(road: Round) -> None:
    """X-G4: no sign-in, no cookie, no person; a suspended certificate is shown as suspended."""
    empty = await road.score.client.get("/public/certificates", headers=HTML)
    assert empty.status_code == 200 and "还没有认定" in empty.text
    await road.granted()
    shown = await road.score.client.get("/public/certificates", headers=HTML)
    assert "美虹社区" in shown.text and "有效" in shown.text and "set-cookie" not in shown.headers
    await road.hear(road.den()[0])
    shown = await road.score.client.get("/public/certificates", headers=HTML)
    assert "已暂停" in shown.text and "X-G2" in shown.text
    leader = signed_in(road.score, "party_office", "leader")
    page = (await road.score.client.get(f"/certificates/{road.id}", headers=leader)).text
    assert "事实不再符合" in page and "建议撤销" in page
