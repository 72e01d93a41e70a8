"""A role pair and a database for each service, in any PostgreSQL: the embedded one or one elsewhere.

`dachuan_<service>_owner` owns the database and migrates it; `dachuan_<service>` may read and write its rows and
nothing more; nobody else may connect. Append-only tables are made so by the migrations, which revoke on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import asyncpg


@dataclass(frozen=True)
class Login:
    """Names and passwords of one service's two roles and of its database."""

    service: str
    owner_password: str
    app_password: str
    database: str = ""

    @property
    def name(self) -> str:
        return self.database or f"dachuan_{self.service}"

    @property
    def app(self) -> str:
        return f"dachuan_{self.service}"

    @property
    def owner(self) -> str:
        return f"dachuan_{self.service}_owner"

    def app_url(self, address: str) -> str:
        """SQLAlchemy address for the service itself; `address` is host:port."""
        return f"postgresql+asyncpg://{self.app}:{quote(self.app_password)}@{address}/{self.name}"

    def owner_url(self, address: str) -> str:
        """SQLAlchemy address for migrations only."""
        return f"postgresql+asyncpg://{self.owner}:{quote(self.owner_password)}@{address}/{self.name}"


def address_of(admin_url: str) -> str:
    """host:port of a PostgreSQL address."""
    parts = urlsplit(admin_url)
    return f"{parts.hostname or '127.0.0.1'}:{parts.port or 5432}"


def plain(url: str) -> str:
    """The address as asyncpg takes it (without SQLAlchemy's driver name)."""
    return url.replace("postgresql+asyncpg://", "postgresql://", 1)


async def provision(admin_url: str, logins: Mapping[str, Login]) -> list[str]:
    """Make what is missing: roles with their passwords, databases, who may connect. Safe to repeat.

    Args:
        admin_url: of a superuser, or of a role with CREATEROLE and CREATEDB.
        logins: service → its login.

    Returns:
        The databases that were made now.

    Raises:
        asyncpg.PostgresError: the server refused.
    """
    made = []
    admin = await asyncpg.connect(plain(admin_url))
    try:
        superuser = await admin.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        for login in logins.values():
            await _role(admin, login.owner, login.owner_password)
            await _role(admin, login.app, login.app_password)
            if not superuser:
                await admin.execute(f'GRANT "{login.owner}" TO CURRENT_USER')
            if not await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", login.name):
                await admin.execute(f'CREATE DATABASE "{login.name}" OWNER "{login.owner}"')
                made.append(login.name)
            await _doors(admin, login)
    finally:
        await admin.close()
    for login in logins.values():
        if login.name in made:
            await _inside(login, address_of(admin_url))
    return made


async def clone(admin_url: str, login: Login, database: str) -> Login:
    """A copy of a service's (migrated, unused) database under another name, same roles and rights; for tests."""
    copy = Login(login.service, login.owner_password, login.app_password, database)
    admin = await asyncpg.connect(plain(admin_url))
    try:
        await admin.execute(f'CREATE DATABASE "{database}" TEMPLATE "{login.name}" OWNER "{login.owner}"')
        await _doors(admin, copy)
    finally:
        await admin.close()
    return copy


async def drop(admin_url: str, database: str) -> None:
    """Drop a database and end its sessions."""
    admin = await asyncpg.connect(plain(admin_url))
    try:
        await admin.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
    finally:
        await admin.close()


async def _role(admin: asyncpg.Connection, name: str, password: str) -> None:
    known = await admin.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name)
    secret = password.replace("'", "''")
    await admin.execute(f"{'ALTER' if known else 'CREATE'} ROLE \"{name}\" LOGIN PASSWORD '{secret}'")


async def _doors(admin: asyncpg.Connection, login: Login) -> None:
    await admin.execute(f'REVOKE ALL ON DATABASE "{login.name}" FROM PUBLIC')
    await admin.execute(f'GRANT CONNECT ON DATABASE "{login.name}" TO "{login.app}"')


async def _inside(login: Login, address: str) -> None:
    """Rights inside the database, given by its owner: default privileges are of the role that makes the tables."""
    owner = await asyncpg.connect(plain(login.owner_url(address)))
    try:
        await owner.execute(
            f"""
            REVOKE ALL ON SCHEMA public FROM PUBLIC;
            GRANT USAGE ON SCHEMA public TO "{login.app}";
            ALTER DEFAULT PRIVILEGES IN SCHEMA public
                GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO "{login.app}";
            ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO "{login.app}";
            """
        )
    finally:
        await owner.close()
