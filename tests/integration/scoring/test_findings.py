"""Findings through the API: proposed by events in any order, answered, decided, appealed, booked and taken back."""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from services.scoring.commands.findings.basis import Basis
from services.scoring.commands.findings.effects import EFFECTS
from services.scoring.consumers import handlers
from services.scoring.domain.findings import FindingStep, Settled
from shared.events import Event
from shared.events.common import DeadlineFact
from shared.events.findings import AppealDecided, FindingDecided, FindingLapsed, FindingProposed
from shared.events.intake import VenueFinding
from shared.events.proceedings import ProceedingDeadlineMissed, ProceedingOpened, ProceedingStepped
from shared.events.scoring import LedgerEntryRecorded
from shared.kit import clock, db, inbox
from shared.kit.ids import new_id
from tests.integration.scoring.conftest import Score, event

DAY = timedelta(days=1)


def code(answer: httpx.Response) -> str:
    """The stable code of a refusal."""
    return answer.json()["type"].removeprefix("urn:dachuan:problem:")


class Rescue:
    """A rescue whose first clock passed."""

    def __init__(self, at: datetime | None = None, agency: str = "police", unit: str | None = "public_order") -> None:
        self.at = at or clock.now() - timedelta(hours=2)
        self.id = new_id()
        self.to = agency, unit
        self.common: dict[str, Any] = {
            "proceeding_id": self.id, "number": "测救〔2026〕0001号", "kind": "rescue", "group": "request",
            "procedure_version": "2015", "plan": "dayong", "area": "dayong-antang", "urgent": True, "case_id": None,
            "case_number": None, "parent_id": None, "agency": "commerce", "unit": "office", "to_agency": agency,
            "to_unit": unit, "dataref": f"http://casework.example/v1/proceedings/{self.id}",
        }  # fmt: skip
        self.clock = DeadlineFact(
            deadline_id=new_id(), kind="rescue.accept", agency=agency, unit=unit, rule="plan.rescue_accept",
            calendar="2026", start=self.at, due=self.at + timedelta(minutes=10),
        )  # fmt: skip
        self.opened = self._at(
            ProceedingOpened(
                **self.common, state="asked", facts={"persons": 2, "danger": True}, clocks=(), awaits_agency=agency,
                awaits_unit=unit, opened_at=self.at,
            ), 0,
        )  # fmt: skip
        self.missed = self._at(
            ProceedingDeadlineMissed(
                **self.common, state="asked", deadline=self.clock, missed_at=self.at + timedelta(minutes=10)
            ), 10,
        )  # fmt: skip
        self.nobody = self._step("nobody_there", "not_found", "not_found", 40)
        self.recorded = self._step("record_missed", "missed", "missed_rescue", 50, cause="not_gone", harm="none")

    def _at(self, data: Any, minutes: int) -> Event[Any]:
        return event(data, self.at + timedelta(minutes=minutes))

    def _step(self, step: str, state: str, outcome: str, minutes: int, **facts: Any) -> Event[Any]:
        return self._at(
            ProceedingStepped(
                **self.common, step=step, from_state="asked", state=state, final=True, outcome=outcome,
                by_agency="police", by_unit=None, by_system=False, facts=facts, clocks=(), awaits_agency=None,
                awaits_unit=None, stepped_at=self.at + timedelta(minutes=minutes),
            ), minutes,
        )  # fmt: skip


