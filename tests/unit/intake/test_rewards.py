"""Rewards reckoned, shared and decided: pure functions over the real law file and the real plans."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.rewards import codes, fund
from services.intake.domain.rewards.amount import Facts, NotReckonable, Number, reckon
from services.intake.domain.rewards.fund import Entry, balance, short
from services.intake.domain.rewards.sharing import Report, entitled, split
from services.intake.domain.rewards.states import FINAL, LIVE, TABLE, Action, NotAllowed, State, after, approve
from shared.rules.law import LawBook
from shared.rules.plan import load_plans

ROOT = Path(__file__).resolve().parents[3]
LAW = LawBook.load(ROOT / "deploy" / "law")
DAYONG = load_plans(ROOT / "deploy" / "plans", ["dayong"], LAW)["dayong"]
DAY = date(2026, 11, 20)
MONEY = st.decimals(min_value=0, max_value=10**9, places=2)


def numbers(day: date = DAY):
    def number(rule: str) -> Number:
        line = DAYONG.reward_number(rule, day, LAW)
        value = line.limit.at_least if line.value is None else line.value
        return Number(Decimal(str(value)), rule, line.article, line.certainty, line.provisional)

    return number


def reward(level: str | None, scheme: str = "fines", **facts):
    found = DAYONG.rewards.scheme(scheme)
    assert found is not None
    return reckon(found, level, Facts(**facts), numbers())


@pytest.mark.parametrize(
    ("level", "fine", "confiscated", "total"),
    [
        ("1", "200000", "0", "10000.00"),
        ("2", "200000", "100000", "9000.00"),
        ("3", "200000", "0", "2000.00"),
        ("1", "0", "0", "5000"),
        ("2", "0", "0", "3000"),
        ("3", "0", "0", "1000"),
        ("3", "99999.99", "0", "1000"),
        ("1", "30000000", "0", "1000000"),
        ("3", "123456.78", "0", "1234.57"),
        ("3", "100050.50", "0", "1000.51"),
    ],
)
def test_levels_floors_and_cap(level: str, fine: str, confiscated: str, total: str) -> None:
    """5, 3 and 1 percent of fines and confiscations, floors 5000, 3000 and 1000 also without any, cap a million."""
    made = reward(level, fine=Decimal(fine), confiscated=Decimal(confiscated))
    assert made.total == Decimal(total)
    assert made.steps[-1].result == made.total
    assert all(step.certainty == "S" and "〔2021〕" not in step.rule for step in made.steps[1:])


def test_every_step_says_its_rule_inputs_and_result() -> None:
    """A reward of 30 million at level 1: base, share, cap, and the finance office is asked."""
    made = reward("1", fine=Decimal("30000000"))
    assert [step.rule for step in made.steps] == ["base", "reward.percent_1", "reward.cap", "reward.finance"]
    assert made.settle_with_finance and not made.provisional
    assert "30,000,000.00 元的 5%" in made.steps[1].zh and made.steps[1].article.endswith("第十一条")
    assert not reward("1", fine=Decimal("9999999")).settle_with_finance
    assert reward("1", fine=Decimal("10000000")).settle_with_finance, "reaching 500,000 is enough"


def test_a_local_amount_for_each_den_and_its_cap() -> None:
    """D-L: a local rule as data: an amount for each den, marked as assumed (M)."""
    made = reward(None, "den", dens=3)
    assert made.total == Decimal(1500) and made.steps[0].certainty == "M"
    assert reward(None, "den", dens=50).total == Decimal(10000)
    with pytest.raises(NotReckonable):
        reward(None, "den")


def test_the_scheme_of_the_day_governs() -> None:
    """The national scheme began on 2021-12-01; before it only the town's own is in force."""
    assert [s.id for s in DAYONG.rewards.in_force(date(2021, 11, 30))] == ["den"]
    assert [s.id for s in DAYONG.rewards.in_force(date(2021, 12, 1))] == ["fines", "den"]
    assert DAYONG.rewards.in_force(date(2015, 10, 18)) == ()


@pytest.mark.parametrize(("level", "facts"), [("4", {}), (None, {}), ("1", {"fine": Decimal(-1)})])
def test_facts_that_do_not_fit_are_refused(level: str | None, facts: dict) -> None:
    with pytest.raises(NotReckonable):
        reward(level, **facts)


@given(MONEY, MONEY, st.sampled_from(["1", "2", "3"]))
def test_a_reward_lies_between_floor_and_cap_in_whole_fen(fine: Decimal, confiscated: Decimal, level: str) -> None:
    made = reward(level, fine=fine, confiscated=confiscated)
    assert {"1": 5000, "2": 3000, "3": 1000}[level] <= made.total <= 1_000_000
    assert made.total == made.total.quantize(Decimal("0.01"))


@given(st.decimals(min_value=0, max_value=10**8, places=2), st.integers(1, 60))
def test_parts_add_up_to_the_whole_and_differ_by_a_fen_at_most(total: Decimal, parts: int) -> None:
    shared = split(total, parts)
    assert len(shared) == parts and sum(shared) == total
    assert max(shared) - min(shared) <= Decimal("0.01") and list(shared) == sorted(shared, reverse=True)


@pytest.mark.parametrize(("total", "parts"), [("1", 0), ("-1", 1), ("0.001", 1)])
def test_what_cannot_be_split_is_refused(total: str, parts: int) -> None:
    with pytest.raises(ValueError):
        split(Decimal(total), parts)


NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)


def report(number: int, seconds: float = 0, channel: str = "web") -> Report:
    return Report(UUID(int=number), NOON + timedelta(seconds=seconds), channel)


def ids(found) -> list[int]:
    return [tip.int for tip in found.tips]


def test_the_earliest_gets_it_and_those_of_the_same_instant_share() -> None:
    """Point 3: the earliest reporter is known; equal times share."""
    found = entitled([report(3, 5), report(1), report(2)], channels=("web",))
    assert ids(found) == [1, 2] and found.later == 1 and not found.known_before


def test_a_window_joined_and_excluded_reports() -> None:
    reports = [report(1), report(2, 30), report(3, 90), report(4, 500)]
    assert ids(entitled(reports, channels=("web",), window=timedelta(seconds=30))) == [1, 2]
    assert ids(entitled(reports, channels=("web",), joined={UUID(int=4)})) == [1, 4]
    assert ids(entitled(reports, channels=("web",), excluded={UUID(int=1)})) == [2]
    assert ids(entitled([], channels=("web",))) == []


def test_what_a_patrol_found_first_is_told_and_not_rewarded() -> None:
    found = entitled([report(1, 0, "patrol"), report(2, 60)], channels=("web",))
    assert ids(found) == [2] and found.known_before


ALLOWED = {
    ("proposed", "approve"): "once_approved", ("proposed", "refuse"): "refused", ("proposed", "withdraw"): "withdrawn",
    ("once_approved", "approve"): "approved", ("once_approved", "refuse"): "refused",
    ("once_approved", "withdraw"): "withdrawn",
    ("approved", "pay"): "partly_paid", ("approved", "pay_last"): "paid", ("approved", "lapse"): "lapsed",
    ("partly_paid", "pay"): "partly_paid", ("partly_paid", "pay_last"): "paid", ("partly_paid", "lapse"): "lapsed",
}  # fmt: skip


@pytest.mark.parametrize(("state", "action"), list(product(State, Action)))
def test_every_pair_of_state_and_action(state: State, action: Action) -> None:
    expected = ALLOWED.get((state.value, action.value))
    if expected is None:
        with pytest.raises(NotAllowed):
            after(state, action)
    else:
        assert after(state, action) == expected


def test_ends_are_final_and_every_state_is_reached() -> None:
    assert {State.PROPOSED} | set(TABLE.values()) == set(State)
    assert not [pair for pair in TABLE if pair[0] in FINAL]
    assert set(State) - LIVE == {State.REFUSED, State.WITHDRAWN, State.LAPSED}


@pytest.mark.parametrize(
    ("state", "proposer", "approvers", "who", "code"),
    [
        (State.PROPOSED, "a", [], "a", "proposer"),
        (State.ONCE_APPROVED, "a", ["b"], "b", "same-person"),
        (State.ONCE_APPROVED, "a", ["b"], "a", "proposer"),
        (State.APPROVED, "a", ["b", "c"], "d", "state"),
    ],
)
def test_four_eyes(state: State, proposer: str, approvers: list[str], who: str, code: str) -> None:
    with pytest.raises(NotAllowed) as refused:
        approve(state, proposer=proposer, approvers=approvers, who=who)
    assert refused.value.code == code


ENTRIES = st.lists(
    st.tuples(st.sampled_from(list(Entry)), st.decimals(min_value=0, max_value=10**6, places=2)), max_size=30
)


@given(ENTRIES, st.randoms())
def test_a_balance_is_the_sum_of_its_entries_in_any_order(entries: list, random) -> None:
    """D-L: nothing but the entries decides the balance."""
    made = balance(entries)
    shuffled = list(entries)
    random.shuffle(shuffled)
    assert balance(shuffled) == made
    total = {kind: sum((a for k, a in entries if k is kind), Decimal(0)) for kind in Entry}
    assert made.available == total["budget"] - total["commitment"] + total["release"]


def test_a_payment_turns_what_was_set_aside_into_what_was_spent() -> None:
    made = balance([("budget", Decimal(100)), ("commitment", Decimal(60)), ("payment", Decimal(40))])
    assert (made.budget, made.committed, made.paid, made.available) == (100, 20, 40, 40)


@pytest.mark.parametrize(
    ("budget", "committed", "expected", "is_short"),
    [(100, 80, 0, False), (100, 81, 0, True), (100, 70, 11, True), (0, 0, 0, False), (0, 1, 0, True)],
)
def test_the_warning_comes_before_the_money_is_gone(budget: int, committed: int, expected: int, is_short: bool) -> None:
    """D-L: shortfall alert: below a fifth of the budget, counting what claims will cost."""
    now = fund.Balance(Decimal(budget), Decimal(committed))
    assert short(now, expected=Decimal(expected), warn_below_percent=20) is is_short


@given(st.binary(min_size=32, max_size=32))
def test_codes_are_read_as_people_type_them(token: bytes) -> None:
    code = codes.derived_code(token)
    assert codes.clean_code(codes.spaced(code).lower()) == code == codes.derived_code(token)
    wide = "".join(chr(ord(sign) + 0xFEE0) for sign in code)
    assert codes.clean_code(wide) == code
    assert codes.clean_code(code + "2") is None and codes.clean_code("O" + code[1:]) is None


def test_random_codes_differ() -> None:
    assert len({codes.random_code() for _ in range(200)}) == 200
