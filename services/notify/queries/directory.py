"""Accounts and clients as their managers see them."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

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
        demo=row.demo, version=row.version, client_secret=secret,
    )  # fmt: skip
