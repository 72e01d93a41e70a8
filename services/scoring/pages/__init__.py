"""HTML pages of scoring."""

from fastapi import APIRouter

from services.scoring.pages import standings

router = APIRouter(tags=["pages"], include_in_schema=False)
for _part in (standings,):
    router.include_router(_part.router)
