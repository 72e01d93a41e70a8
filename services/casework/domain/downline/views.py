"""What people look at: the way from an organiser to a counted member, and the network cut to its top."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse.csgraph import breadth_first_order

from services.casework.domain.downline.network import Network, Strength, graph

MOST_DRAWN = 300
"""Points drawn; what hangs below them is told as a number."""


@dataclass(frozen=True, slots=True)
class Step:
    """One recruitment on the way: the edges between codes that carry it."""

    edges: tuple[tuple[int, int], ...]


def way(network: Network, organiser: int, member: int) -> tuple[Step, ...] | None:
    """The shortest way from an organiser down to a member; empty when they are one point, None when there is none."""
    points = network.points
    chosen = points.chosen(Strength.ALL)
    up, down = points.up[chosen], points.down[chosen]
    start, end = int(points.of_member[organiser]), int(points.of_member[member])
    if start == end:
        return ()
    order, before = breadth_first_order(graph(points.count, up, down), start)
    if end not in set(order.tolist()):
        return None
    steps = []
    one, other = points.of_member[network.upline], points.of_member[network.downline]
    while end != start:
        above = int(before[end])
        found = np.flatnonzero((one == above) & (other == end) & (network.kinds != 0))
        steps.append(Step(tuple((int(network.upline[i]), int(network.downline[i])) for i in found[:20])))
        end = above
    return tuple(reversed(steps))


def picture(network: Network, root: int | None = None, most: int = MOST_DRAWN) -> dict[str, Any]:
    """The network as a tree of points, level by level until `most`: member, heads below, children, and how many of
    these are not drawn. Every person hangs under the upline by which the shortest way leads to it.
    """
    points = network.points
    chosen = points.chosen(Strength.ALL)
    up, down = points.up[chosen], points.down[chosen]
    first_member = np.full(points.count, network.members, np.int64)
    np.minimum.at(first_member, points.of_member, np.arange(network.members))
    start = points.count
    if root is not None:
        tops = points.of_member[[root]]
    else:
        recruited = np.zeros(points.count, np.bool_)
        recruited[down] = True
        recruits = np.zeros(points.count, np.bool_)
        recruits[up] = True
        tops = np.flatnonzero(recruits & ~recruited)
        reached = breadth_first_order(
            graph(start + 1, np.concatenate([up, np.full(len(tops), start)]), np.concatenate([down, tops])), start,
            return_predecessors=False,
        )  # fmt: skip
        missed = recruits.copy()
        missed[reached[reached < start]] = False
        # what only cycles lead to: its first member stands for the top
        left = np.flatnonzero(missed)
        tops = np.concatenate([tops, left[:1]]) if len(left) else tops
    matrix = graph(start + 1, np.concatenate([up, np.full(len(tops), start)]), np.concatenate([down, tops]))
    order, before = breadth_first_order(matrix, start)
    heads = [1] * (start + 1)
    parents = before.tolist()
    sequence = order.tolist()
    for point in reversed(sequence[1:]):
        heads[parents[point]] += heads[point]
    drawn: dict[int, dict[str, Any]] = {start: {"children": [], "more": 0}}
    by_size = sorted(sequence[1 : 1 + len(tops)], key=lambda p: (-heads[p], p))
    for point in by_size + sequence[1 + len(tops) :]:
        parent = drawn.get(parents[point])
        if parent is None:
            continue
        if len(drawn) > most:
            parent["more"] += 1
            continue
        drawn[point] = {"member": int(first_member[point]), "heads": heads[point], "children": [], "more": 0}
        parent["children"].append(drawn[point])
    return {"roots": drawn[start]["children"], "more": drawn[start]["more"], "persons": heads[start] - 1}
