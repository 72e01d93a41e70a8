"""Events become obligations, findings and scores. Any order, any repetition: the ledger comes out the same."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring import commands
from services.scoring.commands.certificates import Desk
from services.scoring.commands.findings.basis import Basis
from services.scoring.consumers import certificates, consequences, duties, findings
from shared.events import Event
from shared.events.casework import CaseAccepted, CaseOpened, DeadlineMissed
from shared.kit.consumer import Handler

TOPICS: Mapping[str, tuple[str, ...]] = {
    "normal": ("casework.case.v1",),
    "urgent": ("casework.urgent.v1",),
    "matters": tuple(dict.fromkeys((*findings.TOPICS, *certificates.TOPICS, *consequences.TOPICS, *duties.TOPICS))),
}
"""Lane → topics."""

REBUILT: Mapping[str, tuple[str, ...]] = {
    "normal": TOPICS["normal"],
    "urgent": TOPICS["urgent"],
    "matters": ("scoring.finding.v1", *consequences.TOPICS, *duties.TOPICS),
}
"""Lane → topics that the ledger is rebuilt from: obligations and the decisions of persons."""


def handlers(books: commands.Books, basis: Basis | None = None, desk: Desk | None = None) -> dict[str, Handler]:
    """What is done with each type of event; without a `basis` no findings are proposed, without a `desk`
    no evidence of certificates is kept (the ledger needs neither)."""

    async def opened(conn: AsyncConnection, events: Sequence[Event[Any]], now: datetime) -> None:
        await commands.open_obligations(conn, events, now)

    async def accepted(conn: AsyncConnection, events: Sequence[Event[Any]], now: datetime) -> None:
        await commands.record_acceptances(conn, books, events, now)

    async def missed(conn: AsyncConnection, events: Sequence[Event[Any]], now: datetime) -> None:
        await commands.record_misses(conn, books, events, now)

    return _together(
        {CaseOpened.TYPE: opened, CaseAccepted.TYPE: accepted, DeadlineMissed.TYPE: missed},
        findings.deciding(books),
        consequences.deciding(books),
        duties.owing(books),
        findings.judging(basis) if basis is not None else {},
        certificates.keeping(desk) if desk is not None else {},
    )


def _together(*tables: Mapping[str, Handler]) -> dict[str, Handler]:
    """One handler a type of event; where several tables have one, they follow each other."""
    found: dict[str, list[Handler]] = defaultdict(list)
    for table in tables:
        for event_type, handler in table.items():
            found[event_type].append(handler)
    return {event_type: one[0] if len(one) == 1 else _each(tuple(one)) for event_type, one in found.items()}


def _each(several: Sequence[Handler]) -> Handler:
    async def each(conn: AsyncConnection, events: Sequence[Event[Any]], now: datetime) -> None:
        for handler in several:
            await handler(conn, events, now)

    return each
