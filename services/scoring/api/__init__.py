"""JSON, CSV and event-stream routes of scoring."""

from fastapi import APIRouter

from services.scoring.api import feed, ledger, standings, trace

router = APIRouter(prefix="/v1")
for _part in (feed, standings, ledger, trace):
    router.include_router(_part.router)
