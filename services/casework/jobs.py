"""Timed work: deadlines that passed, and the gauges of those still open."""

from services.casework import commands, metrics, queries
from services.casework.commands import Basis, major, penalties, proceedings, revisits
from services.casework.commands.downline import evaluate_due
from services.casework.commands.evidence import EvidenceRoom
from services.casework.commands.evidence import upkeep as evidence_upkeep
from services.casework.queries import evidence as evidence_queries
from shared.kit import clock, db
from shared.kit.service import Service

AT_ONCE = 500
"""Deadlines marked in one transaction."""
AT_ONCE_IN_PROCEEDINGS = 50
"""Fewer: each may be followed by a step of its own."""


async def mark_missed(service: Service) -> None:
    """Mark every running deadline whose moment has passed."""
    while True:
        async with db.begin(service.engine) as conn:
            marked = await commands.mark_missed(conn, clock.now(), limit=AT_ONCE)
        if marked < AT_ONCE:
            return


async def mark_proceedings_missed(service: Service, basis: Basis) -> None:
    """Mark every running clock of a proceeding whose moment has passed, and take the step that follows from it."""
    while True:
        async with db.begin(service.engine) as conn:
            marked = await proceedings.mark_proceedings_missed(conn, basis, clock.now(), limit=AT_ONCE_IN_PROCEEDINGS)
        if marked < AT_ONCE_IN_PROCEEDINGS:
            return


async def note_downlines(service: Service, basis: Basis) -> None:
    """Find cases that their downline makes major, so that they are reported in time."""
    while True:
        async with db.begin(service.engine) as conn:
            noted = await major.note_downlines(conn, basis, clock.now(), limit=AT_ONCE_IN_PROCEEDINGS)
        if noted < AT_ONCE_IN_PROCEEDINGS:
            return


async def release_operations(service: Service) -> None:
    """Tell what was held back of operations whose hour has come."""
    while True:
        async with db.begin(service.engine) as conn:
            released = await proceedings.release_due(conn, clock.now(), limit=AT_ONCE_IN_PROCEEDINGS)
        if released < AT_ONCE_IN_PROCEEDINGS:
            return


async def end_publications(service: Service, basis: Basis) -> None:
    """End the publication of penalties that were shown for their time."""
    while True:
        async with db.begin(service.engine) as conn:
            ended = await penalties.end_publications(conn, basis, clock.now(), limit=AT_ONCE_IN_PROCEEDINGS)
        if ended < AT_ONCE_IN_PROCEEDINGS:
            return


async def measure(service: Service) -> None:
    """Set the gauges from the table, so that every instance tells the same."""
    async with db.begin(service.engine) as conn:
        counts = await queries.open_deadlines(conn, clock.now())
    metrics.show_deadlines(counts)


async def mark_records(service: Service, basis: commands.Basis) -> None:
    """Tell of what should be on record and is not: persons and cases not entered, follow-ups and revisits not done."""
    while True:
        now, most = clock.now(), 0
        async with db.begin(service.engine) as conn:
            most = max(most, await revisits.mark_revisits(conn, basis, now, limit=AT_ONCE))
        async with db.begin(service.engine) as conn:
            most = max(most, await revisits.mark_persons(conn, now, limit=AT_ONCE))
        async with db.begin(service.engine) as conn:
            most = max(most, await revisits.mark_cases(conn, basis, now, limit=AT_ONCE))
        if most < AT_ONCE:
            return


async def tend_evidence(room: EvidenceRoom) -> None:
    """Read files of evidence again and compare them with their hash, scan those not scanned, count all."""
    now = clock.now()
    await evidence_upkeep.recheck(room, now)
    await evidence_upkeep.scan_unscanned(room)
    async with db.begin(room.service.engine) as conn:
        rows = await evidence_queries.file_counts(conn)
        oldest = await evidence_queries.oldest_check(conn)
    metrics.EVIDENCE_FILES.clear()
    for row in rows:
        metrics.EVIDENCE_FILES.labels(row.kind, row.state, row.scan).set(row.n)
    metrics.EVIDENCE_DAMAGED.set(sum(row.n for row in rows if row.state == "damaged"))
    metrics.EVIDENCE_UNCHECKED.set((now - oldest).total_seconds() if oldest else 0)


async def sweep_evidence(room: EvidenceRoom) -> None:
    """Remove bytes whose rows never came (a crash in between) or whose keys were destroyed."""
    metrics.EVIDENCE_SWEPT.inc(await evidence_upkeep.sweep(room, clock.now()))


async def evaluate_downlines(service: Service) -> None:
    """Evaluate the downlines that changed, so that a threshold is told though nobody looks."""
    await evaluate_due(service, clock.now())
