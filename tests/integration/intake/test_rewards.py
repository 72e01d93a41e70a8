"""Rewards through the API: asked for by receipt, proposed, approved by two persons, collected without a name."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from services.intake.commands.rewards import fund
from shared.kit import clock, db
from tests.integration.intake.conftest import Desk

YEAR = clock.now().astimezone(clock.CHINA).year
OTHER = "青岗社区工业路10号有人搞传销，天天上课，拉人头发展下线，交3800元入会"


def office(desk: Desk) -> dict[str, str]:
    return desk.bearer("commerce", ("office-director",), principal_id="director")


def leader(desk: Desk, name: str = "leader", post: str = "leader") -> dict[str, str]:
    return desk.bearer("police", (post,), principal_id=name)


def counter(desk: Desk) -> dict[str, str]:
    return desk.bearer("finance", ("desk",), principal_id="teller")


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    told = answer.json()
    assert told["type"] == f"urn:dachuan:problem:{code}" and told["detail"]
    return told


async def give(desk: Desk, amount: str = "100000") -> httpx.Response:
    body = {"amount": amount, "document_no": "大财预〔2026〕3号"}
    return await desk.post(f"/v1/funds/campaign/{YEAR}/budget", counter(desk), body)


def facts(lead_id: str, **more: Any) -> dict[str, Any]:
    return {
        "lead_id": lead_id, "scheme": "fines", "level": "2", "fine": "200000", "confiscated": "100000",
        "document_no": "中市监罚〔2026〕18号", **more,
    }  # fmt: skip


async def proposed(desk: Desk, lead_id: str, **more: Any) -> dict[str, Any]:
    answer = await desk.post("/v1/rewards", office(desk), facts(lead_id, **more))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def approved(desk: Desk, reward: dict[str, Any]) -> dict[str, Any]:
    path = f"/v1/rewards/{reward['reward_id']}/approval"
    first = await desk.post(path, leader(desk), version=reward["version"])
    assert first.status_code == 200, first.text
    second = await desk.post(path, leader(desk, "deputy", "deputy-leader"), version=first.json()["version"])
    assert second.status_code == 200, second.text
    return second.json()


async def claimed(desk: Desk, receipt: str, **more: Any) -> str:
    answer = await desk.post("/v1/public/rewards/claims", body={"receipt": receipt}, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()["code"]


async def standing(desk: Desk, receipt: str) -> dict[str, Any]:
    return (await desk.post("/v1/public/rewards/standing", body={"receipt": receipt})).json()


async def token(desk: Desk, receipt: str, code: str) -> str:
    answer = await desk.post("/v1/public/rewards/payout", body={"receipt": receipt, "code": code})
    assert answer.status_code == 200, answer.text
    return answer.json()["token"]


async def test_from_receipt_to_money_without_a_name(desk: Desk) -> None:
    """D-L, point 6: claim by receipt and one-time code, proposal, two approvals, payment record; no name anywhere."""
    tip = await desk.tip()
    assert (await standing(desk, tip["receipt"]))["can_claim"]
    code = await claimed(desk, tip["receipt"])
    assert (await standing(desk, tip["receipt"]))["state"] == "claimed"
    [waiting] = (await desk.get("/v1/rewards/claims", office(desk), waiting=True)).json()["items"]
    assert waiting["lead_id"] == tip["lead_id"] and "receipt" not in waiting and "tip_id" not in waiting

    assert (await give(desk)).status_code == 201
    reward = await proposed(desk, tip["lead_id"])
    assert (reward["total"], reward["state"], reward["source"]) == ("9000.00", "proposed", "hand")
    assert [step["rule"] for step in reward["steps"]] == ["base", "reward.percent_2"]
    assert reward["steps"][1]["article"].startswith("《市场监管领域重大违法行为举报奖励暂行办法》")
    told = await standing(desk, tip["receipt"])
    assert told["state"] == "deciding" and told["amount"] is None and not told["can_collect"]
    early = await desk.post("/v1/public/rewards/payout", body={"receipt": tip["receipt"], "code": code})
    refused(early, 409, "nothing-to-collect")

    reward = await approved(desk, reward)
    assert reward["state"] == "approved" and [a["approver"] for a in reward["approvals"]] == [
        "officer:leader", "officer:deputy",
    ]  # fmt: skip
    told = await standing(desk, tip["receipt"])
    assert told["can_collect"] and told["amount"] == "9000.00"
    shown = await token(desk, tip["receipt"], code)
    paid = await desk.post("/v1/rewards/payments", counter(desk), {"token": shown, "voucher_no": "V-77"})
    assert paid.status_code == 201 and paid.json()["amount"] == "9000.00"
    assert (await standing(desk, tip["receipt"]))["state"] == "paid"
    [fund_now] = (await desk.get("/v1/funds", counter(desk))).json()
    assert (fund_now["budget"], fund_now["committed"], fund_now["paid"], fund_now["available"]) == (
        "100000.00", "0.00", "9000.00", "91000.00",
    )  # fmt: skip
    kinds = [data.TYPE.split(".")[2] for _, data in await desk.events() if ".reward." in data.TYPE]
    assert kinds == ["proposed", "approved", "paid"]
    actions = [r.action for r in await desk.rows("SELECT action FROM audit WHERE action LIKE 'reward.%' ORDER BY seq")]
    assert actions == [
        "reward.claim", "reward.propose", "reward.approve", "reward.approve", "reward.token", "reward.pay",
    ]  # fmt: skip


async def test_codes_and_receipts_stand_nowhere_in_readable_form(desk: Desk) -> None:
    """Point 6: the database keeps keyed hashes of code and token, and no event or audit entry names them."""
    await give(desk)
    tip = await desk.tip()
    code = await claimed(desk, tip["receipt"])
    await approved(desk, await proposed(desk, tip["lead_id"]))
    shown = await token(desk, tip["receipt"], code)
    everything = ""
    for table in ("reward_claims", "reward_shares", "reward_proposals", "outbox", "audit", "idempotency", "fund_entries"):
        for row in await desk.rows(f"SELECT to_jsonb(t)::text AS words FROM {table} t"):
            everything += row.words
    for row in await desk.rows("SELECT data FROM outbox"):
        everything += bytes(row.data).decode()
    for secret in (code, shown, tip["receipt"]):
        assert secret not in everything and secret.replace(" ", "") not in everything


async def test_the_code_is_shown_once_and_again_only_for_the_same_request(desk: Desk) -> None:
    tip = await desk.tip()
    code = await claimed(desk, tip["receipt"], key="the-same-key")
    assert await claimed(desk, tip["receipt"], key="the-same-key") == code
    again = await desk.post("/v1/public/rewards/claims", body={"receipt": tip["receipt"]})
    refused(again, 409, "already-claimed")
    assert len(await desk.rows("SELECT 1 FROM reward_claims")) == 1


async def test_guessing_a_code_pauses_that_receipt_alone(desk: Desk) -> None:
    """Point 6: five wrong codes, then even the right one waits a day; another receipt is not touched."""
    await give(desk)
    tip, other = await desk.tip(), await desk.tip(OTHER)
    code, other_code = await claimed(desk, tip["receipt"]), await claimed(desk, other["receipt"])
    for one in (tip, other):
        await approved(desk, await proposed(desk, one["lead_id"]))
    path = "/v1/public/rewards/payout"
    for _ in range(5):
        wrong = await desk.post(path, body={"receipt": tip["receipt"], "code": "2222 2222 2222"})
        refused(wrong, 404, "wrong-code")
    paused = await desk.post(path, body={"receipt": tip["receipt"], "code": code})
    refused(paused, 429, "too-many")
    assert await token(desk, other["receipt"], other_code)
    await desk.as_owner("UPDATE reward_claims SET missed_at = missed_at - interval '25 hours'")
    assert await token(desk, tip["receipt"], code.lower())


async def test_a_refused_claim_is_read_with_its_reason_by_receipt(desk: Desk) -> None:
    tip = await desk.tip()
    await claimed(desk, tip["receipt"])
    [claim] = (await desk.get("/v1/rewards/claims", office(desk), waiting=True)).json()["items"]
    path = f"/v1/rewards/claims/{claim['claim_id']}/refusal"
    assert (await desk.post(path, office(desk), {"reason": "official"})).status_code == 428
    done = await desk.post(path, office(desk), {"reason": "official"}, version=1)
    assert done.status_code == 200 and done.json()["state"] == "refused"
    told = await standing(desk, tip["receipt"])
    assert told["state"] == "refused" and "公职人员" in told["words"]["zh"] and "official" in told["words"]["en"]
    [(_, event)] = await desk.events("dachuan.reward.refused.v1")
    assert str(event.claim_id) == claim["claim_id"] and event.reason == "official"
    nobody = await desk.post("/v1/rewards", office(desk), facts(tip["lead_id"]))
    refused(nobody, 409, "nobody-entitled")


async def test_a_refused_proposal_frees_its_money_and_may_be_made_anew(desk: Desk) -> None:
    """D-L: a refusal with its reason reaches the reporter; the fund has the money back; another proposal is possible."""
    await give(desk)
    tip = await desk.tip()
    await claimed(desk, tip["receipt"])
    reward = await proposed(desk, tip["lead_id"])
    path = f"/v1/rewards/{reward['reward_id']}/refusal"
    assert (await desk.post(path, leader(desk), {"reason": "wrong-figures"}, version=9)).status_code == 412
    done = await desk.post(path, leader(desk), {"reason": "wrong-figures"}, version=1)
    assert done.status_code == 200 and done.json()["state"] == "refused"
    assert "等级有误" in (await standing(desk, tip["receipt"]))["words"]["zh"]
    again = await proposed(desk, tip["lead_id"], level="3")
    [now] = (await desk.get("/v1/funds", counter(desk))).json()
    assert now["committed"] == again["total"] == "3000.00"
    withdrawn = await desk.post(
        f"/v1/rewards/{again['reward_id']}/withdrawal", office(desk), {"reason": "wrong-figures"}, version=1
    )
    assert withdrawn.json()["state"] == "withdrawn"
    late = await desk.post(f"/v1/rewards/{again['reward_id']}/approval", leader(desk), version=2)
    refused(late, 409, "reward-state")


async def test_two_persons_neither_of_whom_proposed(desk: Desk) -> None:
    """X-O1, D-L: four eyes: not the proposer, not the same person twice, not a post without the power."""
    await give(desk)
    reward = await proposed(desk, (await desk.tip())["lead_id"])
    path = f"/v1/rewards/{reward['reward_id']}/approval"
    both = desk.bearer("commerce", ("office-director", "leader"), principal_id="director")
    refused(await desk.post(path, both, version=1), 403, "four-eyes")
    assert (await desk.post(path, leader(desk), version=1)).status_code == 200
    refused(await desk.post(path, leader(desk), version=2), 403, "four-eyes")
    assert (await desk.post(path, office(desk), version=2)).status_code == 403
    machine = desk.stack.bearer(
        kind="system", principal_id="robot", agency="police", posts=("leader",), scopes=("reward.pay:plan",)
    )
    refused(await desk.post(path, machine, version=2), 403, "forbidden")
    assert len(await desk.rows("SELECT 1 FROM reward_approvals")) == 1
    [shown] = (await desk.get("/v1/rewards", leader(desk), state=["once_approved"])).json()["items"]
    assert shown["reward_id"] == reward["reward_id"]


async def test_approvals_at_once_count_one_each(desk: Desk) -> None:
    """D-L: the same leader's two clicks, and two leaders at once, never make more than their approvals."""
    await give(desk)
    reward = await proposed(desk, (await desk.tip())["lead_id"])
    path = f"/v1/rewards/{reward['reward_id']}/approval"
    answers = await asyncio.gather(*(desk.post(path, leader(desk), version=1) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 403, 403, 403]
    answers = await asyncio.gather(
        *(desk.post(path, leader(desk, name, "deputy-leader"), version=2) for name in ("second", "third", "fourth"))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert len(await desk.rows("SELECT 1 FROM reward_approvals")) == 2
    assert len(await desk.events("dachuan.reward.approved.v1")) == 1


async def test_a_reward_is_paid_once_however_often_it_is_asked_for(desk: Desk) -> None:
    """D-L: one payment for one receipt: tokens shown at two counters at once, requests sent again, old tokens."""
    await give(desk)
    tip = await desk.tip()
    code = await claimed(desk, tip["receipt"])
    await approved(desk, await proposed(desk, tip["lead_id"]))
    old = await token(desk, tip["receipt"], code)
    shown = await token(desk, tip["receipt"], code)
    body = {"token": shown, "voucher_no": "V-1"}
    refused(
        await desk.post("/v1/rewards/payments", counter(desk), {"token": old, "voucher_no": "V-1"}), 404, "wrong-token"
    )
    answers = await asyncio.gather(*(desk.post("/v1/rewards/payments", counter(desk), body) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    paid = await desk.rows("SELECT sum(amount) AS paid, count(*) AS n FROM fund_entries WHERE kind = 'payment'")
    assert (paid[0].paid, paid[0].n) == (Decimal("9000.00"), 1)
    nothing = await desk.post("/v1/public/rewards/payout", body={"receipt": tip["receipt"], "code": code})
    refused(nothing, 409, "nothing-to-collect")
    assert (await desk.get("/v1/rewards", office(desk))).json()["items"][0]["state"] == "paid"


async def test_a_payment_sent_again_is_answered_the_same(desk: Desk) -> None:
    await give(desk)
    tip = await desk.tip()
    code = await claimed(desk, tip["receipt"])
    await approved(desk, await proposed(desk, tip["lead_id"]))
    body = {"token": await token(desk, tip["receipt"], code), "voucher_no": "V-1"}
    first = await desk.post("/v1/rewards/payments", counter(desk), body, key="pay-once-key")
    again = await desk.post("/v1/rewards/payments", counter(desk), body, key="pay-once-key")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json() | {"replayed": True}


async def test_proposals_at_once_make_one_reward(desk: Desk) -> None:
    """D-L: no double payment: one reward for one receipt, also under another scheme, however many propose at once."""
    await give(desk)
    tip = await desk.tip()
    answers = await asyncio.gather(
        *(desk.post("/v1/rewards", office(desk), facts(tip["lead_id"])) for _ in range(3)),
        *(
            desk.post("/v1/rewards", office(desk), facts(tip["lead_id"], scheme="den", level=None, dens=2))
            for _ in range(3)
        ),
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]
    assert len(await desk.rows("SELECT 1 FROM reward_shares WHERE live")) == 1
    assert len(await desk.rows("SELECT 1 FROM fund_entries WHERE kind = 'commitment'")) == 1


async def test_the_same_proposal_sent_again_is_the_same(desk: Desk) -> None:
    tip = await desk.tip()
    first = await desk.post("/v1/rewards", office(desk), facts(tip["lead_id"]), key="proposal-key")
    again = await desk.post("/v1/rewards", office(desk), facts(tip["lead_id"]), key="proposal-key")
    other = await desk.post("/v1/rewards", office(desk), facts(tip["lead_id"], fine="1"), key="proposal-key")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["reward_id"] == first.json()["reward_id"]
    refused(other, 409, "idempotency-key-reused")


async def test_simultaneous_reporters_share_and_each_collects_alone(desk: Desk) -> None:
    """Point 3, D-L: three neighbours at the same instant; parts add up to the fen; each is paid by its own token."""
    await give(desk)
    tips = [await desk.tip() for _ in range(4)]
    lead = tips[0]["lead_id"]
    await desk.as_owner("UPDATE tips SET lead_id = $1", lead)
    await desk.as_owner(
        "UPDATE tips SET received_at = (SELECT min(received_at) FROM tips) WHERE id = ANY($1::uuid[])",
        [tip["tip_id"] for tip in tips[:3]],
    )
    codes = [await claimed(desk, tip["receipt"]) for tip in tips]
    reward = await proposed(desk, lead, fine="200000.07", confiscated="133333.33")
    parts = [Decimal(share["amount"]) for share in reward["shares"]]
    assert len(parts) == 3 and sum(parts) == Decimal(reward["total"]) == Decimal("10000.00")
    assert parts == [Decimal("3333.34"), Decimal("3333.33"), Decimal("3333.33")]
    await approved(desk, reward)
    assert "更早的举报人" in (await standing(desk, tips[3]["receipt"]))["words"]["zh"]
    states = []
    for tip, code in zip(tips[:3], codes[:3], strict=True):
        body = {"token": await token(desk, tip["receipt"], code), "voucher_no": f"V-{tip['receipt'][-3:]}"}
        assert (await desk.post("/v1/rewards/payments", counter(desk), body)).status_code == 201
        states.append((await desk.get(f"/v1/rewards/{reward['reward_id']}", office(desk))).json()["state"])
    assert states == ["partly_paid", "partly_paid", "paid"]
    assert [data.last for _, data in await desk.events("dachuan.reward.paid.v1")] == [False, False, True]


async def test_the_earliest_gets_it_and_a_later_one_only_if_joined(desk: Desk) -> None:
    """Point 3: the earliest reporter of a lead; officers may join a later one to it."""
    first, second = await desk.tip(), await desk.tip()
    await desk.as_owner("UPDATE tips SET lead_id = $1", first["lead_id"])
    body = facts(first["lead_id"])
    alone = (await desk.post("/v1/rewards/preview", office(desk), body)).json()
    assert len(alone["shares"]) == 1 and alone["later_reports"] == 1
    both = await desk.post("/v1/rewards/preview", office(desk), body | {"joined": [second["tip_id"]]})
    assert both.json()["shares"] == ["4500.00", "4500.00"]
    foreign = await desk.tip(OTHER)
    wrong = await desk.post("/v1/rewards/preview", office(desk), body | {"joined": [foreign["tip_id"]]})
    assert wrong.json()["errors"][0]["field"] == "joined"
    assert await desk.rows("SELECT 1 FROM reward_proposals") == []


async def test_money_runs_short_is_told_before_it_happens(desk: Desk) -> None:
    """D-L: the shortfall alert comes while money is left; what is not covered is not approved; filled up, it is."""
    await give(desk, "10000")
    assert not await desk.events("dachuan.reward.budget-short.v1")
    tip, other = await desk.tip(), await desk.tip(OTHER)
    reward = await proposed(desk, tip["lead_id"])
    [(row, warning)] = await desk.events("dachuan.reward.budget-short.v1")
    assert (warning.keeper, warning.budget, warning.committed, row.topic) == (
        "finance", Decimal("10000.00"), Decimal("9000.00"), "intake.reward.v1",
    )  # fmt: skip
    more = await proposed(desk, other["lead_id"])
    assert len(await desk.events("dachuan.reward.budget-short.v1")) == 1, "told once"
    path = f"/v1/rewards/{more['reward_id']}/approval"
    assert (await desk.post(path, leader(desk), version=1)).status_code == 200
    told = refused(await desk.post(path, leader(desk, "deputy"), version=2), 409, "budget-short")
    assert told["missing"] == "8000.00"
    assert (await give(desk, "90000")).json()["short"] is False
    assert (await desk.post(path, leader(desk, "deputy"), version=2)).status_code == 200
    assert (await approved(desk, reward))["state"] == "approved"


async def test_claims_to_come_are_counted_before_the_money_is_promised(desk: Desk) -> None:
    """D-L: open claims will cost at least the lowest floor each; the round of the job warns."""
    await give(desk, "2000")
    for said in (f"安堂社区{n}号楼有人搞传销，拉人头发展下线" for n in (11, 12)):
        await claimed(desk, (await desk.tip(said))["receipt"])
    plan = desk.service.plans["dayong"]
    for _ in range(2):
        async with db.begin(desk.service.engine) as conn:
            await fund.watch(conn, desk.service, [plan], clock.now())
    [(_, warning)] = await desk.events("dachuan.reward.budget-short.v1")
    assert warning.expected == Decimal(2000) and warning.committed == 0


async def test_every_figure_is_the_sum_of_entries_that_nobody_can_change(desk: Desk) -> None:
    """D-L: figures open to entries; the service's own role can only add entries."""
    await give(desk)
    await proposed(desk, (await desk.tip())["lead_id"])
    path = f"/v1/funds/campaign/{YEAR}/entries"
    items = (await desk.get(path, counter(desk))).json()["items"]
    assert [(item["kind"], item["amount"]) for item in items] == [("commitment", "9000.00"), ("budget", "100000.00")]
    only = (await desk.get(path, counter(desk), kind="budget")).json()["items"]
    assert [item["document_no"] for item in only] == ["大财预〔2026〕3号"]
    for statement in ("UPDATE fund_entries SET amount = 1", "DELETE FROM fund_entries", "DELETE FROM reward_approvals"):
        with pytest.raises(Exception, match="permission denied"):
            await desk.rows(statement)
    cut = await desk.post(
        f"/v1/funds/campaign/{YEAR}/budget", counter(desk), {"amount": "-95000", "document_no": "x"}
    )
    refused(cut, 409, "budget-cut")


async def test_xiyuan_s_fund_begins_with_the_sum_of_its_plan(desk: Desk) -> None:
    """X-S1: 100,000 yuan from the plan, entered once; its keeper is the party and government office."""
    keeper = desk.bearer("party_office", ("desk",), plan="xiyuan", principal_id="keeper")
    plan = desk.service.plans["xiyuan"]
    for _ in range(2):
        async with db.begin(desk.service.engine) as conn:
            await fund.watch(conn, desk.service, [plan], clock.now())
    [now] = (await desk.get("/v1/funds", keeper)).json()
    assert (now["plan"], now["budget"], now["short"]) == ("xiyuan", "100000.00", False)
    foreign = desk.bearer("finance", ("desk",), plan="xiyuan", principal_id="other")
    assert (await desk.get("/v1/funds", foreign)).status_code == 403


async def test_what_does_not_fit_is_refused_and_nothing_is_kept(desk: Desk) -> None:
    tip = await desk.tip()
    for change, field in (
        ({"scheme": "gold"}, "scheme"), ({"level": "9"}, "level"), ({"scheme": "den", "level": None}, "dens"),
        ({"fine": "20000000"}, "finance_no"),
    ):  # fmt: skip
        answer = await desk.post("/v1/rewards", office(desk), facts(tip["lead_id"], **change))
        assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == field, answer.text
    for change in ({"fine": "-1"}, {"fine": "0.001"}, {"dens": -1}, {"fine": "1e20"}, {"document_no": ""}):
        assert (await desk.post("/v1/rewards", office(desk), facts(tip["lead_id"], **change))).status_code == 422
    away = desk.bearer("police", ("desk",), principal_id="other")
    assert (await desk.post("/v1/rewards", away, facts(tip["lead_id"]))).status_code == 403
    foreign = desk.bearer("office", ("office-director",), plan="xiyuan", principal_id="far")
    assert (await desk.post("/v1/rewards", foreign, facts(tip["lead_id"]))).status_code == 404
    patrol = await desk.tip(OTHER, channel="patrol")
    refused(await desk.post("/v1/public/rewards/claims", body={"receipt": patrol["receipt"]}), 403, "not-rewardable")
    refused(await desk.post("/v1/rewards", office(desk), facts(patrol["lead_id"])), 409, "nobody-entitled")
    assert await desk.rows("SELECT 1 FROM reward_proposals UNION ALL SELECT 1 FROM fund_entries") == []


async def test_an_old_token_runs_out_and_the_reward_does_not(desk: Desk) -> None:
    await give(desk)
    tip = await desk.tip()
    code = await claimed(desk, tip["receipt"])
    reward = await approved(desk, await proposed(desk, tip["lead_id"]))
    body = {"token": await token(desk, tip["receipt"], code), "voucher_no": "V-1"}
    await desk.as_owner("UPDATE reward_shares SET token_until = $1", clock.now() - timedelta(days=1))
    refused(await desk.post("/v1/rewards/payments", counter(desk), body), 409, "token-expired")
    body["token"] = await token(desk, tip["receipt"], code)
    lapsed = await desk.post(
        f"/v1/rewards/{reward['reward_id']}/lapse", office(desk), {"reason": "not-collected"}, version=reward["version"]
    )
    assert lapsed.json()["state"] == "lapsed"
    refused(await desk.post("/v1/rewards/payments", counter(desk), body), 404, "wrong-token")
    assert "超过领取期限" in (await standing(desk, tip["receipt"]))["words"]["zh"]
