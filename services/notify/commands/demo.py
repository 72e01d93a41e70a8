"""Demo accounts and clients of the local mode: made once, kept in step with the list they are seeded from."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.adapters import passwords
from services.notify.commands.directory import NewAccount, check_scopes, check_standing, create_account, create_system
from services.notify.commands.publishing import ends_tokens, of_account, of_system, publish
from services.notify.domain.credentials import SHORTEST_SECRET
from services.notify.domain.standing import Standing
from services.notify.tables import accounts, systems
from shared.kit.access import Caller
from shared.kit.service import Service


class DemoAccount(BaseModel):
    """One demo officer."""

    model_config = ConfigDict(extra="forbid")

    login: str
    password: str = Field(min_length=12)
    plan: str
    agency: str
    unit: str | None = None
    posts: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    display: str

    @property
    def standing(self) -> Standing:
        return Standing(self.plan, self.agency, self.unit, self.posts, self.areas)


class DemoSystem(BaseModel):
    """One demo client."""

    model_config = ConfigDict(extra="forbid")

    client_id: str
    secret: str = Field(min_length=SHORTEST_SECRET)
    plan: str
    agency: str
    scopes: tuple[str, ...]

    @property
    def standing(self) -> Standing:
        return Standing(self.plan, self.agency, None, (), ())


class DemoList(BaseModel):
    """What `seed-demo` reads on its standard input."""

    model_config = ConfigDict(extra="forbid")

    accounts: tuple[DemoAccount, ...] = ()
    systems: tuple[DemoSystem, ...] = ()


SEEDER = Caller("service", "seed-demo", rights={"directory.manage": "all"})


class NotLocalError(Exception):
    """Demo accounts were asked for outside the local mode."""


async def seed(conn: AsyncConnection, svc: Service, wanted: DemoList, now: datetime) -> tuple[int, int]:
    """Make or renew the demo accounts and clients; returns how many were made and how many changed.

    Raises:
        NotLocalError: the service does not run in the local mode.
        Problem: a code the plan does not know, or a login that belongs to a real account.
    """
    if not svc.settings.local_mode:
        raise NotLocalError("demo accounts exist only with DACHUAN_LOCAL_MODE=1")
    made = changed = 0
    for one in wanted.accounts:
        check_standing(svc, SEEDER, "directory.manage", one.standing)
        known = (await conn.execute(select(accounts).where(accounts.c.login == one.login))).one_or_none()
        if known is None or not known.demo:
            new_hash = passwords.hashed_lightly(one.password)
            new = NewAccount(one.login, one.display, one.standing, new_hash, must_change=False, demo=True)
            await create_account(conn, svc, SEEDER, new, now)
            made += 1
        else:
            changed += await _renew_account(conn, known, one, now)
    for one in wanted.systems:
        check_standing(svc, SEEDER, "directory.manage", one.standing)
        known = (await conn.execute(select(systems).where(systems.c.client_id == one.client_id))).one_or_none()
        if known is None or not known.demo:
            await create_system(conn, svc, SEEDER, one.client_id, one.secret, one.standing, one.scopes, now, demo=True)
            made += 1
        else:
            changed += await _renew_system(conn, known, one, now)
    return made, changed


async def _renew_account(conn: AsyncConnection, known: object, one: DemoAccount, now: datetime) -> int:
    before = of_account(known)
    same = (before.plan, before.agency, before.unit, before.posts, before.areas) == (
        one.plan, one.agency, one.unit, one.posts, one.areas,
    )  # fmt: skip
    if same and before.active and passwords.matches_lightly(one.password, known.password_hash):  # type: ignore[attr-defined]
        return 0
    values = {
        "password_hash": passwords.hashed_lightly(one.password),
        "plan": one.plan, "agency": one.agency, "unit": one.unit,
        "posts": list(one.posts), "areas": list(one.areas),
        "active": True, "failed": 0, "locked_until": None, "valid_from": ends_tokens(accounts, now),
        "version": accounts.c.version + 1,
    }  # fmt: skip
    made = update(accounts).where(accounts.c.login == one.login).values(values).returning(accounts)
    await publish(conn, [of_account((await conn.execute(made)).one())], now)
    return 1


async def _renew_system(conn: AsyncConnection, known: object, one: DemoSystem, now: datetime) -> int:
    check_scopes(one.scopes, SEEDER)
    before = of_system(known)
    scopes = tuple(sorted(set(one.scopes)))
    same = (before.plan, before.agency, before.scopes) == (one.plan, one.agency, scopes)
    if same and before.active and passwords.secret_matches(one.secret, known.secret_hash):  # type: ignore[attr-defined]
        return 0
    values = {
        "secret_hash": passwords.secret_hash(one.secret),
        "plan": one.plan, "agency": one.agency, "scopes": list(scopes),
        "active": True, "asked_by": None, "valid_from": ends_tokens(systems, now), "version": systems.c.version + 1,
    }  # fmt: skip
    made = update(systems).where(systems.c.client_id == one.client_id).values(values).returning(systems)
    await publish(conn, [of_system((await conn.execute(made)).one())], now)
    return 1
