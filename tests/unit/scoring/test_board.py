"""The board's sums: what is owed is counted once, equals share a place, a sketch has every community."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

from services.scoring.domain.board import spots, towns_of
from shared.kit import clock
from shared.rules.plan import load_plan
from shared.rules.plan.sketch import HEIGHT, WIDTH, places

PLANS = Path(__file__).resolve().parents[3] / "deploy" / "plans"


def row(plan: str, rulebook: str, in_time: int, late: int, item: int | None = None) -> SimpleNamespace:
    return SimpleNamespace(
        plan=plan, rulebook=rulebook, units=3, towns=int(item is not None), item=Decimal(item or 0), in_time=in_time,
        late=late, as_of=clock.now(),
    )  # fmt: skip


def test_two_rulebooks_over_the_same_acts_count_them_once() -> None:
    [town] = towns_of([row("a", "v1", 8, 2), row("a", "item", 2, 0, item=-1)], {})
    assert (town.in_time, town.late, town.share, town.item, town.rulebook) == (8, 2, 80, -1, "item")


def test_the_towns_own_points_rank_first_then_what_was_in_time_and_equals_share_a_place() -> None:
    rows = [row("a", "v", 1, 9), row("b", "v", 9, 1), row("c", "v", 9, 1), row("d", "v", 0, 9, item=1), row("e", "v", 9, 0, item=-2)]
    assert [(one.plan, one.place) for one in towns_of(rows, {})] == [("d", 1), ("b", 2), ("c", 2), ("a", 4), ("e", 5)]


def test_the_trend_is_the_towns_own_where_it_has_points_of_its_own() -> None:
    lately = {("a", "v", "x", None, "agency", "x"): Decimal(5), ("a", "v", "o", None, "town", "a"): Decimal(-1)}
    assert towns_of([row("a", "v", 1, 0, item=-1)], lately)[0].lately == -1
    assert towns_of([row("a", "v", 1, 0)], lately)[0].lately == 5


def test_every_community_has_its_place_on_the_sketch_and_none_covers_another() -> None:
    for name in ("dayong", "xiyuan"):
        plan = load_plan(PLANS / name)
        found = places(plan)
        assert list(found) == [area.id for area in plan.communities] and len(set(found.values())) == len(found)
        assert all(0 < x < WIDTH and 0 < y < HEIGHT for x, y in found.values())
        one = next(agency for agency in plan.agencies if agency.kind == "community" and agency.area)
        made = spots(plan, [SimpleNamespace(plan=name, subject_kind="community", agency=one.id, points=Decimal(-2), late=1)])
        assert [(s.area, s.tone) for s in made if s.points is not None] == [(one.area, "late")]
