"""Events become obligations, findings and scores. Any order, any repetition: the ledger comes out the same."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring import commands
from services.scoring.commands.certificates import Desk
from services.scoring.commands.findings.basis import Basis
from services.scoring.consumers import certificates, consequences, duties, findings
from shared.events import Event
from shared.events.casework import CaseAccepted, CaseOpened, DeadlineMissed
from shared.events.duties import DutyDone, DutyGivenBack, DutyMissed, DutySet
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
    "matters": TOPICS["matters"],
}
"""Lane → topics that are read for a rebuild: obligations, the decisions of persons, what findings and certificates
rest on."""


def rebuilding(books: commands.Books) -> dict[str, Handler]:
    """What a rebuild does with each type of event: the ledger is booked, facts are kept, nothing is judged anew."""
    return _together(handlers(books), findings.remembering(books))


def in_turn(events: Sequence[Event[Any]]) -> Iterator[tuple[str, list[Event[Any]]]]:
    """Events in runs of a type. The order between types does not matter to the ledger, save for a duty that was given
    back: the events of duties keep theirs then."""
    ordered = any(one.type == DutyGivenBack.TYPE for one in events)
    by_type: dict[str, list[Event[Any]]] = defaultdict(list)
    kept: list[Event[Any]] = []
    for one in events:
        (kept if ordered and one.type in _OF_DUTIES else by_type[one.type]).append(one)
    yield from by_type.items()
    for event_type, run in groupby(kept, key=attrgetter("type")):
        yield event_type, list(run)


_OF_DUTIES = frozenset((DutySet.TYPE, DutyDone.TYPE, DutyMissed.TYPE, DutyGivenBack.TYPE))


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
