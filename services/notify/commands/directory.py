"""Accounts of officers and clients of agencies' systems: made, changed, ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.adapters import passwords
from services.notify.commands.publishing import ends_tokens, of_account, of_system, publish
from services.notify.domain import credentials
from services.notify.domain.standing import Standing, faults, unknown_scopes
from services.notify.tables import accounts, kit, systems, totp_used
from shared.kit import audit
from shared.kit.access import Caller
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Forbidden, Invalid, NotFound, Outdated
from shared.kit.service import Service

APPROVAL = "agency.onboard"
"""What a post must approve to let an agency's system work."""
STANDING = ("plan", "agency", "unit", "posts", "areas")


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to be made; `password_hash` None for one that signs in at the outside provider only."""

    login: str
    display: str
    standing: Standing
    password_hash: str | None
    oidc_subject: str | None = None
    must_change: bool = True
    demo: bool = False
    id: UUID = field(default_factory=new_id)


async def fresh_password() -> tuple[str, str]:
    """A password to hand over once, and the hash to keep."""
    password = credentials.initial_password()
    return password, await passwords.hashed(password)


def check_standing(svc: Service, caller: Caller, right: str, standing: Standing) -> None:
    """Forbidden outside the caller's plan; Invalid for what the plan does not know."""
    if caller.reach(right) != "all" and standing.plan != caller.plan:
        raise Forbidden("只能管理本方案的账号。 Only accounts of your own plan.")
    plan = svc.plans.get(standing.plan)
    wrong = [("plan", standing.plan)] if plan is None else faults(plan, standing)
    if wrong:
        raise Invalid(
            "方案里没有所列代码，未保存任何内容。 The plan does not know these codes; nothing was kept.",
            errors=[{"field": field, "code": "unknown", "message": value} for field, value in wrong],
        )


async def create_account(conn: AsyncConnection, svc: Service, caller: Caller, new: NewAccount, now: datetime) -> Any:
    """Make an account and publish it; Conflict for a login or subject that exists."""
    account_id = new.id
    row = {
        "id": account_id,
        "login": new.login,
        "password_hash": new.password_hash,
        "must_change": new.must_change and new.password_hash is not None,
        "display_name": svc.settings.keys.seal("contact", account_id.bytes, new.display.encode()),
        "oidc_subject": new.oidc_subject,
        **_of(new.standing),
        "active": True,
        "failed": 0,
        "valid_from": now.replace(microsecond=0),
        "version": 1,
        "demo": new.demo,
        "created_at": now,
    }
    try:
        async with conn.begin_nested():
            made = (await conn.execute(insert(accounts).values(row).returning(accounts))).one()
    except IntegrityError as error:
        raise Conflict(
            "登录名或统一认证标识已被使用，未保存任何内容。 That login or subject is taken; nothing was kept.",
            code="account-exists",
        ) from error
    await publish(conn, [of_account(made)], now)
    await audit.record(conn, kit, caller, "account.created", "account", [account_id], now, agency=made.agency)
    return made


async def change_account(
    conn: AsyncConnection,
    svc: Service,
    caller: Caller,
    account_id: UUID,
    version: int,
    changes: Mapping[str, Any],
    now: datetime,
) -> Any:
    """Change standing, activity, subject or password hash of an account, unlock it or take its TOTP away; sessions end.

    `changes` may hold the standing's fields, `active`, `oidc_subject`, `password_hash`, `unlock` and `reset_totp`.
    """
    before = await _locked(conn, svc, caller, accounts, account_id, version)
    values = {k: v for k, v in changes.items() if k in (*STANDING, "active", "oidc_subject", "password_hash")}
    standing = Standing(*(_frozen(values.get(name, getattr(before, name))) for name in STANDING))
    check_standing(svc, caller, "directory.manage", standing)
    if "password_hash" in values:
        values |= {"must_change": True, "failed": 0, "locked_until": None}
    if changes.get("unlock"):
        values |= {"failed": 0, "locked_until": None}
    if changes.get("reset_totp"):
        values |= {"totp_secret": None, "totp_pending": None}
        await conn.execute(delete(totp_used).where(totp_used.c.account_id == account_id))
    after = await _save(conn, accounts, account_id, values, now)
    await publish(conn, [of_account(after)], now)
    await audit.record(
        conn, kit, caller, "account.changed", "account", [account_id], now,
        fields=sorted(changes), active=after.active, version=after.version,
    )  # fmt: skip
    return after


