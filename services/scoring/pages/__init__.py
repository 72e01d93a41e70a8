"""HTML pages of scoring."""

from fastapi import APIRouter

from services.scoring.pages import findings, standings

router = APIRouter(tags=["pages"], include_in_schema=False)
for _part in (findings, standings,):
    router.include_router(_part.router)
