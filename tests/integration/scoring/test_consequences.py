"""Consequences through the API: the ladder, rewards and penalties, accountability, special funds."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.scoring.commands.consequences.basis import Basis
from services.scoring.commands.consequences.tools import look_at_dues
from services.scoring.consumers import handlers
from shared.events.consequences import FundMoved, MeasureStepped, ToolStepped
from shared.kit import clock, db
from tests.integration.scoring.conftest import Score, event
from tests.integration.scoring.test_certificates import Round
from tests.integration.scoring.test_findings import Desk, Rescue, code


class Office(Desk):
    """Findings and what follows from them."""

    def assessor(self, who: str = "assessor") -> dict[str, str]:
        return self.score.bearer("politics_law", ("head",), principal_id=who)

    def xiyuan(self, agency: str, post: str, who: str | None = None) -> dict[str, str]:
        return self.score.stack.bearer(
            plan="xiyuan", agency=agency, posts=(post,), principal_id=who or f"{agency}-{post}"
        )

    async def send(
        self, who: dict[str, str], path: str, version: int | None = None, key: str | None = None, **body: Any
    ) -> httpx.Response:
        headers = {**who, "idempotency-key": key or uuid.uuid4().hex}
        if version is not None:
            headers["if-match"] = f'"{version}"'
        return await self.score.client.post(f"/v1/{path}", headers=headers, json=body)

    async def tools(self, who: dict[str, str] | None = None, **params: Any) -> dict[tuple[str, str], dict[str, Any]]:
        got = await self.score.get("/v1/tools", who or self.assessor(), **params)
        assert got.status_code == 200, got.text
        return {(one["subject_kind"], one["tool"]): one for one in got.json()["items"]}

    async def standing(self, tool_id: str, version: int = 1) -> int:
        """Proposed and approved; its version."""
        done = await self.send(self.assessor(), f"tools/{tool_id}/proposal/propose", version, words="依细则提出")
        assert done.status_code == 200, done.text
        done = await self.send(self.leader(), f"tools/{tool_id}/decision/approve", version + 1)
        assert (done.status_code, done.json()["state"]) == (200, "standing"), done.text
        return version + 2

    async def told(self, kind: type) -> list[Any]:
        return [one for one in await self.score.events() if isinstance(one, kind)]


@pytest.fixture
def office(score: Score) -> Office:
    return Office(score, score.app.state.findings)


async def test_a_confirmed_finding_starts_the_ladder_by_the_rulebook__d_q1__d_c1(office: Office) -> None:
    """D-Q1, D-C1: the gravest tool that the record calls for is proposed, of the town's ladder and of the unit's."""
    finding, _ = await office.confirmed()
    found = await office.tools()
    assert set(found) == {("town", "admonition"), ("agency", "admonition")}
    town, unit = found["town", "admonition"], found["agency", "admonition"]
    assert (town["rulebook"], town["rung"], town["state"], town["findings"]) == (
        "dayong-town",
        2,
        "triggered",
        [finding],
    )
    assert (unit["rulebook"], unit["agency"], unit["clause"]) == ("dayong-units", "police", "D-C1")
    assert [one["tool"] for one in (await office.tools(office.police())).values()] == ["admonition"]
    other = office.score.bearer("labour", ("head",), principal_id="labour")
    assert await office.tools(other) == {}


async def test_each_tool_has_its_procedure_from_proposal_to_lifting__d_c1__d_q1(office: Office) -> None:
    """D-C1, D-Q1: proposed by one, approved by another whose post may, told, rectified, checked by others, lifted."""
    await office.confirmed()
    tool = (await office.tools())["agency", "admonition"]
    path = f"tools/{tool['id']}"
    own = await office.send(office.police(), f"{path}/proposal/propose", 1, words="自己提")
    assert own.status_code == 403
    silent = await office.send(office.assessor(), f"{path}/proposal/propose", 1)
    assert (silent.status_code, code(silent)) == (422, "words-missing")
    assert (await office.send(office.assessor(), f"{path}/proposal/propose", 1, words="错过解救")).status_code == 200
    both = office.score.bearer("politics_law", ("leader", "head"), principal_id="assessor")
    same = await office.send(both, f"{path}/decision/approve", 2)
    assert (same.status_code, code(same)) == (403, "second-person")
    deputy = office.score.bearer("politics_law", ("deputy-leader",), principal_id="deputy")
    unentitled = await office.send(deputy, f"{path}/decision/approve", 2)
    assert unentitled.status_code == 403 and unentitled.json()["approval"] == "sanction.decide"
    old = await office.send(office.leader(), f"{path}/decision/approve", 1)
    assert old.status_code == 412
    done = (await office.send(office.leader(), f"{path}/decision/approve", 2)).json()
    assert done["state"] == "standing" and done["stands"] and done["ends_at"] and done["rectify_by"]
    early = await office.send(office.leader(), f"{path}/decision/lift", 3, words="已改")
    assert (early.status_code, code(early)) == (409, "not-rectified")
    reported = await office.send(office.police(), f"{path}/rectification", 3, words="已增派警力")
    assert reported.json()["state"] == "reported"
    back = await office.send(office.assessor(), f"{path}/rectification/refuse", 4, words="缺值班表")
    assert back.json()["state"] == "standing"
    assert (await office.send(office.police(), f"{path}/rectification", 5, words="补齐")).status_code == 200
    judged = await office.send(office.police(), f"{path}/rectification/accept", 6)
    assert judged.status_code == 403
    assert (await office.send(office.assessor(), f"{path}/rectification/accept", 6)).json()["state"] == "rectified"
    lifted = (await office.send(office.leader(), f"{path}/decision/lift", 7, words="整改到位")).json()
    assert lifted["state"] == "lifted" and not lifted["stands"]
    steps = [one.step for one in await office.told(ToolStepped) if str(one.tool_id) == tool["id"]]
    assert steps == ["trigger", "propose", "approve", "report", "refuse", "report", "accept", "lift"]
    assert [one["step"] for one in lifted["history"]] == steps


async def test_the_next_tool_follows_when_the_milder_one_did_not_help__d_q1(office: Office) -> None:
    """D-Q1: order and triggers are the rulebook's: after an admonition another finding calls for the yellow card."""
    await office.confirmed()
    await office.standing((await office.tools())["agency", "admonition"]["id"])
    await office.confirmed(Rescue(at=clock.now() - timedelta(hours=1)))
    found = await office.tools()
    assert found["agency", "yellow-card"]["state"] == "triggered" and found["agency", "yellow-card"]["rung"] == 3
    assert ("town", "yellow-card") not in found, "the town has not had the admonition yet"
    await office.standing(found["agency", "yellow-card"]["id"])
    blocks = await office.score.get("/v1/blocks", office.assessor(), subject_kind="agency", agency="police")
    assert {what for what, tools in blocks.json()["blocks"].items() if tools} == {"commendation"}


