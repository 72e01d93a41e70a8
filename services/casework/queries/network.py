"""The network (关系网) of persons, places, landlords, phones and organisations around one of them, within reach."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.adapters import people
from services.casework.queries.visibility import within_reach
from services.casework.tables import case_persons, cases, dens, links, organisations, person_phones, persons, places
from shared.kit.access import Caller
from shared.kit.crypto import KeyRing

MOST = 200
"""Nodes of one picture."""

Node = tuple[str, Any]
"""Type and id: a person's, place's or organisation's UUID, a phone's token."""


@dataclass
class Network:
    """Nodes with their distance from the start, and what binds them: (from, to, kind, stated)."""

    depth: dict[Node, int] = field(default_factory=dict)
    edges: dict[tuple[Node, Node, str], bool] = field(default_factory=dict)
    roles: dict[UUID, str] = field(default_factory=dict)
    cut: bool = False

    def add(self, source: Node, target: Node, kind: str, *, stated: bool = False) -> None:
        """An edge to a node that is new, known, or one too many."""
        if source == target:
            return
        for one, other in ((source, target), (target, source)):
            if one not in self.depth:
                if len(self.depth) >= MOST:
                    self.cut = True
                    return
                self.depth[one] = self.depth[other] + 1
        self.edges.setdefault((source, target, kind), stated)

    def at(self, depth: int, what: str) -> list[Any]:
        """The ids of one type at a distance."""
        return [one for (kind, one), far in self.depth.items() if kind == what and far == depth]


async def around(
    conn: AsyncConnection, caller: Caller, start: Node, depth: int
) -> Network | None:
    """The network up to `depth` steps (3 at most) from a person or place within reach; None when it is not.

    Each step is a fixed number of statements. Persons are who they are now, however many records they have.
    """
    what, one = start
    if what == "person":
        subject = await conn.scalar(select(persons.c.subject_id).where(persons.c.id == one))
        start = ("person", subject)
        query = _parts(caller).where(persons.c.subject_id == subject)
    else:
        query = (
            select(dens.c.id)
            .join(cases, cases.c.id == dens.c.case_id)
            .where(dens.c.place_id == one, within_reach(caller, "place.read"))
        )
    if (await conn.execute(query.limit(1))).first() is None:
        return None
    net = Network({start: 0})
    for far in range(min(depth, 3)):
        await _persons(conn, caller, net, net.at(far, "person"))
        await _places(conn, caller, net, net.at(far, "place"))
        await _phones(conn, caller, net, net.at(far, "phone"))
        await _stated(conn, caller, net, far)
    return net


def _parts(caller: Caller) -> Any:
    return (
        select(case_persons.c.person_id, case_persons.c.place_id, case_persons.c.role, persons.c.subject_id)
        .join(persons, persons.c.id == case_persons.c.person_id)
        .join(cases, cases.c.id == case_persons.c.case_id)
        .where(within_reach(caller, "person.read"))
        .order_by(case_persons.c.found_at)
    )


async def _persons(conn: AsyncConnection, caller: Caller, net: Network, subjects: list[UUID]) -> None:
    if not subjects:
        return
    for row in await conn.execute(_parts(caller).where(persons.c.subject_id.in_(subjects)).limit(MOST * 5)):
        net.roles[row.subject_id] = row.role
        if row.place_id is not None:
            net.add(("person", row.subject_id), ("place", row.place_id), "found_at")
    owned = (
        select(places.c.id, persons.c.subject_id)
        .join(persons, persons.c.id == places.c.landlord_id)
        .where(persons.c.subject_id.in_(subjects), _place_seen(caller))
        .limit(MOST)
    )
    for row in await conn.execute(owned):
        net.add(("person", row.subject_id), ("place", row.id), "landlord")
    phones = (
        select(person_phones.c.token, persons.c.subject_id)
        .join(persons, persons.c.id == person_phones.c.person_id)
        .where(persons.c.subject_id.in_(subjects))
        .limit(MOST)
    )
    for row in await conn.execute(phones):
        net.add(("person", row.subject_id), ("phone", bytes(row.token)), "phone")


def _place_seen(caller: Caller) -> Any:
    return (
        select(dens.c.id)
        .join(cases, cases.c.id == dens.c.case_id)
        .where(dens.c.place_id == places.c.id, within_reach(caller, "place.read"))
        .exists()
    )


async def _places(conn: AsyncConnection, caller: Caller, net: Network, found: list[UUID]) -> None:
    if not found:
        return
    for row in await conn.execute(_parts(caller).where(case_persons.c.place_id.in_(found)).limit(MOST * 5)):
        net.roles.setdefault(row.subject_id, row.role)
        net.add(("place", row.place_id), ("person", row.subject_id), "found_at")
    landlords = (
        select(places.c.id, persons.c.subject_id)
        .join(persons, persons.c.id == places.c.landlord_id)
        .where(places.c.id.in_(found))
    )
    for row in await conn.execute(landlords):
        net.add(("place", row.id), ("person", row.subject_id), "landlord")


async def _phones(conn: AsyncConnection, caller: Caller, net: Network, tokens: list[bytes]) -> None:
    if not tokens:
        return
    query = (
        _parts(caller)
        .add_columns(person_phones.c.token)
        .join(person_phones, person_phones.c.person_id == persons.c.id)
        .where(person_phones.c.token.in_(tokens))
        .limit(MOST * 5)
    )
    for row in await conn.execute(query):
        net.roles.setdefault(row.subject_id, row.role)
        net.add(("phone", bytes(row.token)), ("person", row.subject_id), "phone")


async def _stated(conn: AsyncConnection, caller: Caller, net: Network, far: int) -> None:
    subjects = net.at(far, "person")
    members: dict[UUID, UUID] = {}
    if subjects:
        rows = await conn.execute(select(persons.c.id, persons.c.subject_id).where(persons.c.subject_id.in_(subjects)))
        members = {row.id: row.subject_id for row in rows}
    ends = [*members, *net.at(far, "place"), *net.at(far, "organisation")]
    if not ends:
        return
    rows = (
        await conn.execute(
            select(links)
            .join(cases, cases.c.id == links.c.case_id)
            .where(
                or_(links.c.from_id.in_(ends), links.c.to_id.in_(ends)),
                links.c.removed_at.is_(None),
                within_reach(caller, "person.read"),
            )
            .limit(MOST * 2)
        )
    ).all()
    others = {one for row in rows for one in (row.from_id, row.to_id)} - set(members)
    found = await conn.execute(select(persons.c.id, persons.c.subject_id).where(persons.c.id.in_(others)))
    members |= {row.id: row.subject_id for row in found}
    for row in rows:
        source = (row.from_type, members.get(row.from_id, row.from_id))
        target = (row.to_type, members.get(row.to_id, row.to_id))
        if source in net.depth or target in net.depth:
            net.add(source, target, row.kind, stated=True)


async def shown(conn: AsyncConnection, caller: Caller, keys: KeyRing, net: Network, base: str) -> dict[str, Any]:
    """The network as it is answered: names only of what is within reach, phones by their last four digits.

    A phone that only one person has says nothing and is left out.
    """
    subjects = [one for what, one in net.depth if what == "person"]
    reachable = {
        row.subject_id for row in await conn.execute(_parts(caller).where(persons.c.subject_id.in_(subjects)))
    }
    labels: dict[Node, str] = {}
    ends: dict[bytes, str] = {}
    for row in await conn.execute(select(persons).where(persons.c.subject_id.in_(reachable))):
        details = people.opened(keys, row.id, row.details)
        if row.id == row.subject_id:
            labels["person", row.id] = details["name"]
        for number in details["phones"]:
            ends[people.phone_token(keys, number)] = number[-4:]
    again: set[Node] = set()
    wanted = [one for what, one in net.depth if what == "place"]
    for row in await conn.execute(select(places).where(places.c.id.in_(wanted), _place_seen(caller))):
        labels["place", row.id] = people.opened(keys, row.id, row.details)["address"]
        if row.again:
            again.add(("place", row.id))
    wanted = [one for what, one in net.depth if what == "organisation"]
    for row in await conn.execute(select(organisations).where(organisations.c.id.in_(wanted))):
        labels["organisation", row.id] = row.name
    lonely = _lonely(net)
    nodes = [
        {
            "id": _id(node), "type": node[0], "depth": far, "again": node in again,
            "label": f"…{ends.get(node[1], '')}" if node[0] == "phone" else labels.get(node, "—"),
            "role": net.roles.get(node[1]) if node[0] == "person" else None,
            "page": f"{base}/{node[0]}s/{node[1]}" if node in labels and node[0] in ("person", "place") else None,
        }
        for node, far in net.depth.items()
        if node not in lonely
    ]  # fmt: skip
    edges = [
        {"source": _id(source), "target": _id(target), "kind": kind, "stated": stated}
        for (source, target, kind), stated in _once(net.edges).items()
        if source not in lonely and target not in lonely
    ]
    return {"nodes": nodes, "edges": edges, "cut": net.cut, "persons": subjects}


def _lonely(net: Network) -> set[Node]:
    met: dict[Node, set[Node]] = {}
    for source, target, _ in net.edges:
        met.setdefault(source, set()).add(target)
        met.setdefault(target, set()).add(source)
    return {node for node in net.depth if node[0] == "phone" and len(met.get(node, ())) < 2}


def _once(edges: dict[tuple[Node, Node, str], bool]) -> dict[tuple[Node, Node, str], bool]:
    """What follows from the record is found from either end: each is kept once; a stated one has its direction."""
    kept: dict[tuple[Node, Node, str], bool] = {}
    for (source, target, kind), stated in edges.items():
        if (target, source, kind) not in kept:
            kept[source, target, kind] = stated
    return kept


def _id(node: Node) -> str:
    what, one = node
    return f"{what}:{one[:8].hex() if isinstance(one, bytes) else one}"


def types(nodes: Iterable[dict[str, Any]]) -> list[str]:
    """The types that a picture shows, in one order."""
    present = {node["type"] for node in nodes}
    return [one for one in ("person", "place", "phone", "organisation") if one in present]





async def stated_in(conn: AsyncConnection, case_id: UUID) -> Sequence[Any]:
    """The relations stated in a case and not taken back, newest first, with the organisation's name where there is one."""
    c, o = links.c, organisations.c
    query = (
        select(links, o.name.label("organisation"))
        .outerjoin(organisations, o.id == c.to_id)
        .where(c.case_id == case_id, c.removed_at.is_(None))
        .order_by(c.id.desc())
        .limit(200)
    )
    return (await conn.execute(query)).all()
