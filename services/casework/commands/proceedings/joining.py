"""Agencies that become party of a case by a step of a proceeding: the city it is raised to, the procurator, a school."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import literal, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.basis import Basis
from services.casework.domain.parties import CO
from services.casework.domain.proceedings import Actor, Side
from services.casework.domain.states import CaseState, PartyState
from services.casework.tables import case_parties, cases, kit
from shared.events.casework import PartyJoined
from shared.kit import audit, outbox
from shared.kit.access import service_caller

_ACTIVE = (PartyState.PENDING.value, PartyState.ACCEPTED.value)


async def join_case(
    conn: AsyncConnection, basis: Basis, case: Any, side: Side, proceeding_id: UUID, actor: Actor, now: datetime
) -> None:
    """Make a side party of a case (locked by the caller): it has accepted with the step, so no clock starts.

    One that is party already stays as it is; a closed case gets no new party; a side that stands in no plan (a family)
    is told of nothing and has no part in the file.
    """
    if case.state == CaseState.CLOSED.value or side.agency not in {one.id for one in basis.plan(case.plan).agencies}:
        return
    c = case_parties.c
    before = await conn.scalar(select(c.state).where(c.case_id == case.id, c.agency == side.agency))
    if before in _ACTIVE:
        return
    values = {
        "unit": side.unit, "units": [side.unit] if side.unit else [], "role": CO, "state": PartyState.ACCEPTED.value,
        "accepted_at": now, "accepted_by": actor.id,
    }  # fmt: skip
    statement = insert(case_parties).values(case_id=case.id, agency=side.agency, **values)
    await conn.execute(statement.on_conflict_do_update(index_elements=["case_id", "agency"], set_=values))
    version = await conn.scalar(select(cases.c.version).where(cases.c.id == case.id)) + 1
    line = {
        "version": version, "at": now.isoformat(), "step": "party.joined", "agency": side.agency, "unit": side.unit,
        "cause": "proceeding", "proceeding_id": str(proceeding_id),
    }  # fmt: skip
    history = cases.c.history.op("||")(literal([line], JSONB))
    await conn.execute(update(cases).where(cases.c.id == case.id).values(version=version, history=history))
    joined = PartyJoined(
        case_id=case.id, plan=case.plan, area=case.area, urgent=case.urgent, number=case.number, lead_id=case.lead_id,
        kinds=tuple(case.kinds), agency=side.agency, unit=side.unit, role=CO, cause="proceeding", handover_id=None,
        proceeding_id=proceeding_id, deadline=None, joined_at=now,
    )  # fmt: skip
    await outbox.put(conn, kit.outbox, [joined], now)
    await audit.record(
        conn, kit, service_caller("casework"), "case.parties", "case", [case.id], now, steps=["party.joined"],
        agency=side.agency,
    )  # fmt: skip
