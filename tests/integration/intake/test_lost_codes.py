"""A lost claim code is replaced by two persons; the old one and its tokens are dead."""

from __future__ import annotations

from typing import Any

from tests.integration.intake.conftest import Desk
from tests.integration.intake.test_rewards import approved, claimed, give, leader, office, proposed, refused, token


async def ask(desk: Desk, receipt: str, key: str = "") -> dict[str, Any]:
    answer = await desk.post("/v1/public/rewards/codes", body={"receipt": receipt}, key=key)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def decided(desk: Desk, who: dict[str, str], one: dict[str, Any], decision: str = "agree") -> Any:
    return await desk.post(
        f"/v1/rewards/codes/{one['id']}/decision", who, {"decision": decision}, version=one["version"]
    )


async def waiting(desk: Desk) -> dict[str, Any]:
    [one] = (await desk.get("/v1/rewards/codes", office(desk))).json()["items"]
    return one


async def test_two_persons_replace_a_lost_code_and_the_old_one_is_dead(desk: Desk) -> None:
    """D-L: claims are by receipt and code; a lost one is given again by four eyes, shown once, the old one useless."""
    await give(desk)
    tip = await desk.report()
    old = await claimed(desk, tip["receipt"])
    [row] = await desk.rows("SELECT lead_id FROM tips")
    await approved(desk, await proposed(desk, str(row.lead_id)))
    held = await token(desk, tip["receipt"], old)

    assert await ask(desk, tip["receipt"]) == {"state": "asked", "code": None}
    assert await ask(desk, tip["receipt"]) == {"state": "asked", "code": None}, "asked once, however often"
    one = await waiting(desk)
    refused(await decided(desk, leader(desk, "deputy", "conference-member"), one), 403, "forbidden")
    first = await decided(desk, office(desk), one)
    assert first.status_code == 200 and first.json()["state"] == "agreed" and first.json()["mine"], first.text
    await token(desk, tip["receipt"], old)
    assert (await ask(desk, tip["receipt"]))["code"] is None, "one person is not enough"
    held = await token(desk, tip["receipt"], old)
    refused(await decided(desk, office(desk), first.json()), 403, "forbidden")
    second = await decided(desk, leader(desk), first.json())
    assert second.status_code == 200 and second.json()["state"] == "released", second.text

    dead = await desk.post("/v1/public/rewards/payout", body={"receipt": tip["receipt"], "code": old})
    refused(dead, 404, "wrong-code")
    body = {"token": held, "voucher_no": "V-1"}
    paid = await desk.post("/v1/rewards/payments", desk.bearer("finance", ("desk",), principal_id="teller"), body)
    assert paid.status_code == 404, "the token of the old code is dead, too"
    got = await ask(desk, tip["receipt"], key="the-phone-1")
    assert got["state"] == "given" and got["code"] and got["code"] != old
    assert await ask(desk, tip["receipt"], key="the-phone-1") == got, "a broken line does not lose it"
    await token(desk, tip["receipt"], got["code"])
    [kept] = await desk.rows("SELECT * FROM reward_code_requests")
    assert kept.first_by != kept.second_by and got["code"].replace(" ", "") not in str(tuple(kept))
    assert (await ask(desk, tip["receipt"], key="another-phone"))["state"] == "asked", "not shown a second time"


async def test_without_a_claim_there_is_nothing_to_replace_and_a_refusal_keeps_the_old_code(desk: Desk) -> None:
    """D-L: a clear answer; refused, the old code holds."""
    tip = await desk.report()
    refused(await desk.post("/v1/public/rewards/codes", body={"receipt": tip["receipt"]}), 404, "no-claim")
    old = await claimed(desk, tip["receipt"])
    await ask(desk, tip["receipt"])
    one = await waiting(desk)
    done = await decided(desk, office(desk), one, "refuse")
    assert done.status_code == 200 and done.json()["state"] == "refused", done.text
    refused(await decided(desk, office(desk), done.json()), 409, "decided")
    held = await desk.post("/v1/public/rewards/payout", body={"receipt": tip["receipt"], "code": old})
    refused(held, 409, "nothing-to-collect")


async def test_the_pages_ask_decide_and_show(desk: Desk) -> None:
    """D-L: the same on pages, without a script."""
    tip = await desk.report()
    await claimed(desk, tip["receipt"])
    form = {"receipt": tip["receipt"], "idempotency_key": "019a0000-0000-7000-8000-0000000000f1"}
    browser = {"sec-fetch-site": "same-origin", "accept": "text/html"}
    look = await desk.client.post("/reward", data=form, headers=browser)
    assert 'action="http://127.0.0.1:8401/reward/code"' in look.text or "/reward/code" in look.text
    asked = await desk.client.post("/reward/code", data=form, headers=browser)
    assert asked.status_code == 200 and "code-asked" in asked.text
    page = await desk.client.get("/rewards", headers=office(desk) | {"accept": "text/html"})
    one = await waiting(desk)
    assert page.status_code == 200 and f"/rewards/codes/{one['id']}" in page.text
    sent = await desk.client.post(
        f"/rewards/codes/{one['id']}", headers=office(desk) | browser,
        data={"decision": "agree", "version": 1, "idempotency_key": "019a0000-0000-7000-8000-0000000000f2"},
    )  # fmt: skip
    assert sent.status_code == 303, sent.text
    assert (await waiting(desk))["state"] == "agreed"
