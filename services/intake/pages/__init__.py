"""HTML pages of intake: for citizens without a name, and for officers."""

from fastapi import APIRouter

from services.intake.pages import citizens, conversation, desk, following, operator, plans, registers, rewards

router = APIRouter(tags=["pages"], include_in_schema=False)
for _part in (citizens, desk, plans, following, operator, conversation, registers, rewards):
    router.include_router(_part.router)
