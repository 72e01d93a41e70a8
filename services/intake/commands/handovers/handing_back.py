"""What a line distributed and is not ours goes back to it: by one act of an officer, or by itself as the plan says.

The line has it again with the number it came under; the reporter reads that by receipt, and the line by its feedback.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.commands.handovers.answers import taken_over
from services.intake.commands.handovers.proposing import Source, propose
from services.intake.commands.handovers.rooms import Rules, take_key
from services.intake.domain.handovers import Place
from services.intake.queries import handovers as queries
from services.intake.schemas.handovers import HandoverAcceptIn, HandoverIn
from services.intake.tables import tips
from services.intake.tables.handovers import handover_matters, handovers
from shared.kit.access import Caller, service_caller
from shared.kit.idempotency import Claim
from shared.kit.ids import new_id
from shared.kit.problem import Conflict, NotFound, Outdated
from shared.rules.plan.handover import Distributor

_ACTOR = service_caller("intake")
_LONGEST_NUMBER = 60


async def hand_back(
    conn: AsyncConnection, rules: Rules, caller: Caller, tip_id: UUID, version: int, claim: Claim, now: datetime
) -> UUID:
    """An officer confirms that a tip is not ours: it is its distributor's again, in one act; the id of the handover.

    Raises NotFound, Outdated, or Conflict (part of a lead; somebody in danger; no line sent it; on its way already).
    """
    if (known := await take_key(conn, claim, now)) is not None:
        return known
    seen = queries.tip_reach(caller, "handover.propose")
    tip = (await conn.execute(select(tips).where(tips.c.id == tip_id, seen).with_for_update(of=tips))).one_or_none()
    if tip is None:
        raise NotFound("没有这条举报，或不在您的权限内。 No such tip within your reach.")
    if tip.version != version:
        raise Outdated(
            "举报已有变化，请重新打开后再办；未作更改。 It has changed; open it again. Nothing was changed.",
            version=tip.version,
        )
    plan, own = rules.plan(tip.plan)
    line = own.distributor(tip.channel)
    if tip.state != "referred" or tip.urgent:
        raise Conflict(
            "这条举报已列入线索，或有人处于危险中，不能退回；请移交线索或立即办理。未作更改。 "
            "It is part of a lead, or somebody is in danger: it does not go back. Nothing was changed.",
            code="not-to-hand-back",
        )
    if line is None:
        raise Conflict(
            "这条举报不是由分派渠道转来的，没有可退回的地方；未作更改。 No line distributed it: there is nowhere to go back to.",
            code="no-distributor",
        )
    if tip.handed_back_at is not None:
        raise Conflict("这条举报已经退回原渠道。 It was handed back before.", code="handed-back")
    agency = tip.agency or caller.agency or plan.office
    return await _back(conn, rules, caller, tip, line, Place(agency, tip.unit), claim.object_id, now)


async def hand_back_by_rule(conn: AsyncConnection, rules: Rules, now: datetime, *, limit: int = 100) -> int:
    """Hand back what the plan says goes back by itself and no officer read otherwise in the meantime; how many.

    Nobody in danger, nothing that travels already. Safe to run at the same time elsewhere.
    """
    done = 0
    for plan in rules.service.plans.values():
        for line in plan.handover.distributors if plan.handover else ():
            if line.returns != "rule":
                continue
            t = tips.c
            due = (
                select(tips)
                .where(
                    t.plan == plan.id, t.channel == line.channel, t.state == "referred", t.lead_id.is_(None),
                    t.handed_back_at.is_(None), ~t.urgent, t.anonymised_at.is_(None), t.source_agency.is_not(None),
                    t.received_at <= now - timedelta(hours=line.wait_hours),
                    ~exists().where(handover_matters.c.id == t.id),
                )
                .order_by(t.received_at, t.id)
                .limit(limit)
                .with_for_update(of=tips, skip_locked=True)
            )  # fmt: skip
            for tip in (await conn.execute(due)).all():
                place = Place(tip.agency or plan.office, tip.unit)
                await _back(conn, rules, _ACTOR, tip, line, place, new_id(), now)
                done += 1
    return done


async def _back(
    conn: AsyncConnection, rules: Rules, caller: Caller, tip: Any, line: Distributor, place: Place, made: UUID,
    now: datetime,
) -> UUID:  # fmt: skip
    source = Source(tip.id, None, tip.id, tip.plan, tip.area, tip.kinds, False, False, tip.channel, place)
    await propose(conn, rules, caller, source, HandoverIn(to_distributor=True, reason=line.reason), made, now)
    row = (await conn.execute(select(handovers).where(handovers.c.id == made).with_for_update())).one()
    number = tip.external_ref[:_LONGEST_NUMBER] if tip.external_ref else None
    return await taken_over(conn, rules, caller, row, HandoverAcceptIn.model_construct(number=number, note=""), now)
