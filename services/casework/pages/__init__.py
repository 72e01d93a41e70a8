"""HTML pages of casework."""

from fastapi import APIRouter

from services.casework.pages import cases, downline, evidence, evidence_handovers, persons, places, proceedings

router = APIRouter(tags=["pages"], include_in_schema=False)
for _part in (downline, persons, places, evidence_handovers, evidence, proceedings, cases):
    router.include_router(_part.router)
