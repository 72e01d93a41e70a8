"""A joint case is closed (结案) by its lead agency, and taken up again when its outcome is contested with success."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.basis import Basis
from services.casework.commands.casefile import outdated
from services.casework.commands.proceedings.refusals import refusing
from services.casework.commands.proceedings.rows import siblings_of
from services.casework.domain.closing import Outcome, decide_closing
from services.casework.domain.states import CaseAction, CaseState, next_case_state
from services.casework.queries.visibility import within_reach
from services.casework.tables import case_parties, cases, dens, kit
from shared.events.casework import CaseClosed, CaseTakenUp
from shared.events.intake import ContestDecided
from shared.kit import audit, idempotency, outbox
from shared.kit.access import Caller, service_caller
from shared.kit.crypto import KeyRing
from shared.kit.idempotency import Claim
from shared.kit.problem import Conflict, NotFound

RIGHT = "case.close"


def closing_claim(keys: KeyRing, caller: Caller, case_id: UUID, version: int, outcome: Outcome, key: str) -> Claim:
    """The Idempotency-Key of one closing, for the API and the page alike. Raises `BadRequest` for an unusable key."""
    asked = f"{case_id}:{version}:{outcome}".encode()
    return idempotency.claim(keys, caller, RIGHT, idempotency.check_key(key), asked, case_id)


async def close_case(
    conn: AsyncConnection, basis: Basis, caller: Caller, case_id: UUID, outcome: Outcome, *, version: int, claim: Claim,
    now: datetime,
) -> None:  # fmt: skip
    """Close a case with an outcome that what was done in it bears out; its reporters read it by receipt (point 5).

    Raises `NotFound`, `Conflict` (another agency's, something still open, not borne out, key reused) or `Outdated`.
    """
    known = await idempotency.take(conn, kit.idempotency, claim, now)
    if isinstance(known, Conflict):
        raise known
    if known is not None:
        return
    found = select(cases).where(cases.c.id == case_id, within_reach(caller, RIGHT)).with_for_update()
    case = (await conn.execute(found)).one_or_none()
    if case is None:
        raise NotFound("没有这个案件，或不在您的权限内。 No such case within your reach.", code="case-not-found")
    if version != case.version:
        raise outdated(case, version)
    party = (
        await conn.execute(
            select(case_parties.c.role, case_parties.c.unit).where(
                case_parties.c.case_id == case_id, case_parties.c.agency == (caller.agency or "")
            )
        )
    ).one_or_none()
    cleared = await conn.scalar(
        select(func.count()).select_from(dens).where(dens.c.case_id == case_id, dens.c.cleared_at.is_not(None))
    )
    with refusing():
        state = decide_closing(
            CaseState(case.state), party.role if party else None, outcome, await siblings_of(conn, case_id), cleared or 0
        )
    step = {"step": "case.closed", "agency": caller.agency, "unit": caller.unit, "outcome": outcome.value}
    await _save(conn, case, state, step, now, outcome=outcome.value, closed_at=now, closed_by=caller.actor)
    event = CaseClosed(
        **_told(case), lead_id=case.lead_id, kinds=tuple(case.kinds), outcome=outcome.value, agency=caller.agency or "",
        unit=caller.unit, closed_at=now, dataref=basis.dataref(case_id),
    )  # fmt: skip
    await outbox.put(conn, kit.outbox, [event], now)
    await audit.record(conn, kit, caller, RIGHT, "case", [case_id], now, outcome=outcome.value)


async def take_up_contested(conn: AsyncConnection, contests: Sequence[ContestDecided], now: datetime) -> None:
    """Take a closed case up again when the second look found its reporter right; news that comes again does nothing."""
    leads = {one.lead_id for one in contests if one.upheld and one.lead_id and one.closing.startswith("case:")}
    if not leads:
        return
    found = select(cases).where(cases.c.lead_id.in_(leads), cases.c.state == CaseState.CLOSED, cases.c.outcome.is_not(None))
    for case in (await conn.execute(found.order_by(cases.c.id).with_for_update())).all():
        state = next_case_state(CaseState(case.state), CaseAction.TAKE_UP)
        await _save(conn, case, state, {"step": "case.taken_up"}, now, outcome=None, closed_at=None, closed_by=None)
        event = CaseTakenUp(**_told(case), lead_id=case.lead_id, cause="contested", taken_up_at=now)
        await outbox.put(conn, kit.outbox, [event], now)
        await audit.record(conn, kit, service_caller("casework"), "case.take_up", "case", [case.id], now)


def _told(case: Any) -> dict[str, Any]:
    return {
        "case_id": case.id, "plan": case.plan, "area": case.area, "urgent": case.urgent, "number": case.number,
    }  # fmt: skip


async def _save(
    conn: AsyncConnection, case: Any, state: CaseState, step: dict[str, Any], now: datetime, **columns: Any
) -> None:
    line = {"version": case.version + 1, "at": now, **step}
    await conn.execute(
        update(cases)
        .where(cases.c.id == case.id)
        .values(
            state=state.value,
            version=case.version + 1,
            history=cases.c.history.op("||")(literal([line], JSONB)),
            **columns,
        )
    )
