"""States of consequences over every pair; the ladder as data; funds; scores; differences; what if."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import product
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scoring.domain.consequences import measures, tools
from services.scoring.domain.consequences.funds import Move, balance, left_of
from services.scoring.domain.consequences.ladder import Known, Record, called_for, still_holds, triggered
from services.scoring.domain.rulebooks import CHINA, drafts, read_rulebook, read_shipped
from services.scoring.domain.rulebooks.difference import changes
from services.scoring.domain.rulebooks.sheet import Counted, sheet_of

SHIPPED = Path(__file__).resolve().parents[3] / "deploy" / "rulebooks"
TOWN = read_rulebook(SHIPPED / "dayong-town" / "2015.1.yaml")
UNITS = read_rulebook(SHIPPED / "dayong-units" / "2015.1.yaml")
OTHER = read_rulebook(SHIPPED / "linjiang-city" / "2026.1.yaml")


@pytest.mark.parametrize(
    ("states", "steps", "table", "after", "refused"),
    [
        (tools.ToolState, tools.ToolStep, tools.TRANSITIONS, tools.after, tools.ToolRefused),
        (measures.MeasureState, measures.MeasureStep, measures.TRANSITIONS, measures.after, measures.MeasureRefused),
        (drafts.DraftState, drafts.DraftAct, drafts.TRANSITIONS, drafts.after, drafts.DraftRefused),
    ],
    ids=["tools", "measures", "drafts"],
)
def test_every_pair_of_state_and_step(states, steps, table, after, refused) -> None:  # type: ignore[no-untyped-def]
    for state, step in product(states, steps):
        if (state, step) in table:
            assert after(state, step) is table[state, step]
        else:
            with pytest.raises(refused):
                after(state, step)
    assert {state for state, _ in table} | set(table.values()) == set(states), "no state that nothing leads to or from"


def test_what_is_over_stays_over() -> None:
    over = set(tools.ToolState) - set(tools.OPEN)
    assert not [pair for pair in tools.TRANSITIONS if pair[0] in over]
    assert all(step in tools.RIGHTS for (_, step) in tools.TRANSITIONS if step.value not in ("lapse", "expire"))


def record(
    *conditions: str, kind: str = "town", score: str = "1", vetoed: bool = False, had: tuple[str, ...] = ()
) -> Record:
    return Record(kind, tuple(Known(uuid4(), one) for one in conditions), Decimal(score), vetoed, frozenset(had))


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (record(), None),
        (record("bounced"), None),
        (record("venue_used"), "warning-talk"),
        (record("missed_rescue"), "admonition"),
        (record("venue_used", "exposure", "late_duty"), "yellow-card"),
        (record("venue_used", had=("admonition",)), "yellow-card"),
        (record("missed_rescue", had=("yellow-card",)), "listed-rectification"),
        (record("venue_used", score="0.3"), "listed-rectification"),
        (record("concealment"), "veto"),
        (record("venue_used", vetoed=True), "veto"),
    ],
)
def test_the_six_tools_are_called_for_by_the_rulebooks_triggers__d_q1(known: Record, expected: str | None) -> None:
    """D-Q1: from the mildest to the one-vote veto, by what the rulebook says."""
    found = called_for(TOWN, known, ())
    assert (found.tool.id if found else None) == expected


def test_what_was_begun_is_not_begun_again_and_a_milder_one_not_after_a_graver__d_q1() -> None:
    known = record("missed_rescue")
    assert called_for(TOWN, known, ["admonition"]) is None
    assert called_for(TOWN, known, ["yellow-card"]) is None
    assert still_holds(TOWN, "admonition", known) and not still_holds(TOWN, "veto", known)


def test_another_ladder_in_another_order_is_data() -> None:
    """Own tools, own triggers: no code knows them."""
    found = triggered(OTHER, record("missed_rescue", "bounced", kind="agency", score="900"))
    assert [(one.rung, one.tool.id) for one in found] == [(1, "letter"), (2, "interview")]
    turned = OTHER.model_copy(update={"ladder": OTHER.ladder[::-1]})
    assert called_for(turned, record("bounced", kind="agency", score="900"), ()).tool.id == "letter"  # type: ignore[union-attr]
    assert called_for(turned, record("bounced", kind="agency", score="900"), ()).rung == 3  # type: ignore[union-attr]


moves = st.lists(st.tuples(st.sampled_from(["budget", "commit"]), st.integers(1, 10_000)), max_size=30)


@given(moves, st.randoms())
def test_a_funds_balance_does_not_depend_on_the_order(given_: list[tuple[str, int]], random) -> None:  # type: ignore[no-untyped-def]
    made = [Move(UUID(int=n), kind, yuan) for n, (kind, yuan) in enumerate(given_)]
    made += [
        Move(UUID(int=1000 + n), "pay", one.yuan, one.id)
        for n, one in enumerate(made)
        if one.kind == "commit" and n % 2
    ]
    found = balance(made)
    assert found.free == found.budget - found.committed - found.paid and found.committed >= 0
    random.shuffle(made)
    assert balance(made) == found
    assert all(left_of(one.id, made) in (0, one.yuan) for one in made if one.kind == "commit")


def test_a_score_is_bounded_capped_rounded_and_lost_by_a_veto__d_c1() -> None:
    """D-C1: the one point of the town; sections' caps; half up; a veto that was taken back loses nothing."""
    nothing = sheet_of(TOWN, [])
    assert (nothing.score, nothing.band.id) == (Decimal("1.00"), "full")  # type: ignore[union-attr]
    five = sheet_of(TOWN, [Counted("q6", Decimal("-0.3"))] * 5)
    assert (five.points, five.score) == (Decimal("-1.5"), Decimal("0.00"))
    vetoed = [Counted("q7", Decimal(-1))]
    assert sheet_of(TOWN, vetoed).vetoed_by == ("q7",)
    back = [*vetoed, Counted("q7", Decimal(1), taken_back=True)]
    assert (sheet_of(TOWN, back).score, sheet_of(TOWN, back).vetoed_by) == (Decimal("1.00"), ())
    many = sheet_of(UNITS, [Counted("acceptance-timely", Decimal(1))] * 50 + [Counted("merit", Decimal(5))] * 3)
    assert many.score == Decimal("120.0"), "10 for the section, 10 for the bonus line"


