"""What persons do with findings: answer, confirm, reject, leave to a second, appeal, decide the appeal.

Every act has its own step with what the finding said before and after, and its own event; a confirmed finding books
its ledger entries in the same transaction, an overturned one takes them back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.commands.booking import book_decisions, take_turn
from services.scoring.commands.findings.basis import Basis
from services.scoring.commands.findings.effects import take_effect
from services.scoring.commands.findings.rows import decided_of, finding_of, said, told, worth
from services.scoring.domain.findings import (
    Finding,
    FindingRefused,
    FindingState,
    FindingStep,
    Settled,
    after,
)
from services.scoring.queries.findings import visible
from services.scoring.tables import finding_steps, findings, kit
from shared.events import EventData
from shared.events.findings import AppealDecided, FindingAnswered, FindingAppealed, FindingDecided, FindingLeft
from shared.kit import audit, idempotency, outbox
from shared.kit.access import Caller
from shared.kit.clock import CHINA
from shared.kit.db import insert_many
from shared.kit.etag import etag
from shared.kit.idempotency import Claim
from shared.kit.problem import Conflict, Forbidden, Invalid, NotFound, Outdated

_T = FindingStep

RIGHTS: Mapping[FindingStep, str] = {
    _T.ANSWER: "finding.answer",
    _T.APPEAL: "finding.appeal",
    _T.CONFIRM: "finding.decide",
    _T.REJECT: "finding.decide",
    _T.LEAVE: "finding.decide",
    _T.UPHOLD: "finding.decide",
    _T.OVERTURN: "finding.decide",
}
"""What a person can do with a finding, and the right it takes."""

DECISIONS = (_T.CONFIRM, _T.REJECT, _T.LEAVE, _T.UPHOLD, _T.OVERTURN)
OF_APPEAL = (_T.UPHOLD, _T.OVERTURN)
NEEDS_WORDS = (_T.ANSWER, _T.APPEAL, _T.REJECT, _T.LEAVE, _T.UPHOLD, _T.OVERTURN)
"""Steps that say why."""


def step_claim(basis: Basis, caller: Caller, finding_id: UUID, step: FindingStep, words: str, version: int, key: str) -> Claim:
    """The Idempotency-Key of one step, for the API and the page alike. Raises `BadRequest` for an unusable key."""
    asked = f"{finding_id}:{version}:{step.value}\n{words}".encode()
    return idempotency.claim(basis.keys, caller, "finding.step", idempotency.check_key(key), asked, finding_id)


async def take_step(
    conn: AsyncConnection,
    basis: Basis,
    caller: Caller,
    finding_id: UUID,
    step: FindingStep,
    words: str,
    *,
    version: int,
    claim: Claim,
    now: datetime,
) -> UUID:
    """Do something with a finding; the same request again has its effect once.

    Raises `NotFound` (not within reach), `Forbidden` (not the caller's to do), `Conflict` (not possible now, or the key
    was used for something else), `Outdated` (it changed since `version`) or `Invalid` (words are missing).
    """
    await take_turn(conn)
    known = await idempotency.take(conn, kit.idempotency, claim, now)
    if isinstance(known, Conflict):
        raise known
    if known is not None:
        return known
    row = await _locked(conn, caller, finding_id, step)
    if version != row.version:
        raise await _outdated(conn, row, version)
    refusal = why_not(row, caller, step, now)
    if refusal is not None:
        raise refusal
    words = words.strip()
    if step in NEEDS_WORDS and not words:
        raise Invalid("请写明理由或情况；未作更改。 Say why; nothing was changed.", code="words-missing", fields=["words"])
    await _do(conn, basis, caller, row, step, words, now)
    return finding_id


async def _locked(conn: AsyncConnection, caller: Caller, finding_id: UUID, step: FindingStep) -> Any:
    mine = visible(caller, RIGHTS[step])
    row = (
        await conn.execute(
            select(findings, mine.label("mine"))
            .where(findings.c.finding_id == finding_id, or_(visible(caller, "finding.read"), mine))
            .with_for_update(of=findings)
        )
    ).one_or_none()
    if row is None:
        raise not_found()
    if not row.mine:
        raise Forbidden(
            "您可以查看此项认定，但无权办理这一步；未作更改。 You may see this finding; this step is not yours. Nothing was changed.",
            right=RIGHTS[step],
        )
    return row


def not_found() -> NotFound:
    """The refusal of a finding that is not there or not within reach."""
    return NotFound("没有此项认定，或不在您的权限内。 No such finding within your reach.", code="finding-not-found")


def why_not(row: Any, caller: Caller, step: FindingStep, now: datetime) -> Conflict | Forbidden | None:
    """Why a caller who holds the right cannot take a step now; None: they can."""
    try:
        after(FindingState(row.state), step)
    except FindingRefused:
        return Conflict(
            "此项认定当前状态不能办理这一步；未作更改。 Not possible in the finding's present state; nothing was changed.",
            code="not-possible-now",
            state=row.state,
        )
    if step in DECISIONS and row.agency == caller.agency and row.unit in (None, caller.unit):
        return Forbidden(
            "认定涉及您本单位，须由其他人决定；未作更改。 The finding concerns your own unit: others decide. Nothing was changed.",
            code="own-matter",
        )
    if step in DECISIONS and step not in OF_APPEAL and row.left_by == caller.actor:
        return Forbidden(
            "您已交由第二人决定；未作更改。 You left this to a second person; nothing was changed.", code="second-person"
        )
    if step in OF_APPEAL and caller.actor in (row.decided_by, row.left_by):
        return Forbidden(
            "申诉须由原决定人以外的人决定；未作更改。 An appeal is for others than those who decided; nothing was changed.",
            code="second-person",
        )
    if step is _T.CONFIRM and row.answered_at is None and now <= row.answer_by:
        return Conflict(
            f"被认定单位可在 {_said(row.answer_by)} 前申辩；此前未申辩的不能确认，未作更改。 "
            f"The unit may answer until {row.answer_by.isoformat()}; before that an unanswered finding is not confirmed.",
            code="answer-awaited",
            answer_by=row.answer_by.isoformat(),
        )
    if step is _T.ANSWER and now > row.answer_by:
        return _too_late(row.answer_by)
    if step is _T.APPEAL and (row.appeal_by is None or now > row.appeal_by):
        return _too_late(row.appeal_by or now)
    return None


def _too_late(until: datetime) -> Conflict:
    return Conflict(
        f"期限已于 {_said(until)} 届满；未作更改。 The time for this ended at {until.isoformat()}; nothing was changed.",
        code="window-passed",
        until=until.isoformat(),
    )


def _said(moment: datetime) -> str:
    return f"{moment.astimezone(CHINA):%Y-%m-%d %H:%M}"


async def _outdated(conn: AsyncConnection, row: Any, version: int) -> Outdated:
    s = finding_steps.c
    since = await conn.execute(
        select(s.version, s.at, s.step, s.agency, s.unit)
        .where(s.finding_id == row.finding_id, s.version > version)
        .order_by(s.version)
    )
    return Outdated(
        "您打开后此项认定有变动（见 changes），您的操作未保存；请查看最新情况后再提交。 "
        "The finding changed since you read it (see changes); nothing was saved. Look again, then send again.",
        headers={"etag": etag(row.version)},
        current=etag(row.version),
        changes=[
            {"version": one.version, "at": one.at.isoformat(), "step": one.step, "agency": one.agency, "unit": one.unit}
            for one in since
        ],
    )


async def _do(
    conn: AsyncConnection, basis: Basis, caller: Caller, row: Any, step: FindingStep, words: str, now: datetime
) -> None:
    before = finding_of(row)
    finding = replace(before, state=after(before.state, step), version=before.version + 1)
    procedure = basis.procedure(finding.plan, finding.condition, now)
    changes: dict[str, Any] = {"state": finding.state.value, "version": finding.version, "changed_at": now}
    match step:
        case FindingStep.ANSWER:
            changes["answered_at"] = now
        case FindingStep.LEAVE:
            changes["left_by"] = caller.actor
        case FindingStep.CONFIRM:
            changes["appeal_by"], unsure = basis.by(now, procedure.appeal_days)
            changes |= {"decided_by": caller.actor, "decided_at": now, "provisional": unsure}
        case FindingStep.REJECT:
            changes |= {"decided_by": caller.actor, "decided_at": now}
        case FindingStep.APPEAL:
            changes["decide_by"], unsure = basis.by(now, procedure.decide_days)
            changes |= {"appealed_at": now, "provisional": unsure}
        case _:
            changes |= {"appeal_decided_by": caller.actor, "appeal_decided_at": now}
    await conn.execute(update(findings).where(findings.c.finding_id == finding.finding_id).values(**changes))
    entries = worth(basis, finding)
    await insert_many(
        conn,
        finding_steps,
        [
            {
                "finding_id": finding.finding_id, "version": finding.version, "step": step.value,
                "from_state": before.state.value, "state": finding.state.value, "at": now, "actor": caller.actor,
                "agency": caller.agency, "unit": caller.unit, "words": basis.seal(finding.finding_id, words),
                "before": said(before, entries), "after": said(finding, entries),
            }
        ],
    )  # fmt: skip
    event = _event(basis, finding, step, changes, now)
    await outbox.put(conn, kit.outbox, [event], now)
    await audit.record(
        conn, kit, caller, f"finding.{step.value}", "finding", [finding.finding_id], now, state=finding.state.value
    )
    if step in (_T.CONFIRM, _T.UPHOLD, _T.OVERTURN):
        told_by = await _last_event(conn, event)
        if step is not _T.UPHOLD:
            decided = decided_of(
                finding, event=told_by, type_=event.TYPE, at=now, taken_back=step is _T.OVERTURN
            )
            await book_decisions(conn, basis.books, [decided], now)
        await take_effect(conn, Settled(finding, step, told_by, caller.actor, now), now)


def _event(basis: Basis, finding: Finding, step: FindingStep, changes: Mapping[str, Any], now: datetime) -> EventData:
    common = told(basis, finding)
    grounds = {"facts": finding.events, "measure": finding.measure, "decided_at": now}
    match step:
        case FindingStep.ANSWER:
            return FindingAnswered(**common, answered_at=now)
        case FindingStep.LEAVE:
            return FindingLeft(**common, left_at=now)
        case FindingStep.CONFIRM:
            return FindingDecided(**common, **grounds, decision="confirmed", appeal_by=changes["appeal_by"])
        case FindingStep.REJECT:
            return FindingDecided(**common, **grounds, decision="rejected", appeal_by=None)
        case FindingStep.APPEAL:
            return FindingAppealed(**common, decide_by=changes["decide_by"], appealed_at=now)
        case FindingStep.UPHOLD:
            return AppealDecided(**common, **grounds, decision="upheld")
        case _:
            return AppealDecided(**common, **grounds, decision="overturned")


async def _last_event(conn: AsyncConnection, event: EventData) -> UUID:
    """The id under which the outbox tells an event of this transaction."""
    o = kit.outbox.c
    return (
        await conn.execute(
            select(o.id).where(and_(o.key == event.key, o.type == event.TYPE)).order_by(o.seq.desc()).limit(1)
        )
    ).scalar_one()
