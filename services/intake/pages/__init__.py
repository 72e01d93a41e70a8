"""HTML pages of intake: for citizens without a name, and for officers."""

from fastapi import APIRouter

from services.intake.pages import (
    citizens,
    conversation,
    desk,
    evidence,
    following,
    handovers,
    leads,
    operator,
    plans,
    registers,
    rewards,
    trends,
    triage,
    verification,
)

router = APIRouter(tags=["pages"], include_in_schema=False)
for _part in (citizens, desk, evidence, plans, following, leads, operator, conversation, registers, rewards, triage, handovers, verification, trends):
    router.include_router(_part.router)
