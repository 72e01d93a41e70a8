"""Rulebooks and drafts within a caller's reach, and the facts of a period for a what-if."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.domain.books import Books
from services.scoring.domain.decisions import Decided
from services.scoring.domain.obligations import Fact, Obligation
from services.scoring.domain.rulebooks import CHINA, Rulebook
from services.scoring.domain.whatif import Facts
from services.scoring.tables import findings, ledger, obligations, rulebook_drafts, rulebooks
from shared.events.casework import CaseAccepted, DeadlineMissed
from shared.kit.access import Caller
from shared.kit.problem import Forbidden, NotFound

MOST_FACTS = 200_000
"""Obligations a what-if takes at most; a longer period is tried in parts."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A version and where it stands: in force, to come, or over; `until` is the day before the next begins."""

    rulebook: Rulebook
    state: str
    until: date | None
    origin: str
    published_at: datetime | None
    drafted_by: str | None
    published_by: str | None
    sha256: str | None
    source: str | None


def readable(caller: Caller, rulebook: Rulebook, right: str = "score.read") -> bool:
    """Whether a caller may read it: those of their plan; with the widest reach all; examples of no plan here, too."""
    return caller.reach(right) == "all" or caller.plan in rulebook.plans


def no_rulebook() -> NotFound:
    """The refusal of a version that is not there or not within reach."""
    return NotFound("没有这份细则，或不在您的权限内。 No such rulebook within your reach.", code="no-such-rulebook")


def drafts_or_publishes(caller: Caller) -> bool:
    """Whether drafts are a caller's business."""
    return caller.reach("rulebook.draft") is not None or caller.reach("rulebook.publish") is not None


def must_draft_or_publish(caller: Caller) -> None:
    """Refuse who neither drafts nor publishes."""
    if not drafts_or_publishes(caller):
        raise Forbidden(
            "草案只给起草和发布的岗位看；发布后人人可读。 "
            "Drafts are for those who draft or publish; once published, everyone reads them.",
            right="rulebook.draft",
        )


async def versions(conn: AsyncConnection, books: Books, caller: Caller, day: date) -> list[Standing]:
    """Every version a caller may read, by rulebook, newest first, and those of plans not run here (examples)."""
    rows = {(row.rulebook, row.edition): row for row in await conn.execute(select(rulebooks))}
    found: list[Standing] = []
    for one in books.shelf:
        example = not any(plan in books.plans for plan in one.plans)
        if not (readable(caller, one) or example):
            continue
        later = [other for other in books.shelf.versions(one.id) if other.valid_from > one.valid_from]
        following = later[0].valid_from - timedelta(days=1) if later else None
        until = min((end for end in (following, one.valid_to) if end is not None), default=None)
        state = (
            "example" if example else "future" if one.valid_from > day else
            "over" if until is not None and until < day else "in_force"
        )  # fmt: skip
        row = rows.get((one.id, one.version))
        found.append(
            Standing(
                one, state, until, row.origin if row else "shipped", row.published_at if row else None,
                row.drafted_by if row else None, row.published_by if row else None, row.sha256 if row else None,
                row.source if row else None,
            )
        )  # fmt: skip
    order = {"in_force": 0, "future": 1, "over": 2, "example": 3}
    return sorted(found, key=lambda one: (order[one.state], one.rulebook.id, -one.rulebook.valid_from.toordinal()))


async def list_drafts(conn: AsyncConnection, caller: Caller, *, limit: int = 100) -> Sequence[Any]:
    """The drafts of the caller's plan, the newest first."""
    query = (
        select(rulebook_drafts)
        .where(rulebook_drafts.c.plan == caller.plan)
        .order_by(rulebook_drafts.c.drafted_at.desc(), rulebook_drafts.c.id)
        .limit(limit)
    )
    return (await conn.execute(query)).all()


async def one_draft(conn: AsyncConnection, caller: Caller, draft_id: UUID) -> Any | None:
    """One draft of the caller's plan."""
    query = select(rulebook_drafts).where(rulebook_drafts.c.id == draft_id, rulebook_drafts.c.plan == caller.plan)
    return (await conn.execute(query)).one_or_none()


async def facts(conn: AsyncConnection, books: Books, plan: str, first: date, last: date) -> Facts | None:
    """What happened in a plan in a period (China days, inclusive); None where that is too much at once."""
    start = datetime.combine(first, time(), CHINA).astimezone(UTC)
    end = datetime.combine(last + timedelta(days=1), time(), CHINA).astimezone(UTC)
    o, f = obligations.c, findings.c
    rows = (
        await conn.execute(
            select(obligations)
            .where(
                o.plan == plan,
                or_(
                    and_(o.accepted_at >= start, o.accepted_at < end), and_(o.missed_at >= start, o.missed_at < end)
                ),
            )
            .limit(MOST_FACTS + 1)
        )
    ).all()
    if len(rows) > MOST_FACTS:
        return None
    confirmed = (
        await conn.execute(
            select(findings).where(
                f.plan == plan,
                f.occurred_at >= start,
                f.occurred_at < end,
                f.state.in_(("confirmed", "appealed", "upheld")),
            )
        )
    ).all()
    decided = (
        await conn.execute(
            select(ledger).where(
                ledger.c.plan == plan, ledger.c.basis == "decision", ledger.c.occurred_on >= first,
                ledger.c.occurred_on <= last,
            )
        )
    ).all()  # fmt: skip
    acts = [_finding(row) for row in confirmed]
    acts += [one for row in decided if (one := _decision(books, row)) is not None]
    return Facts([_obligation(row) for row in rows], acts, first, last)


def _obligation(row: Any) -> Obligation:
    return Obligation(
        deadline_id=row.deadline_id,
        case_id=row.case_id,
        plan=row.plan,
        area=row.area,
        agency=row.agency,
        unit=row.unit,
        kind=row.kind,
        accepted=row.accepted_event
        and Fact(row.accepted_event, CaseAccepted.TYPE, row.accepted_at, row.accepted_recordedat),
        in_time=row.in_time,
        missed=row.missed_event and Fact(row.missed_event, DeadlineMissed.TYPE, row.missed_at, row.missed_recordedat),
    )


def _finding(row: Any) -> Decided:
    return Decided(
        basis="finding",
        basis_id=row.finding_id,
        plan=row.plan,
        condition_or_line=row.condition,
        subject_kind=row.subject_kind,
        agency=row.agency,
        unit=row.unit,
        area=row.area,
        occurred_at=row.occurred_at,
        recorded_at=row.decided_at,
        fact_events=(row.finding_id,),
        confirmed=True,
        case_id=row.case_id,
        known={**row.measure, "origin": row.origin},
    )


def _decision(books: Books, row: Any) -> Decided | None:
    known = books.shelf.line_of(row.plan, row.rulebook, row.line, row.fact_at)
    if row.corrects is not None or known is None:
        return None
    return Decided(
        basis="decision",
        basis_id=row.basis_id,
        plan=row.plan,
        condition_or_line=known[1].decision or row.line,
        subject_kind=row.subject_kind,
        agency=row.agency,
        unit=row.unit,
        area=row.area,
        occurred_at=row.fact_at,
        recorded_at=row.recorded_at,
        fact_events=(row.fact_event,),
        confirmed=True,
        case_id=row.case_id,
        subject=row.subject,
    )
