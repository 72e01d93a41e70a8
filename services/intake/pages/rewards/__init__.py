"""Pages of rewards: for reporters without a name, for the desk, and for the fund's keeper."""

from fastapi import APIRouter

from services.intake.pages.rewards import codes, desk, funds, reporters

router = APIRouter()
for _part in (reporters, codes, desk, funds):
    router.include_router(_part.router)