@dataclass
class Desk:
    """Scoring with its findings: events are told as its consumers do, steps are taken by HTTP."""

    score: Score
    basis: Basis

    async def tell(self, *events: Event[Any]) -> None:
        apply = handlers(self.score.books, self.basis)
        async with db.begin(self.score.service.engine) as conn:
            new = await inbox.take_new(conn, self.score.service.kit.inbox, "scoring.matters", events)
            for one in new:
                await apply[one.type](conn, [one], clock.now())

    async def tell_all(self, events: Sequence[Event[Any]]) -> None:
        """In one go, without the inbox."""
        apply = handlers(self.score.books, self.basis)
        async with db.begin(self.score.service.engine) as conn:
            for one in events:
                await apply[one.type](conn, [one], clock.now())

    async def listed(self, who: dict[str, str] | None = None, **params: Any) -> list[dict[str, Any]]:
        got = await self.score.get("/v1/findings", who or self.office(), **params)
        assert got.status_code == 200, got.text
        return got.json()["items"]

    async def one(self, finding_id: str, who: dict[str, str] | None = None) -> dict[str, Any]:
        got = await self.score.get(f"/v1/findings/{finding_id}", who or self.office())
        assert got.status_code == 200, got.text
        assert got.headers["etag"] == f'"{got.json()["version"]}"'
        return got.json()

    async def act(
        self, path: str, who: dict[str, str], version: int | None, words: str = "说明", key: str | None = None
    ) -> httpx.Response:
        headers = {**who, "idempotency-key": key or uuid.uuid4().hex}
        if version is not None:
            headers["if-match"] = f'"{version}"'
        return await self.score.client.post(f"/v1/findings/{path}", headers=headers, json={"words": words})

    def office(self, who: str = "director", post: str = "office-director") -> dict[str, str]:
        return self.score.bearer("commerce", (post,), unit="office", principal_id=who)

    def leader(self) -> dict[str, str]:
        return self.score.bearer("politics_law", ("leader",), principal_id="leader")

    def police(self) -> dict[str, str]:
        return self.score.bearer("police", ("head",), principal_id="head-police")

    async def proposed(self, rescue: Rescue | None = None) -> tuple[str, int]:
        """A finding that is proposed; its id and version."""
        rescue = rescue or Rescue()
        await self.tell(rescue.opened, rescue.missed)
        found = await self.listed(show="open")
        return found[0]["finding_id"], found[0]["version"]

    async def answered(self, rescue: Rescue | None = None) -> tuple[str, int]:
        finding, version = await self.proposed(rescue)
        done = await self.act(f"{finding}/answer", self.police(), version, "警力在处置另一警情")
        assert done.status_code == 200, done.text
        return finding, done.json()["version"]

    async def confirmed(self, rescue: Rescue | None = None, who: str = "director") -> tuple[str, int]:
        finding, version = await self.answered(rescue)
        done = await self.act(f"{finding}/decision/confirm", self.office(who), version, "")
        assert done.status_code == 200, done.text
        return finding, done.json()["version"]


@pytest.fixture
def desk(score: Score) -> Desk:
    return Desk(score, score.app.state.findings)


async def test_a_missed_rescue_is_proposed_once_in_any_order__d_q1_6(desk: Desk) -> None:
    """D-Q1.6: the same finding with the same id, whichever event comes first and however often."""
    rescue = Rescue()
    events = [rescue.opened, rescue.missed]
    seen = []
    for seed in range(4):
        random.Random(seed).shuffle(events)
        await desk.tell_all(events)
        rows = await desk.score.rows("SELECT finding_id, events, measure, origin, occurred_at, state FROM findings")
        assert len(rows) == 1
        seen.append(tuple(rows[0]))
    assert len({str(one) for one in seen}) == 1
    shown = (await desk.listed())[0]
    assert (shown["condition"], shown["clause"], shown["agency"], shown["scored_kind"]) == (
        "missed_rescue", "D-Q1.6", "police", "town",
    )  # fmt: skip
    assert shown["origin"] == "self_found" and shown["measure"]["persons"] == 2
    told = [one for one in await desk.score.events() if isinstance(one, FindingProposed)]
    assert set(told[-1].facts) == {rescue.opened.id, rescue.missed.id}
    full = await desk.one(shown["finding_id"])
    assert [one["type"] for one in full["facts"]] == [ProceedingOpened.TYPE, ProceedingDeadlineMissed.TYPE]
    assert full["facts"][0]["dataref"].endswith(str(rescue.id))


async def test_what_the_facts_take_back_lapses_and_comes_back(desk: Desk) -> None:
    """Nobody was held: nothing was missed. As long as nobody has decided, the finding follows its facts."""
    rescue = Rescue()
    finding, _ = await desk.proposed(rescue)
    await desk.tell(rescue.nobody)
    assert (await desk.one(finding))["state"] == "lapsed"
    assert any(isinstance(one, FindingLapsed) for one in await desk.score.events())
    assert await desk.listed(show="open") == []
    other = Rescue()
    await desk.tell(other.nobody, other.missed, other.opened)
    assert [one["state"] for one in await desk.listed()] == ["lapsed"], "nothing was ever proposed of the other"


