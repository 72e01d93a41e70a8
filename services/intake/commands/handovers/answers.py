"""What becomes of a handover: accepted, refused, returned, withdrawn, brought before the office, decided there."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.commands.handovers.proposing import Source, propose
from services.intake.commands.handovers.rooms import (
    Rules,
    changed,
    clock_columns,
    count_matter,
    facts,
    matter_of,
    outdated,
    step,
    take_key,
)
from services.intake.domain.handovers import (
    HandoverAction,
    HandoverRefused,
    HandoverState,
    NoWay,
    Place,
    check_place,
    decide_rule,
    goes_to_office,
    next_state,
)
from services.intake.queries import handovers as queries
from services.intake.schemas.handovers import (
    HandoverAcceptIn,
    HandoverAnswerIn,
    HandoverDecisionIn,
    HandoverIn,
    HandoverNoteIn,
)
from services.intake.tables import kit, leads, tips
from services.intake.tables.handovers import handover_matters, handovers, lead_parties
from shared.events import EventData
from shared.events.handovers import (
    HandoverAccepted,
    HandoverDecided,
    HandoverEscalated,
    HandoverReturned,
    HandoverWithdrawn,
)
from shared.events.handovers import (
    HandoverRefused as Refused,
)
from shared.kit import audit, outbox
from shared.kit.access import Caller
from shared.kit.idempotency import Claim
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, Forbidden, Invalid, NotFound
from shared.rules.plan.handover import HandoverRules

A = HandoverAction


async def accept(
    conn: AsyncConnection, rules: Rules, caller: Caller, handover_id: UUID, version: int, body: HandoverAcceptIn,
    claim: Claim, now: datetime,
) -> UUID:  # fmt: skip
    """The receiver takes the matter over under its own number; only now the sender's obligation ends (points 1, 7).

    What goes back to a distributor is recorded as taken by its sender, with the number it has there. Raises
    NotFound, Forbidden, Conflict, Outdated or Invalid (number missing).
    """
    if (known := await take_key(conn, claim, now)) is not None:
        return known
    row = await _locked(conn, caller, handover_id, "handover.answer", version, A.ACCEPT)
    if body.number is None and row.to_agency != row.from_agency:
        raise Invalid(
            "请填写接收方编号；未保存任何内容。 Give the number it has at the receiver's; nothing was kept.",
            code="number-needed",
            errors=[{"field": "number", "code": "missing", "message": "the receiver's own number"}],
        )
    return await taken_over(conn, rules, caller, row, body, now)


async def taken_over(
    conn: AsyncConnection, rules: Rules, caller: Caller, row: Any, body: HandoverAcceptIn, now: datetime
) -> UUID:
    """A locked handover is accepted: the matter changes hands, or is its distributor's again."""
    line = step(row.version + 1, now, "accepted", row.to_agency or row.from_agency, row.to_unit)
    saved = await changed(
        conn, row, next_state(HandoverState(row.state), A.ACCEPT), line,
        their_number=body.number, answered_at=row.answered_at or now, answer_note=rules.seal(row.id, body.note),
    )  # fmt: skip
    to = Place(row.to_agency, row.to_unit) if row.to_agency else None
    counted = await _moved(conn, row, to, now)
    event = HandoverAccepted(
        **facts(rules, saved, counted.bounces), proposed_at=row.proposed_at, accepted_at=now, in_time=not _late(row, now)
    )
    return await _told(conn, caller, saved, [event], A.ACCEPT, now)


