"""Levels and heads of a downline by one strength of proof.

A level is an upline-downline relation, whatever the ranks; the organiser and the own level count (2013 意见). Persons
whose facts make them each other's upline (a cycle) are one level, each counted once. Where a member hangs under an
organiser by several ways, the shortest counts, so that no contradiction makes a net deeper than it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order

from services.casework.domain.downline.network import Ints, Points, Strength, components, graph, ordered

BUDGET = 6_000_000
"""Points looked at for organisers of nets that are no trees; what is beyond is told as not counted."""


SMALL, FLAT = 4_000, 200
"""Groups and levels up to which a downline is gone through alone, without a pass over the whole network."""


@dataclass(frozen=True, slots=True)
class Count:
    """Levels, heads and fen of a downline, its organiser included; `exact` is false where it was not counted out."""

    levels: int
    heads: int
    paid: int = 0
    exact: bool = True


class Counter:
    """Counts downlines of one network by one strength of proof."""

    def __init__(self, points: Points, strength: Strength, of_all: Counter | None = None) -> None:
        self.points, self.strength, self.left = points, strength, BUDGET
        if of_all is not None and of_all.groups == points.count:
            # some edges of a network without cycles make none: its numbering and order hold for them too
            self._take(points.chosen(strength)[of_all.edges][of_all.order], of_all)
            return
        chosen = points.chosen(strength)
        if of_all is None:
            edges = np.flatnonzero(chosen)
            groups, group = components(points.count, points.up[edges], points.down[edges], strong=True)
        else:
            in_order = of_all.edges[of_all.order]
            edges = in_order[chosen[in_order]]
            groups, group = of_all.parted(points.up[edges], points.down[edges])
        if strength is Strength.UNDISPUTED and groups < points.count:
            edges = edges[group[points.up[edges]] != group[points.down[edges]]]
            # what is left has no cycle: each point is its own group, in the order of the groups
            in_order, group = ordered(group), np.empty(points.count, np.int64)
            groups, group[in_order] = points.count, np.arange(points.count)
        self.edges, self.groups, self.group = edges, groups, group
        above, below = group[points.up[edges]], group[points.down[edges]]
        self.order = ordered(above)
        above, below = above[self.order], below[self.order]
        between = above != below
        self.above, self.below = above[between], below[between]
        if groups < points.count:
            pair = np.sort(self.above * np.int64(groups) + self.below)
            pair = pair[np.concatenate([[True], pair[1:] != pair[:-1]])] if len(pair) else pair
            self.above, self.below = pair // groups, pair % groups
        self.size: Ints = np.bincount(group, minlength=groups)

    def _take(self, kept: NDArray[np.bool_], of_all: Counter) -> None:
        self.edges = of_all.edges[of_all.order[kept]]
        self.order = np.arange(len(self.edges))
        self.groups, self.group, self.size = of_all.groups, of_all.group, of_all.size
        self.above, self.below = of_all.above[kept], of_all.below[kept]

    def parted(self, up: Ints, down: Ints) -> tuple[int, Ints]:
        """The groups of points by some of these edges, numbered against them: a cycle of theirs lies within one here."""
        inside = np.flatnonzero(self.size[self.group] > 1)
        place = np.empty(self.points.count, np.int64)
        place[inside] = np.arange(len(inside))
        kept = self.group[up] == self.group[down]
        parts, part = components(len(inside), place[up[kept]], place[down[kept]], strong=True)
        home = np.empty(parts, np.int64)
        home[part] = self.group[inside]
        amount = np.where(self.size > 1, np.bincount(home, minlength=self.groups), 1)
        first = np.cumsum(amount) - amount
        order = ordered(home)
        number = np.empty(parts, np.int64)
        number[order] = first[home[order]] + np.arange(parts) - np.searchsorted(home[order], home[order], "left")
        group = first[self.group]
        group[inside] = number[part]
        return int(amount.sum()), group

    @cached_property
    def up(self) -> Ints:
        return self.points.up[self.edges]

    @cached_property
    def down(self) -> Ints:
        return self.points.down[self.edges]

    @cached_property
    def paid(self) -> Ints:
        return self.points.paid[self.edges]

    @cached_property
    def day(self) -> Ints:
        return self.points.day[self.edges]

    @cached_property
    def money(self) -> Ints:
        """What was paid to join directly below each group, or within it."""
        return np.bincount(self.group[self.up], self.paid, minlength=self.groups).astype(np.int64)

    @cached_property
    def connected(self) -> NDArray[np.bool_]:
        """The points that an edge carries at all."""
        found = np.zeros(self.points.count, np.bool_)
        found[self.up] = found[self.down] = True
        return found

    @cached_property
    def tops(self) -> NDArray[np.bool_]:
        """The groups that recruit, and that nobody recruited; a cycle recruits within itself."""
        found = self.size > 1
        found[self.above] = True
        found[self.below] = False
        return found

    @cached_property
    def tree(self) -> NDArray[np.bool_]:
        """Whether the group's piece of the network is a tree: there every way is the only one."""
        several = np.bincount(self.below, minlength=self.groups) > 1
        if not several.any():
            return np.ones(self.groups, np.bool_)
        number, pieces = components(self.groups, self.above, self.below)
        broken = np.zeros(number, np.bool_)
        broken[pieces[several]] = True
        return ~broken[pieces]

    @cached_property
    def sums(self) -> tuple[Ints, Ints, Ints]:
        """Levels, heads and money below each group, itself included; right within trees."""
        trees = self.tree[self.above]
        above, below = self.above[trees], self.below[trees]
        parent = np.arange(self.groups)
        parent[below] = above
        depth = _depths(parent, below)
        if depth is None:
            return self._one_by_one(above, below)
        levels, heads, money = np.ones(self.groups, np.int64), self.size.copy(), self.money.copy()
        order = below[ordered(depth[below])]
        ends = np.searchsorted(depth[order], np.arange(int(depth.max(initial=0)) + 1), side="right")
        for end, start in zip(ends[:0:-1], ends[-2::-1], strict=True):
            lower = order[start:end]
            upper = parent[lower]
            np.add.at(heads, upper, heads[lower])
            np.add.at(money, upper, money[lower])
            np.maximum.at(levels, upper, levels[lower] + 1)
        return levels, heads, money

    def _one_by_one(self, above: Ints, below: Ints) -> tuple[Ints, Ints, Ints]:
        heads, levels, money = self.size.tolist(), [1] * self.groups, self.money.tolist()
        # groups are numbered against the edges: when an upline's turn comes, all below it is summed up
        for one, other in zip(above.tolist(), below.tolist(), strict=True):
            heads[one] += heads[other]
            money[one] += money[other]
            level = levels[other] + 1
            if level > levels[one]:
                levels[one] = level
        return np.array(levels, np.int64), np.array(heads, np.int64), np.array(money, np.int64)

    @cached_property
    def _matrix(self) -> csr_array:
        return graph(self.groups, self.above, self.below)

    def below_point(self, point: int, until: int | None = None) -> Count:
        """The downline of a person within one organisation. `until`: only what was recruited up to that day."""
        if until is not None:
            return self._until(point, until)
        group = int(self.group[point])
        if self.tree[group]:
            levels, heads, money = self.sums
            return Count(int(levels[group]), int(heads[group]), int(money[group]))
        small = self._alone(group)
        if small is None and self.left < 0:
            return Count(1, 1, 0, exact=False)
        if small is None:
            small = _breadth(self._matrix, group)
            self.left -= len(small[0]) + self.groups
        reached, levels = small
        return Count(levels, int(self.size[reached].sum()), int(self.money[reached].sum()))

    def _alone(self, group: int) -> tuple[Ints, int] | None:
        """What is reached from a group and in how many levels; None when that is much."""
        seen = frontier = np.array([group], np.int64)
        for level in range(1, FLAT):
            first = np.searchsorted(self.above, frontier, "left")
            last = np.searchsorted(self.above, frontier, "right")
            if len(seen) + int((last - first).sum()) > SMALL:
                return None
            below = [self.below[a:b] for a, b in zip(first.tolist(), last.tolist(), strict=True) if a < b]
            frontier = np.setdiff1d(np.concatenate(below), seen) if below else below
            if not len(frontier):
                return seen, level
            seen = np.concatenate([seen, frontier])
        return None

    def persons_below(self, point: int, until: int | None = None) -> Ints:
        """The persons of a downline, its organiser included."""
        if until is not None:
            return self.points.person[self._reached_until(point, until)[0]]
        reached, _ = _breadth(self._matrix, int(self.group[point]))
        wanted = np.zeros(self.groups, np.bool_)
        wanted[reached] = True
        return self.points.person[wanted[self.group]]

    def _reached_until(self, point: int, until: int) -> tuple[Ints, Ints, Ints, Ints]:
        self.left -= len(self.up)
        kept = (self.day > 0) & (self.day <= until)
        up, down, paid = self.up[kept], self.down[kept], self.paid[kept]
        reached, _ = _breadth(graph(self.points.count, up, down), point)
        return reached, up, down, paid

    def _until(self, point: int, until: int) -> Count:
        if self.left < 0:
            return Count(1, 1, 0, exact=False)
        reached, up, down, paid = self._reached_until(point, until)
        inside = np.zeros(self.points.count, np.bool_)
        inside[reached] = True
        kept = inside[up]
        groups, group = components(self.points.count, up[kept], down[kept], strong=True)
        above, below = group[up[kept]], group[down[kept]]
        between = above != below
        _, levels = _breadth(graph(groups, above[between], below[between]), int(group[point]))
        return Count(levels, len(reached), int(paid[kept].sum()))

    @cached_property
    def of_net(self) -> tuple[Ints, Ints, Ints]:
        """Levels, heads and fen of every organisation: all persons in it that an edge carries."""
        nets = int(self.points.net.max(initial=0)) + 1
        heads = np.bincount(self.points.net[self.connected], minlength=nets)
        money = np.bincount(self.points.net[self.up], self.paid, minlength=nets).astype(np.int64)
        depth = np.zeros(nets, np.int64)
        net_of_group = np.zeros(self.groups, np.int64)
        net_of_group[self.group] = self.points.net
        for top, level in zip(*self._shown(), strict=True):
            np.maximum.at(depth, net_of_group[top], level)
        return depth, heads, money

    def _shown(self) -> tuple[list[Ints], list[Ints]]:
        """Groups and, for each, a level it shows its organisation to have."""
        simple = np.flatnonzero(self.tops & self.tree)
        found, levels = [simple], [self.sums[0][simple]]
        rest = ~self.tree
        if rest.any():
            tops = np.flatnonzero(self.tops & rest)
            edges = ~self.tree[self.above]
            start = self.groups
            matrix = graph(
                self.groups + 1,
                np.concatenate([self.above[edges], np.full(len(tops), start)]),
                np.concatenate([self.below[edges], tops]),
            )
            order, depths = _depth(matrix, start)
            found.append(order[1:])
            levels.append(depths[1:])
        return found, levels


