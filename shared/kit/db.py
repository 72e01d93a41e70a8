"""PostgreSQL: the engine, transactions and set-based inserts."""

from collections import namedtuple
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any

import asyncpg
import orjson
from sqlalchemy import Table, text
from sqlalchemy.dialects.postgresql import JSONB, dialect
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shared.kit.settings import ServiceSettings

_DIALECT = dialect()


def make_engine(settings: ServiceSettings) -> AsyncEngine:
    """One engine a process. Statements end after 30 s, idle transactions after 15 s, so no lock outlives its owner."""
    return create_async_engine(
        settings.database_url,
        pool_size=settings.database_pool,
        max_overflow=4,
        pool_timeout=5,
        pool_pre_ping=False,
        json_serializer=lambda value: orjson.dumps(value, default=str).decode(),
        json_deserializer=orjson.loads,
        connect_args={
            "timeout": 5,
            "server_settings": {
                "application_name": f"dachuan-{settings.service}",
                "statement_timeout": "30000",
                "idle_in_transaction_session_timeout": "15000",
                "timezone": "UTC",
                "jit": "off",
            },
        },
    )


@asynccontextmanager
async def begin(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One transaction: commits at the end, rolls back on any error."""
    async with engine.begin() as conn:
        yield conn


def unavailable(error: BaseException) -> bool:
    """True when the error means that the database cannot be reached or asks to try again, not that input is bad."""
    if isinstance(error, (PoolTimeoutError, OSError, TimeoutError)):
        return True
    if isinstance(error, DBAPIError):
        state = getattr(error.orig, "sqlstate", None) or ""
        # 53 resources (disk full, too many clients), 40 serialization and deadlock,
        # 25P03 and 57014 the timeouts set above
        return (
            error.connection_invalidated or _ends_connection(state) or state[:2] in ("53", "40") or state == "57014"
        ) or (not state and not isinstance(error.orig, (ValueError, TypeError)) and _connection_lost(error))
    return False


def _connection_lost(error: DBAPIError) -> bool:
    cause = error.orig.__cause__ if error.orig is not None else None
    return isinstance(cause, (OSError, ConnectionError)) or "connection" in str(error.orig).lower()


async def fetch(conn: AsyncConnection, statement: str, *values: Any) -> list[Any]:
    """Run one statement of a hot path, its values as `$1`, `$2`, …; the rows, with a column an attribute.

    It goes past SQLAlchemy, whose part in a short statement takes twice the time of all others. Raises DBAPIError
    (IntegrityError), as it would.
    """
    link: Any = conn.sync_connection
    raw = link.connection.driver_connection
    if not raw.is_in_transaction() or conn.sync_engine.dispatch.before_cursor_execute:
        # SQLAlchemy opens the transaction with its first statement; and who listens to statements hears this one
        result = await conn.exec_driver_sql(statement, values)
        return list(result) if result.returns_rows else []
    try:
        records = await raw.fetch(statement, *values)
    except _DRIVER_ERRORS as error:
        raise await _as_dbapi(conn, statement, error) from error
    return named(records)


def named(records: Sequence[Any]) -> list[Any]:
    """The driver's records as rows with a column an attribute."""
    if not records:
        return []
    shape = _shape(tuple(records[0].keys()))
    return [shape(record) for record in records]


@lru_cache(maxsize=1024)
def _shape(names: tuple[str, ...]) -> Callable[[Iterable[Any]], Any]:
    return namedtuple("Row", names, rename=True)._make  # type: ignore[misc]


_KINDS: tuple[tuple[type[Exception], type[DBAPIError]], ...] = (
    (asyncpg.IntegrityConstraintViolationError, IntegrityError),
    (asyncpg.SyntaxOrAccessError, ProgrammingError),
)
"""The driver's errors that SQLAlchemy tells apart."""
_DRIVER_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""The third: the protocol's state does not fit, as when the server's end breaks off a COPY."""


async def _as_dbapi(conn: AsyncConnection, statement: str, error: Exception) -> DBAPIError:
    link: Any = conn.sync_connection
    lost = (
        link.connection.driver_connection.is_closed()
        or isinstance(error, asyncpg.InternalClientError)
        or _ends_connection(getattr(error, "sqlstate", None) or "")
    )
    if lost:
        # SQLAlchemy did not see the error, and would give the dead connection to the next who asks
        await conn.invalidate(error)
    kind = next((ours for theirs, ours in _KINDS if isinstance(error, theirs)), DBAPIError)
    return kind(statement, None, error, hide_parameters=True, connection_invalidated=lost)


def _ends_connection(state: str) -> bool:
    """Whether an SQLSTATE says that the connection is gone: class 08, or the server's end (57P)."""
    return state[:2] == "08" or state[:3] == "57P"


@lru_cache(maxsize=512)
def _insert_statement(table: Table, columns: tuple[str, ...], conflict: str, returning: str) -> tuple[str, list[bool]]:
    """The statement, and which columns are JSON."""
    json = [isinstance(table.c[name].type, JSONB) for name in columns]
    arrays = [
        f"CAST(${place} AS {'TEXT' if is_json else table.c[name].type.compile(dialect=_DIALECT)}[])"
        for place, (name, is_json) in enumerate(zip(columns, json, strict=True), 1)
    ]
    selected = [f"CAST({name} AS jsonb)" if is_json else name for name, is_json in zip(columns, json, strict=True)]
    names = ", ".join(columns)
    statement = (
        f"INSERT INTO {table.fullname} ({names}) SELECT {', '.join(selected)} FROM unnest({', '.join(arrays)}) "
        f"AS rows({names}) {conflict} {returning}"
    )
    return statement, json


async def insert_many(
    conn: AsyncConnection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    conflict: str = "",
    returning: str = "",
) -> list[Any]:
    """Insert all rows in one statement, one array a column, which costs a fraction of row-by-row inserts.

    All rows have the same keys. `conflict` is an ON CONFLICT clause; with `returning` (a column list) the
    inserted rows' columns come back, without those a conflict skipped. Array columns are not supported: lists
    are kept as jsonb.
    """
    if not rows:
        return []
    columns = tuple(rows[0])
    statement, json = _insert_statement(table, columns, conflict, f"RETURNING {returning}" if returning else "")
    values = [
        [None if row[name] is None else orjson.dumps(row[name]).decode() for row in rows]
        if is_json
        else [row[name] for row in rows]
        for name, is_json in zip(columns, json, strict=True)
    ]
    return await fetch(conn, statement, *values)


MANY = 50
"""From so many rows on, COPY costs less than one INSERT."""


async def put_many(conn: AsyncConnection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert all rows the cheaper way: by COPY when there are many, else in one statement. No conflicts."""
    if len(rows) >= MANY:
        await copy_many(conn, table, rows)
    else:
        await insert_many(conn, table, rows)


async def copy_many(conn: AsyncConnection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert all rows by COPY: cheaper than `insert_many` from some fifty rows on, without conflicts or returning.

    All rows have the same keys. Raises DBAPIError, as a statement would.
    """
    if not rows:
        return
    columns = tuple(rows[0])
    json = [isinstance(table.c[name].type, JSONB) for name in columns]
    records = [
        [
            orjson.dumps(value).decode() if is_json and value is not None else value
            for value, is_json in zip(row.values(), json, strict=True)
        ]
        for row in rows
    ]
    link: Any = conn.sync_connection
    raw = link.connection.driver_connection
    if not raw.is_in_transaction():
        # SQLAlchemy opens the transaction with its first statement, and COPY goes past SQLAlchemy
        await conn.execute(text("SELECT 1"))
    try:
        await raw.copy_records_to_table(table.name, columns=columns, records=records)
    except _DRIVER_ERRORS as error:
        raise await _as_dbapi(conn, f"COPY {table.name}", error) from error
