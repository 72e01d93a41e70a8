"""What consequences are decided by, and what every step checks first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.domain.books import Books
from services.scoring.domain.consequences.ladder import Known, Record
from services.scoring.domain.consequences.tools import HAD
from services.scoring.domain.findings import COUNTS
from services.scoring.domain.rulebook import Rulebook as View
from services.scoring.domain.rulebooks import CHINA, Rulebook
from services.scoring.domain.rulebooks.sheet import Counted, Sheet, sheet_of
from services.scoring.domain.subjects import SubjectKind, kind_of, subject_of
from services.scoring.tables import findings, kit, ledger, tools
from shared.events import EventData
from shared.kit import idempotency
from shared.kit.access import Caller
from shared.kit.crypto import KeyRing
from shared.kit.etag import etag
from shared.kit.idempotency import Claim
from shared.kit.problem import Conflict, Forbidden, Invalid, NotFound, Outdated
from shared.kit.service import Service
from shared.rules.calendar import end_of_day
from shared.rules.plan import Plan


@dataclass(frozen=True, slots=True)
class Whom:
    """A scored subject: its kind, its id, the agency (and unit, or post) that it is."""

    kind: SubjectKind
    subject: str
    agency: str
    unit: str | None
    area: str | None


@dataclass(frozen=True, slots=True)
class Basis:
    """Books and plans; `address` is the base under which consequences are opened."""

    books: Books
    plans: Mapping[str, Plan]
    keys: KeyRing
    address: str

    @classmethod
    def of(cls, service: Service, books: Books) -> Basis:
        """The basis of a running service."""
        return cls(books, service.plans, service.settings.keys, service.settings.base_url("scoring"))

    def claim(self, caller: Caller, operation: str, key: str, asked: object, object_id: UUID) -> Claim:
        """The Idempotency-Key of one request. Raises `BadRequest` for an unusable key."""
        return idempotency.claim(
            self.keys, caller, operation, idempotency.check_key(key), repr(asked).encode(), object_id
        )

    def view(self, plan: str, name: str, at: datetime) -> View | None:
        """The rulebook of this id (or that entries call so) in force at a moment, as the ledger uses it."""
        for one in self.books[plan].at(at) if plan in self.books else ():
            if one.source is not None and name in (one.id, one.source.id):  # type: ignore[attr-defined]
                return one
        return None

    def version(self, plan: str, name: str, at: datetime) -> Rulebook | None:
        """The same as its own model."""
        found = self.view(plan, name, at)
        return found.source if found is not None else None  # type: ignore[return-value]

    def edition(self, rulebook: str, edition: str) -> Rulebook | None:
        """One version."""
        return self.books.shelf.get(rulebook, edition)


def whom(view: View, plan: str, kind: SubjectKind, agency: str, unit: str | None, area: str | None) -> Whom | None:
    """Who is scored under a rulebook for what a finding names; None: nobody."""
    if kind in ("agency", "community", "unit"):
        kind = kind_of(agency, unit if kind == "unit" else None, view.communities)
    scored = view.scored(kind)
    if scored is None or scored == "post":
        return None
    if scored == "town":
        return Whom("town", plan, view.office or agency, None, None)
    scored = kind_of(agency, unit if scored == "unit" else None, view.communities)
    unit = unit if scored == "unit" else None
    return Whom(scored, subject_of(scored, plan, agency, unit), agency, unit, view.homes.get(agency))


async def record_of(
    conn: AsyncConnection, view: View, version: Rulebook, one: Whom, plan: str, first: date, last: date
) -> Record:
    """A subject's year: the findings that stand, the score, and the tools it has had."""
    start, end = _bounds(first, last)
    f = findings.c
    rows = await conn.execute(
        select(f.finding_id, f.condition, f.subject_kind, f.agency, f.unit, f.area)
        .where(
            f.plan == plan,
            f.state.in_([state.value for state in COUNTS]),
            f.occurred_at >= start,
            f.occurred_at < end,
        )
        .order_by(f.occurred_at, f.finding_id)
    )
    known = [
        Known(row.finding_id, row.condition)
        for row in rows
        if version.condition(row.condition) is not None
        and (found := whom(view, plan, row.subject_kind, row.agency, row.unit, row.area)) is not None
        and (found.kind, found.subject) == (one.kind, one.subject)
    ]
    sheet = await sheet_for(conn, version, one, plan, first, last)
    had = await conn.execute(
        select(tools.c.tool).where(
            tools.c.plan == plan, tools.c.rulebook == version.id, tools.c.subject_kind == one.kind,
            tools.c.subject == one.subject, tools.c.period == first, tools.c.state.in_([state.value for state in HAD]),
        )
    )  # fmt: skip
    return Record(one.kind, tuple(known), sheet.score, bool(sheet.vetoed_by), frozenset(had.scalars()))


