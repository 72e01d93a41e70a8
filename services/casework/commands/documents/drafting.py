"""Drafts of documents: made with what the case already says, changed, thrown away."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import literal, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.documents.desk import Desk, body_approvals, in_office
from services.casework.commands.reach import case_to_change, line
from services.casework.domain.documents import values as v
from services.casework.domain.documents.kinds import OFFICE, Kind
from services.casework.domain.documents.states import DocumentAction, DocumentState, next_document_state
from services.casework.domain.states import TransitionRefused
from services.casework.queries import documents as queries
from services.casework.queries.documents_fill import Filling, fill
from services.casework.tables import documents, kit, proceedings
from shared.kit import audit, idempotency
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.etag import etag
from shared.kit.idempotency import Claim
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Forbidden, Invalid, NotFound, Outdated
from shared.rules.plan import Plan

_TRACKS = {"criminal": "criminal", "operation": "operation"}


async def draft(
    conn: AsyncConnection,
    desk: Desk,
    caller: Caller,
    case_id: UUID,
    kind_id: str,
    given: Mapping[str, Any],
    proceeding_id: UUID | None,
    claim: Claim,
    now: datetime,
    case_person_id: UUID | None = None,
) -> UUID:
    """A new draft, filled from the case where nothing is given; its id.

    Raises `NotFound`, `Forbidden` (not this agency's kind, or not the caller's case to write in), `Conflict` (key
    reused) or `Invalid` with every wrong field. Missing fields are no fault of a draft.
    """
    known = await idempotency.take(conn, kit.idempotency, claim, now)
    if isinstance(known, Conflict):
        raise known
    if known is not None:
        return known
    kind = desk.kind(kind_id)
    case = await case_to_change(conn, caller, case_id, "document.draft", closed=True)
    plan = desk.basis.plan(case.plan)
    issuer = issuer_for(plan, caller, kind)
    if proceeding_id is not None:
        await _of_this_case(conn, proceeding_id, case_id)
    filling = Filling(conn, caller, case, plan, desk.basis.law, desk.basis.keys, issuer, now, case_person_id)
    filled, _ = v.clean(kind, await fill(filling, kind, given), plan)
    kept, faults = v.clean(kind, given, plan)
    refuse(faults)
    document_id = claim.object_id
    contents = {"values": filled | kept}
    await insert_many(conn, documents, [{
        "id": document_id,
        "case_id": case_id,
        "proceeding_id": proceeding_id,
        "plan": plan.id,
        "kind": kind.id,
        "issuer": issuer,
        "agency": caller.agency,
        "unit": caller.unit,
        "confidential": _TRACKS.get(kind.track),
        "personal": kind.personal,
        "approval": desk.approval_of(plan, kind),
        "state": DocumentState.DRAFT.value,
        "contents": desk.seal(document_id, contents),
        "lacking": len(v.missing(kind, contents["values"])),
        "series": kind.series,
        "written_at": now,
        "written_by": caller.actor,
        "version": 1,
        "history": [line(1, now, "drafted", caller)],
    }])  # fmt: skip
    await audit.record(conn, kit, caller, "document.draft", "document", [document_id], now, kind=kind.id, case=str(case_id))
    return document_id


async def edit(
    conn: AsyncConnection, desk: Desk, caller: Caller, document_id: UUID, given: Mapping[str, Any], *,
    version: int, claim: Claim, now: datetime,
) -> UUID:  # fmt: skip
    """All values of a draft anew; an approval that it had falls away, since nobody approved this.

    Raises `NotFound`, `Forbidden`, `Conflict` (frozen, key reused), `Outdated` or `Invalid`.
    """
    known = await taken(conn, claim, now)
    if known is not None:
        return known
    row, plan = await to_change(conn, desk, caller, document_id, version, "document.draft")
    kind = desk.kind(row.kind)
    state = step(row, DocumentAction.EDIT)
    kept, faults = v.clean(kind, given, plan)
    refuse(faults)
    await save(
        conn, caller, row, "edited", now,
        state=state.value, contents=desk.seal(row.id, {"values": kept}), lacking=len(v.missing(kind, kept)),
        written_at=now, written_by=caller.actor, approved_at=None, approved_by=None, approved_post=None,
    )  # fmt: skip
    return row.id


async def discard(
    conn: AsyncConnection, desk: Desk, caller: Caller, document_id: UUID, *, version: int, claim: Claim, now: datetime
) -> UUID:
    """Throw a draft away; what it said goes with it. Raises as `edit`."""
    known = await taken(conn, claim, now)
    if known is not None:
        return known
    row, _ = await to_change(conn, desk, caller, document_id, version, "document.draft")
    state = step(row, DocumentAction.DISCARD)
    await save(conn, caller, row, "discarded", now, state=state.value, contents=desk.seal(row.id, {"values": {}}))
    return row.id


def issuer_for(plan: Plan, caller: Caller, kind: Kind) -> str:
    """For whom the caller may write this kind: their agency, or the office. Raises `Forbidden`."""
    try:
        agency_kind = plan.agency(caller.agency or "").kind
    except KeyError:
        agency_kind = ""
    if OFFICE in kind.issuers and in_office(plan, caller):
        return OFFICE
    if agency_kind in kind.issuers and caller.agency:
        return caller.agency
    raise Forbidden(
        f"{kind.name.zh}不由您的单位制作；未保存任何内容。 Your agency does not issue “{kind.name.en}”; nothing was kept.",
        code="not-your-kind",
    )


async def _of_this_case(conn: AsyncConnection, proceeding_id: UUID, case_id: UUID) -> None:
    found = await conn.scalar(select(proceedings.c.case_id).where(proceedings.c.id == proceeding_id))
    if found != case_id:
        raise Invalid(
            "这个办案程序不属于本案；未保存任何内容。 That proceeding is none of this case; nothing was kept.",
            code="no-such-proceeding",
            errors=[{"field": "proceeding_id", "code": "unknown", "message": "不属于本案 / none of this case"}],
        )


def refuse(faults: list[v.Fault], code: str = "wrong-fields") -> None:
    """Raises `Invalid` with every fault, if there is one."""
    if not faults:
        return
    raise Invalid(
        "请按 errors 所列逐项补正；未保存任何更改。 Mend every field listed in errors; nothing was changed.",
        code=code,
        errors=[{"field": one.field, "code": one.code, "message": f"{one.zh} / {one.en}"} for one in faults],
    )


async def taken(conn: AsyncConnection, claim: Claim, now: datetime) -> UUID | None:
    """The document of the same request before, or None. Raises `Conflict` for a key reused."""
    known = await idempotency.take(conn, kit.idempotency, claim, now)
    if isinstance(known, Conflict):
        raise known
    return known


async def to_change(
    conn: AsyncConnection, desk: Desk, caller: Caller, document_id: UUID, version: int, right: str
) -> tuple[Any, Plan]:
    """A document of the caller's own side, locked, at this version, and its plan.

    Raises `NotFound` (none within reach), `Forbidden` (another's) or `Outdated` (says what changed).
    """
    row, plan = await locked(conn, desk, caller, document_id, version)
    await case_to_change(conn, caller, row.case_id, right, closed=True)
    if row.agency != caller.agency or (row.issuer == OFFICE and not in_office(plan, caller)):
        raise Forbidden(
            "这份文书由其他单位制作，您不能更改；文书未变。 This document is another's to change; nothing was changed.",
            code="not-yours",
        )
    return row, plan


async def locked(
    conn: AsyncConnection, desk: Desk, caller: Caller, document_id: UUID, version: int
) -> tuple[Any, Plan]:
    """A document the caller may know of, locked, at this version, and its plan. Raises `NotFound` or `Outdated`."""
    approvals = body_approvals(desk.basis.plans.get(caller.plan or ""), caller)
    row = await queries.one(conn, caller, document_id, approvals, lock=True)
    if row is None:
        raise NotFound("没有这份文书，或不在您的权限内。 No such document within your reach.", code="document-not-found")
    if row.version != version:
        raise Outdated(
            "您打开之后这份文书有变动（见 changes），您的操作未保存；请查看最新情况后再提交。 "
            "The document changed since you read it (see changes); nothing was saved. Look again, then send again.",
            headers={"etag": etag(row.version)},
            current=etag(row.version),
            changes=[one for one in row.history if one["version"] > version],
        )
    return row, desk.basis.plan(row.plan)


def step(row: Any, action: DocumentAction) -> DocumentState:
    """The state that follows. Raises `Conflict` when the document's state does not allow it."""
    try:
        return next_document_state(DocumentState(row.state), action, needs_approval=row.approval is not None)
    except TransitionRefused as error:
        raise Conflict(
            "文书的当前状态不能这样操作，未作更改。 The document's state does not allow this; nothing was changed.",
            code="not-possible-now",
            state=row.state,
        ) from error


async def save(
    conn: AsyncConnection, caller: Caller, row: Any, what: str, now: datetime, *, facts: Mapping[str, Any] | None = None,
    **columns: Any,
) -> None:  # fmt: skip
    """Write the next version of a document, with a line of its history and of the audit log."""
    told = line(row.version + 1, now, what, caller, **(facts or {}))
    await conn.execute(
        update(documents)
        .where(documents.c.id == row.id)
        .values(version=row.version + 1, history=documents.c.history.op("||")(literal([told], JSONB)), **columns)
    )
    await audit.record(
        conn, kit, caller, f"document.{what}", "document", [row.id], now, kind=row.kind, case=str(row.case_id), **(facts or {})
    )


def fresh_claim(desk: Desk, caller: Caller, operation: str, key: str, asked: bytes, object_id: UUID | None = None) -> Claim:
    """The Idempotency-Key of one change. Raises `BadRequest` for an unusable key."""
    return idempotency.claim(
        desk.basis.keys, caller, operation, idempotency.check_key(key), asked, object_id or new_id()
    )
