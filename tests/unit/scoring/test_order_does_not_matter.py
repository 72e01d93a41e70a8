"""Early, late and repeated events: the ledger and the standings come out the same (final states win)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scoring.domain.ledger import Entry, entries_for
from services.scoring.domain.obligations import Fact, Obligation
from services.scoring.domain.rulebook import Line, Rulebook
from services.scoring.domain.standings import standings_of
from shared.rules.law import Text

T0 = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def line(name: str, points: int) -> Line:
    return Line(name, Decimal(points), "D-Q1.3", True, Text(zh=name, en=name))


BOOK = Rulebook(
    "dayong",
    "v1",
    {
        ("acceptance", "met"): line("timely", 1),
        ("acceptance", "met_late"): line("late", -1),
        ("acceptance", "missed"): line("missed", -2),
    },
    {"police": None},
)


def told(obligation: Obligation, fact: str, *, in_time: bool = True, hours: int = 0) -> Obligation:
    """What the command keeps of one more event: the first of each kind of fact."""
    event = Fact(UUID(int=(1 if fact == "accepted" else 2)), f"case.{fact}", T0 + timedelta(hours=hours), T0)
    if fact == "accepted" and obligation.accepted is None:
        return replace(obligation, accepted=event, in_time=in_time)
    if fact == "missed" and obligation.missed is None:
        return replace(obligation, missed=event)
    return obligation


def blank(number: int = 1) -> Obligation:
    return Obligation(UUID(int=1000 + number), UUID(int=2000 + number), "dayong", None, "police", None, "acceptance")


def booked(facts: tuple[str, ...], in_time: bool) -> dict[UUID, Entry]:
    """The ledger after each event was applied by itself: an entry is added once and never changed."""
    obligation, ledger = blank(), {}
    for fact in facts:
        if fact != "opened":
            obligation = told(obligation, fact, in_time=in_time)
        for entry in entries_for(obligation, BOOK):
            assert ledger.setdefault(entry.entry_id, entry) == entry, "an entry would have to change"
    return ledger


@pytest.mark.parametrize(("in_time", "worth"), [(True, 1), (False, -1)])
def test_every_order_with_repetitions_gives_one_ledger(in_time: bool, worth: int) -> None:
    """All orders of opened, accepted, missed, each told once or twice."""
    ledgers = [
        booked(order, in_time)
        for facts in (("opened", "accepted", "missed"), ("opened", "accepted", "missed", "missed", "accepted"))
        for order in set(permutations(facts))
    ]
    assert len(ledgers) > 30
    assert all(ledger == ledgers[0] for ledger in ledgers)
    [standing] = standings_of(ledgers[0].values()).values()
    assert standing.points == worth, "the act stands over the miss, and costs or earns once"
    assert (standing.in_time, standing.late) == ((1, 0) if in_time else (0, 1))


@given(
    st.lists(
        st.tuples(st.integers(1, 4), st.sampled_from(["opened", "accepted", "missed"]), st.integers(0, 72)),
        max_size=24,
    ),
    st.randoms(use_true_random=False),
    st.lists(st.booleans(), min_size=5, max_size=5),
)
def test_any_stream_in_any_order_gives_the_same_ledger_and_standings(stream, random, in_time) -> None:
    """A fact has one time, however often and in whatever order it is told."""
    once: dict[tuple[int, str], int] = {}
    facts = [(n, fact, once.setdefault((n, fact), hours)) for n, fact, hours in stream]
    shuffled = [*facts, *random.choices(facts, k=len(facts))] if facts else []
    random.shuffle(shuffled)

    def ledger(order):
        kept: dict[int, Obligation] = {}
        entries: dict[UUID, Entry] = {}
        for number, fact, hours in order:
            obligation = kept.get(number, blank(number))
            if fact != "opened":
                obligation = told(obligation, fact, in_time=in_time[number], hours=hours)
            kept[number] = obligation
            for entry in entries_for(obligation, BOOK):
                assert entries.setdefault(entry.entry_id, entry) == entry
        return entries

    first, second = ledger(facts), ledger(shuffled)
    assert first == second
    assert standings_of(first.values()) == standings_of(reversed(list(second.values())))


def test_a_miss_alone_costs_and_a_late_act_after_it_costs_once__d_q1_3() -> None:
    """D-Q1.3: the miss counts until the act; then the lateness alone, and both entries stay visible."""
    missed = booked(("opened", "missed"), in_time=False)
    assert [entry.points for entry in missed.values()] == [Decimal(-2)]
    both = booked(("opened", "missed", "accepted"), in_time=False)
    assert sum(entry.points for entry in both.values()) == -1
    [correction] = [entry for entry in both.values() if entry.corrects]
    assert correction.corrects in both and correction.points == 2


def test_a_miss_told_after_an_act_in_time_costs_nothing() -> None:
    ledger = booked(("opened", "accepted", "missed"), in_time=True)
    [standing] = standings_of(ledger.values()).values()
    assert (standing.points, standing.in_time, standing.late, standing.version) == (1, 1, 0, 3)
