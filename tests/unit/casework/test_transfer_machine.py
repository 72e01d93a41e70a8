"""A suspected crime on its way from commerce to police and back, by any step, side and delay: nothing falls between."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.casework.domain.guards import GUARDS
from services.casework.domain.procedure_checks import running_in
from services.casework.domain.procedures import FieldRule
from services.casework.domain.proceedings import (
    Actor,
    Incomplete,
    Proceeding,
    Refused,
    Side,
    decide_opening,
    decide_step,
)
from shared.rules.deadlines import Deadline, State
from tests.unit.casework.office import HEAD, OFFICER, SYSTEM, Matter, at, plan, procedures

OPEN_IN = cache(lambda: running_in(procedures().get("suspected_crime").versions[-1]))
OPEN = (State.RUNNING, State.SUSPENDED, State.MISSED)
PAPERS = frozenset({"crime_transfer_letter", "criminal_filing_decision", "no_filing_notice", "goods_list"})
POLICE_ANSWER = ("sent", "under_review", "review_extended", "review_major", "reconsidering", "ordered")
AGENCY_ANSWERS = ("reported", "approved", "supplement", "supplement_extended", "refused", "upheld", "filed")
BEFORE_THE_POLICE = ("reported", "approved", "kept")
STRANGER = Actor("x1", "finance", None, ("head",))


def value_of(field: FieldRule, matter: Matter) -> Any:
    if field.type == "code":
        return list(field.choices) if field.many else next(iter(field.choices))
    yesterday = (matter.now - timedelta(days=1)).date().isoformat()
    return {"int": max(field.at_least or 0, 2), "bool": True, "date": yesterday}.get(field.type, "文〔2026〕1号")


class Transfers(RuleBasedStateMachine):
    """The table says what is possible; the law's sides and clocks are said here anew."""

    @initialize(day=st.dates(date(2026, 1, 5), date(2026, 10, 30)))
    def begin(self, day: date) -> None:
        self.matter = matter = Matter("suspected_crime", at(day.isoformat()), documents=frozenset())
        made = Proceeding(
            UUID(int=1), matter.version.initial, Side("commerce", "enforcement"), Side("police", "economic_crime"), {}
        )
        values = {"officers": 2, "charge": ["organise"], "report": "报告"}
        decision = decide_opening(matter.procedure, matter.version, made, values, OFFICER["commerce"], matter.ground(), GUARDS)
        matter.proceeding = made
        matter._keep("open", decision, OFFICER["commerce"])
        self.signed_at: Any = None
        self.been = {matter.state}

    def open(self) -> dict[str, Deadline]:
        return {name: one for name, one in self.matter.proceeding.clocks.items() if one.state in OPEN}  # type: ignore[union-attr]

    @rule(issued=st.booleans())
    def papers(self, issued: bool) -> None:
        self.matter.documents = PAPERS if issued else frozenset()

    @rule(hours=st.sampled_from((1, 5, 23, 30, 24 * 4, 24 * 12)))
    def time_passes(self, hours: int) -> None:
        self.matter.go(hours / 24)
        self.been.add(self.matter.state)

    @rule(pick=st.integers(0, 200), far=st.booleans(), who=st.sampled_from(("right", "right", "right", "junior", "other", "stranger")))
    def step(self, pick: int, far: bool, who: str) -> None:
        matter = self.matter
        possible = list(matter.version.steps_from(matter.state))
        steps = list(matter.version.steps) if far or not possible else possible
        step_id = steps[pick % len(steps)]
        rule_ = matter.version.steps[step_id]
        side = "police" if rule_.by == ("counterpart",) else "commerce"
        other = "commerce" if side == "police" else "police"
        actor = {"right": HEAD[side], "junior": OFFICER[side], "other": HEAD[other], "stranger": STRANGER}[who]
        if rule_.by == ("system",):
            actor = SYSTEM if who == "right" else actor
        values = {name: value_of(one, matter) for name, one in rule_.fields.items() if one.required}
        before, lacking = matter.proceeding, set(rule_.needs) - matter.documents
        try:
            decide_step(matter.procedure, matter.version, before, step_id, values, actor, matter.ground(), GUARDS)  # type: ignore[arg-type]
        except (Refused, Incomplete) as error:
            code = error.code if isinstance(error, Refused) else "fields"
            assert self.expected(rule_, who, actor, before, lacking) in (code, None), (step_id, who, code)
            assert code != "fields", error
            return
        assert self.expected(rule_, who, actor, before, lacking) is None, (step_id, who)
        matter.take(step_id, actor, **values)
        self.been.add(matter.state)
        if step_id == "sign":
            self.signed_at = matter.now
            review = matter.proceeding.clocks["review"]  # type: ignore[union-attr]
            assert review.due.date() == (matter.now + timedelta(days=3)).date(), "three calendar days, art. 8"

    def expected(self, rule_: Any, who: str, actor: Actor, before: Any, lacking: set[str]) -> str | None:
        """The refusal that the step has to meet, in the order in which they are looked for; None: no reason known here."""
        if before.state not in rule_.sources:
            return "not-possible-now"
        if rule_.by == ("system",):
            return None if actor.system else "not-yours"
        if who == "stranger" or (who == "other" and len(rule_.by) == 1):
            return "not-yours"
        if rule_.approval and not plan().may_approve(actor.posts, rule_.approval):
            return "approval-needed"
        if lacking:
            return "papers-missing"
        same = before.history[-1].actor == actor.id
        return "four-eyes" if same and "not_the_proposer" in rule_.guards else None

    @invariant()
    def somebody_is_always_on_a_clock(self) -> None:
        if not hasattr(self, "matter"):
            return
        state, open_ = self.matter.state, self.open()
        final = self.matter.version.states[state].final
        assert set(open_) <= OPEN_IN()[state]
        if final:
            assert not open_, "what has ended keeps no clock"
        owners = {name: self.matter.version.clocks[name].by for name in open_}
        if state in POLICE_ANSWER:
            assert "counterpart" in owners.values(), (state, owners)
        if state in AGENCY_ANSWERS:
            assert "owner" in owners.values(), (state, owners)
        if state in ("supplement", "supplement_extended"):
            reviews = [one.state for name, one in open_.items() if name.startswith("review")]
            assert reviews and all(one in (State.SUSPENDED, State.MISSED) for one in reviews)

    @invariant()
    def the_police_cannot_answer_what_they_have_not_signed_for(self) -> None:
        if hasattr(self, "matter") and self.matter.state not in (*BEFORE_THE_POLICE, "sent", "forwarded"):
            assert self.signed_at is not None or "forwarded" in self.been
        if hasattr(self, "matter") and self.matter.state == "kept":
            assert self.been <= {"reported", "kept"}, "once approved it goes to the police"


Transfers.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestTransfers = Transfers.TestCase
