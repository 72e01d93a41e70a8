"""A case's recruitment network as arrays, and the points and edges that are counted.

A member is a code within the case (编号、账号、昵称). Codes of one person are one point within one organisation: heads
are persons, not codes. What hangs together by recruitment or by a common organisation code is one organisation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from services.casework.domain.downline.kinds import mask_of

_STATEMENT = np.uint8(mask_of(("statement",)))

Ints = NDArray[np.int64]


class Strength(StrEnum):
    """Which edges are counted: all that a fact carries; none that facts dispute; by kinds of proof."""

    ALL = "all"
    UNDISPUTED = "undisputed"
    TWO_KINDS = "two_kinds"
    RECORDS = "records"
    STATEMENTS = "statements"


@dataclass(frozen=True, slots=True)
class Standing:
    """What is recorded of a member beyond recruiting; money in fen.

    `left_on` with `still_paid`: left in form but still drawing pay, so that the later downline counts (2013 意见).
    `grave`: `consequence` (insanity, suicide) or `other` grave circumstances.
    """

    roles: frozenset[str] = frozenset()
    convicted: bool = False
    penalised_on: date | None = None
    left_on: date | None = None
    still_paid: bool = False
    collected: int = 0
    grave: frozenset[str] = frozenset()

    def joined(self, other: Standing) -> Standing:
        """The standing of one person under two codes; the later leaving counts, and none when one code has not left."""
        stays = self.left_on is None or other.left_on is None
        return Standing(
            self.roles | other.roles,
            self.convicted or other.convicted,
            max((day for day in (self.penalised_on, other.penalised_on) if day), default=None),
            None if stays else max(self.left_on, other.left_on),  # type: ignore[type-var]
            self.still_paid or other.still_paid,
            self.collected + other.collected,
            self.grave | other.grave,
        )


@dataclass(frozen=True)
class Network:
    """Members 0 … `members`-1 and edges between them.

    `person`: equal values are one person. `organisation`: a code, 0 for none. `kinds`: mask of the facts that carry an
    edge, 0 for none. `denied`: a fact contradicts it. `day`: ordinal of its first dated fact, 0 unknown. `paid`: fen
    that the recruit paid. No edge leads from a member to itself.
    """

    members: int
    person: Ints
    organisation: Ints
    upline: Ints
    downline: Ints
    kinds: NDArray[np.uint8]
    denied: NDArray[np.bool_]
    day: Ints
    paid: Ints
    standing: Mapping[int, Standing] = field(default_factory=dict)

    @cached_property
    def points(self) -> Points:
        """The points and edges that counting works on."""
        return _points(self)


@dataclass(frozen=True)
class Points:
    """Persons within organisations, and merged edges between them, sorted by (`up`, `down`).

    `of_member` gives each member's point; `net` the organisation and `person` the person of a point. `contested`:
    an edge that a fact denies, or whose recruit has another upline too.
    """

    count: int
    of_member: Ints
    net: Ints
    person: Ints
    up: Ints
    down: Ints
    kinds: NDArray[np.uint8]
    denied: NDArray[np.bool_]
    contested: NDArray[np.bool_]
    day: Ints
    paid: Ints
    same_person: int
    """Edges between two codes of one person: they recruit nobody."""

    @cached_property
    def _by_person(self) -> tuple[Ints, Ints]:
        order = ordered(self.person)
        return order, self.person[order]

    @cached_property
    def _by_point(self) -> tuple[Ints, Ints]:
        order = ordered(self.of_member)
        return order, self.of_member[order]

    def of_person(self, person: int) -> Ints:
        """The points of a person, one an organisation."""
        order, values = self._by_person
        return order[np.searchsorted(values, person, "left") : np.searchsorted(values, person, "right")]

    def members_of(self, point: int) -> Ints:
        """The codes that are one point."""
        order, values = self._by_point
        return order[np.searchsorted(values, point, "left") : np.searchsorted(values, point, "right")]

    def recruits(self, point: int) -> slice:
        """The edges directly below a point."""
        return slice(*np.searchsorted(self.up, [point, point + 1]).tolist())

    def chosen(self, strength: Strength) -> NDArray[np.bool_]:
        """The edges that count by a strength of proof."""
        carried = self.kinds != 0
        if strength is Strength.UNDISPUTED:
            return carried & ~self.contested
        if strength is Strength.TWO_KINDS:
            return np.bitwise_count(self.kinds) >= 2
        if strength is Strength.RECORDS:
            return (self.kinds & ~_STATEMENT) != 0
        if strength is Strength.STATEMENTS:
            return (self.kinds & _STATEMENT) != 0
        return carried


def graph(count: int, up: Ints, down: Ints) -> csr_array:
    """A sparse matrix of edges, in the types in which scipy walks it without a copy."""
    edges = coo_array((np.ones(len(up)), (up.astype(np.int32), down.astype(np.int32))), shape=(count, count))
    # walks look at no value: an edge that stands there twice does no harm and is not searched for
    edges.has_canonical_format = True
    return edges.tocsr()


def components(count: int, up: Ints, down: Ints, *, strong: bool = False) -> tuple[int, Ints]:
    """How many components there are, and each point's. Strong ones are numbered against the direction of the edges:
    an edge between two of them leads from the higher to the lower number.
    """
    kind = "strong" if strong else "weak"
    number, labels = connected_components(graph(count, up, down), directed=True, connection=kind)
    return int(number), labels.astype(np.int64)


def ordered(values: Ints) -> Ints:
    """The places of non-negative numbers in their order, equal ones as they stand: `argsort`, stable.

    Number and place fit into one word unless the numbers are huge, and words are sorted several times as fast.
    """
    places = max(len(values) - 1, 0).bit_length()
    if int(values.max(initial=0)).bit_length() + places > 63:
        return np.argsort(values, kind="stable")
    return np.sort((values << places) | np.arange(len(values))) & ((1 << places) - 1)


def _links(*groups: Ints) -> tuple[Ints, Ints]:
    """Edges that tie together the members whose values agree in all groups."""
    order = np.lexsort(groups)
    same = np.ones(max(len(order) - 1, 0), np.bool_)
    for group in groups:
        same &= group[order][1:] == group[order][:-1]
    return order[:-1][same], order[1:][same]


def _points(net: Network) -> Points:
    _, person = np.unique(net.person, return_inverse=True)
    shared = np.flatnonzero(np.bincount(person)[person] > 1) if net.members else person
    one, other = _links(person[shared], net.organisation[shared])
    coded = np.flatnonzero(net.organisation != 0)
    left, right = _links(net.organisation[coded])
    carried = net.kinds != 0
    _, nets = components(
        net.members,
        np.concatenate([net.upline[carried], shared[one], coded[left]]),
        np.concatenate([net.downline[carried], shared[other], coded[right]]),
    )
    wide = int(person.max(initial=0)) + 1
    keys, of_member = np.unique(nets * wide + person, return_inverse=True)
    up, down = of_member[net.upline], of_member[net.downline]
    loops = up == down
    keep = ~loops
    pair = up[keep] * np.int64(len(keys)) + down[keep]
    order = ordered(pair)
    pair = pair[order]
    starts = np.flatnonzero(np.concatenate([[True], pair[1:] != pair[:-1]])) if len(pair) else np.zeros(0, np.int64)
    far = np.where(net.day > 0, net.day, np.iinfo(np.int64).max)[keep][order]

    def merged(values: NDArray, how: np.ufunc) -> NDArray:
        return how.reduceat(values[keep][order], starts) if len(starts) else values[:0]

    up, down = pair[starts] // max(len(keys), 1), pair[starts] % max(len(keys), 1)
    day = np.minimum.reduceat(far, starts) if len(starts) else far
    kinds, denied = merged(net.kinds, np.bitwise_or), merged(net.denied, np.logical_or)
    uplines = np.bincount(down[kinds != 0], minlength=len(keys))
    return Points(
        count=len(keys),
        of_member=of_member,
        net=keys // wide,
        person=keys % wide,
        up=up,
        down=down,
        kinds=kinds,
        denied=denied,
        contested=denied | (uplines[down] > 1),
        day=np.where(day == np.iinfo(np.int64).max, 0, day),
        paid=merged(net.paid, np.add),
        same_person=int(loops.sum()),
    )
