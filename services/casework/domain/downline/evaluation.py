"""Every organiser candidate's levels and heads, what the law says of them, and how firm that is."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from services.casework.domain.downline.counting import Count, Counter, added_up
from services.casework.domain.downline.network import Ints, Network, Points, Standing, Strength
from services.casework.domain.downline.thresholds import (
    FILING,
    GRAVE,
    LEADER_PRIOR,
    Bounds,
    Verdict,
    has_prior,
    judge,
)

MOST_ORGANISERS = 200
"""Organisers told one by one; whoever has a standing of his own comes first, then the largest downlines."""
MOST_CYCLES = 50
MOST_IN_CYCLE = 50
UNPROVEN = Standing()


@dataclass(frozen=True, slots=True)
class Firmness:
    """The counts of one organiser by one strength of proof, and whether filing is reached by it."""

    strength: Strength
    own: Count
    whole: Count
    filing: bool
    grave: bool


@dataclass(frozen=True, slots=True)
class Organiser:
    """A candidate: the codes (member indices) of one person. `leads`: by a role, a prior record, or as the top only."""

    members: tuple[int, ...]
    roles: tuple[str, ...]
    prior: bool
    left: bool
    undated: int
    verdicts: tuple[Verdict, ...]
    firmness: tuple[Firmness, ...]

    @property
    def own(self) -> Count:
        return self.firmness[0].own

    @property
    def whole(self) -> Count:
        return self.firmness[0].whole

    def says(self, rule: str) -> bool:
        return any(one.reached for one in self.verdicts if one.rule == rule)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the facts of a case show. Members are indices; `cycles` lists the members of strongly connected parts."""

    day: int
    persons: int
    connected: int
    edges: int
    organisations: int
    levels: int
    same_person: int
    contested: int
    organisers: tuple[Organiser, ...]
    candidates: int
    cycles: tuple[tuple[int, ...], ...]
    cycles_total: int

    @property
    def reached(self) -> tuple[str, ...]:
        """The rules that hold for some organiser."""
        rules = (FILING, LEADER_PRIOR, GRAVE)
        return tuple(rule for rule in rules if any(one.says(rule) for one in self.organisers))


def evaluate(network: Network, bounds: Bounds, *, most: int = MOST_ORGANISERS) -> Evaluation:
    """Evaluate a network by the rules of a day. Deterministic; linear in the edges but for nets that are no trees."""
    points = network.points
    counters = _counters(points)
    whole = counters[Strength.ALL]
    standing = _standings(network)
    candidates = _candidates(network, points, whole, standing)
    organisers = [
        _organiser(network, points, counters, person, standing.get(person, UNPROVEN), bounds)
        for person in candidates[:most]
    ]
    rank = {rule: weight for weight, rule in enumerate((LEADER_PRIOR, FILING, GRAVE), start=1)}
    organisers.sort(
        key=lambda one: (
            -sum(rank[v.rule] ** 2 for v in one.verdicts if v.reached), not one.roles, -one.own.heads, -one.own.levels,
            one.members,
        )
    )  # fmt: skip
    cycles, total = _cycles(points, whole)
    levels = whole.of_net[0]
    return Evaluation(
        day=bounds.day.toordinal(),
        persons=int(points.person.max(initial=-1)) + 1,
        connected=int(np.count_nonzero(np.bincount(points.person[whole.connected]))),
        edges=len(whole.up),
        organisations=int((levels > 0).sum()),
        levels=int(levels.max(initial=0)),
        same_person=points.same_person,
        contested=int((points.contested & (points.kinds != 0)).sum()),
        organisers=tuple(organisers),
        candidates=len(candidates),
        cycles=cycles,
        cycles_total=total,
    )


def _counters(points: Points) -> dict[Strength, Counter]:
    """One counter a strength; strengths that choose the same edges share it."""
    known: dict[bytes, Counter] = {}
    made: dict[Strength, Counter] = {}
    for strength in Strength:
        chosen = np.packbits(points.chosen(strength)).tobytes()
        # cycles are taken out of the undisputed edges only
        key = chosen + (b"u" if strength is Strength.UNDISPUTED else b"")
        all_of_them = made.get(Strength.ALL)
        if strength is Strength.UNDISPUTED and all_of_them and all_of_them.groups == points.count:
            key = chosen
        if key not in known:
            known[key] = Counter(points, strength, all_of_them)
        made[strength] = known[key]
    return made