async def refuse(
    conn: AsyncConnection, rules: Rules, caller: Caller, handover_id: UUID, version: int, body: HandoverAnswerIn,
    claim: Claim, now: datetime,
) -> UUID:  # fmt: skip
    """The receiver refuses with a reason; the sender answers for it as before. Often enough, the office decides.

    Raises as `accept`; Invalid for a reason that the plan does not have.
    """
    if (known := await take_key(conn, claim, now)) is not None:
        return known
    row = await _locked(conn, caller, handover_id, "handover.answer", version, A.REFUSE)
    own = _reason(rules, row, body.reason, "refuse")
    counted = await count_matter(conn, row.matter_id, now, bounces=handover_matters.c.bounces + 1)
    line = step(row.version + 1, now, "refused", row.to_agency or row.from_agency, row.to_unit, reason=body.reason)
    saved = await changed(
        conn, row, next_state(HandoverState(row.state), A.REFUSE), line,
        answered_at=now, answer_reason=body.reason, answer_note=rules.seal(row.id, body.note),
    )  # fmt: skip
    told: list[EventData] = [
        Refused(
            **facts(rules, saved, counted.bounces), reason=body.reason, proposed_at=row.proposed_at, refused_at=now,
            in_time=not _late(row, now),
        )
    ]  # fmt: skip
    if goes_to_office(own, counted.bounces):
        saved, event = await to_office(conn, rules, saved, "refused", counted.bounces, now)
        told.append(event)
    return await _told(conn, caller, saved, told, A.REFUSE, now, reason=body.reason)


async def send_back(
    conn: AsyncConnection, rules: Rules, caller: Caller, handover_id: UUID, version: int, body: HandoverAnswerIn,
    claim: Claim, now: datetime,
) -> UUID:  # fmt: skip
    """The receiver had accepted it and returns it (退回): a handover the other way. Until that is accepted it answers.

    Not once it has accepted the case itself (Conflict). Raises as `refuse`.
    """
    if (known := await take_key(conn, claim, now)) is not None:
        return known
    row = await _locked(conn, caller, handover_id, "handover.answer", version, A.RETURN)
    own = _reason(rules, row, body.reason, "return")
    if row.to_agency is None:
        raise Conflict(
            "已退回原渠道的不能再退回。 What its distributor took back cannot be returned.", code="not-possible-now"
        )
    took_case = select(lead_parties.c.agency).where(
        lead_parties.c.lead_id == row.lead_id,
        lead_parties.c.agency == row.to_agency,
        lead_parties.c.state == "accepted",
    )
    if row.lead_id is not None and (await conn.execute(took_case)).first() is not None:
        raise Conflict(
            "贵单位已受理此案，不能再退回；确不属职责的，请移交其他单位。 "
            "Your agency has accepted the case; hand it over to another agency instead.",
            code="case-accepted",
        )
    counted = await count_matter(conn, row.matter_id, now, bounces=handover_matters.c.bounces + 1)
    line = step(row.version + 1, now, "returned", row.to_agency, row.to_unit, reason=body.reason)
    saved = await changed(
        conn, row, next_state(HandoverState(row.state), A.RETURN), line,
        answer_reason=body.reason, answer_note=rules.seal(row.id, body.note),
    )  # fmt: skip
    back = new_id()
    event = HandoverReturned(
        **facts(rules, saved, counted.bounces), reason=body.reason, successor_id=back, accepted_at=row.answered_at,
        returned_at=now,
    )  # fmt: skip
    await outbox.put(conn, kit.outbox, [event], now)
    await propose(
        conn, rules, caller, _source(row), HandoverIn(
            to_agency=row.from_agency, to_unit=row.from_unit, reason=body.reason, note=body.note
        ), back, now, previous_id=row.id, checked=True,
    )  # fmt: skip
    if goes_to_office(own, counted.bounces):
        fresh = (await conn.execute(select(handovers).where(handovers.c.id == back))).one()
        _, event2 = await to_office(conn, rules, fresh, "refused", counted.bounces, now)
        await outbox.put(conn, kit.outbox, [event2], now)
    return await _told(conn, caller, saved, [], A.RETURN, now, reason=body.reason)


