"""A programme is started, and one step after the other taken: who may, in which state, and what each needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.commands.certificates import applying, deciding, inspecting
from services.scoring.commands.certificates.basis import Desk
from services.scoring.commands.certificates.rows import Round, facts, history_line, locked, take_key
from services.scoring.domain.certificates.checklist import next_due
from services.scoring.domain.certificates.states import CertificationState, CertificationStep
from services.scoring.schemas.certificates import CertificationStepIn, CreationIn
from services.scoring.tables import certification_steps, certifications, kit
from shared.events.certificates import CreationStarted
from shared.kit import audit, outbox
from shared.kit.access import Caller
from shared.kit.db import insert_many
from shared.kit.idempotency import Claim
from shared.kit.problem import Conflict, Forbidden, Invalid
from shared.rules.calendar import local_day

T = CertificationStep
Work = Callable[[AsyncConnection, Round, CertificationStepIn], Awaitable[UUID]]

WORK: Mapping[CertificationStep, Work] = {
    T.DO_STEP: applying.do_step,
    T.ATTEST: applying.show,
    T.APPLY: applying.apply,
    T.WITHDRAW: applying.withdraw,
    T.RECTIFIED: applying.rectified,
    T.ASK_RESTORE: applying.ask_restore,
    T.COMMIT: inspecting.commit,
    T.DRAW: inspecting.draw_sample,
    T.RESULT: inspecting.result,
    T.FINISH: inspecting.finish,
    T.ORDER_RECTIFICATION: deciding.order_rectification,
    T.PROPOSE_GRANT: deciding.propose,
    T.PROPOSE_REFUSAL: deciding.propose,
    T.PROPOSE_RESTORE: deciding.propose,
    T.PROPOSE_REVOCATION: deciding.propose,
    T.DENY_RESTORE: deciding.deny,
    T.OBJECT: deciding.object_,
    T.CONFIRM: deciding.confirm,
}
"""What each step of a person does."""


async def take_step(
    conn: AsyncConnection, desk: Desk, caller: Caller, certification_id: UUID, step: CertificationStep, version: int,
    body: CertificationStepIn, claim: Claim, now: datetime,
) -> UUID:  # fmt: skip
    """Take one step of a certification.

    Raises NotFound, Forbidden (another's step, a second person is needed), Conflict (not in this state), Outdated, and
    Invalid for what the step needs.
    """
    if (known := await take_key(conn, claim, now)) is not None:
        return known
    one = await locked(conn, desk, caller, certification_id, version, step, now)
    return await WORK[step](conn, one, body)


async def start(
    conn: AsyncConnection, desk: Desk, caller: Caller, body: CreationIn, claim: Claim, now: datetime
) -> UUID:
    """Start a creation programme (X-D4, D-P): by who organises it, or by the holder itself.

    Raises Invalid for a standard or holder that is not in force here, Forbidden, and Conflict while a round is open.
    """
    if (known := await take_key(conn, claim, now)) is not None:
        return known
    plan = desk.plan(body.plan or caller.plan)
    found = next(((book, std) for book, std in desk.standards(plan.id, now) if std.id == body.standard), None)
    holder = next((one for one in desk.holders(plan, found[1]) if one.id == body.holder), None) if found else None
    if found is None or holder is None:
        raise Invalid(
            "方案现行细则没有这个标准，或它不适用于这个对象；未保存。 "
            "No standard in force here has this id, or it is not for this holder; nothing was kept.",
            code="unknown-standard",
        )
    inspects, applies = caller.reach("certificate.inspect"), caller.reach("certificate.apply")
    own = applies is not None and caller.agency == holder.agency
    if caller.plan != plan.id or not (own or inspects in ("plan", "all")):
        raise Forbidden(
            "创建由组织创建的部门或申报单位启动；未保存。 "
            "A programme is started by who organises it or by the holder itself; nothing was kept.",
            code="not-your-step",
        )
    rulebook, standard = found
    day = local_day(now)
    due = next_due(standard.due, day) if standard.due else None
    row = {
        "id": claim.object_id, "plan": plan.id, "standard": standard.id, "rulebook": rulebook.ref,
        "holder_kind": holder.kind, "holder": holder.id, "agency": holder.agency, "area": holder.area,
        "state": CertificationState.CREATING.value, "round": 1, "started_at": now, "due_on": due, "words": {},
        "history": [history_line(None, now, "start", caller.agency)], "version": 1,
    }  # fmt: skip
    made = await insert_many(
        conn, certifications, [row],
        conflict="ON CONFLICT (plan, standard, holder) WHERE state NOT IN ('refused', 'revoked', 'expired') DO NOTHING",
        returning="*",
    )  # fmt: skip
    if not made:
        raise Conflict(
            "这个对象已有一轮创建或有效的认定；未保存。 A round is under way, or the certificate stands; nothing was kept.",
            code="round-open",
        )
    await insert_many(
        conn,
        certification_steps,
        [
            {
                "certification_id": claim.object_id, "step": step.id, "position": position,
                "agency": desk.step_agency(plan, step.by, holder),
                "due_on": day + timedelta(days=step.days) if step.days else due,
            }
            for position, step in enumerate(standard.programme)
        ],
    )  # fmt: skip
    event = CreationStarted(**facts(desk, made[0]), steps=len(standard.programme), due_on=due, started_at=now)
    await outbox.put(conn, kit.outbox, [event], now)
    await audit.record(
        conn, kit, caller, "certification.start", "certification", [claim.object_id], now, standard=standard.id,
        holder=holder.id,
    )  # fmt: skip
    return claim.object_id
