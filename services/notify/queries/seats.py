"""Posts with those who hold them, their deputies, leave and contacts, as the office and heads of agencies see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, false, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.domain.roster import Leave, Officer, Roster, Seat
from services.notify.queries.directory import display_name
from services.notify.tables import accounts, contacts, leaves, seats
from shared.kit.access import Caller
from shared.kit.crypto import KeyRing, UnreadableSecretError
from shared.kit.problem import NotFound

RIGHT = "post.manage"
a, s, lv = accounts.c, seats.c, leaves.c


def reached(caller: Caller, table: Any) -> ColumnElement[bool]:
    """Accounts or seats that a caller may arrange."""
    reach = caller.reach(RIGHT)
    if reach is None:
        return false()
    if reach == "all":
        return true()
    within = table.plan == caller.plan
    return within if reach == "plan" else within & (table.agency == caller.agency)


@dataclass(frozen=True, slots=True)
class Holder:
    """An officer as the list shows them; `instead` stands in while `leave` lasts."""

    id: UUID
    display: str
    agency: str
    unit: str | None
    posts: tuple[str, ...]
    leave: Any | None
    instead: str | None


@dataclass(frozen=True, slots=True)
class SeatLine:
    """One post in an agency or unit."""

    agency: str
    unit: str | None
    post: str
    holders: tuple[Holder, ...]
    deputy_id: UUID | None
    deputy: str | None
    version: int
    manned: bool


async def officers(conn: AsyncConnection, caller: Caller) -> list[Any]:
    """The active accounts within reach, by agency, unit and login."""
    shown = select(accounts).where(a.active, reached(caller, a)).order_by(a.agency, func.coalesce(a.unit, ""), a.login)
    return list((await conn.execute(shown)).all())


async def lines(conn: AsyncConnection, keys: KeyRing, caller: Caller, day: date) -> list[SeatLine]:
    """Every seat somebody holds or has a deputy for, in the order of agencies."""
    people = await officers(conn, caller)
    held = (await conn.execute(select(seats).where(reached(caller, s)))).all()
    away = (
        await conn.execute(
            select(leaves)
            .where(lv.cancelled_at.is_(None), lv.last_day >= day, lv.account_id == func.any([p.id for p in people]))
            .order_by(lv.first_day, lv.id)
        )
    ).all()
    deputies = {row.deputy_id for row in (*held, *away) if row.deputy_id} - {p.id for p in people}
    others = (await conn.execute(select(accounts).where(a.id == func.any(list(deputies))))).all() if deputies else []
    names = {row.id: display_name(keys, row) for row in (*people, *others)}
    roster = Roster(
        [Officer(p.id, p.plan, p.agency, p.unit, tuple(p.posts)) for p in (*people, *(o for o in others if o.active))],
        [Seat(row.plan, row.agency, row.unit, row.post, row.deputy_id) for row in held],
        [Leave(row.account_id, row.deputy_id, row.first_day, row.last_day) for row in away],
        day,
    )
    places: dict[tuple[str, str | None, str], None] = {}
    for person in people:
        places.update(dict.fromkeys((person.agency, person.unit, post) for post in person.posts))
    places.update(dict.fromkeys((row.agency, row.unit, row.post) for row in held))
    by_seat = {(row.agency, row.unit, row.post): row for row in held}
    plan = caller.plan or ""
    result = []
    for agency, unit, post in sorted(places, key=lambda one: (one[0], one[1] or "", one[2])):
        row = by_seat.get((agency, unit, post))
        there = []
        for person in people:
            if (person.agency, person.unit) == (agency, unit) and post in person.posts:
                officer = Officer(person.id, person.plan, person.agency, person.unit, tuple(person.posts))
                leave = roster.away(person.id)
                instead = roster.stands_in(officer, post) if leave else None
                ahead = leave or next((one for one in roster.leaves if one.account == person.id), None)
                there.append(
                    Holder(person.id, names[person.id], agency, unit, tuple(person.posts), ahead, names.get(instead) if instead else None)
                )  # fmt: skip
        result.append(
            SeatLine(
                agency, unit, post, tuple(there), row.deputy_id if row else None,
                names.get(row.deputy_id) if row and row.deputy_id else None, row.version if row else 0,
                roster.manned(plan, agency, post) if there else False,
            )
        )  # fmt: skip
    return result


async def officer(conn: AsyncConnection, caller: Caller, account_id: UUID) -> Any:
    """An active account within reach; NotFound otherwise."""
    row = (await conn.execute(select(accounts).where(a.id == account_id, a.active, reached(caller, a)))).one_or_none()
    if row is None:
        raise NotFound("没有这位工作人员，或不归您管理。 No such officer, or not yours to manage.")
    return row


async def leaves_of(conn: AsyncConnection, account_id: UUID, day: date) -> Sequence[Any]:
    """The leave of an officer that is not over, the next first."""
    shown = (
        select(leaves)
        .where(lv.account_id == account_id, lv.cancelled_at.is_(None), lv.last_day >= day)
        .order_by(lv.first_day, lv.id)
    )
    return (await conn.execute(shown)).all()


@dataclass(frozen=True, slots=True)
class Contact:
    """A way to reach an officer, opened."""

    kind: str
    address: str
    version: int


async def contacts_of(conn: AsyncConnection, keys: KeyRing, account_id: UUID) -> dict[str, Contact]:
    """How an officer is reached, by kind; one that was taken off the list has no address."""
    rows = (await conn.execute(select(contacts).where(contacts.c.account_id == account_id))).all()
    found = {}
    for row in rows:
        try:
            address = keys.open("contact", row.id.bytes, row.address).decode() if row.address else ""
        except UnreadableSecretError:
            address = ""
        found[row.kind] = Contact(row.kind, address, row.version)
    return found