async def sheet_for(conn: AsyncConnection, version: Rulebook, one: Whom, plan: str, first: date, last: date) -> Sheet:
    """A subject's score of a period, from the ledger."""
    e = ledger.c
    entries = await conn.execute(
        select(e.line, e.points, e.corrects).where(
            and_(
                e.plan == plan, e.rulebook == version.name, e.subject_kind == one.kind, e.subject == one.subject,
                e.occurred_on >= first, e.occurred_on <= last,
            )
        )
    )  # fmt: skip
    return sheet_of(version, (Counted(row.line, row.points, row.corrects is not None) for row in entries))


def _bounds(first: date, last: date) -> tuple[datetime, datetime]:
    return (
        datetime.combine(first, time(), CHINA).astimezone(UTC),
        datetime.combine(last + timedelta(days=1), time(), CHINA).astimezone(UTC),
    )


def days_after(now: datetime, days: int) -> datetime:
    """The end of the China day so many days on."""
    return end_of_day(now.astimezone(CHINA).date() + timedelta(days=days))


# -- what every step checks ---------------------------------------------------------------------------------------------


async def taken(conn: AsyncConnection, claim: Claim, now: datetime) -> UUID | None:
    """The object of the same request made before, or None when it is new. Raises `Conflict` for a key reused."""
    known = await idempotency.take(conn, kit.idempotency, claim, now)
    if isinstance(known, Conflict):
        raise known
    return known


def current(row: Any, version: int) -> None:
    """Refuse a change made from an older state."""
    if row.version != version:
        raise Outdated(
            "您打开后此项有变动，您的操作未保存；请查看最新情况后再提交。 "
            "It changed since you read it; nothing was saved. Look again, then send again.",
            headers={"etag": etag(row.version)},
            current=etag(row.version),
        )


def words_of(words: str, needed: bool) -> str:
    """The words of a step. Raises `Invalid` where they are needed and missing."""
    words = words.strip()
    if needed and not words:
        raise Invalid(
            "请写明理由或情况；未作更改。 Say why; nothing was changed.", code="words-missing", fields=["words"]
        )
    return words


def approver(plan: Plan | None, caller: Caller, approval: str) -> None:
    """Refuse anybody but an officer of the plan whose post may approve this (X-O1)."""
    if (
        caller.kind == "officer"
        and plan is not None
        and plan.id == caller.plan
        and plan.may_approve(caller.posts, approval)
    ):
        return
    raise Forbidden(
        "方案没有授权您的岗位审批此事项；未作更改，请交由有权的岗位办理。 "
        "The plan does not let your post approve this; nothing was changed.",
        approval=approval,
    )


def another(caller: Caller, *before: str | None) -> None:
    """Refuse who has acted before: four eyes."""
    if caller.actor in before:
        raise Forbidden(
            "须由提出人以外的第二人办理；未作更改。 "
            "Somebody else than who proposed it must do this; nothing was changed.",
            code="second-person",
        )


def not_own(caller: Caller, row: Any) -> None:
    """Refuse who would judge their own unit; a town's matters are the office's to decide."""
    if row.subject_kind != "town" and row.agency == caller.agency and row.unit in (None, caller.unit):
        raise Forbidden(
            "涉及您本单位，须由其他人决定；未作更改。 It concerns your own unit: others decide. Nothing was changed.",
            code="own-matter",
        )


def not_now(state: str) -> Conflict:
    """The refusal of a step that the state does not allow."""
    return Conflict(
        "当前状态不能办理这一步；未作更改。 Not possible in the present state; nothing was changed.",
        code="not-possible-now",
        state=state,
    )


def unknown(what: str) -> NotFound:
    """The refusal of what is not there or not within reach."""
    return NotFound("没有这一项，或不在您的权限内。 No such thing within your reach.", code=f"{what}-not-found")


def noted(
    step: str, actor: str, caller: Caller | None, now: datetime, version: int, words: str = "", **facts: Any
) -> dict[str, Any]:
    """One line of a history."""
    return {
        "step": step, "by": actor, "agency": caller.agency if caller else None,
        "posts": list(caller.posts) if caller else [], "at": now.isoformat(), "version": version, "words": words,
        **facts,
    }  # fmt: skip


async def last_event(conn: AsyncConnection, event: EventData) -> UUID:
    """The id under which the outbox tells an event of this transaction."""
    o = kit.outbox.c
    return (
        await conn.execute(select(o.id).where(o.key == event.key, o.type == event.TYPE).order_by(o.seq.desc()).limit(1))
    ).scalar_one()
