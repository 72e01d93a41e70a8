"""Accounts and clients as their managers see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import and_, case, func, literal, not_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.domain.lockout import is_locked
from services.notify.queries.roster import account_id
from services.notify.schemas import AccountOut, SystemOut
from services.notify.tables import accounts, systems
from shared.kit import pagination
from shared.kit.access import Caller
from shared.kit.crypto import KeyRing, UnreadableSecretError
from shared.kit.problem import NotFound


async def list_rows(
    conn: AsyncConnection, caller: Caller, table: Any, name: Any, cursor: str | None, limit: int
) -> tuple[list[Any], str | None]:
    """A page of accounts or clients within the caller's reach, by name."""
    shown = select(table).order_by(name).limit(limit + 1)
    if caller.reach("directory.manage") != "all":
        shown = shown.where(table.c.plan == caller.plan)
    after = pagination.decode(cursor, [str])
    if after:
        shown = shown.where(name > after[0])
    rows, following = pagination.page((await conn.execute(shown)).all(), limit, lambda row: [getattr(row, name.name)])
    return list(rows), following


async def one(conn: AsyncConnection, caller: Caller, table: Any, key: UUID) -> Any:
    """One account or client within the caller's reach; NotFound otherwise."""
    shown = select(table).where(table.c.id == key)
    if caller.reach("directory.manage") != "all":
        shown = shown.where(table.c.plan == caller.plan)
    row = (await conn.execute(shown)).one_or_none()
    if row is None:
        raise NotFound("没有这个账号或系统，或不归您管理。 No such account or system, or not yours to manage.")
    return row


async def waiting(conn: AsyncConnection, keys: KeyRing, caller: Caller) -> list[tuple[Any, str | None]]:
    """Clients that wait for a second person within the caller's reach, with the name of who asked."""
    shown = select(systems).where(systems.c.asked_by.is_not(None), systems.c.active).order_by(systems.c.client_id).limit(200)
    if caller.reach("directory.approve") != "all":
        shown = shown.where(systems.c.plan == caller.plan)
    rows = (await conn.execute(shown)).all()
    names = await _names(conn, keys, [row.asked_by for row in rows])
    return [(row, names.get(row.asked_by)) for row in rows]


async def account_of(conn: AsyncConnection, caller: Caller) -> Any:
    """The caller's own account; NotFound for an agency's system, and for whoever has none here."""
    row = None
    mine = account_id(caller)
    if mine is not None:
        row = (await conn.execute(select(accounts).where(accounts.c.id == mine))).one_or_none()
    if row is None:
        raise NotFound("没有这个账号。 No such account.")
    return row


async def client(conn: AsyncConnection, client_id: str) -> Any:
    """The client of this id, or None."""
    return (await conn.execute(select(systems).where(systems.c.client_id == client_id))).one_or_none()


def display_name(keys: KeyRing, row: Any) -> str:
    """An account's name, opened."""
    try:
        return keys.open("contact", row.id.bytes, row.display_name).decode()
    except UnreadableSecretError:
        return ""


def account_out(keys: KeyRing, row: Any, initial_password: str | None = None) -> AccountOut:
    """An account as its manager sees it."""
    return AccountOut(
        id=row.id, login=row.login, display=display_name(keys, row), plan=row.plan, agency=row.agency, unit=row.unit,
        posts=row.posts, areas=row.areas, active=row.active, locked_until=row.locked_until,
        totp=row.totp_secret is not None, oidc_subject=row.oidc_subject, demo=row.demo, version=row.version,
        initial_password=initial_password,
    )  # fmt: skip


def system_out(row: Any, secret: str | None = None) -> SystemOut:
    """A client as its manager sees it."""
    return SystemOut(
        id=row.id, client_id=row.client_id, plan=row.plan, agency=row.agency, scopes=row.scopes, active=row.active,
        waiting=row.asked_by is not None, demo=row.demo, version=row.version, client_secret=secret,
    )  # fmt: skip


State = Literal["locked", "must_change", "inactive", "active"]
NEEDS: tuple[State, ...] = ("locked", "must_change", "inactive")
"""What makes an account need its manager, the most pressing first."""

SEARCHED = 3000
"""Accounts a search looks through at most: names are sealed, so they are opened and compared one by one."""


