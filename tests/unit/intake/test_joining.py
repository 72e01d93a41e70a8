"""What joins, what is only suggested, what is told apart: pure rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.intake.domain.aims import Aim, aim_of, compare_aims, searchable, shown, together
from services.intake.domain.joining import Known, Signal, Step, absorb, join, stand, union_kinds
from services.intake.domain.leads import (
    LEAD_TRANSITIONS,
    SUGGESTION_TRANSITIONS,
    ActRefusedError,
    LeadAct,
    LeadState,
    SuggestionAct,
    SuggestionState,
    after,
    decided,
    leaving,
    survivor,
)
from services.intake.domain.reading import read
from services.intake.domain.reviews import Effect, Labels, corrected, effect
from shared.rules.plan.leads import GatheringRule, LeadRules

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
RULES = LeadRules(join=75, suggest=40, window_days=180, gathering=GatheringRule(building=3, estate=5, days=30))


def aim(words: str) -> Aim:
    return aim_of(read("", words), "", words, lambda name: f"t{hash(name)}")


def lead(targets: Aim, number: int = 1, **more: object) -> Known:
    return Known(
        **{
            "id": UUID(int=number), "plan": "dayong", "area": None, "kinds": ("headcount",), "urgent": False,
            "agency": "police", "unit": None, "rule": "headcount", "received_at": NOW - timedelta(days=1), "tips": 1,
            "first_tip": UUID(int=number + 100), "last_at": NOW - timedelta(days=1), "urgent_at": None,
            "targets": targets.targets, **more,
        }
    )  # fmt: skip


def signal(of: Aim, **more: object) -> Signal:
    return Signal(
        **{
            "tip_id": UUID(int=999), "aim": of, "area": None, "kinds": ("entry_fee",), "urgent": False, "moment": NOW,
            "received_at": NOW, **more,
        }
    )  # fmt: skip


ROOM = aim("兴华里5栋301是传销窝点，拉人头发展下线")
SPOKEN = aim("兴华里五栋301室有传销窝点，拉人头")
NEXT = aim("兴华里5栋302是传销窝点，拉人头发展下线")
BUILDING = aim("兴华里5栋里有传销窝点，拉人头发展下线")
UNIT_ONE = aim("兴华里5栋1单元301是传销窝点，拉人头")
UNIT_TWO = aim("兴华里5栋2单元301是传销窝点，拉人头")
ESTATE = aim("兴华里小区里有传销窝点，拉人头发展下线")


@pytest.mark.parametrize(
    ("one", "other", "score"),
    [(ROOM, SPOKEN, 95), (ROOM, NEXT, 0), (ROOM, BUILDING, 75), (UNIT_ONE, UNIT_TWO, 0), (UNIT_ONE, ROOM, 95)],
)
def test_scores_are_the_same_both_ways(one: Aim, other: Aim, score: int) -> None:
    assert compare_aims(one, other, True).score == compare_aims(other, one, True).score == score
    assert compare_aims(one, other, False).score == 0, "places in areas that exclude each other are two places"


def test_what_can_match_is_found_under_a_common_key() -> None:
    for one in (ROOM, SPOKEN, BUILDING, UNIT_ONE, ESTATE):
        for other in (ROOM, SPOKEN, BUILDING, UNIT_ONE, ESTATE):
            if compare_aims(one, other, True).score >= 40:
                assert set(one.wanted) & set(other.keys), (one.targets, other.targets)


def test_persons_and_phones_are_tokens_and_never_shown() -> None:
    words = "头目郑小平，对方电话13800001111，拉人头发展下线的传销窝点"
    made = aim(words)
    assert {target.partition(":")[0] for target in made.targets} >= {"phone", "person"}
    assert "13800001111" not in str(made.targets) and "郑小平" not in str(made.targets)
    assert all(shown(target)[1] is None for target in made.targets if target.startswith(("phone", "person")))
    assert not [name for _, name in searchable(made.targets) if name.startswith("t")]


COPIED = (
    "有人在各小区发展老人买床垫，两万六一张买了就成会员。", "再介绍三个人买就升主任级别，", "每人返两千块钱现金当场兑现，",
    "说是国家支持的健康养老事业，", "我父母把养老钱都投进去了，", "请市场监管部门去查一查。",
)  # fmt: skip


def test_copies_that_name_no_target_meet_by_their_wording() -> None:
    """The issue's “wording”: clauses as keyed tokens, so that neither index nor table holds what somebody wrote."""
    text = "".join(COPIED)
    one, other = aim(text), aim(text.replace("床垫", "床 垫").replace("，", ",") + "急盼回复！")
    assert set(one.keys) & set(other.wanted)
    match = compare_aims(one, other, near=True)
    assert (match.score, match.reasons) == (80, ("wording",))
    assert not any(clause[:6] in target for clause in COPIED for target in one.targets)
    assert compare_aims(one, other, near=False).score == 0
    half = aim("".join(COPIED[:3]) + "电视上天天有人宣传这种做法骗人。邻居劝了好多回都不听还在拉人。派出所说这事归别的单位管。")
    assert 40 <= compare_aims(one, half, near=True).score < RULES.join
    assert not aim(text + "就在兴华里5栋301").wordings  # where a target is named, that decides


