"""Measures by their tables: approval, papers, the period of 30 + 15 days, lapsing, and where the goods went."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.casework.domain.guards.measures import HOLDING, MEASURES, PRIOR_APPROVAL
from services.casework.domain.measures import Held, Part, account_for, check_instalments, overdue
from services.casework.domain.proceedings import Incomplete, Refused
from shared.rules.calendar import local_day
from tests.unit.casework.office import HEAD, SYSTEM, Matter, at, procedures, sibling

NOW = at("2026-03-02")


def asked(kind: str = "seize_goods", now: Any = NOW, **more: Any) -> Matter:
    agency = "police" if kind == "police_seizure" else "commerce"
    values = {"reason": "理由", "subject": "对象"} | ({"place_id": "0190b6a0-0000-7000-8000-000000000001"} if kind == "seal_premises" else {})
    return Matter(kind, now, agency, tallies={"items": 2, "kept": 2, "value": 100_000}, **more).open(**values)


def approved(kind: str = "seize_goods", **more: Any) -> Matter:
    matter = asked(kind, **more)
    matter.take("approve", form="written")
    return matter


def in_force(kind: str = "seize_goods", **more: Any) -> Matter:
    matter = approved(kind, **more)
    matter.take("execute", executed_at=matter.now.isoformat(), officers=2, decision_given=True, list_given=True, signed="signed")
    return matter


def refusal(matter: Matter, step: str, **values: Any) -> Refused:
    before = matter.proceeding
    with pytest.raises(Refused) as refused:
        matter.take(step, **values)
    assert matter.proceeding == before
    assert refused.value.zh and refused.value.en
    return refused.value


@pytest.mark.parametrize("kind", HOLDING)
def test_what_is_approved_in_writing_is_carried_out_with_its_list(kind: str) -> None:
    matter = in_force(kind)
    assert matter.state == "in_force"
    days = {"evidence_registration": None}.get(kind, 30)
    if days:
        due = matter.proceeding.clocks["period"].due  # type: ignore[union-attr]
        assert local_day(due) == date(2026, 4, 1)
    told = dict(matter.told)["execute"]
    assert told["items"] == 2 and told["items_kept"] == 2 and told["items_value"] == "1000.00" and told["officers"] == 2


@pytest.mark.parametrize("kind", [*PRIOR_APPROVAL, "evidence_registration", "police_seizure"])
def test_an_oral_approval_does_not_do_where_the_law_wants_it_in_writing(kind: str) -> None:
    if kind == "account_inquiry":
        matter = Matter(kind, NOW).open("bank", accounts=1, from_on="2025-01-01", to_on="2025-02-01", scope="范围", reason="理由")
    elif kind == "freeze_request":
        matter = Matter(kind, NOW).open("court", amount="1000", evidence=True, scope="范围")
    else:
        matter = asked(kind)
    assert refusal(matter, "approve", form="oral").code == "no-oral-approval"
    matter.take("approve", form="written")
    assert matter.state == "approved"


def test_a_stop_order_may_be_approved_orally_or_given_on_the_spot() -> None:
    oral = Matter("stop_order", NOW).open(activity="授课")
    oral.take("approve", form="oral")
    assert oral.state == "approved"
    first = Matter("stop_order", NOW).open(activity="授课")
    first.take("order_first", executed_at=NOW.isoformat(), officers=2, urgent_reason="正在进行")
    clock = first.proceeding.clocks["report"]  # type: ignore[union-attr]
    assert clock.due - clock.start == timedelta(hours=24) and clock.rule_id == "compulsion.urgent_report"
    first.take("approve_after", form="written")
    assert first.state == "in_force" and first.proceeding.clocks["report"].state == "met"  # type: ignore[union-attr]


def test_four_eyes_two_officers_papers_and_the_order_of_things() -> None:
    matter = Matter("seize_goods", NOW, tallies={"items": 1, "kept": 1})
    matter.open(who=HEAD["commerce"], reason="理由", subject="对象")
    assert refusal(matter, "approve", form="written").code == "four-eyes"

    matter = approved()
    now = matter.now.isoformat()
    spot = {"executed_at": now, "officers": 2, "decision_given": True, "list_given": True, "signed": "signed"}
    with pytest.raises(Incomplete) as one_officer:
        matter.take("execute", **(spot | {"officers": 1}))
    assert set(one_officer.value.fields) == {"officers"}
    assert refusal(matter, "execute", **(spot | {"list_given": False})).code == "on-the-spot"
    assert refusal(matter, "execute", **(spot | {"decision_given": False})).code == "on-the-spot"
    assert refusal(matter, "execute", **(spot | {"executed_at": (matter.now - timedelta(days=1)).isoformat()})).code == "before-approval"
    assert refusal(matter, "execute", **(spot | {"executed_at": at("2004-05-01").isoformat()})).code == "before-the-rule"
    matter.tallies = {}
    assert refusal(matter, "execute", **spot).code == "no-list"
    matter.tallies, matter.documents = {"items": 1, "kept": 1}, frozenset({"seal_list"})
    assert refusal(matter, "execute", **spot).code == "papers-missing"
    assert refusal(asked(), "execute", **spot).code == "not-possible-now"
    assert refusal(asked(), "execute_first", executed_at=now, officers=2, list_given=True, urgent_reason="急").code == "not-possible-now"


def test_an_urgent_seizure_has_its_decision_made_up_within_a_day() -> None:
    matter = approved()
    first = {"executed_at": matter.now.isoformat(), "officers": 2, "list_given": True, "urgent_reason": "转移在即"}
    matter.take("execute_first", **first)
    clock = matter.proceeding.clocks["papers"]  # type: ignore[union-attr]
    assert clock.rule_id == "prohibition.seal_papers" and clock.due - clock.start == timedelta(hours=24)
    matter.take("make_up", served_at=matter.now.isoformat())
    assert matter.state == "in_force" and matter.facts["made_up_late"] is False

    late = approved()
    late.take("execute_first", **first)
    late.go(1.5)
    late.take("make_up", served_at=late.now.isoformat())
    assert late.facts["made_up_late"] is True and late.proceeding.clocks["papers"].state == "met_late"  # type: ignore[union-attr]


def test_police_who_seize_at_once_are_approved_within_a_day_or_give_back() -> None:
    for step, state in (("make_up", "in_force"), ("not_upheld", "lifting")):
        matter = asked("police_seizure")
        matter.take("execute_first", executed_at=matter.now.isoformat(), officers=2, list_given=True, urgent_reason="急")
        assert matter.state == "papers_due"
        matter.take(step, **({"form": "written"} if step == "make_up" else {"reason": "不符合条件"}))
        assert matter.state == state


@pytest.mark.parametrize(
    ("kind", "until"),
    [
        ("seize_goods", "2026-04-16"),
        ("seal_premises", "2026-04-16"),
        ("seize_papers", "2026-04-16"),
        ("police_seizure", "2026-05-06"),  # 05-01 is a holiday: the police's periods roll to the next working day
    ],
)
def test_the_period_is_lengthened_once_for_a_complex_case(kind: str, until: str) -> None:
    """X-D8b: thirty and fifteen days under the regulation, not thirty and thirty; the police have their own."""
    matter = in_force(kind)
    assert refusal(matter, "extend", complex=False, reason="多").code == "not-complex"
    matter.take("extend", complex=True, reason="涉及多地")
    assert local_day(matter.proceeding.clocks["period"].due) == date.fromisoformat(until)  # type: ignore[union-attr]
    assert refusal(matter, "extend", complex=True, reason="再延长").code == "no-extension"


def test_evidence_kept_is_decided_on_within_seven_working_days_over_a_holiday() -> None:
    matter = asked("evidence_registration", at("2026-09-28"))
    matter.take("approve", form="written")
    matter.take("execute", executed_at=matter.now.isoformat(), officers=2, decision_given=True, list_given=True, signed="signed")
    clock = matter.proceeding.clocks["period"]  # type: ignore[union-attr]
    assert clock.rule_id == "penalty.evidence_kept" and not clock.provisional
    assert local_day(clock.due) == date(2026, 10, 13)  # National Day is not counted; Saturday 10-10 is worked
    assert "extend" not in matter.version.steps


def test_a_year_whose_calendar_is_not_published_says_so() -> None:
    matter = asked("evidence_registration", at("2026-12-29"))
    matter.take("approve", form="written")
    matter.take("execute", executed_at=matter.now.isoformat(), officers=2, decision_given=True, list_given=True, signed="signed")
    assert matter.proceeding.clocks["period"].provisional  # type: ignore[union-attr]


def test_nothing_decided_in_time_lifts_it_by_itself_and_the_goods_go_back() -> None:
    """X-D8b: article 19; once, by the system; what is decided afterwards is refused."""
    matter = in_force()
    matter.go(29)
    assert matter.state == "in_force"
    held = replace(matter.proceeding)  # type: ignore[type-var]
    matter.now += timedelta(days=2)
    late = refusal(matter, "lift", reason="解除")
    assert late.code == "period-over" and "视为解除" in late.zh
    assert refusal(matter, "extend", complex=True, reason="延长").code == "past-due"
    assert matter.proceeding == held
    matter.job()
    assert matter.state == "lapsed" and matter.lapses == 1
    assert matter.proceeding.clocks["period"].state == "cancelled" and matter.proceeding.clocks["period"].missed_at  # type: ignore[union-attr]
    assert matter.proceeding.clocks["give_back"].rule_id == "plan.goods_return"  # type: ignore[union-attr]
    for step in ("lift", "dispose", "extend", "execute", "make_up"):
        assert refusal(matter, step).code == "not-possible-now"
    assert refusal(matter, "finish_lapse", finished_on=matter.now.date().isoformat()).code == "goods-left"
    matter.tallies = {"items": 2, "returned": 2, "value": 100_000}
    matter.take("finish_lapse", finished_on=matter.now.date().isoformat())
    assert matter.version.states[matter.state].outcome == "deemed_lifted" and matter.facts["items_returned"] == 2


def test_goods_are_confiscated_by_a_penalty_and_handed_over_with_a_filed_case() -> None:
    matter = in_force()
    assert refusal(matter, "dispose", disposal="confiscate", reason="理由").code == "no-confiscation"
    matter.siblings = (sibling("administrative_penalty", "reviewing", confiscate_goods=True),)
    assert refusal(matter, "dispose", disposal="confiscate", reason="理由").code == "no-confiscation"
    matter.siblings = (sibling("administrative_penalty", "decided", confiscate_goods=True),)
    matter.take("dispose", disposal="confiscate", reason="理由")
    assert matter.state == "disposing" and matter.proceeding.clocks["period"].state == "met"  # type: ignore[union-attr]

    other = in_force()
    assert refusal(other, "dispose", disposal="transfer", reason="理由").code == "no-transfer"
    other.siblings = (sibling("suspected_crime", "filed"),)
    other.take("dispose", disposal="transfer", reason="理由")
    assert other.state == "disposing"


def test_tampering_is_recorded_with_the_range_of_its_fine() -> None:
    """X-D8b: article 27, five to twenty percent of the value, one to three times where it is not corrected."""
    matter = in_force()
    told = {"tampered_at": matter.now.isoformat(), "tampered_value": "20000", "what": "转移"}
    matter.take("tamper", refuses=False, **told)
    assert (matter.facts["tamper_fine_from"], matter.facts["tamper_fine_to"]) == ("1000.00", "4000.00")
    matter.take("tamper", refuses=True, **told)
    assert (matter.facts["tamper_fine_from"], matter.facts["tamper_fine_to"]) == ("20000.00", "60000.00")
    assert matter.state == "in_force"


def test_a_freeze_is_asked_for_on_evidence_and_ends_after_it_begins() -> None:
    with pytest.raises(Refused) as refused:
        Matter("freeze_request", NOW).open("court", amount="1000", evidence=False, scope="范围")
    assert refused.value.code == "no-evidence"
    matter = Matter("freeze_request", NOW).open("court", amount="1000", evidence=True, scope="范围")
    matter.take("approve", form="written")
    matter.take("send", executed_at=matter.now.isoformat(), reference="〔2026〕1号")
    frozen = {"frozen_amount": "900", "reference": "〔2026〕2号", "frozen_on": "2026-03-02"}
    assert refusal(matter, "freeze", frozen_until="2026-03-02", **frozen).code == "ends-before-it-begins"
    matter.take("freeze", frozen_until="2026-09-01", **frozen)
    assert matter.state == "frozen"


def test_an_inquiry_ends_no_earlier_than_it_begins() -> None:
    with pytest.raises(Refused) as refused:
        Matter("account_inquiry", NOW).open("bank", accounts=1, from_on="2025-02-01", to_on="2025-01-01", scope="范围", reason="理由")
    assert refused.value.code == "ends-before-it-begins"


@pytest.mark.parametrize("kind", MEASURES)
def test_every_pair_of_state_and_step_is_possible_or_refused_as_its_table_says(kind: str) -> None:
    procedure = procedures().get(kind)
    version = procedure.versions[-1]
    base = {
        "account_inquiry": lambda: Matter(kind, NOW).open("bank", accounts=1, from_on="2025-01-01", to_on="2025-02-01", scope="范围", reason="理由"),
        "freeze_request": lambda: Matter(kind, NOW).open("court", amount="1", evidence=True, scope="范围"),
        "stop_order": lambda: Matter(kind, NOW).open(activity="授课"),
    }.get(kind, lambda: asked(kind))()
    for state, rule_ in version.states.items():
        base.proceeding = replace(base.proceeding, state=state)  # type: ignore[type-var]
        for name, step in version.steps.items():
            held = base.proceeding
            try:
                base.take(name, SYSTEM if step.by == ("system",) else None)
                refused = None
            except (Refused, Incomplete) as error:
                refused = getattr(error, "code", "fields")
            base.proceeding = held
            assert (refused == "not-possible-now") == (state not in step.sources), (state, name, refused)
        if rule_.final:
            assert not [s for s in version.steps_from(state).values() if s.to not in (None, state) and not s.reopens]


def test_an_item_has_only_the_outcome_that_was_decided() -> None:
    items = {"a": Held("a", "kept"), "b": Held("b", "returned")}

    def code(state: str, facts: dict[str, object], which: list[str], outcome: str) -> str | None:
        try:
            account_for(state, facts, items, which, outcome)
        except Refused as refused:
            return refused.code
        return None

    assert code("in_force", {}, ["a"], "returned") == "still-held"
    assert code("lapsed", {}, ["a"], "confiscated") == "outcome-not-decided"
    assert code("lapsed", {"disposal": "confiscate"}, ["a"], "confiscated") == "outcome-not-decided"
    assert code("lifting", {}, ["a"], "returned") is None
    assert code("disposing", {"disposal": "confiscate"}, ["a"], "destroyed") is None
    assert code("disposing", {"disposal": "transfer"}, ["a"], "confiscated") == "outcome-not-decided"
    assert code("lifting", {}, ["b"], "returned") == "accounted-already"
    assert code("lifting", {}, ["c"], "returned") == "no-such-item"
    assert code("lifting", {}, ["a", "a"], "returned") == "no-such-item"


def test_instalments_lie_ahead_and_what_is_late_is_counted() -> None:
    today = date(2026, 3, 2)
    parts = [Part(today + timedelta(days=k), 10_000) for k in (0, 30, 60)]
    check_instalments(parts, today)
    for wrong in ([], [parts[1], parts[0]], [parts[0], parts[0]], [Part(today - timedelta(days=1), 1)]):
        with pytest.raises(Incomplete):
            check_instalments(wrong, today)
    assert overdue(parts, 0, today) == 0
    assert overdue(parts, 4_000, today + timedelta(days=31)) == 16_000
    assert overdue(parts, 30_000, today + timedelta(days=99)) == 0


class Seizures(RuleBasedStateMachine):
    """A seizure lives through whatever officers do and time brings."""

    def __init__(self) -> None:
        super().__init__()
        self.matter = asked()
        self.items = {"kept": 0}

    def do(self, step: str, **values: Any) -> None:
        self.matter.tallies = {**self.items, "items": sum(self.items.values()), "value": 0}
        try:
            self.matter.take(step, **values)
        except (Refused, Incomplete):
            pass

    @initialize(kind=st.sampled_from(HOLDING), day=st.dates(date(2026, 1, 5), date(2026, 11, 20)))
    def begin(self, kind: str, day: date) -> None:
        self.matter = asked(kind, at(day.isoformat()))
        self.items = {"kept": 0}

    @precondition(lambda self: self.matter.state in ("asked", "approved", "papers_due"))
    @rule(n=st.integers(1, 3))
    def list(self, n: int) -> None:
        self.items["kept"] += n
        self.do("list_items")

    @rule(form=st.sampled_from(["written", "oral"]))
    def approve(self, form: str) -> None:
        self.do("approve", form=form)

    @rule(first=st.booleans())
    def execute(self, first: bool) -> None:
        values = {"executed_at": self.matter.now.isoformat(), "officers": 2, "list_given": True}
        if first:
            self.do("execute_first", urgent_reason="急", **values)
        else:
            self.do("execute", decision_given=True, signed="signed", **values)

    @rule()
    def make_up(self) -> None:
        self.do("make_up", **({"form": "written"} if "form" in self.matter.version.steps["make_up"].fields else {"served_at": self.matter.now.isoformat()}))

    @rule()
    def extend(self) -> None:
        self.do("extend", complex=True, reason="复杂")

    @rule()
    def lift(self) -> None:
        self.do("lift", reason="解除")

    @rule(disposal=st.sampled_from(["destroy", "confiscate", "transfer"]), penalty=st.booleans())
    def dispose(self, disposal: str, penalty: bool) -> None:
        self.matter.siblings = (sibling("administrative_penalty", "decided", confiscate_goods=True),) if penalty else ()
        self.do("dispose", disposal=disposal, reason="理由")

    @rule(outcome=st.sampled_from(["returned", "confiscated", "destroyed", "transferred"]), n=st.integers(1, 4))
    def account(self, outcome: str, n: int) -> None:
        items = {str(k): Held(str(k), "kept") for k in range(self.items["kept"])}
        which = [str(k) for k in range(min(n, self.items["kept"]))]
        try:
            account_for(self.matter.state, self.matter.facts, items, which, outcome)
        except Refused:
            return
        self.items["kept"] -= len(which)
        self.items[outcome] = self.items.get(outcome, 0) + len(which)
        self.do("account_item")

    @rule(step=st.sampled_from(["finish_lifting", "finish_lapse", "finish_disposal", "withdraw", "refuse", "not_upheld"]))
    def finish(self, step: str) -> None:
        day = {"finished_on": local_day(self.matter.now).isoformat()}
        self.do(step, **(day if step.startswith("finish") else {"reason": "理由"}))

    @rule(days=st.sampled_from([0.5, 3, 10, 16]))
    def wait(self, days: float) -> None:
        self.matter.tallies = {**self.items, "items": sum(self.items.values()), "value": 0}
        self.matter.go(days)

    @invariant()
    def never_longer_than_its_period(self) -> None:
        clock = self.matter.proceeding.clocks.get("period")  # type: ignore[union-attr]
        if clock is None or self.matter.state not in ("papers_due", "in_force"):
            return
        assert self.matter.now <= clock.due
        longest = {"evidence_registration": 20, "police_seizure": 30}.get(self.matter.kind, 30)
        longest += (30 if self.matter.kind == "police_seizure" else 15) * bool(clock.extensions)
        assert len(clock.extensions) <= 1
        assert (local_day(clock.due) - local_day(clock.start)).days <= longest + 10 * self.matter.version.clocks["period"].rule.startswith("police")

    @invariant()
    def at_the_end_all_goods_are_accounted_for(self) -> None:
        if self.matter.state in ("lifted", "deemed_lifted", "disposed"):
            assert self.items["kept"] == 0
        if self.matter.state in ("lifted", "deemed_lifted"):
            assert set(k for k, n in self.items.items() if n) <= {"returned"}
        if self.matter.state in ("refused", "withdrawn"):
            assert "period" not in self.matter.proceeding.clocks  # type: ignore[union-attr]

    @invariant()
    def it_lapses_at_most_once(self) -> None:
        assert self.matter.lapses <= 1
        if self.matter.lapses:
            assert self.matter.state in ("lapsed", "deemed_lifted")


Seizures.TestCase.settings = settings(max_examples=80, stateful_step_count=25, deadline=None)
TestSeizures = Seizures.TestCase