async def create_system(
    conn: AsyncConnection,
    svc: Service,
    caller: Caller,
    client_id: str,
    secret: str,
    standing: Standing,
    scopes: tuple[str, ...],
    now: datetime,
    *,
    demo: bool = False,
    system_id: UUID | None = None,
) -> Any:
    """Make an OAuth client of an agency and publish it; Conflict for a client id that exists.

    It works when a second person has approved it (`approve_system`).
    """
    check_scopes(scopes, caller)
    row = {
        "id": system_id or new_id(),
        "client_id": client_id,
        "secret_hash": passwords.secret_hash(secret),
        "plan": standing.plan,
        "agency": standing.agency,
        "scopes": sorted(set(scopes)),
        "active": True,
        "valid_from": now.replace(microsecond=0),
        "version": 1,
        "demo": demo,
        "created_at": now,
        "asked_by": None if demo else caller.actor,
    }
    try:
        async with conn.begin_nested():
            made = (await conn.execute(insert(systems).values(row).returning(systems))).one()
    except IntegrityError as error:
        raise Conflict(
            "client_id 已被使用，未保存任何内容。 That client_id is taken; nothing was kept.", code="client-exists"
        ) from error
    await publish(conn, [of_system(made)], now)
    await audit.record(
        conn, kit, caller, "system.created", "system", [made.id], now, agency=made.agency, scopes=list(made.scopes)
    )
    return made


async def change_system(
    conn: AsyncConnection,
    svc: Service,
    caller: Caller,
    system_id: UUID,
    version: int,
    changes: Mapping[str, Any],
    now: datetime,
) -> Any:
    """Change `active`, `scopes` or `secret` (a new one) of a client; tokens issued before no longer count.

    What takes away works at once; what gives more (another scope, a new secret, switching on) waits for a second person.
    """
    before = await _locked(conn, svc, caller, systems, system_id, version)
    values: dict[str, Any] = {k: v for k, v in changes.items() if k in ("active", "scopes")}
    if "scopes" in values:
        check_scopes(values["scopes"], caller)
        values["scopes"] = sorted(set(values["scopes"]))
    if "secret" in changes:
        values["secret_hash"] = passwords.secret_hash(changes["secret"])
    more = set(values.get("scopes", ())) - set(before.scopes)
    if "secret" in changes or more or (values.get("active") and not before.active):
        values["asked_by"] = caller.actor
    after = await _save(conn, systems, system_id, values, now)
    await publish(conn, [of_system(after)], now)
    await audit.record(
        conn, kit, caller, "system.changed", "system", [system_id], now,
        fields=sorted(changes), active=after.active, version=after.version,
    )  # fmt: skip
    return after


def may_approve(svc: Service, caller: Caller, row: Any) -> bool:
    """Whether a caller is a second person for this client: a post of its plan that approves, and not who asked."""
    plan = svc.plans.get(row.plan)
    holds = caller.kind == "officer" and plan is not None and plan.may_approve(caller.posts, APPROVAL)
    return holds and row.asked_by != caller.actor