async def test_the_unit_is_heard_before_anything_is_confirmed__d_q1(desk: Desk) -> None:
    """D-Q1: until it has answered, or its window has passed, nobody confirms; its words stand beside the decision."""
    finding, version = await desk.proposed()
    refused = await desk.act(f"{finding}/decision/confirm", desk.office(), version)
    assert refused.status_code == 409 and code(refused) == "answer-awaited"
    mine = await desk.listed(desk.police(), show="mine")
    assert [one["finding_id"] for one in mine] == [finding]
    assert await desk.listed(desk.office(), show="mine") == []
    done = await desk.act(f"{finding}/answer", desk.police(), version, "警力在处置另一警情")
    assert done.status_code == 200
    assert [one["finding_id"] for one in await desk.listed(desk.office(), show="mine")] == [finding]
    done = await desk.act(f"{finding}/decision/confirm", desk.office(), done.json()["version"], "")
    assert done.json()["state"] == "confirmed"
    assert [step["step"] for step in done.json()["steps"]] == ["propose", "answer", "confirm"]
    assert done.json()["steps"][1]["words"] == "警力在处置另一警情"
    kept = await desk.score.rows("SELECT words FROM finding_steps WHERE step = 'answer'")
    assert "警力".encode() not in bytes(kept[0].words), "sealed in the database"


async def test_after_the_window_it_can_be_confirmed_unanswered(desk: Desk) -> None:
    """Working days of the rulebook's procedure; then nobody waits any longer, and an answer is too late."""
    finding, version = await desk.proposed()
    shown = await desk.one(finding)
    days = desk.basis.procedure("dayong", "missed_rescue", clock.now()).answer_days
    until, _ = desk.basis.by(datetime.fromisoformat(shown["proposed_at"]), days)
    assert datetime.fromisoformat(shown["answer_by"]) == until
    try:
        clock.set_offset((until - clock.now()).total_seconds() + 60)
        late = await desk.act(f"{finding}/answer", desk.police(), version)
        assert late.status_code == 409 and code(late) == "window-passed"
        done = await desk.act(f"{finding}/decision/confirm", desk.office(), version, "")
        assert done.status_code == 200, done.text
    finally:
        clock.set_offset(0)


async def test_a_confirmed_finding_books_entries_and_an_overturned_one_takes_them_back(desk: Desk) -> None:
    """D-Q1.6, D-M2: the entry rests on the finding and all its events; the correction stands beside it."""
    finding, version = await desk.confirmed()
    entries = await desk.score.rows("SELECT * FROM ledger WHERE basis_id = :id", id=uuid.UUID(finding))
    assert entries, "the rulebook in force has a line for a missed rescue"
    shown = await desk.one(finding)
    assert sum(Decimal(one["points"]) for one in shown["worth"]) == sum(entry.points for entry in entries)
    assert all(entry.basis == "finding" and len(entry.facts) == 3 for entry in entries)
    appealed = await desk.act(f"{finding}/appeal", desk.police(), version, "已在三分钟内出警")
    assert appealed.json()["state"] == "appealed"
    same = await desk.act(f"{finding}/appeal/overturn", desk.office(), appealed.json()["version"], "出警属实")
    assert same.status_code == 403 and code(same) == "second-person"
    done = await desk.act(f"{finding}/appeal/overturn", desk.leader(), appealed.json()["version"], "出警属实")
    assert done.json()["state"] == "overturned"
    left = await desk.score.rows("SELECT sum(points) AS points, count(*) AS n FROM ledger WHERE basis_id = :id", id=uuid.UUID(finding))
    assert left[0].points == 0 and left[0].n == 2 * len(entries), "both the entry and its correction stay"
    last = done.json()["steps"][-1]
    assert last["before"]["state"] == "appealed" and last["after"]["state"] == "overturned"
    assert last["before"]["worth"], "what it was worth before is kept"


