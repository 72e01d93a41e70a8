"""Proposing a handover (移交): of a lead by one of its parties, or of a tip that triage found not to be one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.commands.handovers.rooms import (
    Rules,
    clock_columns,
    facts,
    next_number,
    step,
    take_key,
)
from services.intake.domain.handovers import Matter, NoWay, Place, answer_rule, check_way
from services.intake.queries import handovers as queries
from services.intake.schemas.handovers import HandoverIn
from services.intake.tables import kit, leads, tips
from services.intake.tables.handovers import handover_matters, handovers, lead_parties
from shared.events.handovers import HandoverProposed
from shared.kit import audit, outbox
from shared.kit.access import Caller
from shared.kit.idempotency import Claim
from shared.kit.problem import Conflict, Forbidden, Invalid, NotFound

_NO_WAY = {
    "unknown-reason": ("没有这个移交理由，请从方案所列理由中选择", "there is no such reason; choose one of the plan's"),
    "unknown-agency": ("方案中没有这个单位", "the plan has no such agency"),
    "outside-agency": ("该单位不在本方案内，不能直接移交", "that agency is outside the plan"),
    "unknown-unit": ("该单位没有这个内设机构", "that agency has no such unit"),
    "same-place": ("移交给了原单位", "that is where it is already"),
    "through-distributor": (
        "此件由分派渠道转来，不属本单位的应退回原渠道重新分派，不得横向移交；请改选“退回原渠道”",
        "it was assigned by a distributing line and goes back through it, not sideways: send it to the distributor",
    ),
    "no-distributor": ("此件不是由分派渠道转来，请选择接收单位", "no line distributed it: choose an agency"),
    "urgent-goes-on": ("有人处于危险中，不得退回，请直接交公安", "somebody is in danger: it is not sent back"),
}


@dataclass(frozen=True, slots=True)
class Source:
    """A matter as it stands, and the party that hands it over."""

    matter_id: UUID
    lead_id: UUID | None
    tip_id: UUID | None
    plan: str
    area: str | None
    kinds: list[str]
    urgent: bool
    relevant: bool
    channel: str
    place: Place


async def propose_lead(
    conn: AsyncConnection, rules: Rules, caller: Caller, lead_id: UUID, body: HandoverIn, claim: Claim, now: datetime
) -> UUID:
    """Offer a lead to another agency or unit, or back to its distributor; the id of the handover (points 1, 7).

    The sender stays responsible until the receiver accepts. Raises NotFound, Forbidden, Invalid (no such way; the
    text says why) or Conflict (one is open already, or the key was used otherwise).
    """
    known = await take_key(conn, claim, now)
    if known is not None:
        return known
    source = await lead_source(conn, caller, lead_id, "handover.propose", body.from_agency)
    return await propose(conn, rules, caller, source, body, claim.object_id, now)


async def propose_tip(
    conn: AsyncConnection, rules: Rules, caller: Caller, tip_id: UUID, body: HandoverIn, claim: Claim, now: datetime
) -> UUID:
    """Hand on a tip that is not pyramid selling: back to the line that sent it, never sideways (令121 art. 40, 41).

    Raises as `propose_lead`; a tip that belongs to a lead is handed over with its lead (Conflict).
    """
    known = await take_key(conn, claim, now)
    if known is not None:
        return known
    seen = queries.tip_reach(caller, "handover.propose")
    row = (await conn.execute(select(tips).where(tips.c.id == tip_id, seen).with_for_update(of=tips))).one_or_none()
    if row is None:
        raise NotFound("没有这条举报，或不在您的权限内。 No such tip within your reach.")
    if row.lead_id is not None:
        raise Conflict(
            "这条举报已列入线索，请移交线索。 This tip is part of a lead; hand over the lead.",
            code="tip-of-a-lead",
            lead_id=str(row.lead_id),
        )
    agency = row.agency or caller.agency or ""
    source = Source(
        row.id, None, row.id, row.plan, row.area, row.kinds, row.urgent, False, row.channel,
        Place(agency, row.unit or (caller.unit if caller.agency == agency else None)),
    )  # fmt: skip
    return await propose(conn, rules, caller, source, body, claim.object_id, now)


async def lead_source(
    conn: AsyncConnection, caller: Caller, lead_id: UUID, right: str, from_agency: str | None = None
) -> Source:
    """A lead, locked, and the party on whose behalf the caller acts: their own agency, or for the office any party."""
    row = (
        await conn.execute(
            select(leads).where(leads.c.id == lead_id, queries.lead_reach(caller, right)).with_for_update(of=leads)
        )
    ).one_or_none()
    if row is None:
        raise NotFound("没有这条线索，或不在您的权限内。 No such lead within your reach.", code="lead-not-found")
    if row.merged_into is not None:
        raise Conflict(
            "这条线索已并入另一条，请在那里办理。 This lead was joined with another one; do it there.",
            code="lead-merged",
            lead_id=str(row.merged_into),
        )
    parties = {row.agency: row.unit}
    ended = set()
    told = select(lead_parties.c.agency, lead_parties.c.unit, lead_parties.c.state)
    for party in await conn.execute(told.where(lead_parties.c.lead_id == lead_id)):
        if party.state in ("handed_over", "declined"):
            ended.add(party.agency)
        else:
            parties.setdefault(party.agency, party.unit)
    wide = caller.reach(right) in ("plan", "all")
    agency = from_agency or (caller.agency if caller.agency in parties or not wide else row.agency)
    if agency not in parties or agency in ended or (agency != caller.agency and not wide):
        raise Forbidden(
            "本单位现在不是这条线索的承办单位，不能移交或不受理；未作更改。 "
            "Your agency does not answer for this lead now; nothing was changed.",
            code="not-responsible",
        )
    first = (
        await conn.execute(
            select(tips.c.channel).where(tips.c.lead_id == lead_id).order_by(tips.c.received_at, tips.c.id).limit(1)
        )
    ).scalar_one_or_none()
    return Source(
        row.id, row.id, None, row.plan, row.area, row.kinds, row.urgent, True, first or "web",
        Place(agency, parties[agency]),
    )  # fmt: skip


async def propose(
    conn: AsyncConnection,
    rules: Rules,
    caller: Caller,
    source: Source,
    body: HandoverIn,
    handover_id: UUID,
    now: datetime,
    *,
    previous_id: UUID | None = None,
    checked: bool = False,
) -> UUID:
    """Write the offer, its clock and its number. `checked`: the way was judged by the caller (a return goes back)."""
    plan, own = rules.plan(source.plan)
    to = Place(body.to_agency, body.to_unit) if body.to_agency else None
    counted = await _counted(conn, source, now)
    try:
        if not checked:
            matter = Matter(source.relevant, source.urgent, source.channel, counted.bounces)
            check_way(plan, own, matter, source.place, to, body.reason)
    except NoWay as no:
        zh, en = _NO_WAY[no.code]
        raise Invalid(f"{zh}；未保存任何内容。 {en[0].upper()}{en[1:]}; nothing was kept.", code=no.code) from no
    clock = rules.clock(plan, answer_rule(plan, own, to, source.urgent), "handover", now)
    row = {
        "id": handover_id,
        "number": await next_number(conn, own, source.plan, now),
        "matter_id": source.matter_id,
        "lead_id": source.lead_id,
        "tip_id": source.tip_id,
        "plan": source.plan,
        "area": source.area,
        "kinds": source.kinds,
        "urgent": source.urgent,
        "from_agency": source.place.agency,
        "from_unit": source.place.unit,
        "to_agency": to.agency if to else None,
        "to_unit": to.unit if to else None,
        "distributor": None if to else source.channel,
        "reason": body.reason,
        "note": rules.seal(handover_id, body.note),
        "state": "proposed",
        "attempt": counted.handovers,
        "previous_id": previous_id,
        "proposed_at": now,
        "version": 1,
        "history": [step(1, now, "proposed", source.place.agency, source.place.unit, reason=body.reason)],
    } | clock_columns(clock)
    try:
        saved = (await conn.execute(insert(handovers).values(**row).returning(handovers))).one()
    except IntegrityError as error:
        raise Conflict(
            "这件事已有一件移交等待答复；请先等答复，或先撤回。 "
            "A handover of it is already waiting for its answer; wait for it or withdraw it.",
            code="handover-open",
        ) from error
    told = facts(rules, saved, counted.bounces)
    event = HandoverProposed(
        **told, kinds=tuple(saved.kinds), reason=saved.reason, previous_id=previous_id, rule=saved.rule,
        due=saved.due, provisional=saved.provisional, proposed_at=now,
    )  # fmt: skip
    await outbox.put(conn, kit.outbox, [event], now)
    await audit.record(
        conn, kit, caller, "handover.propose", "handover", [handover_id], now,
        matter=str(source.matter_id), reason=body.reason, to=body.to_agency or source.channel,
    )  # fmt: skip
    return handover_id


async def _counted(conn: AsyncConnection, source: Source, now: datetime) -> Any:
    """The matter's counts with this handover; its row is locked until the end, so that two offers follow each other."""
    m: Any = handover_matters
    made: dict[str, Any] = {
        "id": source.matter_id,
        "lead_id": source.lead_id,
        "tip_id": source.tip_id,
        "plan": source.plan,
        "area": source.area,
        "kinds": source.kinds,
        "urgent": source.urgent,
        "agency": source.place.agency,
        "unit": source.place.unit,
        "handovers": 1,
        "bounces": 0,
        "late": 0,
        "first_at": now,
        "last_at": now,
    }
    statement = insert(m).values(**made)
    statement = statement.on_conflict_do_update(
        index_elements=["id"], set_={"handovers": m.c.handovers + 1, "last_at": func.greatest(m.c.last_at, now)}
    ).returning(m)
    return (await conn.execute(statement)).one()


