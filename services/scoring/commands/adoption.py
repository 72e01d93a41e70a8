"""A ledger rebuilt from the topics, compared with the one in use, and what is missing taken over from it.

The rebuilt tables stand in the schema `rebuild`; both are compared by content, without the numbers of arrival (`seq`).
Entries that are only in the ledger in use, or differ from the rebuilt ones, mean lost events, another rulebook or a
changed database: they are told, and replaced only when asked for. Run as the owner role: the service's own role cannot
change the ledger.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.commands.booking import Books, entry_of, published, recorded
from services.scoring.tables import evidence_facts, finding_facts, kit, ledger, obligations, standings
from shared.kit import audit, outbox
from shared.kit.access import service_caller
from shared.kit.db import insert_many

SCHEMA = "rebuild"
FACTS = (finding_facts, evidence_facts)
"""What findings and certificates rest on. A rebuild gives back what is missing; it judges nothing anew."""
TABLES = (obligations, ledger, standings, *FACTS, kit.outbox, kit.inbox, kit.audit)
"""What the commands write to; the outbox, inbox and audit log of a rebuild are thrown away with its schema."""

_LOADED = (obligations, ledger)
_PAGE = 2000
_NO_HURRY = text(
    "SELECT set_config('statement_timeout', '0', true), "
    "set_config('idle_in_transaction_session_timeout', '0', true)"
)
_ENTRY = ", ".join(column.name for column in ledger.c if column.name != "seq")
_STANDING = ", ".join(column.name for column in standings.c if column.name not in ("changed_seq", "key"))
_OBLIGATION = ", ".join(column.name for column in obligations.c)


_SIGN = "CASE WHEN corrects IS NULL THEN 1 ELSE -1 END"
_SUMS = (
    "SELECT plan, rulebook, agency, unit, subject_kind, subject, sum(points) AS points, count(*)::int AS entries, "
    f"coalesce(sum({_SIGN}) FILTER (WHERE outcome = 'met'), 0)::int AS in_time, "
    f"coalesce(sum({_SIGN}) FILTER (WHERE outcome IN ('met_late', 'missed')), 0)::int AS late, "
    "max(recorded_at) AS as_of, max(seq) AS changed_seq FROM {schema}.ledger "
    "GROUP BY plan, rulebook, agency, unit, subject_kind, subject"
)


@dataclass(frozen=True, slots=True)
class Difference:
    """How the ledger in use differs from the rebuilt one: entries by count, and standings and obligations that do;
    `facts` are those of findings and certificates that are missing in use, or are not what was told.

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
    facts: int = 0

    @property
    def identical(self) -> bool:
        return self.digest == self.digest_in_use and not (self.standings or self.obligations or self.facts)


_LACKING = (
    f"CREATE TEMPORARY TABLE lacking ON COMMIT DROP AS SELECT r.entry_id FROM {SCHEMA}.ledger AS r WHERE NOT EXISTS "
    "(SELECT FROM public.ledger AS l WHERE l.entry_id = r.entry_id)"
)
_PLACES = (
    "CREATE TEMPORARY TABLE places ON COMMIT DROP AS SELECT DISTINCT ON (t.seq) t.entry_id, t.seq FROM (SELECT DISTINCT "
    "ON (entry_id) (data ->> 'entry_id')::uuid AS entry_id, (data ->> 'seq')::bigint AS seq, place FROM (SELECT seq AS "
    "place, convert_from(data, 'UTF8')::jsonb AS data FROM public.outbox WHERE type = 'dachuan.ledger.entry.v1') AS o "
    "ORDER BY entry_id, place) AS t JOIN lacking AS a ON a.entry_id = t.entry_id WHERE t.seq IS NOT NULL AND NOT EXISTS "
    "(SELECT FROM public.ledger AS l WHERE l.seq = t.seq) ORDER BY t.seq"
)
"""The numbers that missing entries were told with, where they are free."""


