"""Signing in and out, passwords and one-time codes of officers.

A sign-in is two transactions with the slow password check between them: the first counts the attempt as failed,
the second takes that back when everything was right.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.adapters import totp
from services.notify.commands.publishing import ends_tokens, of_account, publish
from services.notify.domain import lockout
from services.notify.domain.credentials import normal_login, password_fault
from services.notify.domain.standing import stamp
from services.notify.queries.roster import account_id
from services.notify.settings import Settings
from services.notify.tables import accounts, kit, totp_used
from shared.kit import audit, tokens
from shared.kit.access import ANONYMOUS, Caller
from shared.kit.crypto import UnreadableSecretError
from shared.kit.db import insert_many
from shared.kit.problem import Invalid, NotFound
from shared.kit.service import Service


@dataclass(frozen=True, slots=True)
class Attempt:
    """A counted attempt: the account, if there is one that may be tried, and the hash to compare with."""

    account_id: UUID | None
    password_hash: str | None
    locked: bool = False


async def open_attempt(conn: AsyncConnection, svc: Service, login: str, now: datetime) -> Attempt:
    """Count an attempt on a login before its password is checked."""
    normal = normal_login(login)
    if normal is None:
        return Attempt(None, None)
    row = (await conn.execute(select(accounts).where(accounts.c.login == normal).with_for_update())).one_or_none()
    if row is None or not _usable(svc, row):
        return Attempt(None, None)
    if lockout.is_locked(row.locked_until, now):
        return Attempt(None, None, locked=True)
    failed, until = lockout.after_attempt(row.failed, now)
    await conn.execute(update(accounts).where(accounts.c.id == row.id).values(failed=failed, locked_until=until))
    if until is not None:
        await audit.record(conn, kit, ANONYMOUS, "account.locked", "account", [row.id], now, failed=failed)
    return Attempt(row.id, row.password_hash)


async def close_attempt(
    conn: AsyncConnection,
    svc: Service,
    attempt: Attempt,
    right_password: bool,
    code: str,
    now: datetime,
    *,
    new_hash: str | None = None,
) -> Any:
    """The account's row when password and one-time code are right and the attempt is forgiven; else None.

    `new_hash` replaces the password, as an account with `must_change` needs it.
    """
    if attempt.account_id is None or not right_password:
        return None
    row = await _mine(conn, attempt.account_id)
    if not _usable(svc, row) or row.password_hash != attempt.password_hash:
        return None
    if row.totp_secret is not None and not await _use_code(conn, svc, row.id, row.totp_secret, code, now):
        return None
    values: dict[str, Any] = {"failed": 0, "locked_until": None}
    if new_hash is not None:
        values |= {"password_hash": new_hash, "must_change": False}
    row = await _changed(conn, row.id, values)
    if not row.must_change:
        await audit.record(conn, kit, _as_caller(row), "session.started", "account", [row.id], now, by="password")
    return row


async def of_subject(conn: AsyncConnection, svc: Service, subject: str, now: datetime) -> Any:
    """The account that an outside provider's subject is mapped to, for a sign-in there; None without one."""
    row = (await conn.execute(select(accounts).where(accounts.c.oidc_subject == subject))).one_or_none()
    if row is None or not _usable(svc, row):
        return None
    await audit.record(conn, kit, _as_caller(row), "session.started", "account", [row.id], now, by="oidc")
    return row


def session_token(settings: Settings, row: Any, now: datetime) -> str:
    """The JWT that is an officer's session."""
    return tokens.issue(
        settings.token_key,
        issuer=settings.base_url("notify"),
        principal_id=str(row.id),
        kind="officer",
        plan=row.plan,
        agency=row.agency,
        unit=row.unit,
        posts=row.posts,
        areas=row.areas,
        scopes=(),
        now=stamp(now, row.valid_from),
        lifetime=timedelta(hours=settings.session_hours),
    )


def _account(caller: Caller) -> UUID:
    """The caller's account. Raises `NotFound` for whoever has none here: a system, or another's principal."""
    mine = account_id(caller)
    if mine is None:
        raise NotFound("没有这个账号。 No such account.")
    return mine


async def withdraw(conn: AsyncConnection, caller: Caller, now: datetime) -> None:
    """Sign out everywhere: no token issued so far counts any more."""
    row = await _changed(conn, _account(caller), {"valid_from": ends_tokens(accounts, now)})
    await publish(conn, [of_account(row)], now)
    await audit.record(conn, kit, caller, "session.ended", "account", [row.id], now)