MOST_STEPS = 2_000
"""Levels that are summed up level by level; deeper trees are gone through edge by edge."""


def _depths(parent: Ints, below: Ints) -> Ints | None:
    """How far each group stands below its top, by doubling; None when a tree is deeper than `MOST_STEPS`. `below`: the
    groups that have a parent.
    """
    depth, above = np.zeros(len(parent), np.int64), parent[below]
    depth[below] = 1
    parent = parent.copy()
    while len(below):
        more = depth[above]
        if not more.any():
            break
        further = depth[below] + more
        if int(further.max()) > MOST_STEPS:
            return None
        above = parent[above]
        depth[below], parent[below] = further, above
    return depth


def _breadth(matrix: csr_array, start: int) -> tuple[Ints, int]:
    """What is reached from a point, and in how many levels, the start's own included."""
    order, depth = _depth(matrix, start)
    return order, int(depth[-1]) + 1


def _depth(matrix: csr_array, start: int) -> tuple[Ints, Ints]:
    order, before = breadth_first_order(matrix, start, directed=True, return_predecessors=True)
    place = np.empty(matrix.shape[0], np.int64)
    place[order] = np.arange(len(order))
    # the parents stand in the order in which they were reached: a level ends with the last child of the level above
    parents = place[before[order[1:]]]
    ends = [0, 1]
    while ends[-1] < len(order) and len(ends) < MOST_STEPS:
        ends.append(1 + int(np.searchsorted(parents, ends[-1], "left")))
    if ends[-1] == len(order):
        return order.astype(np.int64), np.repeat(np.arange(len(ends) - 1), np.diff(ends))
    one_by_one = [0]
    for parent in parents.tolist():
        one_by_one.append(one_by_one[parent] + 1)
    return order.astype(np.int64), np.array(one_by_one, np.int64)


def added_up(counters_nets: Sequence[Count], together: int, levels_needed: int) -> Count:
    """Heads over several organisations: added (`together`, each person once) when one of them has the levels
    (2013 意见 一), else those of the largest.
    """
    levels = max(one.levels for one in counters_nets)
    added = len(counters_nets) > 1 and levels >= levels_needed
    return Count(
        levels,
        together if added else max(one.heads for one in counters_nets),
        sum(one.paid for one in counters_nets),
        all(one.exact for one in counters_nets),
    )