async def prepare(conn: AsyncConnection) -> None:
    """Make fresh, empty tables in the schema `rebuild`."""
    await conn.execute(text(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE"))
    await conn.execute(text(f"CREATE SCHEMA {SCHEMA}"))
    for table in TABLES:
        kept = "INCLUDING DEFAULTS INCLUDING IDENTITY INCLUDING GENERATED" if table in _LOADED else "INCLUDING ALL"
        await conn.execute(text(f"CREATE UNLOGGED TABLE {SCHEMA}.{table.name} (LIKE public.{table.name} {kept})"))


async def settle(conn: AsyncConnection) -> None:
    """Index what was loaded; a deadline or an entry that came twice ends the rebuild here."""
    await conn.execute(_NO_HURRY)
    await conn.execute(text(f"ALTER TABLE {SCHEMA}.obligations ADD PRIMARY KEY (deadline_id)"))
    await conn.execute(text(f"ALTER TABLE {SCHEMA}.ledger ADD PRIMARY KEY (entry_id), ADD UNIQUE (seq)"))
    for table in _LOADED:
        await conn.execute(text(f"ANALYZE {SCHEMA}.{table.name}"))


async def sum_up(conn: AsyncConnection, books: Books) -> None:
    """The rebuilt standings from the rebuilt ledger."""
    await conn.execute(_NO_HURRY)
    await conn.execute(text(f"DELETE FROM {SCHEMA}.standings"))
    rows = (await conn.execute(text(_SUMS.format(schema=SCHEMA)))).all()
    homes = {plan: book.homes for plan, book in books.items()}
    await inside(conn)
    for first in range(0, len(rows), 5000):
        await insert_many(
            conn,
            standings,
            [
                {**row._mapping, "version": row.entries, "area": homes[row.plan].get(row.agency)}
                for row in rows[first : first + 5000]
            ],
        )


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

    def apart_from_told(table: Table) -> str:
        # what is in use alone may rest on a topic that is not kept for ever
        columns = ", ".join(column.name for column in table.c if column.name != "heard_at")
        return (
            f"SELECT count(*) FROM (SELECT {columns} FROM {SCHEMA}.{table.name} EXCEPT "
            f"SELECT {columns} FROM public.{table.name}) AS d"
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
        facts=sum([await one(apart_from_told(table)) for table in FACTS]),
    )


async def adopt(conn: AsyncConnection, now: datetime, *, replace: bool = False) -> int:
    """Add what the ledger in use lacks, bring obligations and standings to what the topics give, and tell the feed.

    Entries keep their numbers of arrival, so no reader's cursor is lost and checkpoints hold; those that are missing get
    back the number they were told with where it is known and free, else a new one. With `replace`, entries that differ
    become what they were, and those with no event behind them go. Returns how many entries were added.
    """
    await conn.execute(_NO_HURRY)
    await conn.execute(text("LOCK TABLE public.ledger, public.standings, public.obligations IN EXCLUSIVE MODE"))
    gone: Sequence[Any] = ()
    if replace:
        gone = (
            await conn.execute(
                text(
                    "DELETE FROM public.ledger AS l WHERE NOT EXISTS "
                    f"(SELECT FROM {SCHEMA}.ledger AS r WHERE r.entry_id = l.entry_id) RETURNING entry_id"
                )
            )
        ).all()
        # in its place: the checkpoints that covered the entry as it was cover it again
        await conn.execute(
            text(
                f"UPDATE public.ledger AS l SET ({_ENTRY}) = (SELECT {_ENTRY} FROM {SCHEMA}.ledger AS s "
                f"WHERE s.entry_id = l.entry_id) FROM (SELECT {_ENTRY} FROM public.ledger EXCEPT SELECT {_ENTRY} FROM "
                f"{SCHEMA}.ledger) AS d WHERE d.entry_id = l.entry_id"
            )
        )
    await conn.execute(text(_LACKING))
    await conn.execute(text("ALTER TABLE lacking ADD PRIMARY KEY (entry_id)"))
    added = (await conn.execute(text("SELECT count(*) FROM lacking"))).scalar_one()
    if added:
        await conn.execute(text(_PLACES))
        columns = _ENTRY.replace("entry_id", "r.entry_id")
        for chosen, place, override in (("NOT NULL", "seq, ", "OVERRIDING SYSTEM VALUE"), ("NULL", "", "")):
            await conn.execute(
                text(
                    f"INSERT INTO public.ledger ({place}{_ENTRY}) {override} SELECT {place and 'p.seq, '}{columns} "
                    f"FROM {SCHEMA}.ledger AS r JOIN lacking AS a ON a.entry_id = r.entry_id "
                    f"LEFT JOIN places AS p ON p.entry_id = r.entry_id WHERE p.seq IS {chosen} "
                    "ORDER BY r.recorded_at, r.entry_id"
                )
            )
    if replace:
        await conn.execute(text("DELETE FROM public.obligations"))
    await conn.execute(
        text(
            f"INSERT INTO public.obligations ({_OBLIGATION}) SELECT {_OBLIGATION} FROM {SCHEMA}.obligations "
            f"ON CONFLICT (deadline_id) DO UPDATE SET ({_OBLIGATION}) = ROW (excluded.*)"
        )
    )
    for table in FACTS:
        columns = ", ".join(column.name for column in table.c)
        await conn.execute(
            text(
                f"INSERT INTO public.{table.name} ({columns}) SELECT {columns} FROM {SCHEMA}.{table.name} "
                "ON CONFLICT DO NOTHING"
            )
        )
    if replace:
        # a trigger adds to the sums what is added to the ledger; nothing takes away from them
        await conn.execute(text("SELECT public.ledger_sum_up_anew()"))
    changed = await _sum_up_anew(conn)
    await _tell_added(conn, now)
    await outbox.put(conn, kit.outbox, [published(row) for row in changed], now)
    await audit.record(
        conn, kit, service_caller("scoring"), "ledger.rebuild", "ledger_entry", [row.entry_id for row in gone], now,
        added=added, removed=len(gone), standings=len(changed),
    )  # fmt: skip
    return added


async def _tell_added(conn: AsyncConnection, now: datetime) -> None:
    """The feed hears of what was added, a page at a time: there may be millions."""
    page = text(
        "SELECT l.* FROM public.ledger AS l JOIN lacking AS a ON a.entry_id = l.entry_id WHERE l.seq > :after "
        f"ORDER BY l.seq LIMIT {_PAGE}"
    )
    after = 0
    while rows := (await conn.execute(page, {"after": after})).all():
        told = [recorded(entry_of(row), row.seq) for row in rows]
        await outbox.put(conn, kit.outbox, told, now, times=[row.fact_at for row in rows])
        after = rows[-1].seq
        # whoever else has work in this process, a heartbeat to Kafka above all, goes in between
        await asyncio.sleep(0)


async def _sum_up_anew(conn: AsyncConnection) -> list[Any]:
    """Standings from the ledger in use; returns the rows that changed. One without entries left is removed."""
    before = {_key(row): tuple(row) for row in await conn.execute(select(standings))}
    await conn.execute(text("CREATE TEMPORARY TABLE summed ON COMMIT DROP AS " + _SUMS.format(schema="public")))
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


__all__ = ["SCHEMA", "Difference", "adopt", "difference", "discard", "inside", "prepare", "settle", "sum_up"]
