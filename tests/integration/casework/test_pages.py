"""The pages of cases, as a browser gets them: Chinese first, the accept button, and what it says when it comes too late."""

from __future__ import annotations

import re

from shared.kit import clock
from tests.integration.casework.conftest import DAY, Desk, lead

HTML = {"accept": "text/html", "sec-fetch-site": "same-origin"}


def signed_in(desk: Desk, **caller: object) -> dict[str, str]:
    token = desk.stack.token(**({"agency": "police", "posts": ("head",)} | caller))  # type: ignore[arg-type]
    return HTML | {"cookie": f"dachuan_session={token}"}


def fields(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)">', page))


async def test_the_list_begins_with_what_waits_for_me_and_is_late(desk: Desk) -> None:
    late, fresh = await desk.open(lead(received_at=clock.now() - 9 * DAY), lead())
    page = (await desk.client.get("/cases", headers=signed_in(desk))).text
    assert page.index(str(late)) < page.index(str(fresh))
    assert '<html lang="zh-CN"' in page and "已超时" in page and "公安分局" in page
    english = (await desk.client.get("/cases?lang=en", headers=signed_in(desk))).text
    assert "Waiting for my agency" in english


async def test_an_empty_list_says_why_and_what_to_do(desk: Desk) -> None:
    page = await desk.client.get("/cases?lang=en", headers=signed_in(desk))
    assert page.status_code == 200 and "No cases yet" in page.text
    waiting = await desk.client.get("/cases?show=waiting&lang=en", headers=signed_in(desk))
    assert "Nothing waits for your agency" in waiting.text and "show=all" in waiting.text
    await desk.open(lead())
    filtered = await desk.client.get("/cases?kind=internet&lang=en", headers=signed_in(desk))
    assert "No case fits these filters" in filtered.text


async def test_a_case_shows_its_clocks_with_article_and_is_accepted_by_its_button__d_b6(desk: Desk) -> None:
    """D-B6: the police accept on the page; the clock stops and the page says so."""
    [case_id] = await desk.open(lead())
    me = signed_in(desk)
    page = (await desk.client.get(f"/cases/{case_id}", headers=me)).text
    assert "大涌镇方案三（二）1、6" in page, "the article of the police's clock"
    form = fields(page)
    assert set(form) == {"idempotency_key", "version"}
    done = await desk.client.post(f"/cases/{case_id}/acceptance", headers=me, data=form)
    assert done.status_code == 303 and done.headers["location"] == f"/cases/{case_id}?done=accepted"
    again = await desk.client.post(f"/cases/{case_id}/acceptance", headers=me, data=form)
    assert again.status_code == 303, "the same form sent twice has its effect once"
    after = (await desk.client.get(done.headers["location"], headers=me)).text
    assert "idempotency_key" not in after
    assert len(await desk.events()) == 2


async def test_a_form_that_comes_too_late_shows_what_changed_and_can_be_pressed_again(desk: Desk) -> None:
    [case_id] = await desk.open(lead())
    commerce = signed_in(desk, agency="commerce")
    old = fields((await desk.client.get(f"/cases/{case_id}", headers=commerce)).text)
    await desk.accept(case_id, desk.bearer("police"))
    refused = await desk.client.post(f"/cases/{case_id}/acceptance?lang=en", headers=commerce, data=old)
    assert refused.status_code == 412 and "nothing was saved" in refused.text
    new = fields(refused.text)
    assert new["version"] == "2" and new["idempotency_key"] != old["idempotency_key"]
    assert (await desk.client.post(f"/cases/{case_id}/acceptance", headers=commerce, data=new)).status_code == 303


async def test_a_form_from_another_site_is_refused(desk: Desk) -> None:
    [case_id] = await desk.open(lead())
    me = signed_in(desk)
    form = fields((await desk.client.get(f"/cases/{case_id}", headers=me)).text)
    foreign = me | {"sec-fetch-site": "cross-site"}
    assert (await desk.client.post(f"/cases/{case_id}/acceptance", headers=foreign, data=form)).status_code == 403
    assert len(await desk.events()) == 1


async def test_without_a_sign_in_the_browser_is_sent_to_it_and_a_strange_case_is_not_found(desk: Desk) -> None:
    [case_id] = await desk.open(lead())
    away = await desk.client.get(f"/cases/{case_id}", headers=HTML)
    assert away.status_code == 303 and "/sign-in?next=" in away.headers["location"]
    strange = await desk.client.get(f"/cases/{case_id}", headers=signed_in(desk, agency="education"))
    assert strange.status_code == 404 and "<html" in strange.text


async def test_a_lead_leads_to_its_case_within_reach(desk: Desk) -> None:
    given = lead()
    [case_id] = await desk.open(given)
    found = await desk.client.get(f"/cases/of-lead/{given.lead_id}", headers=signed_in(desk))
    assert (found.status_code, found.headers["location"]) == (303, f"/cases/{case_id}")
    strange = signed_in(desk, agency="education")
    assert (await desk.client.get(f"/cases/of-lead/{given.lead_id}", headers=strange)).status_code == 404
