"""Duties and reports of notify become obligations and scores: departments are assessed by them (D-M1, D-M2, D-R)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.commands import facts
from services.scoring.domain.books import Books
from shared.events import Event
from shared.events.duties import DutyDone, DutyGivenBack, DutyMissed, DutySet
from shared.events.reports import ReportMissed, ReportOwed, ReportSubmitted
from shared.kit.consumer import Handler

TOPICS = ("notify.duty.v1", "notify.report.v1")
"""What agencies owe beside their cases."""


def owing(books: Books) -> dict[str, Handler]:
    """What is done with each type of event."""

    async def opened(conn: AsyncConnection, events: Sequence[Event[Any]], now: datetime) -> None:
        await facts.open_duties(conn, events, now)

    async def done(conn: AsyncConnection, events: Sequence[Event[Any]], now: datetime) -> None:
        await facts.record_done(conn, books, events, now)

    async def undone(conn: AsyncConnection, events: Sequence[Event[Any]], now: datetime) -> None:
        await facts.record_undone(conn, books, events, now)

    async def given_back(conn: AsyncConnection, events: Sequence[Event[Any]], now: datetime) -> None:
        await facts.reopen_duties(conn, books, events, now)

    return {
        DutySet.TYPE: opened,
        ReportOwed.TYPE: opened,
        DutyDone.TYPE: done,
        ReportSubmitted.TYPE: done,
        DutyMissed.TYPE: undone,
        ReportMissed.TYPE: undone,
        DutyGivenBack.TYPE: given_back,
    }
