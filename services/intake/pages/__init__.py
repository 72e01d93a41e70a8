"""HTML pages of intake: for citizens without a name, and for officers."""

from fastapi import APIRouter

from services.intake.pages import citizens, conversation, desk, following, leads, operator, plans, registers, rewards, triage

router = APIRouter(tags=["pages"], include_in_schema=False)
for _part in (citizens, desk, plans, following, leads, operator, conversation, registers, rewards, leads, triage):
    router.include_router(_part.router)
