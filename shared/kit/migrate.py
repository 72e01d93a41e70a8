"""Database migrations: `python -m shared.kit.migrate SERVICE`, as the owner role (DACHUAN_OWNER_DATABASE_URL)."""

import asyncio
import os
import sys
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import create_async_engine

_ROOT = Path(__file__).resolve().parents[2]


def config(service: str, url: str) -> Config:
    """Alembic's configuration: the section of the service in the one ini file."""
    made = Config(str(_ROOT / "deploy" / "alembic.ini"), ini_section=service)
    made.set_section_option(service, "script_location", str(_ROOT / "services" / service / "migrations"))
    made.attributes["url"] = url
    return made


def migrate(service: str, url: str) -> None:
    """Bring a service's database to the newest version; safe to run again and at the same time as another."""
    command.upgrade(config(service, url), "head")


def run_env(metadata: MetaData) -> None:
    """What each service's migrations/env.py does: connect as the owner, one migrator at a time, and upgrade."""
    asyncio.run(_upgrade(metadata))


async def _upgrade(metadata: MetaData) -> None:
    engine = create_async_engine(context.config.attributes["url"])
    async with engine.connect() as connection:
        await connection.execute(text("SELECT pg_advisory_lock(7243)"))
        await connection.commit()
        await connection.run_sync(_run, metadata)
        await connection.commit()
    await engine.dispose()


def _run(connection: Connection, metadata: MetaData) -> None:
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()


if __name__ == "__main__":
    migrate(sys.argv[1], os.environ["DACHUAN_OWNER_DATABASE_URL"])
