"""A tip through any order of what happens to it, over the pure rules: triage, review, handover, decline, end,
contest, what is asked of its reporter, and who may see the reporter's contact."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.intake.domain.conversation import (
    REVEAL_DECISIONS,
    ContestState,
    Refused,
    Reveal,
    RevealState,
    decide_contest,
    decide_reveal,
    may_view,
)
from services.intake.domain.handovers import (
    HandoverAction,
    HandoverRefused,
    HandoverState,
    Matter,
    NoWay,
    Place,
    check_way,
    next_state,
)
from services.intake.domain.leads import ActRefusedError, LeadAct, LeadState, after
from services.intake.domain.outcomes import Standing, closing_words, step_words
from services.intake.domain.reading import KINDS, read
from services.intake.domain.reviews import Effect, Labels, corrected, effect
from services.intake.domain.tips import TipState, triage
from services.intake.queries.conversation import _stands
from shared.rules.law import LawBook
from shared.rules.plan import Plan, RoutingFacts, load_plans

ROOT = Path(__file__).resolve().parents[3]
BEGIN = datetime(2026, 11, 23, 2, tzinfo=UTC)
TEXTS = (
    "安堂社区兴华里5栋301有人搞传销，拉人头发展下线，每人交3900元",
    "我弟弟被传销的人关在金桥公寓，手机被收走，不让出门，快救人",
    "青岗社区有人打着养生讲座的幌子卖保健品，拉人头发展下线",
    "兴涌路靠近菜市场那一段有六盏路灯不亮一个多星期了",
)
AGENCIES = ("police", "commerce", "food_drug", None)
LIVING = ("pending", "accepted")


@cache
def plan() -> Plan:
    return load_plans(ROOT / "deploy/plans", ["dayong"], LawBook.load(ROOT / "deploy/law"))["dayong"]


class Tips(RuleBasedStateMachine):
    """What reporters, officers and agencies may do happens; all else is refused and changes nothing."""

    @initialize(text=st.sampled_from(TEXTS), channel=st.sampled_from(["web", "12315", "110"]))
    def submit(self, text: str, channel: str) -> None:
        self.at = BEGIN
        reading = read("", text)
        decision = triage(plan(), reading, area=None, text=text, channel=channel)
        self.labels = Labels(
            reading.relevant or reading.urgent, reading.urgent, reading.kinds, decision.area, reading.belongs_to
        )
        self.tip = SimpleNamespace(
            state=decision.state.value, agency=decision.routing.agency, received_at=self.at, channel=channel
        )
        self.lead: LeadState | None = None
        self.parties: dict[str, Any] = {}
        self.moves: list[Any] = []
        self.declines: list[Any] = []
        self.contests: list[Any] = []
        self.ratings: list[Any] = []
        self.ends: list[Any] = []
        self.asked = False
        self.reveals: list[Reveal] = []
        self.deciders: dict[int, str] = {}
        self.alone = True
        if decision.state is TipState.LEAD:
            self.open_lead()
        self.first = self.tip.received_at

    def open_lead(self) -> None:
        self.lead, self.tip.state = LeadState.OPEN, "lead"
        self.pending(self.tip.agency)

    def pending(self, agency: str) -> None:
        self.parties[agency] = SimpleNamespace(
            agency=agency, state="pending", accepted_at=None, ended_at=None, late_at=None
        )

    def later(self) -> datetime:
        self.at += timedelta(hours=1)
        return self.at

    def standing(self) -> Standing:
        """As the reporter reads it by receipt."""
        return _stands(
            self.tip, asked=self.asked, parties=list(self.parties.values()), declines=self.declines, moves=self.moves,
            contests=self.contests, ratings=self.ratings, ends=self.ends, place={},
        )  # fmt: skip

    @rule(
        given=st.fixed_dictionaries(
            {},
            optional={
                "relevant": st.booleans(),
                "urgent": st.booleans(),
                "kinds": st.lists(st.sampled_from([*KINDS, "nonsense"]), max_size=3),
                "area": st.sampled_from(["dayong-antang", None]),
                "belongs_to": st.sampled_from(["labour", None]),
            },
        )
    )
    def review(self, given: dict[str, Any]) -> None:
        """An officer classifies it anew."""
        self.later()
        before, labels = self.labels, corrected(self.labels, given)
        done = effect(before, labels, in_lead=self.lead is not None, alone=self.alone)
        facts = RoutingFacts(
            frozenset(labels.kinds), labels.urgent, labels.area, self.tip.channel, labels.relevant, labels.belongs_to
        )
        agency = plan().route(facts).agency
        assert (agency is not None) == labels.relevant, "what is pyramid selling has an agency, and nothing else has"
        if done is Effect.OPEN:
            self.tip.agency = agency
            self.open_lead()
        elif done is Effect.LEAVE:
            assert not self.alone
            self.lead, self.tip.state, self.tip.agency, self.alone = None, "referred", None, True
            self.parties.clear()
        elif done is Effect.KEEP:
            # whether to accept it is for its agency: what is on record of the tip stays
            return
        self.labels = labels

    @rule()
    def another_joins(self) -> None:
        self.alone = self.alone and self.lead is None

    @rule(to=st.sampled_from(AGENCIES), reason=st.sampled_from(["not_our_duty", "crime_suspected", "not_pyramid"]))
    def hand_over(self, to: str | None, reason: str) -> None:
        if self.lead is LeadState.CLOSED or any(move.state in ("proposed", "escalated") for move in self.moves):
            return
        rules = plan().handover
        assert rules is not None
        source = Place(self.tip.agency or plan().office)
        matter = Matter(self.labels.relevant, self.labels.urgent, self.tip.channel)
        try:
            check_way(plan(), rules, matter, source, Place(to) if to else None, reason)
        except NoWay as refused:
            if to is None:
                assert self.labels.urgent or self.tip.channel == "web", refused.code
            return
        assert to or not self.labels.urgent, "a held person's matter is never sent back"
        self.moves.append(
            SimpleNamespace(
                state="proposed", to_agency=to, assigned_agency=None, proposed_at=self.later(), answered_at=None,
                decided_at=None,
            )
        )  # fmt: skip

    @rule(action=st.sampled_from(list(HandoverAction)), assigned=st.sampled_from(["police", "commerce"]))
    def answer(self, action: HandoverAction, assigned: str) -> None:
        if not self.moves or action is HandoverAction.RETURN:
            return
        move, before = self.moves[-1], self.tip.agency
        try:
            move.state = next_state(HandoverState(move.state), action).value
        except HandoverRefused:
            return
        move.answered_at = self.later()
        taker = move.to_agency if action is HandoverAction.ACCEPT else None
        if action is HandoverAction.DECIDE:
            taker = move.assigned_agency = assigned
            move.decided_at = self.at
        if taker is None:
            assert self.tip.agency == before, "the first receiver answers until another accepts"
            return
        self.tip.agency = taker
        if self.lead:
            self.parties.pop(before, None)
            self.pending(taker)

    @rule(actor=st.sampled_from("ab"))
    def decline(self, actor: str) -> None:
        party = self.parties.get(self.tip.agency)
        if self.labels.urgent or self.lead is not LeadState.OPEN or party is None or party.state != "pending":
            return
        party.state, party.ended_at = "declined", self.later()
        self.declines.append(SimpleNamespace(agency=party.agency, actor=actor, at=self.at))
        if not any(one.state in LIVING for one in self.parties.values()):
            self.lead = after(self.lead, LeadAct.CLOSE)

    @rule()
    def accept(self) -> None:
        party = self.parties.get(self.tip.agency)
        if self.lead is LeadState.OPEN and party and party.state == "pending":
            party.state, party.accepted_at = "accepted", self.later()

    @rule(outcome=st.sampled_from(["penalised", "convicted", "unheard-of"]))
    def case_ends(self, outcome: str) -> None:
        accepted = any(party.state == "accepted" for party in self.parties.values())
        if not accepted or self.lead is None:
            return
        try:
            self.lead = after(self.lead, LeadAct.CLOSE)
        except ActRefusedError:
            assert self.standing().closing is not None, "what is closed has an end that its reporter reads"
            return
        self.ends[:] = [
            SimpleNamespace(case_id="c", outcome=outcome, closed_at=self.later(), agency=self.tip.agency)
        ]

    @rule()
    def contest(self) -> None:
        """The reporter contests the present end, once."""
        standing = self.standing()
        if not standing.may_contest:
            assert standing.closing is None or standing.contest is not None
            return
        assert standing.closing is not None
        self.contests.append(
            SimpleNamespace(
                closing=standing.closing.key, closed_by=standing.closing.by, state="open", contested_at=self.later(),
                decided_at=None,
            )
        )  # fmt: skip
        assert not self.standing().may_contest

    @rule(step=st.sampled_from(["uphold", "confirm"]), actor=st.sampled_from("abc"))
    def second_look(self, step: str, actor: str) -> None:
        if not self.contests:
            return
        contest = self.contests[-1]
        current = self.standing().closing
        try:
            state = decide_contest(ContestState(contest.state), step, actor=actor, closed_by=contest.closed_by)
        except Refused as refused:
            assert (refused.code == "same-person") == (contest.state == "open" and actor == contest.closed_by)
            return
        contest.state, contest.decided_at = state.value, self.later()
        if state is not ContestState.UPHELD or current is None or current.key != contest.closing:
            return
        if current.key == "triage":
            self.review({"relevant": True})
            return
        assert self.lead is not None
        self.lead = after(self.lead, LeadAct.REOPEN)
        if self.ends:
            self.ends.clear()
        else:
            self.pending(self.tip.agency)

    @rule()
    def ask_for_facts(self) -> None:
        """Whoever has the lead asks the reporter; the answer, or another's acceptance, ends it."""
        party = self.parties.get(self.tip.agency)
        self.asked = bool(self.lead is LeadState.OPEN and party and party.state == "pending" and not self.asked)
        told = [step.code for step in self.standing().steps]
        assert told.count("asked") == int(self.asked), "what is asked of a reporter stands where the reporter reads"

    @rule(actor=st.sampled_from("abc"))
    def ask_for_the_contact(self, actor: str) -> None:
        if all(one.state is not RevealState.REQUESTED for one in self.reveals):
            self.reveals.append(Reveal(RevealState.REQUESTED, actor, self.later() + timedelta(hours=3)))

    @rule(step=st.sampled_from(REVEAL_DECISIONS), actor=st.sampled_from("abc"))
    def decide_on_the_contact(self, step: str, actor: str) -> None:
        if not self.reveals:
            return
        before, now = self.reveals[-1], self.later()
        try:
            state = decide_reveal(before, step, actor=actor, now=now)
        except Refused as refused:
            assert refused.code in ("decided", "same-person", "not-yours", "lapsed", "not-yet")
            return
        assert before.state is RevealState.REQUESTED and (step == "lapse") == (now >= before.lapses_at)
        approved = state is RevealState.APPROVED
        self.reveals[-1] = replace(before, state=state, view_until=now + timedelta(hours=2) if approved else None)
        self.deciders[len(self.reveals) - 1] = actor

    @rule(actor=st.sampled_from("abc"))
    def look_at_the_contact(self, actor: str) -> None:
        """One person alone never sees who reported."""
        now = self.later()
        for number, reveal in enumerate(self.reveals):
            try:
                may_view(reveal, actor=actor, now=now)
            except Refused:
                continue
            assert reveal.requested_by == actor != self.deciders[number]
            assert reveal.view_until is not None and now < reveal.view_until

    @rule(stars=st.integers(1, 5))
    def rate(self, stars: int) -> None:
        standing = self.standing()
        if standing.may_rate and standing.closing:
            self.ratings.append(SimpleNamespace(closing=standing.closing.key, stars=stars))
            assert self.standing().stars == stars and not self.standing().may_rate

    @invariant()
    def nobody_bounces_it_and_nothing_is_mute(self) -> None:
        if not hasattr(self, "first"):
            return
        assert self.tip.received_at == self.first, "every clock runs from the first receipt"
        labels = self.labels
        assert labels.relevant or not (labels.urgent or labels.kinds)
        assert "confinement" not in labels.kinds or labels.urgent
        assert (self.tip.state == "lead") == (self.lead is not None)
        if labels.urgent:
            assert self.tip.state == "lead", "somebody held is never sent away"
        if self.lead is not None:
            assert self.tip.agency and plan().agency(self.tip.agency), "somebody answers for it"
        standing = self.standing()
        assert standing.steps[0].code == "received" and standing.steps[0].at == self.first
        for step in standing.steps:
            assert all(step_words(step.code, ("某局", "an agency")))
        if self.tip.state == "referred":
            assert standing.closing is not None and standing.closing.key == "triage"
        else:
            assert (standing.closing is not None) == (self.lead is LeadState.CLOSED), "an end is told, and only an end"
        if standing.closing:
            assert all(closing_words(standing.closing.outcome, ("某局", "an agency")))
        keys = [contest.closing for contest in self.contests]
        assert len(keys) == len(set(keys)), "each end is contested once"


Tips.TestCase.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
Tips.TestCase.__doc__ = "D-A5, D-B2, points 1, 2, 5 and 6: any order of acts on a tip."
TestTips = Tips.TestCase
