"""A ledger rebuilt from the topics, compared with the one in use, and what is missing taken over from it.

The rebuilt tables stand in the schema `rebuild`; both are compared by content, without the numbers of arrival (`seq`).
Entries that are only in the ledger in use, or differ from the rebuilt ones, mean lost events, another rulebook or a
changed database: they are told, and replaced only when asked for. Run as the owner role: the service's own role cannot
change the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.commands.booking import entry_of, published, recorded
from services.scoring.tables import kit, ledger, obligations, standings
from shared.kit import audit, outbox
from shared.kit.access import service_caller

SCHEMA = "rebuild"
TABLES = (obligations, ledger, standings, kit.outbox, kit.inbox, kit.audit)
"""What the commands write to; the outbox, inbox and audit log of a rebuild are thrown away with its schema."""

_NO_HURRY = text("SET LOCAL statement_timeout = 0")
_ENTRY = ", ".join(column.name for column in ledger.c if column.name != "seq")
_STANDING = ", ".join(column.name for column in standings.c if column.name != "changed_seq")
_OBLIGATION = ", ".join(column.name for column in obligations.c)


@dataclass(frozen=True, slots=True)
class Difference:
    """How the ledger in use differs from the rebuilt one: entries by count, and standings and obligations that do.

    `digest` is the SHA-256 over the rebuilt entries in the order of (`recorded_at`, id), `digest_in_use` over those in
    use: equal digests mean bit-identical ledgers.
    """

    entries: int
    missing: int
    differing: int
    standings: int
    obligations: int
    digest: str
    digest_in_use: str

    @property
    def identical(self) -> bool:
        return self.digest == self.digest_in_use and not self.standings and not self.obligations


async def prepare(conn: AsyncConnection) -> None:
    """Make fresh, empty tables in the schema `rebuild`."""
    await conn.execute(text(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE"))
    await conn.execute(text(f"CREATE SCHEMA {SCHEMA}"))
    for table in TABLES:
        await conn.execute(text(f"CREATE TABLE {SCHEMA}.{table.name} (LIKE public.{table.name} INCLUDING ALL)"))


async def inside(conn: AsyncConnection) -> None:
    """Let this transaction read and write the rebuilt tables in place of those in use."""
    await conn.execute(text(f"SET LOCAL search_path TO {SCHEMA}"))


async def discard(conn: AsyncConnection) -> None:
    """Remove the rebuilt tables."""
    await conn.execute(text(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE"))


async def difference(conn: AsyncConnection) -> Difference:
    """Compare the ledger in use with the rebuilt one."""
    await conn.execute(_NO_HURRY)

    async def one(query: str) -> Any:
        return (await conn.execute(text(query))).scalar_one()

    def apart(table: str, columns: str) -> str:
        return (
            f"SELECT count(*) FROM ((SELECT {columns} FROM public.{table} EXCEPT SELECT {columns} FROM {SCHEMA}.{table})"
            f" UNION ALL (SELECT {columns} FROM {SCHEMA}.{table} EXCEPT SELECT {columns} FROM public.{table})) AS d"
        )

    def digest(schema: str) -> str:
        rows = f"SELECT {_ENTRY} FROM {schema}.ledger"
        return (
            "SELECT encode(sha256(coalesce(string_agg(sha256(convert_to(d::text, 'UTF8')), ''::bytea "
            f"ORDER BY d.recorded_at, d.entry_id), ''::bytea)), 'hex') FROM ({rows}) AS d"
        )

    return Difference(
        entries=await one(f"SELECT count(*) FROM {SCHEMA}.ledger"),
        missing=await one(
            f"SELECT count(*) FROM {SCHEMA}.ledger AS r WHERE NOT EXISTS "
            "(SELECT FROM public.ledger AS l WHERE l.entry_id = r.entry_id)"
        ),
        differing=await one(
            f"SELECT count(*) FROM (SELECT {_ENTRY} FROM public.ledger EXCEPT SELECT {_ENTRY} FROM {SCHEMA}.ledger) AS d"
        ),
        standings=await one(apart("standings", _STANDING)),
        obligations=await one(apart("obligations", _OBLIGATION)),
        digest=await one(digest(SCHEMA)),
        digest_in_use=await one(digest("public")),
    )


async def adopt(conn: AsyncConnection, now: datetime, *, replace: bool = False) -> int:
    """Add what the ledger in use lacks, bring obligations and standings to what the topics give, and tell the feed.

    Entries keep their numbers of arrival, so no reader's cursor is lost; added ones get new numbers. With `replace`,
    entries that differ or have no event behind them go, too. Returns how many entries were added.
    """
    await conn.execute(_NO_HURRY)
    await conn.execute(text("LOCK TABLE public.ledger, public.standings, public.obligations IN EXCLUSIVE MODE"))
    gone: Sequence[Any] = ()
    if replace:
        gone = (
            await conn.execute(
                text(
                    f"DELETE FROM public.ledger WHERE entry_id IN (SELECT entry_id FROM (SELECT {_ENTRY} FROM "
                    f"public.ledger EXCEPT SELECT {_ENTRY} FROM {SCHEMA}.ledger) AS d) RETURNING entry_id"
                )
            )
        ).all()
    added = (
        await conn.execute(
            text(
                f"INSERT INTO public.ledger ({_ENTRY}) SELECT {_ENTRY} FROM {SCHEMA}.ledger "
                "ORDER BY recorded_at, entry_id ON CONFLICT (entry_id) DO NOTHING RETURNING *"
            )
        )
    ).all()
    if replace:
        await conn.execute(text("DELETE FROM public.obligations"))
    await conn.execute(
        text(
            f"INSERT INTO public.obligations ({_OBLIGATION}) SELECT {_OBLIGATION} FROM {SCHEMA}.obligations "
            f"ON CONFLICT (deadline_id) DO UPDATE SET ({_OBLIGATION}) = ROW (excluded.*)"
        )
    )
    changed = await _sum_up_anew(conn)
    await outbox.put(
        conn,
        kit.outbox,
        [*(recorded(entry_of(row), row.seq) for row in added), *(published(row) for row in changed)],
        now,
        times=[row.fact_at for row in added] + [now] * len(changed),
    )
    await audit.record(
        conn, kit, service_caller("scoring"), "ledger.rebuild", "ledger_entry", [row.entry_id for row in gone], now,
        added=len(added), removed=len(gone), standings=len(changed),
    )  # fmt: skip
    return len(added)


async def _sum_up_anew(conn: AsyncConnection) -> list[Any]:
    """Standings from the ledger in use; returns the rows that changed. One without entries left is removed."""
    before = {_key(row): tuple(row) for row in await conn.execute(select(standings))}
    sign = "CASE WHEN corrects IS NULL THEN 1 ELSE -1 END"
    await conn.execute(
        text(
            f"CREATE TEMPORARY TABLE summed ON COMMIT DROP AS SELECT plan, rulebook, agency, unit, subject_kind, "
            f"subject, "
            f"sum(points) AS points, count(*)::int AS entries, "
            f"coalesce(sum({sign}) FILTER (WHERE outcome = 'met'), 0)::int AS in_time, "
            f"coalesce(sum({sign}) FILTER (WHERE outcome IN ('met_late', 'missed')), 0)::int AS late, "
            f"max(recorded_at) AS as_of, max(seq) AS changed_seq "
            f"FROM public.ledger GROUP BY plan, rulebook, agency, unit, subject_kind, subject"
        )
    )
    await conn.execute(text("DELETE FROM public.standings"))
    await conn.execute(
        text(
            "INSERT INTO public.standings (plan, rulebook, agency, unit, area, points, entries, in_time, late, version, "
            "as_of, changed_seq, subject_kind, subject) SELECT s.plan, s.rulebook, s.agency, s.unit, r.area, s.points, "
            "s.entries, s.in_time, s.late, s.entries, s.as_of, s.changed_seq, s.subject_kind, s.subject FROM summed AS s "
            f"LEFT JOIN {SCHEMA}.standings AS r ON (s.plan, s.rulebook, s.agency, s.subject_kind, "
            "s.subject) = (r.plan, r.rulebook, r.agency, r.subject_kind, r.subject) "
            "AND s.unit IS NOT DISTINCT FROM r.unit"
        )
    )
    rows = (await conn.execute(select(standings))).all()
    return [row for row in rows if before.get(_key(row)) != tuple(row)]


def _key(row: Any) -> tuple[Any, ...]:
    return (row.plan, row.rulebook, row.agency, row.unit, row.subject_kind, row.subject)


__all__ = ["SCHEMA", "Difference", "adopt", "difference", "discard", "inside", "prepare"]
