"""The applicant's side: steps of the programme, what no figure tells, the application, rectification, restoring."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.commands.certificates.rows import Round, facts, saved, told
from services.scoring.domain.certificates.checklist import Checklist, figure_of
from services.scoring.domain.certificates.figures import OTHERS
from services.scoring.queries import certificates as queries
from services.scoring.schemas.certificates import CertificationStepIn
from services.scoring.tables import certification_proofs, certification_steps
from shared.events.certificates import CertificateApplied, CreationStepDone
from shared.kit.db import insert_many
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Forbidden, Invalid
from shared.rules.calendar import local_day

s = certification_steps.c

BY_THE_COURSE = {
    "apply": "apply",
    "inspection": "finish",
    "inspect": "finish",
    "rectify": "confirm",
    "recognition": "confirm",
}
"""Steps of programmes that are done when the certification itself gets so far, by that step; nobody ticks them off."""


def needed(field: str, zh: str, en: str) -> Invalid:
    """The refusal of a step that lacks something."""
    return Invalid(
        f"{zh}；未保存。 {en}; nothing was kept.", code="missing",
        errors=[{"field": field, "code": "missing", "message": en}],
    )  # fmt: skip


async def do_step(conn: AsyncConnection, one: Round, body: CertificationStepIn) -> UUID:
    """A step of the programme is done, with what was done and where it is on record (X-D4)."""
    if not body.note:
        raise needed("note", "请写明做了什么、记录在哪里", "Say what was done and where it is on record")
    row = (
        await conn.execute(
            select(certification_steps).where(s.certification_id == one.row.id, s.step == (body.programme or ""))
        )
    ).one_or_none()
    if row is None or row.step in BY_THE_COURSE:
        raise Invalid(
            "方案中没有这一步，或它随申报、检查自行完成；未保存。 "
            "The programme has no such step, or it is done by the course of the application; nothing was kept.",
            code="unknown-step",
        )
    if row.done_at is not None:
        raise Conflict("这一步已完成；未作更改。 This step is done; nothing was changed.", code="step-done")
    if one.agency not in (row.agency, one.row.agency):
        raise Forbidden(
            "这一步由另一单位办理；未作更改。 This step is another agency's; nothing was changed.", code="not-your-step"
        )
    event = await _done(conn, one, row, one.desk.seal(one.row.id, body.note))
    await saved(conn, one, line={"programme": row.step})
    return await told(conn, one, [event], programme=row.step)


async def _done(conn: AsyncConnection, one: Round, row: Any, proof: bytes | None) -> CreationStepDone:
    await conn.execute(
        update(certification_steps)
        .where(s.certification_id == one.row.id, s.step == row.step)
        .values(done_at=one.now, done_by=one.caller.actor, proof=proof)
    )
    late = row.due_on is not None and local_day(one.now) > row.due_on
    return CreationStepDone(
        **facts(one.desk, one.row), step=row.step, by_agency=one.caller.agency or row.agency, due_on=row.due_on,
        late=late, done_at=one.now,
    )  # fmt: skip


async def by_the_course(conn: AsyncConnection, one: Round) -> list[CreationStepDone]:
    """Steps of the programme that this step of the certification itself completes."""
    names = [name for name, step in BY_THE_COURSE.items() if step == one.step.value]
    open_ = select(certification_steps).where(s.certification_id == one.row.id, s.step.in_(names), s.done_at.is_(None))
    return [await _done(conn, one, row, None) for row in (await conn.execute(open_)).all()]


async def show(conn: AsyncConnection, one: Round, body: CertificationStepIn) -> UUID:
    """A person shows an item that no figure tells, with where it is on record. A figure cannot be talked away."""
    indicator = next((item for item in one.standard.indicators if item.id == body.indicator), None)
    if indicator is None:
        raise Invalid(
            "标准中没有这一项；未保存。 The standard has no such item; nothing was kept.", code="unknown-item"
        )
    if not body.note:
        raise needed("note", "请写明材料内容和存放处（文号、链接）", "Say what shows it and where it is on record")
    item = next(one_ for one_ in (await now_of(conn, one)).items if one_.id == indicator.id)
    if item.value is not None:
        raise Conflict(
            "这一项由记录的数据决定，不能由人证明；数据有误的，请在原处更正。未保存。 "
            "Recorded figures decide this item; where they are wrong, have them corrected at their source. Nothing was kept.",
            code="figure-decides",
        )
    proof_id = new_id()
    await insert_many(
        conn,
        certification_proofs,
        [
            {
                "id": proof_id, "certification_id": one.row.id, "indicator": indicator.id,
                "statement": one.desk.seal(proof_id, body.note), "sha256": body.sha256, "shown_by": one.caller.actor,
                "agency": one.agency, "shown_at": one.now,
            }
        ],
    )  # fmt: skip
    await saved(conn, one, line={"indicator": indicator.id})
    return await told(conn, one, [], indicator=indicator.id)


async def now_of(conn: AsyncConnection, one: Round) -> Checklist:
    """The checklist as it stands now."""
    return await queries.checklist(conn, one.plan, one.rulebook, one.standard, one.row, one.now)


def lacking(checklist: Checklist) -> list[dict[str, Any]]:
    """What is missing, for a refusal."""
    return [
        {
            "field": item.id, "code": item.verdict.value, "veto": item.veto,
            "message": f"{item.figure or 'shown by a person'}: {item.value if item.value is not None else '—'}",
        }
        for item in checklist.missing
    ]  # fmt: skip


async def apply(conn: AsyncConnection, one: Round, body: CertificationStepIn) -> UUID:
    """Apply (申报): the programme is done and the checklist, filled from the events, reaches the standard (X-G4, D-P)."""
    await _programme_done(conn, one)
    return await _applied(conn, one, body, one.row.round)


async def rectified(conn: AsyncConnection, one: Round, body: CertificationStepIn) -> UUID:
    """What was to be put right is put right (整改): a new round, with a new sample."""
    if not body.note:
        raise needed("note", "请写明如何整改、记录在哪里", "Say what was put right and where it is on record")
    return await _applied(conn, one, body, one.row.round + 1)


async def _programme_done(conn: AsyncConnection, one: Round) -> None:
    undone = (
        await conn.execute(
            select(func.array_agg(s.step)).where(
                s.certification_id == one.row.id, s.done_at.is_(None), s.step.not_in(list(BY_THE_COURSE))
            )
        )
    ).scalar_one()
    if undone:
        raise Conflict(
            "创建步骤还没有做完（见 steps），不能申报；未作更改。 "
            "Steps of the programme are not done (see steps); it cannot be applied for yet. Nothing was changed.",
            code="programme-not-done",
            steps=sorted(undone),
        )


async def _applied(conn: AsyncConnection, one: Round, body: CertificationStepIn, round_: int) -> UUID:
    checklist = await now_of(conn, one)
    if not checklist.passes:
        raise Conflict(
            "按系统记录，还没有达到标准（见 items），不能申报；未作更改。 "
            "By what is recorded the standard is not reached (see items); nothing was changed.",
            code="standard-not-reached",
            score=str(checklist.score),
            pass_mark=str(checklist.pass_mark) if checklist.pass_mark is not None else None,
            items=lacking(checklist),
        )
    events = await by_the_course(conn, one)
    row = await saved(
        conn, one, body.note, line={"round": round_, "score": str(checklist.score)}, round=round_, applied_at=one.now,
        applied_by=one.caller.actor, applied_items=checklist.frozen(), applied_score=checklist.score, rectify_by=None,
        proposed_by=None, proposed_at=None,
    )  # fmt: skip
    applied = CertificateApplied(**facts(one.desk, row), round=round_, score=checklist.score, applied_at=one.now)
    return await told(conn, one, [*events, applied], round=round_)


async def withdraw(conn: AsyncConnection, one: Round, body: CertificationStepIn) -> UUID:
    """Take the application back, before a sample is committed to."""
    await saved(conn, one, body.note, applied_at=None, applied_by=None, applied_items=None, applied_score=None)
    return await told(conn, one, [])


async def ask_restore(conn: AsyncConnection, one: Round, body: CertificationStepIn) -> UUID:
    """Ask for a suspended certificate back: what was put right, and not before the standard's days have passed."""
    if not body.note:
        raise needed("note", "请写明如何整改、记录在哪里", "Say what was put right and where it is on record")
    days = one.standard.restored_after_days
    first = one.row.suspended_at + timedelta(days=days) if days else one.row.suspended_at
    if one.now < first:
        raise Conflict(
            f"暂停满 {days} 天后才能申请恢复（{local_day(first)} 起）；未作更改。 "
            f"It can be asked for {days} days after the suspension, from {local_day(first)} on; nothing was changed.",
            code="too-early",
            first=first.isoformat(),
        )
    await saved(conn, one, body.note)
    return await told(conn, one, [])


def is_figure(indicator: Any) -> bool:
    """Whether figures decide an indicator."""
    return figure_of(indicator) is not None or (indicator.needs is not None and indicator.needs.figure in OTHERS)
