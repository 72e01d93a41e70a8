"""Decisions of a lead's parties: not accepted, more asked of the reporter, taken up again."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.commands.handovers.proposing import Source, lead_source, propose
from services.intake.commands.handovers.rooms import Rules, take_key
from services.intake.queries import handovers as queries
from services.intake.schemas.handovers import DeclineIn, HandoverIn, SupplementEndIn, SupplementIn
from services.intake.tables import kit, lead_declines, leads
from services.intake.tables.handovers import lead_parties, supplements
from shared.events.handovers import LeadDeclined, LeadReopened, SupplementReceived, SupplementRequested
from shared.kit import audit, outbox
from shared.kit.access import Caller, service_caller
from shared.kit.db import insert_many
from shared.kit.idempotency import Claim
from shared.kit.problem import Conflict, Invalid, NotFound, Outdated
from shared.rules.plan.handover import HandoverRules
from shared.rules.plan.vocabulary import REFERRAL_TOPICS

Outcome = Literal["received", "expired", "withdrawn"]


async def decline(
    conn: AsyncConnection, rules: Rules, caller: Caller, lead_id: UUID, body: DeclineIn, claim: Claim, now: datetime
) -> dict[str, Any]:
    """An agency decides not to accept a lead (不予受理), says why and where it belongs, and hands it there (D-A5).

    To an agency of the plan, or back to the line that distributed it, by a handover: then it answers until that is
    accepted. Only a reason that ends the matter, for a lead no line distributed, ends its obligation at once. Raises
    Invalid (reason, topic, nobody named), Forbidden, NotFound or Conflict (a person in danger; accepted already).
    """
    known = await take_key(conn, claim, now)
    source = await lead_source(conn, caller, lead_id, "lead.decide")
    if known is not None:
        return {"lead_id": lead_id, "agency": source.place.agency, "handover_id": known if known != lead_id else None}
    _, own = rules.plan(source.plan)
    reason = own.reason(body.reason, "decline")
    if reason is None or (body.belongs_to is not None and body.belongs_to not in REFERRAL_TOPICS):
        field = "reason" if reason is None else "belongs_to"
        raise Invalid(
            "没有这个不受理理由或去向，请从方案所列中选择；未作更改。 "
            "There is no such reason or place; choose one of the plan's. Nothing was changed.",
            code="unknown-reason",
            errors=[{"field": field, "code": "unknown", "message": "not one of the plan's"}],
        )
    if source.urgent:
        raise Conflict(
            "有人处于危险中的线索不能不予受理，请立即办理或移交公安。 "
            "A lead about somebody in danger is not declined: act on it, or hand it to the police.",
            code="urgent-goes-on",
        )
    await _must_be_pending(conn, lead_id, source.place.agency)
    handover_id = await _goes_on(conn, rules, caller, source, body, own, reason.ends, claim, now)
    event = LeadDeclined(
        lead_id=lead_id,
        tip_id=None,
        plan=source.plan,
        area=source.area,
        urgent=source.urgent,
        agency=source.place.agency,
        unit=source.place.unit,
        reason=body.reason,
        ends=handover_id is None,
        belongs_to=body.belongs_to,
        to_agency=body.to_agency,
        distributor=source.channel if handover_id and not body.to_agency else None,
        handover_id=handover_id,
        declined_at=now,
    )
    await outbox.put(conn, kit.outbox, [event], now)
    # its reporter may contest it, and then another person must look
    declined = {"lead_id": lead_id, "agency": source.place.agency, "actor": caller.actor, "at": now}
    await insert_many(conn, lead_declines, [declined])
    await audit.record(
        conn, kit, caller, "lead.decline", "lead", [lead_id], now, reason=body.reason, ends=event.ends
    )
    return {"lead_id": lead_id, "agency": source.place.agency, "handover_id": handover_id}


async def _goes_on(
    conn: AsyncConnection, rules: Rules, caller: Caller, source: Source, body: DeclineIn, own: HandoverRules,
    ends: bool, claim: Claim, now: datetime,
) -> UUID | None:  # fmt: skip
    """The handover that a declined lead goes by, or None when the reason ends it and nobody distributed it."""
    back = own.distributor(source.channel) is not None and not body.to_agency
    if not body.to_agency and not back:
        if not ends:
            raise Invalid(
                "按这个理由不受理的，要写明移交给哪个单位；未作更改。 "
                "With this reason, say which agency it goes to; nothing was changed.",
                code="place-needed",
                errors=[{"field": "to_agency", "code": "missing", "message": "where the matter belongs"}],
            )
        return None
    wanted = HandoverIn(
        to_agency=body.to_agency, to_unit=body.to_unit, to_distributor=back, reason=body.reason, note=body.note
    )
    return await propose(conn, rules, caller, source, wanted, claim.object_id, now)


async def _must_be_pending(conn: AsyncConnection, lead_id: UUID, agency: str) -> None:
    told = select(lead_parties.c.state).where(lead_parties.c.lead_id == lead_id, lead_parties.c.agency == agency)
    if (await conn.execute(told)).scalar_one_or_none() == "accepted":
        raise Conflict(
            "本单位已受理此案，不能再作不受理决定；应由他人办理的请移交。 "
            "Your agency has accepted the case; hand it over if it is another's.",
            code="case-accepted",
        )


async def request_supplement(
    conn: AsyncConnection, rules: Rules, caller: Caller, lead_id: UUID, body: SupplementIn, claim: Claim, now: datetime
) -> UUID:
    """Ask the reporter for more before deciding (补充); the clocks that the plan names stand still until it comes.

    One at a time, and as often as the plan allows (Conflict). Never for somebody in danger.
    """
    if (known := await take_key(conn, claim, now)) is not None:
        return known
    source = await lead_source(conn, caller, lead_id, "lead.decide")
    plan, own = rules.plan(source.plan)
    if own.supplement is None or source.urgent:
        raise Conflict(
            "这条线索不能要求补充后再受理，请直接办理。 More cannot be asked for before this lead is decided on.",
            code="no-supplement",
        )
    await _must_be_pending(conn, lead_id, source.place.agency)
    s = supplements.c
    asked, running = (
        await conn.execute(
            select(func.count(), func.count().filter(s.state == "asked")).where(
                s.lead_id == lead_id, s.agency == source.place.agency
            )
        )
    ).one()
    if running or asked >= own.supplement.most:
        raise Conflict(
            "已有一次补充要求未答复，或已达到方案规定的次数。 "
            "One is still open, or the plan allows no further one.",
            code="supplement-limit",
            asked=asked,
        )
    clock = rules.clock(plan, own.supplement.rule, "supplement", now)
    row = {
        "id": claim.object_id,
        "lead_id": lead_id,
        "plan": source.plan,
        "agency": source.place.agency,
        "unit": source.place.unit,
        "question": rules.seal(claim.object_id, body.question),
        "state": "asked",
        "rule": clock.rule_id,
        "asked_at": now,
        "due": clock.due,
        "version": 1,
    }
    await insert_many(conn, supplements, [row])
    event = SupplementRequested(
        lead_id=lead_id, tip_id=None, plan=source.plan, area=source.area, urgent=source.urgent,
        supplement_id=claim.object_id, agency=source.place.agency, unit=source.place.unit,
        suspends=own.supplement.suspends, rule=clock.rule_id, due=clock.due, requested_at=now,
    )  # fmt: skip
    await outbox.put(conn, kit.outbox, [event], now)
    await audit.record(conn, kit, caller, "supplement.request", "supplement", [claim.object_id], now, lead=str(lead_id))
    return claim.object_id


async def end_supplement(
    conn: AsyncConnection, caller: Caller, supplement_id: UUID, version: int, body: SupplementEndIn, claim: Claim,
    now: datetime,
) -> UUID:  # fmt: skip
    """An officer notes that it came, or asks no longer. Raises NotFound, Conflict (at its end already), Outdated."""
    if (known := await take_key(conn, claim, now)) is not None:
        return known
    s = supplements.c
    row = (
        await conn.execute(
            select(supplements)
            .where(s.id == supplement_id, queries.supplement_reach(caller, "lead.decide"))
            .with_for_update()
        )
    ).one_or_none()
    if row is None:
        raise NotFound("没有这份补充要求，或不在您的权限内。 No such supplement within your reach.")
    if row.state != "asked":
        raise Conflict("这份补充要求已经了结。 It is at its end already.", code="not-possible-now", state=row.state)
    if row.version != version:
        raise Outdated("补充要求已有变化，请重新查看。 It has changed; look again.", version=row.version)
    await _end(conn, [row], body.outcome, caller, now)
    return supplement_id


async def supplement_received(conn: AsyncConnection, lead_id: UUID, now: datetime) -> int:
    """The reporter added facts by receipt: every open supplement of the lead is received; how many there were."""
    return await _end(conn, await _asked(conn, supplements.c.lead_id == lead_id), "received", None, now)


async def expire_supplements(conn: AsyncConnection, now: datetime, *, limit: int = 200) -> int:
    """End supplements whose time has passed, so that the clocks run again; how many."""
    return await _end(conn, await _asked(conn, supplements.c.due < now, limit), "expired", None, now)


async def _asked(conn: AsyncConnection, which: Any, limit: int = 200) -> Any:
    found = select(supplements).where(supplements.c.state == "asked", which)
    return (await conn.execute(found.limit(limit).with_for_update(skip_locked=True))).all()


async def _end(conn: AsyncConnection, rows: Any, outcome: Outcome, caller: Caller | None, now: datetime) -> int:
    if not rows:
        return 0
    ids = [row.id for row in rows]
    await conn.execute(
        update(supplements)
        .where(supplements.c.id.in_(ids))
        .values(state=outcome, ended_at=now, version=supplements.c.version + 1)
    )
    found = await conn.execute(
        select(leads.c.id, leads.c.area, leads.c.urgent).where(leads.c.id.in_([row.lead_id for row in rows]))
    )
    of_lead = {row.id: row for row in found}
    await outbox.put(
        conn,
        kit.outbox,
        [
            SupplementReceived(
                lead_id=row.lead_id, tip_id=None, plan=row.plan, area=of_lead[row.lead_id].area,
                urgent=of_lead[row.lead_id].urgent, supplement_id=row.id, agency=row.agency, unit=row.unit,
                outcome=outcome, requested_at=row.asked_at, received_at=now,
            )
            for row in rows
        ],
        now,
    )  # fmt: skip
    await audit.record(
        conn, kit, caller or service_caller("intake"), f"supplement.{outcome}", "supplement", ids, now
    )
    return len(rows)


async def reopen(conn: AsyncConnection, caller: Caller, lead_id: UUID, claim: Claim, now: datetime) -> UUID:
    """An agency that had declined a lead takes it up again: new facts came, and its clock restarts (令121 art. 35).

    Raises NotFound, or Conflict where the agency has declined nothing.
    """
    if (known := await take_key(conn, claim, now)) is not None:
        return known
    lead = (
        await conn.execute(
            select(leads).where(leads.c.id == lead_id, queries.lead_reach(caller, "lead.decide")).with_for_update()
        )
    ).one_or_none()
    if lead is None:
        raise NotFound("没有这条线索，或不在您的权限内。 No such lead within your reach.", code="lead-not-found")
    party = (
        await conn.execute(
            select(lead_parties)
            .where(
                lead_parties.c.lead_id == lead_id,
                lead_parties.c.state == "declined",
                (lead_parties.c.agency == caller.agency)
                if caller.reach("lead.decide") not in ("plan", "all")
                else (lead_parties.c.agency == func.coalesce(caller.agency, lead.agency)),
            )
            .limit(1)
        )
    ).one_or_none()
    if party is None:
        raise Conflict(
            "本单位没有对这条线索作过不受理决定，无需重新受理。 Your agency has not declined this lead.",
            code="not-declined",
        )
    event = LeadReopened(
        lead_id=lead_id, tip_id=None, plan=lead.plan, area=lead.area, urgent=lead.urgent, agency=party.agency,
        unit=party.unit, reopened_at=now,
    )  # fmt: skip
    await outbox.put(conn, kit.outbox, [event], now)
    await audit.record(conn, kit, caller, "lead.reopen", "lead", [lead_id], now)
    return lead_id


