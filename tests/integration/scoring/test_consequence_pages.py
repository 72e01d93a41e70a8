"""Pages of rulebooks and consequences as a browser gets them."""

from __future__ import annotations

import html
import re
import uuid
from typing import Any

import httpx

from shared.kit import clock
from tests.integration.scoring.conftest import Score, case
from tests.integration.scoring.test_consequences import Office, office
from tests.integration.scoring.test_pages import signed_in
from tests.integration.scoring.test_rulebooks import next_year

__all__ = ["office"]


async def shown(score: Score, path: str, status: int = 200, **caller: object) -> str:
    got = await score.client.get(path, headers=signed_in(score, **caller))
    assert got.status_code == status, got.text[:2000]
    return html.unescape(got.text)


async def send(score: Score, path: str, who: dict[str, Any], **fields: Any) -> httpx.Response:
    return await score.client.post(
        path, headers=signed_in(score, **who), data={"idempotency_key": str(uuid.uuid4()), **fields}
    )


async def test_the_rulebook_is_read_with_the_clause_beside_each_line__d_c1__d_q1(score: Score) -> None:
    """D-C1, D-Q1: anyone who reads scores reads the rules, each line with its clause; assumed values are marked."""
    listed = await shown(score, "/rulebooks")
    assert "“无传销镇区”创建项目考评细则" in listed and "大涌镇打传成员单位考核细则" in listed
    text = await shown(score, "/rulebooks/dayong-town/2015.1")
    rows = re.findall(r'<tr id="line-[^>]*>(.*?)</tr>', text, re.S)
    assert len(rows) == 12 and all("D-Q1." in row for row in rows)
    ladder = text[text.index("政策工具（由轻到重）") :]
    assert ladder.index("沟通警示") < ladder.index("诫勉谈话") < ladder.index("一票否决")
    for path in ("/rulebooks/dayong-units/2015.1", "/rulebooks/linjiang-city/2026.1"):
        await shown(score, path)
    other = await shown(score, "/rulebooks/xiyuan-community/2015.1", plan="xiyuan", agency="office")
    assert "无传销社区" in other and "X-G4" in other
    await shown(score, "/rulebooks/dayong-town/2099.1", 404)


async def test_a_draft_goes_from_one_person_to_another__x_d1c(score: Score) -> None:
    """X-D1c: written, checked and handed in on one page, published by a second person."""
    staff: dict[str, Any] = {"posts": ("office-staff",), "principal_id": "staff"}
    lead: dict[str, Any] = {"posts": ("leader",), "principal_id": "leader"}
    started = await shown(score, "/rulebooks/drafts/new?from=dayong-units@2015.1", **staff)
    assert "acceptance-timely" in started
    wrong = await send(score, "/rulebooks/drafts", staff, source="id: x")
    assert wrong.status_code == 422 and "id: x" in wrong.text
    made = await send(score, "/rulebooks/drafts", staff, source=next_year())
    assert made.status_code == 303, made.text[:500]
    path = made.headers["location"].partition("?")[0]
    text = await shown(score, path, **staff)
    assert "lines.acceptance-timely.points" in text, "what it changes of the version before"
    assert (await send(score, f"{path}/submit", staff, version=1)).status_code == 303
    own = await send(score, f"{path}/publish", staff, version=2)
    assert own.status_code == 403
    assert (await send(score, f"{path}/return", lead, version=2, reason="请补条款")).status_code == 303
    assert "请补条款" in await shown(score, path, **staff)
    assert (await send(score, f"{path}/submit", staff, version=3)).status_code == 303
    assert (await send(score, f"{path}/publish", lead, version=4)).status_code == 303
    await shown(score, path, 403, agency="police", posts=("head",))


async def test_the_what_if_page_shows_each_unit_and_what_makes_the_difference(score: Score) -> None:
    await score.tell(case().accepted("police"))
    day = clock.now().date().isoformat()
    empty = await shown(score, "/rulebooks/trial")
    assert "<form" in empty
    text = await shown(
        score, f"/rulebooks/trial?rulebook=linjiang-city@2026.1&against=dayong-units@2015.1&from={day}&to=2099-01-01"
    )
    assert "公安分局" in text and "限时受理" in text and "按时受理" in text
    await shown(score, f"/rulebooks/trial?rulebook=nothing@1&from={day}&to={day}", 404)


