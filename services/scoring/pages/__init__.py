"""HTML pages of scoring."""

from fastapi import APIRouter

from services.scoring.pages import board, certificates, consequences, findings, periods, rulebooks, standings

router = APIRouter(tags=["pages"], include_in_schema=False)
for _part in (board, certificates, findings, periods, standings, consequences, rulebooks):
    router.include_router(_part.router)