async def test_what_rested_on_an_overturned_finding_falls_or_is_for_a_person__d_q1(office: Office) -> None:
    """D-Q1: an overturned finding takes its proposals with it; a tool that stands is annulled by a person."""
    finding, version = await office.confirmed()
    found = await office.tools()
    stands = found["agency", "admonition"]["id"]
    await office.standing(stands)
    appealed = await office.act(f"{finding}/appeal", office.police(), version, "已出警")
    done = await office.act(f"{finding}/appeal/overturn", office.leader(), appealed.json()["version"], "属实")
    assert done.status_code == 200, done.text
    found = await office.tools()
    assert found["town", "admonition"]["state"] == "lapsed"
    left = found["agency", "admonition"]
    assert (left["state"], left["findings"]) == ("standing", [])
    annulled = await office.send(office.leader(), f"tools/{stands}/decision/annul", left["version"], words="依据已撤销")
    assert annulled.json()["state"] == "annulled"


async def test_time_ends_a_tool_and_a_rectification_not_reported_is_told_once__d_q1(office: Office) -> None:
    await office.confirmed()
    tool = (await office.tools())["agency", "admonition"]
    await office.standing(tool["id"])
    basis: Basis = office.score.app.state.consequences

    async def at(days: int) -> int:
        async with db.begin(office.score.service.engine) as conn:
            return await look_at_dues(conn, basis, clock.now() + timedelta(days=days))

    assert await at(29) == 0
    assert await at(31) == 1 and await at(32) == 0
    assert await at(95) == 0, "it does not end before its rectification was accepted"
    shown = (await office.tools())["agency", "admonition"]
    assert shown["overdue_at"] and shown["state"] == "standing"
    assert (await office.send(office.police(), f"tools/{tool['id']}/rectification", 4, words="补报")).status_code == 200
    assert (await office.send(office.assessor(), f"tools/{tool['id']}/rectification/accept", 5)).status_code == 200
    assert await at(95) == 1
    assert (await office.tools())["agency", "admonition"]["state"] == "ended"
    steps = [one.step for one in await office.told(ToolStepped) if str(one.tool_id) == tool["id"]]
    assert steps.count("rectification_missed") == 1 and steps[-1] == "expire"