def state_of(row: Any, now: datetime) -> State:
    """How an account stands: what it needs, or that it needs nothing."""
    if not row.active:
        return "inactive"
    if is_locked(row.locked_until, now):
        return "locked"
    return "must_change" if row.must_change else "active"


def _rank(now: datetime) -> Any:
    on, locked = accounts.c.active, func.coalesce(accounts.c.locked_until > now, False)
    return case((and_(on, locked), 0), (and_(on, accounts.c.must_change), 1), (not_(on), 2), else_=3)


def _within(caller: Caller) -> Any:
    return literal(True) if caller.reach("directory.manage") == "all" else accounts.c.plan == caller.plan


async def by_need(
    conn: AsyncConnection, caller: Caller, needs: State | None, cursor: str | None, limit: int, now: datetime
) -> tuple[list[Any], str | None]:
    """A page of accounts within reach, those that need something first; with `needs` only those of this state."""
    rank = _rank(now)
    shown = select(accounts, rank.label("rank")).where(_within(caller)).order_by(rank, accounts.c.login).limit(limit + 1)
    if needs in NEEDS:
        shown = shown.where(rank == NEEDS.index(needs))
    after = pagination.decode(cursor, [int, str])
    if after:
        shown = shown.where((rank > after[0]) | ((rank == after[0]) & (accounts.c.login > after[1])))
    rows, following = pagination.page((await conn.execute(shown)).all(), limit, lambda row: [row.rank, row.login])
    return list(rows), following


async def named(conn: AsyncConnection, keys: KeyRing, caller: Caller, words: str, limit: int, now: datetime) -> list[Any]:
    """Accounts within reach whose login or name holds these words, those that need something first."""
    rank = _rank(now)
    all_of_them = select(accounts).where(_within(caller)).order_by(rank, accounts.c.login).limit(SEARCHED)
    wanted = words.casefold()
    found = []
    for row in (await conn.execute(all_of_them)).all():
        if wanted in row.login or wanted in display_name(keys, row).casefold():
            found.append(row)
            if len(found) == limit:
                break
    return found


async def counts(conn: AsyncConnection, caller: Caller, now: datetime) -> dict[State, int]:
    """How many accounts within reach need what."""
    ranks = select(_rank(now).label("rank")).where(_within(caller)).subquery()
    numbers = select(ranks.c.rank, func.count().label("n")).group_by(ranks.c.rank)
    found = {row.rank: row.n for row in (await conn.execute(numbers)).all()}
    return {need: found.get(index, 0) for index, need in enumerate(NEEDS)}


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of an account's history; `who` None when no officer of these accounts did it."""

    at: datetime
    action: str
    who: str | None
    agency: str | None
    fields: tuple[str, ...]
    active: bool | None
    version: int


# the same list stands in the index audit_accounts (migration 0010)
_HISTORY = text(
    """
    SELECT at, actor, agency, action, facts FROM audit
    WHERE object_ids ->> 0 = :id AND action IN (
        'account.created', 'account.changed', 'account.locked', 'account.password_changed',
        'account.totp_on', 'account.totp_off', 'system.created', 'system.changed', 'system.approved')
    ORDER BY seq DESC LIMIT :limit
    """
)


async def history(conn: AsyncConnection, keys: KeyRing, key: UUID, limit: int = 30) -> list[Change]:
    """What was done with an account or client, from the audit log, newest first. Check the reach before (`one`)."""
    rows = (await conn.execute(_HISTORY, {"id": str(key), "limit": limit})).all()
    names = await _names(conn, keys, [row.actor for row in rows])
    return [
        Change(
            row.at, row.action, names.get(row.actor), row.agency, tuple(row.facts.get("fields", ())),
            row.facts.get("active"), row.facts.get("version", 0),
        )
        for row in rows
    ]  # fmt: skip


async def _names(conn: AsyncConnection, keys: KeyRing, actors: Sequence[str]) -> dict[str, str]:
    ids = set()
    for actor in actors:
        kind, _, number = actor.partition(":")
        try:
            ids |= {UUID(number)} if kind == "officer" else set()
        except ValueError:
            continue
    if not ids:
        return {}
    rows = (await conn.execute(select(accounts).where(accounts.c.id.in_(ids)))).all()
    return {f"officer:{row.id}": display_name(keys, row) for row in rows}
