"""Bring the four databases to their newest version, only where they are not."""

from __future__ import annotations

import ast
import asyncio
import subprocess
import sys
from collections.abc import Mapping

import asyncpg

from deploy.local.databases import Login, plain
from deploy.local.services import base_environment
from deploy.local.state import REPOSITORY


class MigrationError(RuntimeError):
    """A service's migration failed; the message carries what it said."""


def heads(service: str) -> set[str]:
    """The newest revisions of a service, read from its migration files without importing them (Alembic's import
    alone costs a third of a second)."""
    revisions, parents = set(), set()
    for path in (REPOSITORY / "services" / service / "migrations" / "versions").glob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            target = node.target if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [None])[0]
            name = getattr(target, "id", None)
            if name in ("revision", "down_revision") and node.value is not None:  # type: ignore[attr-defined]
                value = ast.literal_eval(node.value)  # type: ignore[attr-defined]
                named = {value} if isinstance(value, str) else set(value or ())
                (revisions if name == "revision" else parents).update(named)
    return revisions - parents


async def migrate(logins: Mapping[str, Login], address: str) -> list[str]:
    """Migrate those that are behind, all at once. Names of the services that were migrated.

    Raises:
        MigrationError: one failed.
    """
    current = await asyncio.gather(*(_versions(login, address) for login in logins.values()))
    behind = [login for login, now in zip(logins.values(), current, strict=True) if now != heads(login.service)]
    await asyncio.gather(*(asyncio.to_thread(_migrate, login, address) for login in behind))
    return [login.service for login in behind]


async def _versions(login: Login, address: str) -> set[str]:
    link = await asyncpg.connect(plain(login.owner_url(address)))
    try:
        return {row[0] for row in await link.fetch("SELECT version_num FROM alembic_version")}
    except asyncpg.UndefinedTableError:
        return set()
    finally:
        await link.close()


def _migrate(login: Login, address: str) -> None:
    env = {**base_environment(), "DACHUAN_OWNER_DATABASE_URL": login.owner_url(address)}
    done = subprocess.run(
        [sys.executable, "-m", "shared.kit.migrate", login.service],
        env=env,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise MigrationError(f"migrating {login.service} failed:\n{(done.stderr or done.stdout).strip()[-2000:]}")