async def test_a_tool_can_be_proposed_by_hand_on_confirmed_findings_only__d_c1(office: Office) -> None:
    """D-C1: what nothing triggered can be proposed by a person, resting on findings that count."""
    pending, _ = await office.proposed()
    wanted: dict[str, Any] = {
        "rulebook": "dayong-units", "tool": "yellow-card", "subject_kind": "agency", "agency": "police",
        "words": "情节较重",
    }  # fmt: skip
    refused = await office.send(office.assessor(), "tools", findings=[pending], **wanted)
    assert (refused.status_code, code(refused)) == (422, "findings-do-not-count")
    finding, _ = await office.confirmed(Rescue(at=clock.now() - timedelta(hours=3)))
    key = uuid.uuid4().hex
    made = await office.send(office.assessor(), "tools", findings=[finding], key=key, **wanted)
    assert (made.status_code, made.json()["state"]) == (201, "proposed"), made.text
    again = await office.send(office.assessor(), "tools", findings=[finding], key=key, **wanted)
    assert again.json()["id"] == made.json()["id"]
    second = await office.send(office.assessor(), "tools", findings=[finding], **wanted)
    assert (second.status_code, code(second)) == (409, "there-already")
    none = await office.send(office.assessor(), "tools", findings=[finding], **wanted | {"tool": "exile"})
    assert (none.status_code, code(none)) == (422, "no-such-tool")


async def test_rewards_of_persons_go_by_post_and_are_paid_from_the_fund__x_s1__x_d1c__d_l(office: Office) -> None:
    """X-S1, X-D1c, D-L: proposed, approved by another, committed, paid; by post, never by name; never more than is free."""
    staff, leader = office.xiyuan("office", "office-staff"), office.xiyuan("office", "leader")
    keeper, other = office.xiyuan("party_office", "head"), office.xiyuan("party_office", "desk")
    reward: dict[str, Any] = {
        "rulebook": "xiyuan-units", "measure": "reward-post", "subject_kind": "post", "agency": "c-meihong",
        "post": "community-worker", "reason": "排查中发现两处窝点",
    }  # fmt: skip
    made = await office.send(staff, "measures", **reward)
    assert made.status_code == 201, made.text
    assert (made.json()["subject"], made.json()["yuan"], made.json()["fund"]) == (
        "c-meihong:community-worker",
        1000,
        "campaign",
    )
    path = f"measures/{made.json()['id']}"
    short = await office.send(leader, f"{path}/decision/approve", 1)
    assert (short.status_code, code(short)) == (409, "fund-short")
    over = await office.send(keeper, "funds/campaign/moves", kind="budget", yuan=100_001, purpose="年度预算")
    assert (over.status_code, code(over)) == (409, "over-the-plan")
    given = await office.send(keeper, "funds/campaign/moves", kind="budget", yuan=100_000, purpose="年度预算")
    assert given.json()["line"]["free"] == 100_000, given.text
    assert (await office.send(staff, f"{path}/decision/approve", 1)).status_code == 403
    done = await office.send(leader, f"{path}/decision/approve", 1)
    assert done.json()["state"] == "approved", done.text
    line = (await office.score.get("/v1/funds", keeper)).json()["items"][0]
    assert (line["given"], line["budget"], line["committed"], line["free"]) == (100_000, 100_000, 1_000, 99_000)
    entry = (await office.score.rows("SELECT * FROM ledger WHERE basis = 'decision'"))[0]
    assert (entry.subject_kind, entry.subject, entry.line, entry.points) == (
        "post",
        "c-meihong:community-worker",
        "merit",
        5,
    )
    assert (await office.send(staff, f"{path}/execution/carry_out", 2, words="已发放")).json()["state"] == "done"
    moves = (await office.score.get("/v1/funds/campaign/moves", keeper)).json()
    assert (moves["line"]["paid"], moves["line"]["committed"], moves["line"]["free"]) == (1_000, 0, 99_000)
    spent = await office.send(keeper, "funds/campaign/moves", kind="commit", yuan=500, purpose="宣传材料")
    commitment = spent.json()["items"][-1]["id"]
    pay: dict[str, Any] = {"kind": "pay", "yuan": 500, "purpose": "宣传材料", "commitment": commitment}
    own = await office.send(keeper, "funds/campaign/moves", **pay)
    assert (own.status_code, code(own)) == (403, "second-person")
    assert (await office.send(other, "funds/campaign/moves", **pay)).json()["line"]["paid"] == 1_500
    twice = await office.send(other, "funds/campaign/moves", **pay)
    assert (twice.status_code, code(twice)) == (409, "over-the-commitment")
    assert [one.kind for one in await office.told(FundMoved)] == ["budget", "commit", "pay", "commit", "pay"]
    with pytest.raises(Exception, match="permission denied"):
        await office.score.rows("UPDATE fund_moves SET yuan = 1")