async def test_the_ledger_is_rebuilt_from_the_decisions_alone(desk: Desk) -> None:
    """Human decisions are events: told again into an empty ledger they give the same entries, bit by bit."""
    finding, version = await desk.confirmed()
    appealed = await desk.act(f"{finding}/appeal", desk.police(), version)
    done = await desk.act(f"{finding}/appeal/overturn", desk.leader(), appealed.json()["version"])
    assert done.status_code == 200
    before = await desk.score.ledger()
    assert before
    rows = await desk.score.rows(
        "SELECT * FROM outbox WHERE type IN (:a, :b) ORDER BY seq", a=FindingDecided.TYPE, b=AppealDecided.TYPE
    )
    again = [
        Event(row.id, row.type, "/dachuan/scoring", row.key, row.time, row.recordedat, row.traceparent,
              {FindingDecided.TYPE: FindingDecided, AppealDecided.TYPE: AppealDecided}[row.type].model_validate_json(bytes(row.data)))
        for row in rows
    ]  # fmt: skip
    assert len(again) == 2
    await desk.tell_all(again)
    assert await desk.score.ledger() == before, "told again, nothing is doubled"
    databases_owner = desk.score.service.engine
    async with db.begin(databases_owner) as conn:
        apply = handlers(desk.score.books)
        for one in again:
            await apply[one.type](conn, [one], clock.now())
    assert await desk.score.ledger() == before


async def test_rejected_with_a_reason_it_never_counts(desk: Desk) -> None:
    """A person rejects with reason; more facts do not bring it back."""
    rescue = Rescue()
    finding, version = await desk.proposed(rescue)
    nothing = await desk.act(f"{finding}/decision/reject", desk.office(), version, "  ")
    assert nothing.status_code == 422 and code(nothing) == "words-missing"
    done = await desk.act(f"{finding}/decision/reject", desk.office(), version, "时钟起算有误")
    assert done.json()["state"] == "rejected"
    await desk.tell(rescue.recorded)
    after = await desk.one(finding)
    assert after["state"] == "rejected" and len(after["other_facts"]) == 1
    assert not await desk.score.rows("SELECT 1 FROM ledger")


async def test_left_to_a_second_person(desk: Desk) -> None:
    """Whoever leaves it does not decide it; another does."""
    finding, version = await desk.answered()
    left = await desk.act(f"{finding}/decision/leave", desk.office("one"), version, "情节有争议")
    assert left.json()["state"] == "left_to_second" and "confirm" not in left.json()["can"]
    version = left.json()["version"]
    same = await desk.act(f"{finding}/decision/confirm", desk.office("one"), version, "")
    assert same.status_code == 403 and code(same) == "second-person"
    other = await desk.act(f"{finding}/decision/confirm", desk.office("two", "office-staff"), version, "")
    assert other.json()["state"] == "confirmed"


async def test_nobody_judges_their_own(desk: Desk) -> None:
    """A finding about the office's own unit is for others."""
    finding, version = await desk.proposed(Rescue(agency="commerce", unit="office"))
    own = await desk.act(f"{finding}/decision/reject", desk.office(), version)
    assert own.status_code == 403 and code(own) == "own-matter"
    done = await desk.act(f"{finding}/decision/reject", desk.leader(), version)
    assert done.status_code == 200


async def test_an_appeal_is_once_and_within_its_window(desk: Desk) -> None:
    """D-Q1, open to appeal: within the rulebook's working days, once; upheld it stands."""
    finding, version = await desk.confirmed()
    shown = await desk.one(finding)
    try:
        clock.set_offset((datetime.fromisoformat(shown["appeal_by"]) - clock.now()).total_seconds() + 60)
        late = await desk.act(f"{finding}/appeal", desk.police(), version)
        assert late.status_code == 409 and code(late) == "window-passed"
    finally:
        clock.set_offset(0)
    appealed = await desk.act(f"{finding}/appeal", desk.police(), version)
    upheld = await desk.act(f"{finding}/appeal/uphold", desk.leader(), appealed.json()["version"])
    assert upheld.json()["state"] == "upheld"
    again = await desk.act(f"{finding}/appeal", desk.police(), upheld.json()["version"])
    assert again.status_code == 409 and code(again) == "not-possible-now"
    rows = await desk.score.rows("SELECT count(*) AS n FROM ledger WHERE corrects IS NOT NULL")
    assert rows[0].n == 0