def _standings(network: Network) -> dict[int, Standing]:
    points = network.points
    found: dict[int, Standing] = {}
    for member in sorted(network.standing):
        person = int(points.person[points.of_member[member]])
        own = network.standing[member]
        found[person] = found[person].joined(own) if person in found else own
    return found


def _candidates(network: Network, points: Points, counter: Counter, standing: dict[int, Standing]) -> list[int]:
    """Persons to judge: those with a standing, then the tops, each by the size of its piece of the network."""
    tops = np.flatnonzero(counter.tops[counter.group])
    size = np.where(counter.tree, counter.sums[1], np.int64(1) << 40)[counter.group[tops]]
    ordered = points.person[tops[np.lexsort((tops, -size))]]
    _, first = np.unique(ordered, return_index=True)
    ranked = ordered[np.sort(first)].tolist()
    marked = set(standing)
    return sorted(standing) + [person for person in ranked if person not in marked]


def _organiser(
    network: Network, points: Points, counters: dict[Strength, Counter], person: int, standing: Standing, bounds: Bounds
) -> Organiser:
    own_points = points.of_person(person)
    until = standing.left_on.toordinal() if standing.left_on and not standing.still_paid else None
    days = np.concatenate([points.day[edges][points.kinds[edges] != 0] for edges in map(points.recruits, own_points)])
    after = standing.penalised_on.toordinal() if standing.penalised_on else 0
    prior = has_prior(standing, bounds, tuple(int(day) for day in np.unique(days[days > after])))
    firmness, verdicts = [], None
    known: dict[int, tuple[Count, Count, tuple[Verdict, ...]]] = {}
    for strength, counter in counters.items():
        found = known.get(id(counter))
        if found is None:
            own = _own(counter, own_points, until, bounds.levels)
            whole = _whole(counter, own_points, own, bounds.levels, until)
            found = known[id(counter)] = (own, whole, judge(own, whole, standing, prior, bounds))
        own, whole, said = found
        verdicts = verdicts or said
        reached = {one.rule: one.reached for one in said}
        firmness.append(Firmness(strength, own, whole, reached[FILING], reached[GRAVE]))
    assert verdicts is not None
    return Organiser(
        members=tuple(sorted(int(member) for point in own_points for member in points.members_of(point))),
        roles=tuple(sorted(standing.roles)),
        prior=prior,
        left=standing.left_on is not None,
        undated=int((days == 0).sum()) if until is not None else 0,
        verdicts=verdicts,
        firmness=tuple(firmness),
    )


def _own(counter: Counter, own_points: Ints, until: int | None, levels_needed: int) -> Count:
    """The own downline, over all organisations of the person."""
    counts = [counter.below_point(int(point), until) for point in own_points]
    together = 0
    if len(counts) > 1 and max(one.levels for one in counts) >= levels_needed:
        together = len(np.unique(np.concatenate([counter.persons_below(int(point), until) for point in own_points])))
    return added_up(counts, together, levels_needed)


def _whole(counter: Counter, own_points: Ints, own: Count, levels_needed: int, until: int | None) -> Count:
    """All of the organisations that the person stands in. Of one who left without pay, only the own downline."""
    if until is not None:
        return own
    points = counter.points
    levels, heads, paid = counter.of_net
    nets = np.unique(points.net[own_points])
    counts = [Count(max(int(levels[n]), 1), max(int(heads[n]), 1), int(paid[n])) for n in nets]
    together = 0
    if len(nets) > 1:
        together = len(np.unique(points.person[np.isin(points.net, nets) & counter.connected]))
    counted = added_up(counts, together, levels_needed)
    return replace(counted, heads=max(counted.heads, 1))


def _cycles(points: Points, counter: Counter) -> tuple[tuple[tuple[int, ...], ...], int]:
    """Strongly connected parts of two persons or more, the largest first, each as members."""
    groups = np.flatnonzero(counter.size > 1)
    shown = groups[np.lexsort((groups, -counter.size[groups]))][:MOST_CYCLES]
    members: dict[int, list[Any]] = defaultdict(list)
    if len(shown):
        of_member = counter.group[points.of_member]
        for member in np.flatnonzero(np.isin(of_member, shown)).tolist():
            inside = members[int(of_member[member])]
            if len(inside) < MOST_IN_CYCLE:
                inside.append(member)
    return tuple(sorted((tuple(members[int(g)]) for g in shown), key=lambda one: (-len(one), one))), len(groups)