async def change_password(conn: AsyncConnection, caller: Caller, old_hash: str, new_hash: str, now: datetime) -> Any:
    """Replace a password whose old one was checked against `old_hash`; all sessions end, a new one may begin."""
    row = await _mine(conn, _account(caller))
    if row.password_hash != old_hash:
        raise Invalid("密码已在别处更改，请重试。 The password was changed elsewhere; try again.")
    values = {"password_hash": new_hash, "must_change": False, "failed": 0, "locked_until": None}
    row = await _changed(conn, row.id, {**values, "valid_from": ends_tokens(accounts, now)})
    await publish(conn, [of_account(row)], now)
    await audit.record(conn, kit, caller, "account.password_changed", "account", [row.id], now)
    return row


def check_new_password(password: str, login: str) -> None:
    """Invalid when a new password is too short, too long or too simple."""
    fault = password_fault(password, login)
    if fault:
        raise Invalid(
            "新密码须为 12–200 个字符，不含登录名，也不要太简单；密码未更改。 "
            "The new password needs 12 to 200 characters, without the login, not too simple; nothing was changed.",
            errors=[{"field": "new_password", "code": fault, "message": fault}],
        )


async def begin_totp(conn: AsyncConnection, svc: Service, caller: Caller, now: datetime) -> str:
    """A fresh secret to be confirmed by a code; a code in use stays in force until then."""
    row = await _mine(conn, _account(caller))
    secret = totp.new_secret()
    await _changed(conn, row.id, {"totp_pending": svc.settings.keys.seal("contact", row.id.bytes, secret.encode())})
    await audit.record(conn, kit, caller, "account.totp_begun", "account", [row.id], now)
    return secret


def pending_secret(svc: Service, row: Any) -> str | None:
    """The secret that waits for its first code."""
    return _opened(svc, row.id, row.totp_pending)


async def confirm_totp(conn: AsyncConnection, svc: Service, caller: Caller, code: str, now: datetime) -> bool:
    """Put the pending secret in force when the code fits it."""
    row = await _mine(conn, _account(caller))
    if row.totp_pending is None or not await _use_code(conn, svc, row.id, row.totp_pending, code, now):
        return False
    await _changed(conn, row.id, {"totp_secret": row.totp_pending, "totp_pending": None})
    await audit.record(conn, kit, caller, "account.totp_on", "account", [row.id], now)
    return True


async def end_totp(conn: AsyncConnection, svc: Service, caller: Caller, code: str, now: datetime) -> bool:
    """Take the one-time code away; a last one proves that it is the owner who asks."""
    row = await _mine(conn, _account(caller))
    if row.totp_secret is None or not await _use_code(conn, svc, row.id, row.totp_secret, code, now):
        return False
    await _changed(conn, row.id, {"totp_secret": None, "totp_pending": None})
    await audit.record(conn, kit, caller, "account.totp_off", "account", [row.id], now)
    return True


async def _use_code(
    conn: AsyncConnection, svc: Service, account_id: UUID, sealed: bytes, code: str, now: datetime
) -> bool:
    secret = _opened(svc, account_id, sealed)
    step = totp.matching_step(secret, code, now) if secret else None
    if step is None:
        return False
    fresh = await insert_many(
        conn, totp_used, [{"account_id": account_id, "step": step}],
        conflict="ON CONFLICT DO NOTHING", returning="step",
    )  # fmt: skip
    await conn.execute(delete(totp_used).where(totp_used.c.account_id == account_id, totp_used.c.step < step - 10))
    return bool(fresh)


def _opened(svc: Service, account_id: UUID, sealed: bytes | None) -> str | None:
    if sealed is None:
        return None
    try:
        return svc.settings.keys.open("contact", account_id.bytes, sealed).decode()
    except UnreadableSecretError:
        return None


async def _mine(conn: AsyncConnection, account_id: UUID) -> Any:
    row = (await conn.execute(select(accounts).where(accounts.c.id == account_id).with_for_update())).one_or_none()
    if row is None:
        raise NotFound("没有这个账号。 No such account.")
    return row


async def _changed(conn: AsyncConnection, account_id: UUID, values: dict[str, Any]) -> Any:
    made = update(accounts).where(accounts.c.id == account_id)
    return (await conn.execute(made.values(values).returning(accounts))).one()


def _usable(svc: Service, row: Any) -> bool:
    return row.active and row.plan in svc.plans and (svc.settings.local_mode or not row.demo)


def _as_caller(row: Any) -> Caller:
    return Caller("officer", str(row.id), plan=row.plan, agency=row.agency, unit=row.unit)