async def withdraw(
    conn: AsyncConnection, rules: Rules, caller: Caller, handover_id: UUID, version: int, body: HandoverNoteIn,
    claim: Claim, now: datetime,
) -> UUID:  # fmt: skip
    """The sender takes its offer back and keeps the matter. Raises as `accept`."""
    if (known := await take_key(conn, claim, now)) is not None:
        return known
    row = await _locked(conn, caller, handover_id, "handover.propose", version, A.WITHDRAW)
    line = step(row.version + 1, now, "withdrawn", row.from_agency, row.from_unit)
    saved = await changed(conn, row, next_state(HandoverState(row.state), A.WITHDRAW), line, answered_at=now)
    counted = await matter_of(conn, row.matter_id)
    event = HandoverWithdrawn(**facts(rules, saved, counted.bounces), withdrawn_at=now)
    return await _told(conn, caller, saved, [event], A.WITHDRAW, now)


async def escalate(
    conn: AsyncConnection, rules: Rules, caller: Caller, handover_id: UUID, version: int, body: HandoverNoteIn,
    claim: Claim, now: datetime,
) -> UUID:  # fmt: skip
    """The sender of a refused handover asks the office to decide. Raises as `accept`."""
    if (known := await take_key(conn, claim, now)) is not None:
        return known
    row = await _locked(conn, caller, handover_id, "handover.propose", version, A.ESCALATE)
    if row.state != HandoverState.REFUSED:
        raise _not_now(row)
    counted = await matter_of(conn, row.matter_id)
    saved, event = await to_office(conn, rules, row, "asked", counted.bounces, now)
    return await _told(conn, caller, saved, [event], A.ESCALATE, now)


async def decide(
    conn: AsyncConnection, rules: Rules, caller: Caller, handover_id: UUID, version: int, body: HandoverDecisionIn,
    claim: Claim, now: datetime,
) -> UUID:  # fmt: skip
    """The office decides who takes it; the assigned agency is responsible from now on, accepted or not (point 1).

    Raises as `accept`; Invalid for an agency that the plan does not have.
    """
    if (known := await take_key(conn, claim, now)) is not None:
        return known
    row = await _locked(conn, caller, handover_id, "handover.decide", version, A.DECIDE)
    plan, _ = rules.plan(row.plan)
    to = Place(body.agency, body.unit)
    try:
        check_place(plan, to)
    except NoWay as no:
        raise Invalid(
            "方案中没有这个单位或内设机构；未作裁定。 The plan has no such agency or unit; nothing was decided.",
            code=no.code,
        ) from no
    line = step(row.version + 1, now, "decided", caller.agency, caller.unit, assigned=body.agency)
    saved = await changed(
        conn, row, next_state(HandoverState(row.state), A.DECIDE), line, decided_at=now,
        assigned_agency=body.agency, assigned_unit=body.unit, answer_note=rules.seal(row.id, body.note),
    )  # fmt: skip
    counted = await _moved(conn, row, to, now)
    event = HandoverDecided(
        **facts(rules, saved, counted.bounces), assigned_agency=body.agency, assigned_unit=body.unit,
        escalated_at=row.escalated_at, decided_at=now, in_time=row.decision_late_at is None and now <= row.due,
    )  # fmt: skip
    return await _told(conn, caller, saved, [event], A.DECIDE, now, assigned=body.agency)


async def to_office(
    conn: AsyncConnection, rules: Rules, row: Any, cause: Literal["refused", "late", "asked"], bounces: int,
    now: datetime,
) -> tuple[Any, HandoverEscalated]:  # fmt: skip
    """Bring a handover before the office as arbiter, with the clock of its decision; its row and the event."""
    plan, own = rules.plan(row.plan)
    clock = rules.clock(plan, decide_rule(own, row.urgent), "decision", now)
    line = step(row.version + 1, now, "escalated", plan.office, None, reason=cause)
    saved = await changed(
        conn, row, next_state(HandoverState(row.state), A.ESCALATE), line, escalated_at=now, **clock_columns(clock)
    )
    event = HandoverEscalated(
        **facts(rules, saved, bounces), cause=cause, office=plan.office, rule=saved.rule, due=saved.due,
        provisional=saved.provisional, escalated_at=now,
    )  # fmt: skip
    return saved, event


