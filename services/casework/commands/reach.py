"""What commands about persons and places share: the object within reach, its version, clear refusals, due moments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.basis import Basis
from services.casework.domain.persons import PersonRefused
from services.casework.queries.visibility import within_reach
from services.casework.tables import cases, kit
from shared.kit import idempotency
from shared.kit.access import Caller
from shared.kit.crypto import KeyRing
from shared.kit.etag import etag
from shared.kit.idempotency import Claim
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Forbidden, Invalid, NotFound, Outdated
from shared.rules import deadlines
from shared.rules.calendar import local_day

REGULATION = "prohibition.investigate"
"""A line of the regulation (禁止传销条例): its first day is the first day that a fact can have."""


def claim_of(keys: KeyRing, caller: Caller, operation: str, key: str, asked: bytes, object_id: UUID) -> Claim:
    """The Idempotency-Key of one change."""
    return idempotency.claim(keys, caller, operation, idempotency.check_key(key), asked, object_id)


async def repeated(conn: AsyncConnection, claim: Claim, now: datetime) -> UUID | None:
    """The object that the same request made before, or None when it is new. Raises `Conflict` for a key reused."""
    known = await idempotency.take(conn, kit.idempotency, claim, now)
    if isinstance(known, Conflict):
        raise known
    return known


def refused(error: PersonRefused) -> Invalid:
    """A wrong field as the answer tells it."""
    return Invalid(
        f"{error.zh}未保存任何内容。 {error.en} Nothing was kept.",
        code=error.code,
        errors=[{"field": error.field, "code": error.code, "message": f"{error.zh} {error.en}"}],
    )


def wrong(field: str, code: str, zh: str, en: str) -> Invalid:
    """One wrong field, with what to do."""
    return refused(PersonRefused(field, code, zh, en))


async def case_to_change(
    conn: AsyncConnection, caller: Caller, case_id: UUID, right: str, *, closed: bool = False
) -> Any:
    """The case, when the caller holds the right on it. Raises `NotFound`, `Forbidden`, or `Conflict` for a closed one.

    It is not locked: several officers record at once what they find at one place.
    """
    mine = within_reach(caller, right)
    row = (
        await conn.execute(
            select(cases, mine.label("mine")).where(cases.c.id == case_id, or_(within_reach(caller, "case.read"), mine))
        )
    ).one_or_none()
    if row is None:
        raise NotFound("没有这个案件，或不在您的权限内。 No such case within your reach.", code="case-not-found")
    if not row.mine:
        raise Forbidden(
            "您可以查看本案，但不能在本案中登记；案件未变。 You may see this case but not record in it; nothing was changed.",
            code="not-yours-to-record",
        )
    if row.state == "closed" and not closed:
        raise Conflict(
            "本案已办结，不能再登记；如有新情况请先恢复办理。 The case is closed; take it up again before recording.",
            code="case-closed",
        )
    return row


async def part_to_change(
    conn: AsyncConnection, caller: Caller, table: Table, part_id: UUID, right: str, version: int
) -> tuple[Any, Any]:
    """A row that hangs on a case (a person's part, a den), locked, and its case; the version must be the current one.

    Raises `NotFound`, `Forbidden` or `Outdated` (with what changed since).
    """
    part = (await conn.execute(select(table).where(table.c.id == part_id).with_for_update())).one_or_none()
    if part is None:
        raise NotFound("没有这条登记，或不在您的权限内。 No such entry within your reach.", code="not-found")
    case = await case_to_change(conn, caller, part.case_id, right, closed=True)
    same_version(part, version)
    return part, case


def same_version(row: Any, version: int) -> None:
    """Raises `Outdated`, with what changed since, unless the row still has this version."""
    if row.version == version:
        return
    since = [line for line in getattr(row, "history", ()) or () if line["version"] > version]
    raise Outdated(
        "您打开之后这条登记有变动（见 changes），您的操作未保存；请查看最新情况后再提交。 "
        "The entry changed since you read it (see changes); nothing was saved. Look again, then send again.",
        headers={"etag": etag(row.version)},
        current=etag(row.version),
        changes=since,
    )


def no_case() -> NotFound:
    """No such case within reach."""
    return NotFound("没有这个案件，或不在您的权限内。 No such case within your reach.", code="case-not-found")


def law_from(basis: Basis, now: datetime) -> date:
    """The day from which the regulation is in force."""
    return basis.law.in_force(REGULATION, local_day(now)).limit.effective_from or date.min


def due_by(basis: Basis, plan_id: str, clock: str, start: datetime) -> tuple[str, datetime]:
    """Rule and due moment of a named clock of the plan; without that clock, what the law files' lines cannot say: at once."""
    plan = basis.plan(plan_id)
    rule = plan.clock(clock)
    if rule is None:
        return "", datetime.max.replace(tzinfo=start.tzinfo)
    limit = plan.limit(rule, local_day(start), basis.law)
    made, _ = deadlines.open_deadline(id=str(new_id()), kind=clock, rule=limit, start=start, calendar=basis.calendar)
    return rule, made.due


def line(version: int, now: datetime, step: str, caller: Caller, **facts: Any) -> dict[str, Any]:
    """A line of a row's history: codes and dates, never words about people."""
    return {"version": version, "at": now, "step": step, "agency": caller.agency, "unit": caller.unit, **facts}


def ids(rows: Sequence[Any]) -> list[UUID]:
    """The ids of rows, for the audit log."""
    return [row.id for row in rows]
