"""Events that findings rest on are judged; decisions about findings, read back, are in the ledger."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.commands.findings.basis import Basis
from services.scoring.commands.findings.detecting import judge
from services.scoring.commands.findings.replaying import book_again
from services.scoring.commands.remembering import remember
from services.scoring.domain.books import Books
from services.scoring.domain.certificates.evidence import TYPES as EVIDENCE
from services.scoring.domain.detectors import MATTER_OF
from shared.events import Event
from shared.events.findings import AppealDecided, FindingDecided
from shared.kit.consumer import Handler

TOPICS = (
    "casework.proceeding.v1",
    "intake.handover.v1",
    "intake.register.v1",
    "intake.tip.v1",
    "notify.duty.v1",
    "notify.publicity.v1",
    "notify.report.v1",
    "scoring.certificate.v1",
    "scoring.finding.v1",
)
"""What findings rest on, beside the cases' own topics; and the decisions about them, which a rebuild reads."""


def judging(basis: Basis) -> dict[str, Handler]:
    """What detectors read becomes findings. A rebuild of the ledger does not need it: decisions carry what they rest on."""

    async def judged(conn: AsyncConnection, events: Sequence[Event[Any]], now: datetime) -> None:
        await judge(conn, basis, events, now)

    return dict.fromkeys(MATTER_OF, judged)


def remembering(books: Books) -> dict[str, Handler]:
    """What detectors and checklists read is kept, without judging: for a rebuild."""

    async def remembered(conn: AsyncConnection, events: Sequence[Event[Any]], now: datetime) -> None:
        await remember(conn, books, events, now)

    return dict.fromkeys((*MATTER_OF, *EVIDENCE, FindingDecided.TYPE, AppealDecided.TYPE), remembered)


def deciding(books: Books) -> dict[str, Handler]:
    """Decisions become ledger entries, where they are not yet."""

    async def decided(conn: AsyncConnection, events: Sequence[Event[Any]], now: datetime) -> None:
        await book_again(conn, books, events, now)

    return {FindingDecided.TYPE: decided, AppealDecided.TYPE: decided}