async def test_a_revoked_reward_gives_its_money_and_its_points_back__x_s1(office: Office) -> None:
    staff, leader = office.xiyuan("office", "office-staff"), office.xiyuan("office", "leader")
    await office.send(
        office.xiyuan("party_office", "head"), "funds/campaign/moves", kind="budget", yuan=5_000, purpose="预算"
    )
    made = await office.send(
        staff, "measures", rulebook="xiyuan-units", measure="reward-post", subject_kind="post", agency="police",
        post="investigator", reason="连续值守", yuan=800,
    )  # fmt: skip
    path = f"measures/{made.json()['id']}"
    assert (await office.send(leader, f"{path}/decision/approve", 1)).status_code == 200
    assert (await office.send(leader, f"{path}/decision/revoke", 2, words="事迹不实")).json()["state"] == "revoked"
    line = (await office.score.get("/v1/funds", office.xiyuan("party_office", "head"))).json()["items"][0]
    assert (line["committed"], line["free"]) == (0, 5_000)
    rows = await office.score.rows("SELECT points FROM ledger WHERE basis = 'decision' ORDER BY seq")
    assert [row.points for row in rows] == [5, -5]
    before = await office.score.ledger()
    told = await office.score.rows("SELECT * FROM outbox WHERE type = :type ORDER BY seq", type=MeasureStepped.TYPE)
    steps = [
        (row.id, row.recordedat, MeasureStepped.model_validate_json(bytes(row.data))) for row in told
    ]  # fmt: skip
    async with db.begin(office.score.service.engine) as conn:
        apply = handlers(office.score.books)[MeasureStepped.TYPE]
        again = [event(data, at) for _, at, data in steps]
        again = [type(one)(id_, *_rest(one)) for one, (id_, _, _) in zip(again, steps, strict=True)]
        await apply(conn, again, clock.now())
    assert await office.score.ledger() == before, "told again, the ledger is the same"


def _rest(one: Any) -> tuple[Any, ...]:
    return tuple(getattr(one, name) for name in list(one.__dataclass_fields__)[1:])


async def test_who_is_under_a_tool_gets_no_reward_and_a_penalty_rests_on_facts__x_s1__x_d1c(office: Office) -> None:
    """X-S1, X-D1c: a weak unit is penalised on facts only; a reward waits until the tool is lifted."""
    staff = office.assessor("assessor-2")
    penalty: dict[str, Any] = {
        "rulebook": "dayong-units", "measure": "criticise-unit", "subject_kind": "agency", "agency": "police",
        "reason": "到期未受理",
    }  # fmt: skip
    bare = await office.send(staff, "measures", **penalty)
    assert (bare.status_code, code(bare)) == (422, "no-facts")
    finding, _ = await office.confirmed()
    good = await office.send(staff, "measures", findings=[finding], **penalty)
    assert (good.status_code, code(good)) == (409, "score-does-not-fit"), "90 points are not below 80"
    await office.confirmed(Rescue(at=clock.now() - timedelta(hours=5)))
    await office.confirmed(Rescue(at=clock.now() - timedelta(hours=6)))
    made = await office.send(staff, "measures", findings=[finding], **penalty)
    assert (made.status_code, made.json()["score"]) == (201, "70.0"), made.text
    own = await office.send(office.score.bearer("police", ("leader", "head"), principal_id="p"), "measures", **penalty)
    assert own.status_code == 403
    tool = (await office.tools())["agency", "yellow-card"]
    await office.standing(tool["id"])
    reward = await office.send(
        staff, "measures", rulebook="dayong-units", measure="commend-post", subject_kind="post", agency="police",
        unit="public_order", post="investigator", reason="表现突出",
    )  # fmt: skip
    assert (reward.status_code, code(reward)) == (409, "blocked"), reward.text