async def test_the_desk_of_consequences_shows_what_can_be_done_and_does_it__d_q1__d_c1(office: Office) -> None:
    """D-Q1, D-C1: called for, proposed and approved from the page; the unit reads it and reports its rectification."""
    score = office.score
    assessor: dict[str, Any] = {"agency": "politics_law", "posts": ("head",), "principal_id": "assessor"}
    lead: dict[str, Any] = {"agency": "politics_law", "posts": ("leader",), "principal_id": "leader"}
    police: dict[str, Any] = {"agency": "police", "posts": ("head",), "principal_id": "head-police"}
    assert "/consequences/measures/new" in await shown(score, "/consequences", **assessor)
    await office.confirmed()
    tool = (await office.tools())["agency", "admonition"]["id"]
    assert f"/consequences/tools/{tool}" in await shown(score, "/consequences", **assessor)
    path = f"/consequences/tools/{tool}"
    assert "应解救未解救" in await shown(score, path, **assessor)
    silent = await send(score, f"{path}/propose", assessor, version=1)
    assert silent.status_code == 422
    assert (await send(score, f"{path}/propose", assessor, version=1, words="依细则")).status_code == 303
    assert f"{path}/approve" not in await shown(score, path, **assessor)
    assert f"{path}/approve" in await shown(score, path, **lead)
    assert (await send(score, f"{path}/approve", lead, version=2)).status_code == 303
    text = await shown(score, path, **police)
    assert f"{path}/report" in text and f"{path}/lift" not in text
    assert (await send(score, f"{path}/report", police, version=3, words="已增派")).status_code == 303
    assert "已增派" in await shown(score, path, **assessor)
    await shown(score, path, 404, agency="labour", posts=("head",))


async def test_a_proposal_of_accountability_from_the_page_to_its_answer__d_q2(office: Office) -> None:
    """D-Q2: the facts are ticked, a second person sends it, discipline inspection answers on its own page."""
    score = office.score
    assessor: dict[str, Any] = {"agency": "politics_law", "posts": ("head",), "principal_id": "assessor"}
    lead: dict[str, Any] = {"agency": "politics_law", "posts": ("leader",), "principal_id": "leader"}
    watch: dict[str, Any] = {"agency": "discipline", "posts": ("head",), "principal_id": "d"}
    finding, _ = await office.confirmed()
    text = await shown(score, "/consequences/measures/new?agency=police", **assessor)
    assert finding in text and "dayong-units/accountability" in text
    fields = {"agency": "police", "measure": "dayong-units/accountability", "reason": "组织不力"}
    bare = await send(score, "/consequences/measures", assessor, **fields)
    assert bare.status_code == 422 and "组织不力" in bare.text
    made = await send(score, "/consequences/measures", assessor, findings=finding, **fields)
    assert made.status_code == 303, made.text[:500]
    path = made.headers["location"].partition("?")[0]
    assert (await send(score, f"{path}/send", lead, version=1)).status_code == 303
    text = await shown(score, path, **watch)
    assert "administrative_discipline" in text and "组织不力" in text
    done = await send(score, f"{path}/answer", watch, version=2, outcome="no_action", words="情节轻微")
    assert done.status_code == 303
    assert "情节轻微" in await shown(score, path, **assessor)
    assert path in await shown(score, "/consequences", **watch)


async def test_the_fund_page_takes_a_budget_and_shows_what_is_free__x_s1(office: Office) -> None:
    """X-S1: the keeper gives a budget; more than the plan gives is refused with the reason."""
    score = office.score
    keeper: dict[str, Any] = {"plan": "xiyuan", "agency": "party_office", "posts": ("head",), "principal_id": "k"}
    over = await send(score, "/consequences/funds/campaign", keeper, kind="budget", yuan=100_001, purpose="预算")
    assert over.status_code == 409
    assert (
        await send(score, "/consequences/funds/campaign", keeper, kind="budget", yuan=60_000, purpose="预算")
    ).status_code == 303
    assert (
        await send(score, "/consequences/funds/campaign", keeper, kind="commit", yuan=500, purpose="横幅")
    ).status_code == 303
    text = await shown(score, "/consequences/funds/campaign", **keeper)
    assert "¥59500" in text and "横幅" in text
