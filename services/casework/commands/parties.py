"""What intake tells of handovers, declined leads and supplements changes a case's parties and their clocks.

News of a lead may come before its case, over another topic: it is kept and applied when the case is opened. A case
that is closed stays so; news that changes nothing changes nothing again.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import func, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.basis import Basis
from services.casework.commands.records import deadline_changes, deadline_of, deadline_row, published
from services.casework.domain import docket as domain
from services.casework.domain.cases import ACCEPTANCE, Clock
from services.casework.domain.docket import Docket, Joined, Left, Missed, Moved
from services.casework.domain.parties import CO, LEAD, Party
from services.casework.domain.states import CaseState, PartyState
from services.casework.tables import case_parties, cases, deadlines, early_facts, kit
from shared.events import EVENT_TYPES, EventData
from shared.events.casework import DeadlineMissed, DeadlineMoved, PartyJoined, PartyLeft
from shared.events.handovers import (
    HandoverAccepted,
    HandoverDecided,
    LeadDeclined,
    LeadReopened,
    SupplementReceived,
    SupplementRequested,
)
from shared.kit import audit, outbox
from shared.kit.access import service_caller
from shared.kit.db import fetch, insert_many
from shared.kit.ids import new_id

News = HandoverAccepted | HandoverDecided | LeadDeclined | LeadReopened | SupplementReceived | SupplementRequested

_LOCK = zlib.crc32(b"casework:early-facts")
_TAKE_EARLY = "DELETE FROM early_facts WHERE lead_id = ANY(CAST($1 AS uuid[])) RETURNING lead_id, seq, type, data"


async def opening_cases(conn: AsyncConnection) -> None:
    """Held while cases are opened: news of their leads waits until the cases can be seen, or is seen by the opener."""
    await conn.execute(select(func.pg_advisory_xact_lock_shared(_LOCK)))


async def apply_news(conn: AsyncConnection, basis: Basis, news: Sequence[News], now: datetime) -> None:
    """Apply what intake told, in order; what is about a lead without a case yet is kept for its opening."""
    about = [one for one in news if one.lead_id is not None]
    if not about:
        return
    await conn.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    wanted = list(dict.fromkeys(one.lead_id for one in about))
    rows = (
        await conn.execute(select(cases).where(cases.c.lead_id.in_(wanted)).order_by(cases.c.id).with_for_update())
    ).all()
    by_lead = {row.lead_id: row for row in rows}
    early = [one for one in about if one.lead_id not in by_lead]
    await insert_many(
        conn,
        early_facts,
        [
            {"lead_id": one.lead_id, "type": one.TYPE, "data": orjson.loads(one.model_dump_json()), "at": now}
            for one in early
        ],
    )
    for lead_id, row in by_lead.items():
        await _change(conn, basis, row, [one for one in about if one.lead_id == lead_id], now)


async def apply_early(conn: AsyncConnection, basis: Basis, lead_ids: Sequence[UUID], now: datetime) -> None:
    """Apply what had come about leads before their cases were opened just now."""
    kept = await fetch(conn, _TAKE_EARLY, list(lead_ids))
    if not kept:
        return
    found = select(cases).where(cases.c.lead_id.in_([row.lead_id for row in kept])).order_by(cases.c.id)
    for case in (await conn.execute(found.with_for_update())).all():
        own = sorted((row for row in kept if row.lead_id == case.lead_id), key=lambda row: row.seq)
        told: list[Any] = [EVENT_TYPES[row.type].model_validate(row.data) for row in own]
        await _change(conn, basis, case, told, now)


async def _change(conn: AsyncConnection, basis: Basis, case: Any, news: Sequence[News], now: datetime) -> None:
    parties = (await conn.execute(select(case_parties).where(case_parties.c.case_id == case.id))).all()
    clocks = (
        await conn.execute(
            select(deadlines)
            .where(
                deadlines.c.case_id == case.id,
                deadlines.c.kind == ACCEPTANCE,
                deadlines.c.state.in_(("running", "suspended", "missed")),
            )
            .with_for_update()
        )
    ).all()
    open_clocks = {row.agency: Clock(row.agency, row.unit, deadline_of(row)) for row in clocks}
    docket = Docket(
        CaseState(case.state),
        case.urgent,
        {row.agency: Party(row.agency, row.unit, row.role, tuple(row.units), PartyState(row.state)) for row in parties},
        open_clocks,
        known=frozenset(clock.deadline.id for clock in open_clocks.values()),
    )
    own = domain.Basis(basis.plan(case.plan), basis.law, basis.calendar, new_id)
    for one in news:
        _apply(docket, own, one)
    if docket.facts:
        await _save(conn, basis, case, docket, now)


def _apply(docket: Docket, basis: domain.Basis, news: News) -> None:
    if isinstance(news, HandoverAccepted):
        to = (news.to_agency, news.to_unit) if news.to_agency else None
        _move(docket, basis, news, to, "handed_over", news.accepted_at)
    elif isinstance(news, HandoverDecided):
        _move(docket, basis, news, (news.assigned_agency, news.assigned_unit), "decided", news.decided_at)
    elif isinstance(news, LeadDeclined):
        if news.ends:
            docket.leave(news.agency, "declined", news.reason, None, news.declined_at)
    elif isinstance(news, LeadReopened):
        before = docket.parties.get(news.agency)
        if before is not None and before.state is PartyState.DECLINED:
            docket.join(basis, news.agency, news.unit, before.role, "reopened", None, news.reopened_at)
    elif isinstance(news, SupplementRequested):
        docket.suspend(news.agency, news.suspends, news.requested_at)
    else:
        docket.resume(basis, news.agency, news.received_at)


def _move(
    docket: Docket, basis: domain.Basis, news: HandoverAccepted | HandoverDecided, to: tuple[str, str | None] | None,
    cause: domain.JoinCause, at: datetime,
) -> None:  # fmt: skip
    """The receiver joins first, so that the case is at no moment without a party that answers for it (point 1)."""
    sender = docket.parties.get(news.from_agency)
    role = LEAD if sender is None or sender.role == LEAD else CO
    if to is not None and to[0] == news.from_agency:
        if to[1] != news.from_unit:
            docket.move_inside(to[0], to[1], news.handover_id, at)
        return
    if to is not None:
        docket.join(basis, to[0], to[1], role, cause, news.handover_id, at)
    docket.leave(news.from_agency, "handed_over", None, to, at)


async def _save(conn: AsyncConnection, basis: Basis, case: Any, docket: Docket, now: datetime) -> None:
    moved = {fact.party.agency for fact in docket.facts if isinstance(fact, Joined | Left)}
    for agency in moved:
        await _save_party(conn, case.id, docket.parties[agency])
    fresh = [clock for clock in docket.changed.values() if clock.deadline.id not in docket.known]
    # a clock may be started and ended within one batch of news: its columns then say so
    await insert_many(conn, deadlines, [_whole_row(case.id, clock) for clock in fresh])
    for clock in docket.changed.values():
        if clock.deadline.id in docket.known:
            await conn.execute(
                update(deadlines)
                .where(deadlines.c.id == UUID(clock.deadline.id))
                .values(**deadline_changes(clock.deadline), unit=clock.unit, version=deadlines.c.version + 1)
            )
    version, lines = case.version, []
    for fact in docket.facts:
        version += 1
        lines.append(_line(version, fact))
    await conn.execute(
        update(cases)
        .where(cases.c.id == case.id)
        .values(
            state=docket.state.value,
            version=version,
            missed=func.greatest(cases.c.missed + docket.missed, 0),
            history=cases.c.history.op("||")(literal(lines, JSONB)),
        )
    )
    await outbox.put(conn, kit.outbox, [_event(case, fact) for fact in docket.facts], now)
    await audit.record(
        conn, kit, service_caller("casework"), "case.parties", "case", [case.id], now,
        steps=[line["step"] for line in lines], state=docket.state.value,
    )  # fmt: skip


async def _save_party(conn: AsyncConnection, case_id: UUID, party: Party) -> None:
    values: dict[str, Any] = {
        "unit": party.unit, "units": list(party.units), "role": party.role, "state": party.state.value,
    }  # fmt: skip
    if party.state is PartyState.PENDING:
        values |= {"accepted_at": None, "accepted_by": None}
    changed = await conn.execute(
        update(case_parties)
        .where(case_parties.c.case_id == case_id, case_parties.c.agency == party.agency)
        .values(**values)
    )
    if not changed.rowcount:
        new = {"accepted_at": None, "accepted_by": None} | values | {"case_id": case_id, "agency": party.agency}
        await insert_many(conn, case_parties, [new])


def _whole_row(case_id: UUID, clock: Clock) -> dict[str, Any]:
    return deadline_row(case_id, clock) | deadline_changes(clock.deadline)


def _line(version: int, fact: domain.Fact) -> dict[str, Any]:
    line: dict[str, Any] = {"version": version, "at": fact.at}
    if isinstance(fact, Joined):
        return line | {
            "step": "party.joined", "agency": fact.party.agency, "unit": fact.party.unit, "cause": fact.cause,
            "handover_id": fact.handover_id and str(fact.handover_id),
        }  # fmt: skip
    if isinstance(fact, Left):
        return line | {
            "step": f"party.{fact.cause}", "agency": fact.party.agency, "unit": fact.party.unit, "reason": fact.reason,
            "to": fact.to and fact.to[0],
        }  # fmt: skip
    step = "deadline.missed" if isinstance(fact, Missed) else f"deadline.{fact.change}"
    return line | {
        "step": step, "agency": fact.clock.agency, "unit": fact.clock.unit, "kind": fact.clock.deadline.kind,
        "deadline_id": fact.clock.deadline.id,
    }  # fmt: skip


def _event(case: Any, fact: domain.Fact) -> EventData:
    told = {
        "case_id": case.id,
        "plan": case.plan,
        "area": case.area,
        "urgent": case.urgent,
        "number": case.number,
    }
    if isinstance(fact, Missed):
        clock = fact.clock
        return DeadlineMissed(
            **told, agency=clock.agency, unit=clock.unit, deadline=published(clock), missed_at=fact.at
        )
    told |= {"lead_id": case.lead_id}
    if isinstance(fact, Moved):
        clock = fact.clock
        return DeadlineMoved(
            **told, agency=clock.agency, unit=clock.unit, change=fact.change, deadline=published(clock),
            moved_at=fact.at,
        )  # fmt: skip
    own = {
        "agency": fact.party.agency,
        "unit": fact.party.unit,
        "deadline": published(fact.clock) if fact.clock else None,
    }
    if isinstance(fact, Joined):
        return PartyJoined(
            **told, **own, kinds=tuple(case.kinds), role=fact.party.role, cause=fact.cause,
            handover_id=fact.handover_id, joined_at=fact.at,
        )  # fmt: skip
    return PartyLeft(
        **told, **own, cause=fact.cause, reason=fact.reason, to_agency=fact.to[0] if fact.to else None,
        to_unit=fact.to[1] if fact.to else None, had_accepted=fact.had_accepted,
        state=fact.clock.deadline.state.value if fact.clock else None, left_at=fact.at,
    )  # fmt: skip


__all__ = ["News", "apply_early", "apply_news", "opening_cases"]