async def test_accountability_is_proposed_with_its_facts_and_answered_by_those_it_goes_to__d_q2__x_r2(
    office: Office,
) -> None:
    """D-Q2, X-R2: addressed to discipline inspection and the organisation department; each tells what came of it."""
    finding, _ = await office.confirmed()
    wanted: dict[str, Any] = {
        "rulebook": "dayong-units", "measure": "accountability", "subject_kind": "agency", "agency": "police",
        "reason": "应解救未解救，组织不力",
    }  # fmt: skip
    bare = await office.send(office.assessor(), "measures", **wanted)
    assert (bare.status_code, code(bare)) == (422, "no-facts")
    made = await office.send(office.assessor(), "measures", findings=[finding], **wanted)
    assert (made.status_code, made.json()["sent_to"]) == (201, ["discipline", "organisation"]), made.text
    path = f"measures/{made.json()['id']}"
    discipline = office.score.bearer("discipline", ("head",), principal_id="d")
    organisation = office.score.bearer("organisation", ("head",), principal_id="o")
    assert (await office.score.get(f"/v1/{path}", discipline)).status_code == 404, "not sent yet"
    assert (await office.send(office.leader(), f"{path}/decision/send", 1)).json()["state"] == "sent"
    assert (await office.score.get(f"/v1/{path}", discipline)).json()["findings"] == [finding]
    stranger = office.score.bearer("labour", ("head",), principal_id="l")
    assert (await office.score.get(f"/v1/{path}", stranger)).status_code == 404
    foreign = await office.send(office.police(), f"{path}/answer/answer", 2, outcome="no_action")
    assert (foreign.status_code, code(foreign)) == (403, "not-sent-to-you")
    assert (await office.send(discipline, f"{path}/answer/receive", 2)).json()["state"] == "sent"
    nothing = await office.send(discipline, f"{path}/answer/answer", 3, outcome="perhaps")
    assert (nothing.status_code, code(nothing)) == (422, "no-outcome")
    one = await office.send(discipline, f"{path}/answer/answer", 3, outcome="administrative_discipline", words="警告")
    assert one.json()["state"] == "sent"
    both = await office.send(organisation, f"{path}/answer/answer", 4, outcome="admonished")
    assert both.json()["state"] == "answered"
    assert {agency: answer["outcome"] for agency, answer in both.json()["answers"].items()} == {
        "discipline": "administrative_discipline", "organisation": "admonished",
    }  # fmt: skip
    sent = [one for one in await office.told(MeasureStepped) if one.step == "send"]
    assert sent[0].sent_to == ("discipline", "organisation") and sent[0].findings == (uuid.UUID(finding),)


async def test_leaders_of_a_subdistrict_are_held_to_account__x_r2(office: Office) -> None:
    """X-R2: entries that took points are facts, too; the proposal goes to the district."""
    from tests.integration.scoring.conftest import case

    late = case(plan="xiyuan", area="xiyuan-meihong", parties=(("police", None),))
    await office.score.tell(late.missed("police"))
    entry = (await office.score.rows("SELECT entry_id FROM ledger"))[0].entry_id
    staff = office.xiyuan("office", "office-staff")
    made = await office.send(
        staff, "measures", rulebook="xiyuan-units", measure="accountability", subject_kind="post", agency="police",
        post="head", entries=[str(entry)], reason="消极应付",
    )  # fmt: skip
    assert made.status_code == 201, made.text
    assert (made.json()["sent_to"], made.json()["post"], made.json()["clause"]) == (["district_office"], "head", "X-R2")


@pytest.fixture
def road(score: Score) -> Round:
    return Round(score)


async def test_a_tool_keeps_the_certificate_back_until_it_is_over__d_q1__d_c1(road: Round) -> None:
    """D-Q1, D-C1: a listed community is not certified, however good its evidence; once the tool is lifted it is."""
    await road.inspected()
    await road.score.rows(
        "INSERT INTO tools (id, plan, rulebook, edition, tool, rung, subject_kind, subject, agency, state, cause, "
        "findings, blocks, public, period, opened_at, version, history) VALUES (:id, 'xiyuan', 'xiyuan-units', '2015.1', "
        "'listed', 5, 'community', 'c-meihong', 'c-meihong', 'standing', '{}', '[]', '[\"certificate\"]', true, "
        "'2026-01-01', now(), 1, '[]') RETURNING id",
        id=uuid.uuid4(),
    )
    await road.refused(road.leader, "propose_grant", 409, "blocked")
    await road.score.rows("UPDATE tools SET state = 'lifted' RETURNING id")
    await road.done(road.leader, "propose_grant")
    assert (await road.done(road.director, "confirm"))["in_force"]