async def test_what_follows_elsewhere_is_called_in_the_same_transaction(desk: Desk) -> None:
    """Ladder and certificates hear of a decision before it is committed, and can refuse it whole."""
    heard: list[Settled] = []

    async def hear(conn: Any, settled: Settled, now: datetime) -> None:
        heard.append(settled)
        if settled.by == "officer:angry":
            raise RuntimeError("no")

    EFFECTS.append(hear)
    try:
        finding, version = await desk.answered()
        failed = await desk.act(f"{finding}/decision/confirm", desk.office("angry"), version, "")
        assert failed.status_code == 500
        assert (await desk.one(finding))["state"] == "proposed"
        assert not await desk.score.rows("SELECT 1 FROM ledger")
        done = await desk.act(f"{finding}/decision/confirm", desk.office(), version, "")
        assert done.status_code == 200
    finally:
        EFFECTS.remove(hear)
    assert [one.step for one in heard] == [FindingStep.CONFIRM, FindingStep.CONFIRM]
    assert str(heard[-1].finding.finding_id) == finding
    told = [one for one in await desk.score.events() if isinstance(one, LedgerEntryRecorded)]
    assert told and all(one.fact_event == heard[-1].event for one in told)


async def test_a_step_twice_has_its_effect_once_and_an_old_version_is_told_what_changed(desk: Desk) -> None:
    """If-Match and Idempotency-Key."""
    finding, version = await desk.proposed()
    missing = await desk.act(f"{finding}/answer", desk.police(), None)
    assert missing.status_code == 428
    first = await desk.act(f"{finding}/answer", desk.police(), version, key="the-same-key")
    second = await desk.act(f"{finding}/answer", desk.police(), version, key="the-same-key")
    assert first.json()["version"] == second.json()["version"] == version + 1
    other = await desk.act(f"{finding}/answer", desk.police(), version, "别的", key="the-same-key")
    assert other.status_code == 409
    old = await desk.act(f"{finding}/decision/reject", desk.office(), version)
    assert old.status_code == 412 and [one["step"] for one in old.json()["changes"]] == ["answer"]


async def test_who_sees_and_who_may(desk: Desk) -> None:
    """Others' findings are not there; a reader without the right to decide is refused; nobody signed in sees nothing."""
    finding, version = await desk.answered()
    other = desk.score.bearer("food_drug", ("head",), principal_id="other")
    assert await desk.listed(other) == []
    assert (await desk.score.get(f"/v1/findings/{finding}", other)).status_code == 404
    assert (await desk.act(f"{finding}/answer", other, version)).status_code == 404
    assert (await desk.act(f"{finding}/decision/reject", desk.police(), version)).status_code == 403
    reader = desk.score.bearer("police", ("desk",), principal_id="desk")
    assert (await desk.score.get(f"/v1/findings/{finding}", reader)).status_code == 200
    assert (await desk.act(f"{finding}/answer", reader, version)).status_code == 403
    assert (await desk.score.client.get("/v1/findings")).status_code == 401
    reads = await desk.score.rows("SELECT 1 FROM audit WHERE action = 'finding.read'")
    assert reads


async def test_a_venue_and_lists_by_condition_and_cursor__d_q1_5(desk: Desk) -> None:
    """D-Q1.5: told by the register; the list narrows and goes on from a cursor without gap or double."""
    told = [
        event(
            VenueFinding(
                plan="dayong", area="dayong-antang", check_id=new_id(), venue_id=new_id(), booking_id=None, lead_id=None,
                agency="commerce", signs=("chanting", "closed"), found_at=clock.now(), dataref="http://x/v1/venues/1",
            ), clock.now(),
        )
        for _ in range(5)
    ]  # fmt: skip
    await desk.tell(*told)
    await desk.proposed()
    assert len(await desk.listed(condition="venue_used")) == 5
    seen: list[str] = []
    cursor = None
    while True:
        got = (await desk.score.get("/v1/findings", desk.office(), limit=2, **({"cursor": cursor} if cursor else {}))).json()
        seen += [one["finding_id"] for one in got["items"]]
        cursor = got["next"]
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == 6
