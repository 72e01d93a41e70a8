"""Timed work: deadlines that passed, and the gauges of those still open."""

from services.casework import commands, metrics, queries
from services.casework.commands import Basis, proceedings
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


async def measure(service: Service) -> None:
    """Set the gauges from the table, so that every instance tells the same."""
    async with db.begin(service.engine) as conn:
        counts = await queries.open_deadlines(conn, clock.now())
    metrics.show_deadlines(counts)
