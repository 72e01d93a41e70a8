"""JSON, CSV and event-stream routes of scoring."""

from fastapi import APIRouter

from services.scoring.api import (
    certificates,
    checkpoints,
    consequences,
    feed,
    findings,
    ledger,
    periods,
    rulebooks,
    standings,
    trace,
)

router = APIRouter()
for _part in (certificates, checkpoints, consequences, periods, feed, findings, standings, ledger, rulebooks, trace):
    router.include_router(_part.router, prefix="/v1")
router.include_router(checkpoints.well_known)