def test_a_lead_keeps_the_wordings_and_the_phases_of_its_tips() -> None:
    text, phase = aim("".join(COPIED)), aim("兴华里二期5栋301是传销窝点，拉人头发展下线")
    stored = together((text.targets, phase.targets, ROOM.targets))
    assert Aim(stored).wordings == text.wordings
    assert [one.phase for one in Aim(stored).places] == ["2期"]
    assert shown(phase.targets[0]) == ("place", "兴华里2期5栋301") and shown(text.targets[0])[1] is None
    other = aim("兴华里一期5栋301是传销窝点，拉人头发展下线")
    assert compare_aims(phase, other, near=True).score == 0
    assert compare_aims(phase, ROOM, near=True).score == 95


def test_a_vague_place_does_not_open_a_lead_to_the_neighbours() -> None:
    """A lead that holds room 301 and a tip that only named the building still tells room 302 apart."""
    both = together((BUILDING.targets, ROOM.targets))
    assert compare_aims(NEXT, Aim(both), True).score == 0
    assert compare_aims(BUILDING, Aim(both), True).score == 75


def near(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one == other


def test_it_joins_above_the_bound_asks_below_it_and_remembers_what_is_long_ago() -> None:
    assert stand(signal(ROOM), [lead(SPOKEN)], RULES, near).step is Step.JOIN
    strict = LeadRules(join=100, suggest=40)
    asked = stand(signal(ROOM), [lead(SPOKEN)], strict, near)
    assert asked.step is Step.OPEN and [match.score for _, match in asked.suggested] == [95]
    for old in (lead(SPOKEN, last_at=NOW - timedelta(days=181)), lead(SPOKEN, closed_at=NOW)):
        seen = stand(signal(ROOM), [old], RULES, near)
        assert seen.step is Step.OPEN and not seen.suggested and [one.id for one, _ in seen.seen_before] == [old.id]
    assert stand(signal(ROOM), [lead(SPOKEN, merged_into=UUID(int=7))], RULES, near).step is Step.OPEN


def test_an_urgent_signal_rings_unless_the_alarm_is_fresh() -> None:
    """Point 2: a held person is told by a lead of its own; only minutes after an alarm it joins in silence."""
    urgent = signal(ROOM, urgent=True)
    assert stand(urgent, [lead(SPOKEN)], RULES, near).step is Step.RING
    rung = lead(SPOKEN, urgent=True, urgent_at=NOW - timedelta(minutes=5))
    assert stand(urgent, [rung], RULES, near).step is Step.JOIN
    rung.urgent_at = NOW - timedelta(hours=3)
    assert stand(urgent, [rung], RULES, near).step is Step.RING


def test_the_surest_lead_is_joined_and_of_equals_the_older() -> None:
    older, newer = lead(ROOM, 1, received_at=NOW - timedelta(days=9)), lead(ROOM, 2)
    assert stand(signal(SPOKEN), [newer, older], RULES, near).lead is older
    assert stand(signal(SPOKEN), [lead(BUILDING, 3), newer], RULES, near).lead is newer


def test_joining_and_absorbing_keep_the_earliest_reporter() -> None:
    one = lead(ROOM)
    join(one, signal(SPOKEN, urgent=True))
    assert (one.tips, one.first_tip, one.urgent, one.kinds) == (2, UUID(int=101), True, ("headcount", "entry_fee"))
    late = lead(ESTATE, 5, received_at=NOW, first_tip=UUID(int=1))
    absorb(late, one)
    assert (late.tips, late.first_tip, late.received_at) == (3, UUID(int=101), one.received_at)
    assert one.merged_into == late.id and one.tips == 0


def test_kinds_of_several_tips_stand_in_the_order_of_the_vocabulary() -> None:
    assert union_kinds(("gathering",), ("headcount", "unspecified")) == ("headcount", "gathering")
    assert union_kinds(("unspecified",), ()) == ("unspecified",)


@pytest.mark.parametrize("state", LeadState)
@pytest.mark.parametrize("act", LeadAct)
def test_every_pair_of_lead_state_and_act_is_allowed_or_refused(state: LeadState, act: LeadAct) -> None:
    if (state, act) in LEAD_TRANSITIONS:
        assert after(state, act) is LEAD_TRANSITIONS[state, act]
    else:
        with pytest.raises(ActRefusedError):
            after(state, act)


@pytest.mark.parametrize("state", SuggestionState)
@pytest.mark.parametrize("act", SuggestionAct)
def test_every_pair_of_suggestion_state_and_act(state: SuggestionState, act: SuggestionAct) -> None:
    if (state, act) in SUGGESTION_TRANSITIONS:
        assert decided(state, act) is SUGGESTION_TRANSITIONS[state, act]
    else:
        with pytest.raises(ActRefusedError):
            decided(state, act)


def test_a_merged_lead_takes_no_part_in_anything_but_its_own_return() -> None:
    assert {act for state, act in LEAD_TRANSITIONS if state is LeadState.MERGED} == {LeadAct.UNMERGE}


def test_the_urgent_one_survives_else_the_earlier() -> None:
    early, late = lead(ROOM, 1, received_at=NOW - timedelta(days=3)), lead(ROOM, 2)
    assert survivor(late, early) == (early, late)
    late.urgent = True
    assert survivor(early, late) == (late, early)


def test_a_lead_is_never_left_empty() -> None:
    a, b, c = (UUID(int=n) for n in (1, 2, 3))
    assert leaving([a, b, c], [c, a]) == [a, c]
    for wanted in ([], [UUID(int=9)], [a, b, c]):
        with pytest.raises(ActRefusedError):
            leaving([a, b, c], wanted)


READ = Labels(True, False, ("headcount",), "dayong-antang", None, ("兴华里5栋301",))
ELSEWHERE = Labels(False, False, (), None, "housing")


def test_labels_hold_together_whatever_is_given() -> None:
    assert corrected(READ, {}) == READ
    assert corrected(READ, {"kinds": ("confinement",)}).urgent, "confinement is always urgent"
    assert corrected(READ, {"relevant": False, "kinds": ("headcount",)}) == Labels(
        False, False, (), "dayong-antang", "other", READ.places
    )
    assert corrected(ELSEWHERE, {"relevant": True}) == Labels(True, False, ("unspecified",), None, None)
    assert corrected(READ, {"area": None}).area is None


@pytest.mark.parametrize(
    ("before", "after_", "in_lead", "alone", "what"),
    [
        (READ, READ, True, True, Effect.NONE),
        (READ, corrected(READ, {"kinds": ("internet",)}), True, True, Effect.CHANGE),
        (READ, corrected(READ, {"urgent": True}), True, False, Effect.RAISE),
        (READ, ELSEWHERE, True, False, Effect.LEAVE),
        (READ, ELSEWHERE, True, True, Effect.KEEP),
        (ELSEWHERE, ELSEWHERE, False, False, Effect.NONE),
        (ELSEWHERE, corrected(ELSEWHERE, {"relevant": True}), False, False, Effect.OPEN),
    ],
)
def test_what_follows_from_a_review(before: Labels, after_: Labels, in_lead: bool, alone: bool, what: Effect) -> None:
    assert effect(before, after_, in_lead=in_lead, alone=alone) is what


def test_bounds_of_a_plan_are_checked() -> None:
    with pytest.raises(ValueError, match="suggest"):
        LeadRules(join=60, suggest=60)
    with pytest.raises(ValueError, match="building"):
        GatheringRule(building=1, estate=5, days=30)
