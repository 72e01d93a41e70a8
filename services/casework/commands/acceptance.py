"""A party accepts (受理) its case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import literal, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from services.casework.commands.casefile import outdated
from services.casework.commands.records import deadline_changes, deadline_of, published
from services.casework.domain.cases import (
    ACCEPTANCE,
    Acceptance,
    AlreadyAccepted,
    Clock,
    NotAParty,
    NothingToAccept,
    decide_acceptance,
)
from services.casework.domain.parties import Party
from services.casework.domain.states import CaseState, PartyState, TransitionRefused
from services.casework.queries.visibility import within_reach
from services.casework.tables import case_parties, cases, deadlines, kit
from shared.events.casework import CaseAccepted, DeadlineMissed
from shared.kit import audit, idempotency, outbox
from shared.kit.access import Caller
from shared.kit.clock import CHINA
from shared.kit.crypto import KeyRing
from shared.kit.idempotency import Claim
from shared.kit.problem import Conflict, Forbidden, NotFound
from shared.rules.deadlines import State


@dataclass(frozen=True, slots=True)
class Accepted:
    """What came of it; `replayed` when the same request had been carried out before."""

    case_id: UUID
    replayed: bool
    in_time: bool | None = None


def acceptance_claim(keys: KeyRing, caller: Caller, case_id: UUID, version: int, key: str) -> Claim:
    """The Idempotency-Key of one acceptance, for the API and the page alike. Raises `BadRequest` for an unusable key."""
    asked = f"{case_id}:{version}".encode()
    return idempotency.claim(keys, caller, "case.accept", idempotency.check_key(key), asked, case_id)


async def accept(
    conn: AsyncConnection, caller: Caller, case_id: UUID, *, version: int, claim: Claim, now: datetime
) -> Accepted:
    """The caller's agency accepts a case: its clock stops, in time or late; the last party's acceptance accepts the case.

    Raises `NotFound` (no such case within reach), `Forbidden` (seen, but not the caller's to accept), `Conflict`
    (accepted before, nothing to accept, case closed, key reused) or `Outdated` (says what changed since `version`).
    """
    known = await idempotency.take(conn, kit.idempotency, claim, now)
    if isinstance(known, Conflict):
        raise known
    if known is not None:
        return Accepted(known, replayed=True)
    case = await _locked_case(conn, caller, case_id)
    rows = (await conn.execute(select(case_parties).where(case_parties.c.case_id == case_id))).all()
    agency = caller.agency or ""
    clock_row = (
        await conn.execute(
            select(deadlines)
            .where(deadlines.c.case_id == case_id, deadlines.c.agency == agency, deadlines.c.kind == ACCEPTANCE,
                deadlines.c.state.in_((State.RUNNING.value, State.SUSPENDED.value, State.MISSED.value)),
            )
            .with_for_update()
        )
    ).one_or_none()
    decision = _decide(case, rows, agency, clock_row, version, now)
    was_missed = clock_row.state == State.MISSED
    await _save(conn, case, caller, decision, was_missed, now)
    return Accepted(case_id, replayed=False, in_time=decision.in_time)


async def _locked_case(conn: AsyncConnection, caller: Caller, case_id: UUID) -> Any:
    mine = within_reach(caller, "case.accept")
    case = (
        await conn.execute(
            select(cases, mine.label("mine"))
            .where(cases.c.id == case_id, or_(within_reach(caller, "case.read"), mine))
            .with_for_update(of=cases)
        )
    ).one_or_none()
    if case is None:
        raise NotFound("没有这个案件，或不在您的权限内。 No such case within your reach.", code="case-not-found")
    if not case.mine:
        raise _not_yours()
    return case


def _not_yours() -> Forbidden:
    return Forbidden(
        "您可以查看本案，但承办单位是其他单位或内设机构，由其受理；案件未变。 "
        "You may see this case, but accepting it is for its parties; nothing was changed.",
        code="not-a-party",
    )


def _decide(case: Any, rows: Any, agency: str, clock_row: Any, version: int, now: datetime) -> Acceptance:
    parties = tuple(Party(row.agency, row.unit, row.role, tuple(row.units), PartyState(row.state)) for row in rows)
    mine = next((row for row in rows if row.agency == agency), None)
    if mine is None:
        raise _not_yours()
    if mine.role == "coordinator":
        raise Conflict(
            "本单位在本案中负责协调，无需受理；案件未变。 Your agency coordinates this case: there is nothing to accept.",
            code="nothing-to-accept",
        )
    if mine.state == PartyState.ACCEPTED:
        raise Conflict(
            f"本单位已于 {_said(mine.accepted_at)} 受理本案，以首次受理为准，无需再办。 "
            f"Your agency accepted this case at {mine.accepted_at.isoformat(timespec='seconds')}; that stands.",
            code="already-accepted",
            accepted_at=mine.accepted_at.isoformat(),
        )
    if mine.state in (PartyState.HANDED_OVER, PartyState.DECLINED):
        raise Conflict(
            "本单位已移交或不予受理本案，无需受理；案件未变。 "
            "Your agency has handed this case over or declined it; there is nothing to accept.",
            code="part-ended",
            state=mine.state,
        )
    if version != case.version:
        raise outdated(case, version)
    try:
        return decide_acceptance(CaseState(case.state), parties, agency, deadline_of(clock_row), now)
    except (TransitionRefused, NotAParty, NothingToAccept, AlreadyAccepted) as error:
        raise Conflict(
            "案件当前状态不能受理，未作更改。 The case is past accepting; nothing was changed.",
            code="not-possible-now",
            state=case.state,
        ) from error


def _said(moment: datetime) -> str:
    return f"{moment.astimezone(CHINA):%Y-%m-%d %H:%M}"


async def _save(
    conn: AsyncConnection, case: Any, caller: Caller, decision: Acceptance, was_missed: bool, now: datetime
) -> None:
    party, clock = decision.party, Clock(decision.party.agency, decision.party.unit, decision.deadline)
    step: dict[str, Any] = {
        "version": case.version + 1,
        "at": now,
        "step": "party.accepted",
        "agency": party.agency,
        "unit": party.unit,
        "in_time": decision.in_time,
        "deadline_id": decision.deadline.id,
    }
    await conn.execute(
        update(case_parties)
        .where(case_parties.c.case_id == case.id, case_parties.c.agency == party.agency)
        .values(state=party.state.value, accepted_at=now, accepted_by=caller.actor)
    )
    await conn.execute(
        update(deadlines)
        .where(deadlines.c.id == UUID(decision.deadline.id))
        .values(**deadline_changes(decision.deadline), version=deadlines.c.version + 1)
    )
    await conn.execute(
        update(cases)
        .where(cases.c.id == case.id)
        .values(
            state=decision.case_state.value,
            version=case.version + 1,
            missed=case.missed - was_missed,
            history=cases.c.history.op("||")(literal([step], JSONB)),
        )
    )
    told: dict[str, Any] = {
        "case_id": case.id,
        "plan": case.plan,
        "area": case.area,
        "urgent": case.urgent,
        "number": case.number,
        "agency": party.agency,
        "unit": party.unit,
        "deadline": published(clock),
    }
    events: list[DeadlineMissed | CaseAccepted] = []
    if decision.missed_now:
        events.append(DeadlineMissed(**told, missed_at=now))
    events.append(CaseAccepted(**told, accepted_at=now, in_time=decision.in_time))
    await outbox.put(conn, kit.outbox, events, now)
    await audit.record(
        conn, kit, caller, "case.accept", "case", [case.id], now,
        unit=party.unit, in_time=decision.in_time, state=decision.case_state.value,
    )  # fmt: skip
