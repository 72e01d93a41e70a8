"""Approving and issuing: another's eyes, a number of the register, contents frozen under a hash, a clock until service."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.documents import numbers
from services.casework.commands.documents.desk import Desk, approving_post
from services.casework.commands.documents.drafting import locked, refuse, save, step, taken, to_change
from services.casework.commands.documents.templates import current_template, keep_file
from services.casework.commands.records import deadline_row, published
from services.casework.domain.cases import Clock
from services.casework.domain.documents import values as v
from services.casework.domain.documents.kinds import Kind
from services.casework.domain.documents.states import (
    ApprovalMissing,
    DocumentAction,
    SameEyes,
    check_four_eyes,
)
from services.casework.queries.documents_fill import issuer_name
from services.casework.tables import deadlines, kit
from shared.events.common import DeadlineFact
from shared.events.documents import DocumentIssued
from shared.kit import outbox
from shared.kit.access import Caller
from shared.kit.idempotency import Claim
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Forbidden
from shared.rules.calendar import local_day
from shared.rules.deadlines import open_deadline
from shared.rules.plan import Plan

SERVE = "document.serve"
"""The kind of deadline that runs until a document is served (送达)."""


async def approve(
    conn: AsyncConnection, desk: Desk, caller: Caller, document_id: UUID, *, version: int, claim: Claim, now: datetime
) -> UUID:
    """Approve a complete draft by a post that may; never one's own.

    Raises `NotFound`, `Forbidden` (no such post, or own draft), `Conflict`, `Outdated`, or `Invalid` while fields miss.
    """
    known = await taken(conn, claim, now)
    if known is not None:
        return known
    row, plan = await locked(conn, desk, caller, document_id, version)
    state = step(row, DocumentAction.APPROVE)
    post = approving_post(plan, caller, row.agency, row.approval)
    if post is None:
        raise Forbidden(
            "您的岗位不能审批这种文书；文书未变。 Your post does not approve this kind; nothing was changed.",
            code="post-may-not-approve",
            approval=row.approval,
        )
    try:
        check_four_eyes(row.written_by, caller.actor)
    except SameEyes:
        raise Forbidden(
            "起草人不能审批自己起草的文书，请由另一名有权审批的人审批；文书未变。 "
            "Who wrote it may not approve it; another who may has to. Nothing was changed.",
            code="own-draft",
        ) from None
    kind = desk.kind(row.kind)
    kept = desk.open(row)["values"]
    refuse(v.missing(kind, kept) + v.beyond_law(kind, kept, plan, desk.basis.law), "fields-missing")
    await save(
        conn, caller, row, "approved", now, facts={"post": post},
        state=state.value, approved_at=now, approved_by=caller.actor, approved_post=post,
    )  # fmt: skip
    return row.id


async def issue(
    conn: AsyncConnection, desk: Desk, caller: Caller, document_id: UUID, *, version: int, claim: Claim, now: datetime
) -> UUID:
    """Give a document its number and freeze what it says, with the template it is printed by.

    Raises `NotFound`, `Forbidden`, `Outdated`, `Conflict` (approval missing, number taken, state) or `Invalid` with
    every missing field and every date beyond the law.
    """
    known = await taken(conn, claim, now)
    if known is not None:
        return known
    row, plan = await to_change(conn, desk, caller, document_id, version, "document.issue")
    try:
        state = step(row, DocumentAction.ISSUE)
    except ApprovalMissing:
        raise Conflict(
            "这种文书须先经审批再签发；文书未变。 This kind is issued only after its approval; nothing was changed.",
            code="approval-missing",
            approval=row.approval,
        ) from None
    kind = desk.kind(row.kind)
    contents = desk.open(row)
    kept = contents["values"]
    refuse(v.missing(kind, kept) + v.beyond_law(kind, kept, plan, desk.basis.law), "fields-missing")
    year, serial, number = await numbers.take(conn, desk, plan, row.issuer, row.series, now)
    template = await keep_file(conn, await current_template(conn, desk, plan.id, row.issuer, kind))
    layout = await keep_file(conn, desk.layout)
    frozen = {
        "salt": os.urandom(16).hex(),
        "kind": kind.id,
        "head": head_of(kind, plan, row, number=number, day=local_day(now)),
        "printed": v.printed(kind, kept, plan),
        "template": template,
        "layout": layout,
    }
    digest = digest_of(frozen)
    clock = None
    # a proceeding runs its own clock until service
    if kind.serve and row.proceeding_id is None:
        clock = await _start_clock(conn, desk, plan, row, kind.serve, now)
    await save(
        conn, caller, row, "issued", now, facts={"number": number},
        state=state.value, contents=desk.seal(row.id, contents | {"frozen": frozen}), lacking=0, year=year, serial=serial,
        number=number, digest=digest, template=template, layout=layout, issued_at=now, issued_by=caller.actor,
        deadline_id=clock.deadline_id if clock else None,
    )  # fmt: skip
    told = DocumentIssued(**facts_of(desk, row, number), digest=digest, deadline=clock, issued_at=now)
    await outbox.put(conn, kit.outbox, [told], now)
    return row.id


def digest_of(frozen: Mapping[str, Any]) -> str:
    """The hash of what was frozen: whoever is given it can recompute it; its salt keeps names from being guessed."""
    return hashlib.sha256(orjson.dumps(dict(frozen), option=orjson.OPT_SORT_KEYS)).hexdigest()


def head_of(kind: Kind, plan: Plan, row: Any, *, number: str | None, day: date | None) -> dict[str, str]:
    """What every document carries: number, title, issuer, date, basis, and by which post it was approved."""
    approved = ""
    if row.approved_at is not None:
        post = next((one.name.zh for one in plan.posts if one.id == row.approved_post), row.approved_post)
        approved = f"{post}，{v.said_day(local_day(row.approved_at))}"
    return {
        "number": number or "（编号待定）",
        "title": kind.printed_title,
        "issuer": issuer_name(plan, row.issuer),
        "issued_on": v.said_day(day) if day else "（签发日期待定）",
        "basis_text": "；".join(one.cited for one in kind.basis),
        "approved_text": approved,
    }


def facts_of(desk: Desk, row: Any, number: str) -> dict[str, Any]:
    """What every event of a document tells."""
    return {
        "document_id": row.id,
        "case_id": row.case_id,
        "proceeding_id": row.proceeding_id,
        "plan": row.plan,
        "area": row.area,
        "kind": row.kind,
        "number": number,
        "issuer": row.issuer,
        "agency": row.agency,
        "unit": row.unit,
        "confidential": row.confidential,
        "dataref": desk.dataref(row.id),
    }


async def _start_clock(
    conn: AsyncConnection, desk: Desk, plan: Plan, row: Any, rule: str, now: datetime
) -> DeadlineFact:
    limit = plan.limit(rule, local_day(now), desk.basis.law)
    deadline, _ = open_deadline(
        id=str(new_id()), kind=SERVE, rule=limit, start=now, calendar=desk.basis.calendar
    )
    clock = Clock(row.agency, row.unit, deadline)
    await conn.execute(insert(deadlines).values(deadline_row(row.case_id, clock)))
    return published(clock)