async def approve_system(
    conn: AsyncConnection, svc: Service, caller: Caller, system_id: UUID, version: int, now: datetime
) -> Any:
    """Let a client work that waits (four eyes for taking on an agency). Raises `NotFound` out of reach, `Outdated`,
    `Forbidden` for whoever asked or holds no post that approves, `Conflict` when nothing waits."""
    before = await _locked(conn, svc, caller, systems, system_id, version, "directory.approve")
    if before.asked_by is None:
        raise Conflict("这个系统没有待批准的内容。 Nothing waits for approval.", code="nothing-waits")
    if not may_approve(svc, caller, before):
        raise Forbidden(
            "须由提出人以外、有权批准接入的岗位批准；未作更改。 Another person, of a post that approves, decides; nothing was changed.",
            code="second-person",
        )
    after = await _save(conn, systems, system_id, {"asked_by": None}, now)
    await publish(conn, [of_system(after)], now)
    await audit.record(
        conn, kit, caller, "system.approved", "system", [system_id], now, asked_by=before.asked_by, version=after.version
    )
    return after


def check_scopes(scopes: tuple[str, ...] | list[str], caller: Caller) -> None:
    """Invalid for scopes that are no rights; Forbidden for a reach beyond the caller's own plan."""
    unknown = unknown_scopes(scopes)
    if unknown or not scopes:
        raise Invalid(
            "scopes 含有未知权限，未保存任何内容。 Unknown scopes; nothing was kept.",
            errors=[{"field": "scopes", "code": "unknown", "message": scope} for scope in unknown],
        )
    if caller.reach("directory.manage") != "all" and any(scope.endswith(":all") for scope in scopes):
        raise Forbidden(
            "不能授予超出本方案的范围，未保存任何内容。 A reach beyond your own plan is not yours to give; nothing was kept."
        )


def usable_login(text: str) -> str:
    """The login as kept; Invalid when it cannot be one."""
    login = credentials.normal_login(text)
    if login is None:
        raise Invalid(
            "登录名须为 2–64 个小写字母、数字或 . _ @ -，未保存任何内容。 "
            "A login has 2 to 64 lower-case letters, digits or . _ @ -; nothing was kept.",
            errors=[{"field": "login", "code": "bad-login", "message": "2-64 of a-z 0-9 . _ @ -"}],
        )
    return login


def usable_client_id(text: str) -> str:
    """The client id as kept; Invalid when it cannot be one."""
    client_id = text.strip().lower()
    if not credentials.CLIENT_ID.fullmatch(client_id):
        raise Invalid(
            "客户端标识须为 3–64 个小写字母、数字或 . _ -，未保存任何内容。 "
            "A client id has 3 to 64 lower-case letters, digits or . _ -; nothing was kept.",
            errors=[{"field": "client_id", "code": "bad-client-id", "message": "3-64 of a-z 0-9 . _ -"}],
        )
    return client_id


async def _locked(
    conn: AsyncConnection, svc: Service, caller: Caller, table: Any, key: UUID, version: int, right: str = "directory.manage"
) -> Any:
    visible = table.c.id == key
    if caller.reach(right) != "all":
        visible &= table.c.plan == caller.plan
    row = (await conn.execute(select(table).where(visible).with_for_update())).one_or_none()
    if row is None:
        raise NotFound("没有这个账号或系统，或不归您管理。 No such account or system, or not yours to manage.")
    if row.version != version:
        raise Outdated("已被他人更改，请重新读取。 Changed meanwhile; read it again.", version=row.version)
    return row


async def _save(conn: AsyncConnection, table: Any, key: UUID, values: Mapping[str, Any], now: datetime) -> Any:
    changed = {**values, "version": table.c.version + 1, "valid_from": ends_tokens(table, now)}
    try:
        async with conn.begin_nested():
            return (await conn.execute(update(table).where(table.c.id == key).values(changed).returning(table))).one()
    except IntegrityError as error:
        raise Conflict("统一认证标识已被使用。 That subject is taken.", code="account-exists") from error


def _of(standing: Standing) -> dict[str, Any]:
    return {
        "plan": standing.plan,
        "agency": standing.agency,
        "unit": standing.unit,
        "posts": list(standing.posts),
        "areas": list(standing.areas),
    }


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
