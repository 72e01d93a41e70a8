"""JSON, CSV and event-stream routes of scoring."""

from fastapi import APIRouter

from services.scoring.api import (
    certificates,
    checkpoints,
    consequences,
    explaining,
    feed,
    findings,
    ledger,
    periods,
    rulebooks,
    standings,
    trace,
)

router = APIRouter()
for _part in (certificates, checkpoints, consequences, explaining, periods, feed, findings, standings, ledger, rulebooks, trace):
    router.include_router(_part.router, prefix="/v1")
router.include_router(checkpoints.well_known)
