"""Timed work: one look for changes that wakes all feed streams; rulebooks that were published."""

from __future__ import annotations

import time

from services.scoring import metrics, queries
from services.scoring.adapters.outside import Outside
from services.scoring.commands import checkpoints
from services.scoring.commands.certificates import Desk, ensure_dues, expire, settle_dues
from services.scoring.commands.consequences.basis import Basis as ConsequenceBasis
from services.scoring.commands.consequences.tools import look_at_dues
from services.scoring.commands.rulebooks.shelf import adopt, refresh
from services.scoring.domain import notes
from services.scoring.domain.books import Books
from services.scoring.domain.rulebooks import Shipped
from shared.kit import clock, db
from shared.kit.logs import log
from shared.kit.service import Service


async def look(service: Service, pulse: queries.Pulse) -> None:
    """Look for changes, unless nobody waits for them."""
    if pulse.streams:
        async with db.begin(service.engine) as conn:
            newest = await queries.newest_change(conn)
        await pulse.beat(newest)


async def consequences(service: Service, basis: ConsequenceBasis) -> None:
    """Tools whose time is over end; rectifications that were not reported in time are told."""
    async with db.begin(service.engine) as conn:
        await look_at_dues(conn, basis, clock.now())


async def rulebooks(service: Service, books: Books, shipped: Shipped) -> None:
    """Take the shipped rulebooks into the database once, and versions published since the last look."""
    async with db.begin(service.engine) as conn:
        if books.newest < 0:
            for told in await adopt(conn, shipped, clock.now()):
                log.error("rulebook.unusable", detail=told)
    async with db.begin(service.engine) as conn:
        await refresh(conn, books)


async def certificates(desk: Desk) -> None:
    """Days at which a certificate has to be there, days that passed without one, certificates whose time is over."""
    engine = desk.service.engine
    async with db.begin(engine) as conn:
        await ensure_dues(conn, desk, clock.now())
    async with db.begin(engine) as conn:
        await settle_dues(conn, desk, clock.now())
    async with db.begin(engine) as conn:
        await expire(conn, desk, clock.now())


class Sealing:
    """Takes checkpoints and keeps them outside the database. `outside` is the newest one known from there."""

    def __init__(self, service: Service, signer: checkpoints.Signer, store: Outside) -> None:
        self.signer = signer
        self.outside: checkpoints.Taken | None = None
        self._service = service
        self._store = store
        self._begun = False

    async def round(self) -> None:
        """Cover what is new; write outside what is not there yet."""
        if not self._begun:
            await self._recall()
        more = True
        while more:
            started = time.perf_counter()
            try:
                async with db.begin(self._service.engine) as conn:
                    taken = await checkpoints.take(conn, self.signer, clock.now(), outside=self.outside)
            except checkpoints.LedgerBroken as error:
                self.broken(error)
                raise
            metrics.LEDGER_BROKEN.set(0)
            if taken is not None:
                self.outside = taken
                metrics.CHECKPOINT_SIZE.set(taken.checkpoint.size)
                metrics.CHECKPOINT_SECONDS.observe(time.perf_counter() - started)
            more = taken is not None and taken.more
        metrics.CHECKPOINT_AT.set(clock.now().timestamp())
        await self._write_out()

    def broken(self, error: Exception) -> None:
        """Tell everyone who watches: the ledger is not what was signed."""
        metrics.LEDGER_BROKEN.set(1)
        log.error("ledger.broken", detail=str(error))

    async def _recall(self) -> None:
        """What was signed last, as it stands outside: the database must still have it."""
        found = await self._store.latest()
        if found is not None:
            number, note = found
            keys = self.signer.keys.public_keys(checkpoints.KEY).values()
            try:
                self.outside = checkpoints.Taken(number, notes.opened(note, keys), note, more=False)
            except notes.BadNote as error:
                log.error("checkpoint.unreadable", number=number, detail=str(error))
        self._begun = True

    async def _write_out(self) -> None:
        if not self._store.kept:
            return
        while True:
            async with db.begin(self._service.engine) as conn:
                rows = await checkpoints.unstored(conn, 100)
            for row in rows:
                await self._store.store(row.number, row.note)
                if row.document is not None:
                    await self._store.freeze(row.plan, row.label, bytes(row.document))
            if rows:
                await self._store.point(rows[-1].number, rows[-1].note)
                async with db.begin(self._service.engine) as conn:
                    await checkpoints.mark_stored(conn, [row.number for row in rows], clock.now())
            if len(rows) < 100:
                return
