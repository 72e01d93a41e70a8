"""Properties of the ledger as a pure function: decisions told anyhow, appeals after a close, rules that change at
midnight, exact sums, and the ledger as known on any day."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from services.scoring.commands.booking import entry_row, recorded
from services.scoring.domain import leaves
from services.scoring.domain.books import Books, PlanBooks
from services.scoring.domain.decisions import Decided, entries_of
from services.scoring.domain.ledger import Entry, entries_for
from services.scoring.domain.obligations import Fact, Obligation
from services.scoring.domain.periods import frozen, period_of
from services.scoring.domain.rulebooks.shelf import own_rulebook
from services.scoring.domain.standings import standings_of
from shared.rules.plan import load_plan

told_anyhow = settings(deadline=None, max_examples=60)
PLANS = Path(__file__).resolve().parents[3] / "deploy" / "plans"
CHINA = ZoneInfo("Asia/Shanghai")
CHANGE = datetime(2026, 7, 1, tzinfo=CHINA)
MARCH, CLOSE = period_of("2026-03"), datetime(2026, 4, 2, 1, 0, tzinfo=UTC)


@cache
def books() -> PlanBooks:
    """The plan's own lines, and a second version from 1 July with every value tripled; a line for a finding in both."""
    plan = load_plan(PLANS / "dayong")
    first = own_rulebook(plan)
    assert first is not None
    lines = [
        *first.lines,
        first.lines[0].model_copy(update={"id": "c6", "on": "finding", "outcome": "missed_rescue", "points": Decimal("-12.5")}),
    ]
    old = first.model_copy(update={"lines": tuple(lines)})
    tripled = tuple(one.model_copy(update={"points": one.points * 3}) for one in lines)
    new = first.model_copy(update={"version": "2", "valid_from": CHANGE.date(), "lines": tripled})
    return Books({"dayong": plan}, [old, new])["dayong"]


def decided(number: int, at: datetime, recorded_at: datetime, *, back: bool = False, points: Decimal | None = None) -> Decided:
    return Decided(
        basis="finding", basis_id=UUID(int=number), plan="dayong", condition_or_line="missed_rescue",
        subject_kind="agency", agency=("police", "commerce")[number % 2], unit=None, area=None, occurred_at=at,
        recorded_at=recorded_at, fact_events=(UUID(int=500 + number), UUID(int=900 + number * 2 + back)),
        confirmed=not back, taken_back=back, points=points,
    )  # fmt: skip


def booked(acts: list[Decided]) -> dict[UUID, Entry]:
    """The ledger after each act by itself: an entry is added once and never changed."""
    ledger: dict[UUID, Entry] = {}
    for act in acts:
        for entry in entries_of(act, books()):
            assert ledger.setdefault(entry.entry_id, entry) == entry, "an entry would have to change"
    return ledger


moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1)).map(lambda one: one.replace(tzinfo=UTC))
hours = st.integers(0, 24 * 200).map(lambda n: timedelta(hours=n))
findings = st.lists(st.tuples(moments, hours, st.none() | hours), min_size=1, max_size=6)
"""When each happened; how long after it was confirmed; how long after that overturned, if ever."""


def acts_of(told: list[tuple[datetime, timedelta, timedelta | None]]) -> list[Decided]:
    acts = []
    for number, (at, wait, appeal) in enumerate(told):
        acts.append(decided(number, at, at + wait))
        if appeal is not None:
            acts.append(decided(number, at, at + wait + appeal, back=True))
    return acts


@told_anyhow
@given(findings, st.randoms(use_true_random=False))
def test_decisions_told_late_twice_and_in_any_order_give_one_ledger(told: Any, chance: Any) -> None:
    acts = acts_of(told)
    shuffled = [*acts, *chance.choices(acts, k=len(acts))]
    chance.shuffle(shuffled)
    ledger = booked(acts)
    assert ledger and ledger == booked(shuffled)
    assert standings_of(ledger.values()) == standings_of(reversed(list(ledger.values())))
    for number, (_, _, appeal) in enumerate(told):
        left = sum(one.points for one in ledger.values() if one.basis_id == UUID(int=number))
        assert (left == 0) == (appeal is not None), "an overturned finding comes to nothing, to the point"


@told_anyhow
@given(findings, moments)
def test_the_ledger_as_known_on_a_day_is_the_ledger_of_what_was_told_by_then(told: Any, day: datetime) -> None:
    acts = acts_of(told)
    known = {id_: one for id_, one in booked(acts).items() if one.recorded_at <= day}
    assert known == booked([act for act in acts if act.recorded_at <= day])


@told_anyhow
@given(
    st.lists(st.tuples(st.booleans(), st.none() | st.integers(0, 900), st.none() | st.integers(0, 900)), max_size=8),
    st.integers(0, 900),
)
def test_obligations_as_known_on_a_day_too(told: list[tuple[bool, int | None, int | None]], day: int) -> None:
    def ledger(until: int) -> dict[UUID, Entry]:
        found = {}
        for number, (in_time, done, missed) in enumerate(told):
            facts = {
                name: Fact(UUID(int=number * 2 + name.startswith("m")), name, hour(at), hour(at))
                for name, at in (("accepted", done), ("missed", missed))
                if at is not None and at <= until
            }
            one = Obligation(
                UUID(int=100 + number), UUID(int=200), "dayong", None, "police", None, "acceptance",
                in_time=in_time if "accepted" in facts else None, **facts,
            )  # fmt: skip
            found |= {entry.entry_id: entry for entry in entries_for(one, books())}
        return found

    assert {id_: one for id_, one in ledger(10_000).items() if one.recorded_at <= hour(day)} == ledger(day)


