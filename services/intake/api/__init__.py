"""JSON routes of intake: for citizens' own programs, officers' pages and agencies' systems."""

from fastapi import APIRouter

from services.intake.api import (
    conversation,
    evidence,
    funds,
    handing_in,
    handins,
    handovers,
    leads,
    obligations,
    reading,
    receipts,
    registers,
    reporting,
    reward_codes,
    rewards,
    trace,
    trends,
    verifications,
    work,
)

router = APIRouter(prefix="/v1")
for _part in (handing_in.direct, handing_in.router, receipts.router, evidence.router, work.router, reporting.router, reading.router,
    leads.router, reward_codes.router, rewards.router, funds.router, handins.router, conversation.router, trace.router, handovers.router, obligations.router, verifications.router, trends.router, registers.router):
    router.include_router(_part)
