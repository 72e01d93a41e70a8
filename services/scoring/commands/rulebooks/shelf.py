"""The versions in use: those in the database; the shipped ones are taken into it at first start."""

from __future__ import annotations

import zlib
from datetime import date, datetime
from hashlib import sha256

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.domain.books import Books
from services.scoring.domain.rulebooks import CHINA, Rulebook, read_text
from services.scoring.domain.rulebooks.shipped import Shipped
from services.scoring.tables import kit, rulebooks
from shared.kit import audit
from shared.kit.access import service_caller
from shared.kit.db import insert_many

# A rebuild looks for its tables in its own schema; rulebooks are what they are.
_NEW = text("SELECT seq, rulebook, edition, source FROM public.rulebooks WHERE seq > :newest ORDER BY seq")
TURN = select(func.pg_advisory_xact_lock(zlib.crc32(b"scoring:rulebooks")))
"""Versions are added one after the other, so that who has read up to a number has read all."""


async def refresh(conn: AsyncConnection, books: Books) -> int:
    """Take versions that were published since the last look; returns how many. Raises `RulebookError`.

    Done in the transaction that books, so an entry never misses a rulebook that was in force when its fact happened.
    """
    rows = (await conn.execute(_NEW, {"newest": books.newest})).all()
    if not rows:
        return 0
    found = [read_text(row.source, f"{row.rulebook}/{row.edition}.yaml") for row in rows]
    if books.newest < 0:
        known = {one.id for one in found}
        books.replace([*found, *(one for one in books.shipped if one.id not in known)])
    else:
        books.shelf.add(found)
    books.newest = rows[-1].seq
    return len(rows)


async def adopt(conn: AsyncConnection, shipped: Shipped, now: datetime) -> list[str]:
    """Put shipped versions that are new into the database; returns what cannot be used of them, in words.

    A file that was changed after it was taken, and one that would begin in the past beside another version, change
    nothing: what happened is not valued anew in silence.
    """
    await conn.execute(TURN)
    rows = (await conn.execute(select(rulebooks.c.rulebook, rulebooks.c.edition, rulebooks.c.sha256))).all()
    known = {(row.rulebook, row.edition): row.sha256 for row in rows}
    ids = {row.rulebook for row in rows}
    told: list[str] = []
    new: list[tuple[Rulebook, str]] = []
    for one, source in shipped:
        digest = known.get((one.id, one.version))
        if digest is not None:
            if digest != digest_of(source):
                told.append(f"{one.ref}: changed after it was published; give it a new version")
        elif one.id in ids and one.valid_from <= today(now):
            told.append(f"{one.ref}: begins on {one.valid_from}, not after today; give it a later valid_from")
        else:
            new.append((one, source))
    await insert_many(
        conn,
        rulebooks,
        [
            {
                "rulebook": one.id, "edition": one.version, "plans": list(one.plans), "valid_from": one.valid_from,
                "source": source, "sha256": digest_of(source), "origin": "shipped", "published_at": now,
            }
            for one, source in new
        ],
        conflict="ON CONFLICT DO NOTHING",
    )  # fmt: skip
    if new:
        await audit.record(
            conn, kit, service_caller("scoring"), "rulebook.adopt", "rulebook", [one.ref for one, _ in new], now
        )
    return told


def digest_of(source: str) -> str:
    """What a version's text is known by."""
    return sha256(source.encode()).hexdigest()


def today(now: datetime) -> date:
    """The China day."""
    return now.astimezone(CHINA).date()