def hour(number: int) -> datetime:
    return datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=number)


def closed(ledger: dict[UUID, Entry], seq: dict[UUID, int], upto: int) -> bytes:
    """March, from the entries numbered up to `upto`, as the commands freeze it."""
    entries = [one for one in ledger.values() if MARCH.first <= one.occurred_on <= MARCH.last and seq[one.entry_id] <= upto]
    return frozen("dayong", MARCH, CLOSE, upto, len(entries), standings_of(entries).values())


@told_anyhow
@given(findings, hours, st.randoms(use_true_random=False))
def test_an_appeal_after_the_close_leaves_the_frozen_document_and_stands_beside_it(told: Any, later: Any, chance: Any) -> None:
    """All happened and was confirmed in March; every appeal was decided after the close."""
    march = [(datetime(2026, 3, 1, tzinfo=UTC) + (at - datetime(2026, 1, 1, tzinfo=UTC)) / 12, at) for at, _, _ in told]
    before = [decided(number, at, at) for number, (at, _) in enumerate(march)]
    after = [decided(number, at, CLOSE + later, back=True) for number, (at, _) in enumerate(march) if chance.random() < 0.6]
    ledger = booked(before)
    seq = {id_: number for number, id_ in enumerate(ledger, 1)}
    document = closed(ledger, seq, len(seq))
    assert json.loads(document)["entries"] == len(before)
    ledger |= booked(after)
    seq |= {id_: number for number, id_ in enumerate(ledger, 1) if id_ not in seq}
    assert closed(ledger, seq, len(before)) == document, "not a byte of the closed period changes"
    corrections = [one for one in ledger.values() if seq[one.entry_id] > len(before)]
    assert len(corrections) == len(after)
    for one in corrections:
        assert one.corrects in ledger and seq[one.corrects] <= len(before), "it names what was counted in March"
        assert one.occurred_on > MARCH.last and one.points == -ledger[one.corrects].points


@told_anyhow
@given(st.integers(-48 * 3600 * 10**6, 48 * 3600 * 10**6).map(lambda n: timedelta(microseconds=n)) | st.sampled_from([
    timedelta(0), timedelta(microseconds=-1), timedelta(microseconds=1)]), hours)  # fmt: skip
def test_a_rule_changes_at_midnight_in_china_to_the_microsecond(offset: timedelta, later: timedelta) -> None:
    """The rule of the event's day values it, whenever it was told; the act that takes it back uses the same value."""
    at = CHANGE + offset
    factor = 3 if offset >= timedelta(0) else 1
    ledger = booked([decided(1, at, at + later), decided(1, at, at + later + timedelta(days=40), back=True)])
    assert [one.points for one in ledger.values()] == [Decimal("-12.5") * factor, Decimal("12.5") * factor]
    missed = Fact(UUID(int=1), "missed", at, at + later)
    done = Fact(UUID(int=2), "accepted", at + later + timedelta(days=1), at + later + timedelta(days=1))
    one = Obligation(
        UUID(int=3), UUID(int=4), "dayong", None, "police", None, "acceptance", accepted=done, in_time=False, missed=missed
    )
    late, miss, back = entries_for(one, books())
    assert (miss.points, back.points, back.corrects) == (-2 * factor, 2 * factor, miss.entry_id)
    assert late.points == (-3 if done.at >= CHANGE else -1)
    assert miss.occurred_on == at.astimezone(CHINA).date() and (miss.occurred_on >= date(2026, 7, 1)) == (factor == 3)


points = st.decimals(Decimal("-1000"), Decimal("1000"), places=4) | st.sampled_from(
    [Decimal("0.1"), Decimal("1E+2"), Decimal("-0.0"), Decimal("12.50"), Decimal("0.000001")]
)


@told_anyhow
@given(st.lists(points, min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_sums_are_exact_in_any_order_and_texts_say_the_same(worth: list[Decimal], chance: Any) -> None:
    """Nothing is rounded: what is summed, told and hashed is the decimal number that was given."""
    at = datetime(2026, 3, 2, tzinfo=UTC)
    entries = list(booked([decided(2 * n, at, at, points=one) for n, one in enumerate(worth)]).values())
    chance.shuffle(entries)
    [standing] = standings_of(entries).values()
    assert Fraction(standing.points) == sum(map(Fraction, worth))
    for entry in entries:
        told = json.loads(recorded(entry, 7).model_dump_json())
        assert Decimal(told["points"]) == entry.points and "E" not in told["points"].upper()
        stored = SimpleNamespace(**entry_row(entry) | {"points": Decimal(f"{entry.points:f}"), "seq": 7})
        leaf = json.dumps({name: told[name] for name in leaves.FIELDS}, sort_keys=True, separators=(",", ":"))
        assert leaf.encode() == leaves.leaf_of(stored), "a reader makes the same leaf from what it was told"


def test_points_of_a_correction_are_exactly_those_that_were_booked() -> None:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    act = decided(2, at, at, points=Decimal("-0.3333"))
    ledger = booked([act, replace(act, confirmed=False, taken_back=True)])
    assert sum(one.points for one in ledger.values()) == 0 and len(ledger) == 2
