"""Asking a lead's reporters for more before it is decided on: each reads the question by their receipt."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.commands.conversation import ask
from services.intake.commands.handovers import Rules, request_supplement
from services.intake.schemas.handovers import SupplementIn
from services.intake.tables import tips
from shared.kit.access import Caller
from shared.kit.idempotency import Claim

MOST = 50
"""So many reporters of one lead are asked, the earliest first."""


async def ask_for_more(
    conn: AsyncConnection, rules: Rules, caller: Caller, lead_id: UUID, body: SupplementIn, claim: Claim, now: datetime
) -> UUID:
    """`request_supplement`, and the question in the conversation of each of the lead's tips; a repeat asks nobody again."""
    made = await request_supplement(conn, rules, caller, lead_id, body, claim, now)
    if made == claim.object_id:
        found = select(tips.c.id).where(tips.c.lead_id == lead_id).order_by(tips.c.received_at, tips.c.id).limit(MOST)
        for tip_id in (await conn.execute(found)).scalars().all():
            await ask(conn, rules.service, caller, tip_id, body.question, now)
    return made