async def _locked(
    conn: AsyncConnection, caller: Caller, handover_id: UUID, right: str, version: int, action: HandoverAction
) -> Any:
    """A handover, locked, that the caller may do this with, in the version they read."""
    h = handovers.c
    row = (
        await conn.execute(
            select(handovers)
            .where(h.id == handover_id, queries.handover_reach(caller, "handover.read"))
            .with_for_update(of=handovers)
        )
    ).one_or_none()
    if row is None:
        raise NotFound("没有这件移交，或不在您的权限内。 No such handover within your reach.", code="handover-not-found")
    if not queries.may(caller, row, right, action):
        raise Forbidden(
            "您可以查看这件移交，但这一步由另一方办理；未作更改。 "
            "You may see this handover, but this step is for the other side; nothing was changed.",
            code="not-your-turn",
        )
    try:
        next_state(HandoverState(row.state), action)
    except HandoverRefused as error:
        raise _not_now(row) from error
    if row.version != version:
        raise outdated(row, version)
    return row


def _not_now(row: Any) -> Conflict:
    return Conflict(
        "这件移交现在的状态不能这样办，未作更改；请查看最新情况。 "
        "The handover is past that; nothing was changed. Look at its present state.",
        code="not-possible-now",
        state=row.state,
    )


def _reason(rules: Rules, row: Any, code: str, use: Literal["refuse", "return"]) -> HandoverRules:
    """The plan's rules, when it has this reason for this use."""
    _, own = rules.plan(row.plan)
    if own.reason(code, use) is None:
        raise Invalid(
            "没有这个理由，请从方案所列理由中选择；未作更改。 There is no such reason; choose one of the plan's.",
            code="unknown-reason",
            errors=[{"field": "reason", "code": "unknown", "message": "not one of the plan's reasons"}],
        )
    return own


def _late(row: Any, now: datetime) -> bool:
    """Whether the receiver's answer is late: marked so, or past due and not yet marked."""
    return row.answer_late_at is not None or (row.state == HandoverState.PROPOSED and now > row.due)


async def _moved(conn: AsyncConnection, row: Any, to: Place | None, now: datetime) -> Any:
    """A matter changes hands: the lead or tip goes with it, and what it is counted under."""
    values: dict[str, Any] = {"agency": to.agency, "unit": to.unit} if to else {"distributor": row.distributor}
    if to is not None:
        for table, own in ((leads, leads.c.id), (tips, tips.c.lead_id)) if row.lead_id else ((tips, tips.c.id),):
            await conn.execute(
                update(table)
                .where(own == row.matter_id, (table.c.agency == row.from_agency) | table.c.agency.is_(None))
                .values(agency=to.agency, unit=to.unit, version=table.c.version + 1)
            )
    elif row.tip_id is not None:
        gone = update(tips).where(tips.c.id == row.tip_id)
        await conn.execute(gone.values(handed_back_at=now, version=tips.c.version + 1))
    return await count_matter(conn, row.matter_id, now, **values)


def _source(row: Any) -> Source:
    """The matter of an accepted handover, handed back by its receiver."""
    return Source(
        row.matter_id, row.lead_id, row.tip_id, row.plan, row.area, row.kinds, row.urgent, row.lead_id is not None,
        "web", Place(row.to_agency, row.to_unit),
    )  # fmt: skip


async def _told(
    conn: AsyncConnection, caller: Caller, row: Any, events: list[EventData], action: HandoverAction, now: datetime,
    **noted: Any,
) -> UUID:  # fmt: skip
    await outbox.put(conn, kit.outbox, events, now)
    await audit.record(
        conn, kit, caller, f"handover.{action.value}", "handover", [row.id], now, state=row.state, **noted
    )
    return row.id
