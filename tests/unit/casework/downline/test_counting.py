"""Levels and heads against a slow, obvious counting; the rules' bounds; shapes that mislead."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.casework.domain.downline.evaluation import Evaluation, Organiser, evaluate
from services.casework.domain.downline.kinds import mask_of
from services.casework.domain.downline.network import Network, Standing, Strength, ordered
from services.casework.domain.downline.thresholds import Bounds
from services.casework.domain.downline.views import picture, way
from shared.rules.law import LawBook

LAW = LawBook.load(Path(__file__).resolve().parents[4] / "deploy" / "law")
BOUNDS = Bounds.of(LAW, date(2026, 1, 1))
DAY = date(2025, 6, 1).toordinal()


def network(
    members: int,
    edges: list[tuple[int, int]],
    *,
    kinds: dict[tuple[int, int], int] | None = None,
    denied: frozenset[tuple[int, int]] = frozenset(),
    days: dict[tuple[int, int], int] | None = None,
    paid: int = 0,
    person: list[int] | None = None,
    organisation: list[int] | None = None,
    standing: dict[int, Standing] | None = None,
) -> Network:
    return Network(
        members=members,
        person=np.array(person or range(members), np.int64),
        organisation=np.array(organisation or [0] * members, np.int64),
        upline=np.array([up for up, _ in edges], np.int64),
        downline=np.array([down for _, down in edges], np.int64),
        kinds=np.array([(kinds or {}).get(edge, 1) for edge in edges], np.uint8),
        denied=np.array([edge in denied for edge in edges], np.bool_),
        day=np.array([(days or {}).get(edge, DAY) for edge in edges], np.int64),
        paid=np.full(len(edges), paid, np.int64),
        standing=standing or {},
    )


def of(evaluation: Evaluation, member: int) -> Organiser:
    return next(one for one in evaluation.organisers if member in one.members)


def wide(levels: int, heads: int) -> list[tuple[int, int]]:
    """A chain that makes the levels, and the rest directly below the top."""
    chain = [(at, at + 1) for at in range(levels - 1)]
    return chain + [(0, at) for at in range(levels, heads)]


def slow_count(edges: set[tuple[int, int]], start: int) -> tuple[int, int]:
    """Levels and heads as one would count on paper: mutual uplines are one level, the shortest way counts."""
    below: dict[int, set[int]] = defaultdict(set)
    for up, down in edges:
        below[up].add(down)

    def reach(point: int) -> frozenset[int]:
        found, waiting = {point}, [point]
        while waiting:
            for other in below[waiting.pop()]:
                if other not in found:
                    found.add(other)
                    waiting.append(other)
        return frozenset(found)

    reached = {point: reach(point) for point in reach(start)}
    same = {point: frozenset(o for o in reached[point] if point in reached[o]) for point in reached}
    level, depth = {same[start]}, 0
    seen = set(level)
    while level:
        depth += 1
        level = {same[other] for group in level for point in group for other in below[point]} - seen
        seen |= level
    return depth, len(reached[start])


EDGES = st.integers(2, 14).flatmap(
    lambda n: st.tuples(
        st.just(n),
        st.lists(
            st.tuples(st.integers(0, n - 1), st.integers(0, n - 1), st.integers(0, 31), st.booleans()).filter(
                lambda e: e[0] != e[1]
            ),
            unique_by=lambda e: e[:2],
            max_size=30,
        ),
    )
)


@given(EDGES)
@settings(max_examples=300, deadline=None)
def test_levels_and_heads_agree_with_a_slow_count(drawn: tuple[int, list[tuple[int, int, int, bool]]]) -> None:
    n, rows = drawn
    edges = [(up, down) for up, down, _, _ in rows]
    kinds = {(up, down): mask for up, down, mask, _ in rows}
    denied = frozenset((up, down) for up, down, _, no in rows if no)
    # every member is looked at: collected money makes it a candidate without changing any count
    standing = {member: Standing(collected=1) for member in range(n)}
    found = evaluate(network(n, edges, kinds=kinds, denied=denied, standing=standing, paid=100), BOUNDS)
    carried = {edge for edge in edges if kinds[edge]}
    chosen = {
        Strength.ALL: carried,
        Strength.TWO_KINDS: {edge for edge in carried if kinds[edge].bit_count() >= 2},
        Strength.RECORDS: {edge for edge in carried if kinds[edge] & ~1},
        Strength.STATEMENTS: {edge for edge in carried if kinds[edge] & 1},
    }
    for member in range(n):
        for firm in of(found, member).firmness:
            if firm.strength in chosen:
                counted = chosen[firm.strength]
                assert (firm.own.levels, firm.own.heads) == slow_count(counted, member), (firm.strength, member)
                below = {member} | {o for o in range(n) if _leads(counted, member, o)}
                assert firm.own.paid == 100 * sum(1 for up, _ in counted if up in below)
                assert firm.own.exact


def _leads(edges: set[tuple[int, int]], start: int, end: int) -> bool:
    found, waiting = {start}, [start]
    while waiting:
        point = waiting.pop()
        for up, down in edges:
            if up == point and down not in found:
                found.add(down)
                waiting.append(down)
    return end in found and end != start


@given(EDGES, st.permutations(list(range(14))))
@settings(max_examples=60, deadline=None)
def test_neither_numbering_nor_order_of_facts_changes_a_count(
    drawn: tuple[int, list[tuple[int, int, int, bool]]], numbering: list[int]
) -> None:
    n, rows = drawn
    numbers = [one for one in numbering if one < n]
    edges = [(up, down) for up, down, _, _ in rows]
    moved = [(numbers[up], numbers[down]) for up, down in reversed(edges)]
    standing = {member: Standing(collected=1) for member in range(n)}
    one, other = evaluate(network(n, edges, standing=standing), BOUNDS), evaluate(network(n, moved, standing=standing), BOUNDS)
    assert one.cycles_total == other.cycles_total and one.levels == other.levels
    for member in range(n):
        counts = [(f.own, f.whole, f.filing) for f in of(one, member).firmness]
        assert counts == [(f.own, f.whole, f.filing) for f in of(other, numbers[member]).firmness]


@pytest.mark.parametrize(
    ("levels", "heads", "reached"),
    [(3, 30, True), (3, 29, False), (2, 30, False), (2, 500, False), (30, 30, True), (3, 31, True)],
)
def test_thirty_persons_and_three_levels_include_the_organiser_and_the_own_level(
    levels: int, heads: int, reached: bool
) -> None:
    top = of(evaluate(network(heads, wide(levels, heads)), BOUNDS), 0)
    assert (top.own.levels, top.own.heads) == (levels, heads)
    assert top.says("filing") is reached
    missing = {item.rule: item.missing for item in top.verdicts[0].items}
    assert missing == {"crime.filing_persons": max(30 - heads, 0), "crime.filing_levels": max(3 - levels, 0)}
    assert {item.certainty for item in top.verdicts[0].items} == {"M"}, "the article of 2022 is recalled only, and says so"


@pytest.mark.parametrize(
    ("heads", "standing", "grave"),
    [
        (120, Standing(), True),
        (119, Standing(), False),
        (60, Standing(convicted=True), True),
        (59, Standing(convicted=True), False),
        (60, Standing(penalised_on=date(2025, 6, 1)), True),
        (60, Standing(penalised_on=date(2024, 5, 31)), False),
        (60, Standing(penalised_on=date(2024, 6, 1)), True),
        (30, Standing(collected=2_500_000_00), True),
        (30, Standing(collected=2_499_999_99), False),
        (30, Standing(grave=frozenset({"consequence"})), True),
        (30, Standing(grave=frozenset({"other"})), True),
        (29, Standing(collected=9_000_000_00), False),
    ],
)
def test_grave_circumstances(heads: int, standing: Standing, grave: bool) -> None:
    edges = wide(3, heads)
    days = {edge: date(2025, 6, 1).toordinal() for edge in edges}
    top = of(evaluate(network(heads, edges, days=days, standing={0: standing}), BOUNDS), 0)
    assert top.says("grave") is grave


def test_money_paid_below_counts_towards_the_bound() -> None:
    top = of(evaluate(network(30, wide(3, 30), paid=2_500_000_00 // 29 + 1), BOUNDS), 0)
    assert top.says("grave")


def test_a_prior_record_makes_a_leader_of_fifteen_and_then_the_whole_organisation_counts() -> None:
    # member 1 has 15 in three levels of his own, in an organisation of 31
    own = [(1, 2), (2, 3)] + [(1, at) for at in range(4, 16)]
    edges = [(0, 1), *own] + [(0, at) for at in range(16, 31)]
    plain = evaluate(network(31, edges), BOUNDS)
    assert all(1 not in one.members for one in plain.organisers)
    found = of(evaluate(network(31, edges, standing={1: Standing(convicted=True)}), BOUNDS), 1)
    assert (found.own.levels, found.own.heads, found.whole.heads) == (3, 15, 31)
    assert found.says("leader_prior") and found.says("filing")
    fewer = of(evaluate(network(31, [*edges[:-16], (0, 15)], standing={1: Standing(convicted=True)}), BOUNDS), 1)
    assert fewer.own.heads == 14 and not fewer.says("leader_prior") and not fewer.says("filing")


def test_who_leads_by_role_answers_for_the_organisation() -> None:
    edges = wide(3, 30)
    found = evaluate(network(30, edges, standing={29: Standing(roles=frozenset({"trainer"}))}), BOUNDS)
    trainer = of(found, 29)
    assert (trainer.own.heads, trainer.whole.heads) == (1, 30) and trainer.says("filing")


def test_heads_add_across_organisations_once_one_has_three_levels() -> None:
    # codes 0 and 20 are one person: 20 in one organisation, 12 in another
    first = wide(3, 20)
    second = [(20, at) for at in range(21, 32)]
    person = [*range(20), 0, *range(21, 32)]
    organisation = [1] * 20 + [2] * 12
    both = of(evaluate(network(32, first + second, person=person, organisation=organisation), BOUNDS), 0)
    assert both.members == (0, 20)
    assert (both.own.levels, both.own.heads) == (3, 31) and both.says("filing"), "the organiser counts once"
    flat = [(0, at) for at in range(1, 20)]
    none = of(evaluate(network(32, flat + second, person=person, organisation=organisation), BOUNDS), 0)
    assert (none.own.levels, none.own.heads) == (2, 20) and not none.says("filing")


def test_several_codes_of_one_person_are_one_head() -> None:
    edges = wide(3, 30)
    person = list(range(30))
    person[29] = person[28]
    found = evaluate(network(30, edges, person=person), BOUNDS)
    assert of(found, 0).own.heads == 29 and found.persons == 29
    own_code = evaluate(network(3, [(0, 1), (1, 2)], person=[0, 0, 1]), BOUNDS)
    assert own_code.same_person == 1 and of(own_code, 0).own.levels == 2


def test_who_left_keeps_the_later_downline_only_while_drawing_pay() -> None:
    edges = wide(3, 30)
    left = date(2025, 6, 15)
    days = {edge: (DAY if at < 20 else left.toordinal() + 5) for at, edge in enumerate(edges)}
    gone = of(evaluate(network(30, edges, days=days, standing={0: Standing(left_on=left)}), BOUNDS), 0)
    assert gone.own.heads == 21 and not gone.says("filing")
    paid = of(evaluate(network(30, edges, days=days, standing={0: Standing(left_on=left, still_paid=True)}), BOUNDS), 0)
    assert paid.own.heads == 30 and paid.says("filing")


def test_a_cycle_is_one_level_told_and_counted_once() -> None:
    edges = [(0, 1), (1, 2), (2, 0)] + [(2, at) for at in range(3, 30)]
    found = evaluate(network(30, edges), BOUNDS)
    assert found.cycles == ((0, 1, 2),) and found.cycles_total == 1
    top = of(found, 0)
    assert (top.own.levels, top.own.heads) == (2, 30) and not top.says("filing")
    assert {f.strength: f.own.heads for f in top.firmness}[Strength.UNDISPUTED] < 30


def test_two_uplines_are_kept_and_told_apart_by_strength() -> None:
    edges = [*wide(3, 30), (1, 29)]
    top = of(evaluate(network(30, edges), BOUNDS), 0)
    told = {f.strength: (f.own.heads, f.filing) for f in top.firmness}
    assert told[Strength.ALL] == (30, True) and told[Strength.UNDISPUTED] == (29, False)


def test_a_denied_edge_counts_among_all_only() -> None:
    edges = wide(3, 30)
    top = of(evaluate(network(30, edges, denied=frozenset({edges[-1]})), BOUNDS), 0)
    told = {f.strength: f.own.heads for f in top.firmness}
    assert (told[Strength.ALL], told[Strength.UNDISPUTED]) == (30, 29)


def test_no_text_for_the_day_is_told_as_provisional() -> None:
    old = Bounds.of(LAW, date(2009, 1, 1))
    top = of(evaluate(network(30, wide(3, 30)), old), 0)
    assert all(item.provisional for verdict in top.verdicts for item in verdict.items)


def test_the_way_to_a_member_names_the_edges_that_carry_it() -> None:
    net = network(6, [(0, 1), (1, 2), (2, 3), (0, 4)])
    assert [step.edges for step in way(net, 0, 3) or ()] == [((0, 1),), ((1, 2),), ((2, 3),)]
    assert way(net, 4, 3) is None and way(net, 2, 2) == ()


def test_the_picture_is_cut_and_says_how_many_hang_below() -> None:
    net = network(1000, [(0, 1)] + [(1, at) for at in range(2, 1000)])
    drawn = picture(net, most=100)
    [top] = drawn["roots"]
    assert drawn["persons"] == 1000 and top["heads"] == 1000
    [second] = top["children"]
    assert len(second["children"]) + second["more"] == 998 and second["more"] > 800
    assert picture(net, root=1)["roots"][0]["member"] == 1


def test_masks_are_kinds_of_proof() -> None:
    assert mask_of(["payment"]) == mask_of(["rebate"]) != mask_of(["bank"])


def test_an_empty_case_has_nothing_to_say() -> None:
    found = evaluate(network(0, []), BOUNDS)
    assert found.organisers == () and found.reached == ()


@given(st.lists(st.integers(0, 9) | st.integers(0, 2**62)))
def test_equal_numbers_keep_their_places(values: list[int]) -> None:
    """Sorted in one word each where number and place fit, else as numpy does: the same order either way."""
    numbers = np.array(values, np.int64)
    assert ordered(numbers).tolist() == np.argsort(numbers, kind="stable").tolist()