@given(st.lists(st.sampled_from([line.id for line in UNITS.lines]), max_size=40), st.randoms())
def test_a_score_does_not_depend_on_the_order_of_entries(ids: list[str], random) -> None:  # type: ignore[no-untyped-def]
    entries = [Counted(one, UNITS.line(one).points or Decimal(0)) for one in ids]  # type: ignore[union-attr]
    found = sheet_of(UNITS, entries)
    random.shuffle(entries)
    assert sheet_of(UNITS, entries) == found
    assert UNITS.scale.least <= found.score <= UNITS.scale.most  # type: ignore[operator]


def test_a_difference_names_each_thing_that_changed() -> None:
    line = UNITS.lines[0].model_copy(update={"points": Decimal(3)})
    ladder = (UNITS.ladder[1], UNITS.ladder[0], *UNITS.ladder[2:])
    newer = UNITS.model_copy(
        update={
            "version": "2027.1",
            "valid_from": date(2027, 1, 1),
            "lines": (line, *UNITS.lines[2:]),
            "ladder": ladder,
        }
    )
    found = {one.where: (one.kind, one.before, one.after) for one in changes(UNITS, newer)}
    assert found["lines.acceptance-timely.points"] == ("changed", "1", "3")
    assert found["lines.acceptance-late"][0] == "removed"
    assert found["ladder.(order)"][0] == "changed"
    assert set(found) == {
        "version",
        "valid_from",
        "lines.acceptance-timely.points",
        "lines.acceptance-late",
        "ladder.(order)",
    }
    assert changes(UNITS, UNITS) == ()


def test_every_line_that_no_text_gives_is_marked_assumed_and_names_its_clause__x_d1c__d_c1() -> None:
    """X-D1c, D-C1: the shipped rulebooks of the two plans."""
    for book, _ in read_shipped(SHIPPED):
        if book.id == "linjiang-city":
            continue
        for line in book.lines:
            assert line.assumed and line.clause, (book.ref, line.id)
        assert all(tool.clause and tool.assumed for tool in book.ladder)
    assert CHINA.key == "Asia/Shanghai"
