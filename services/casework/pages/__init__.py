"""HTML pages of casework."""

from fastapi import APIRouter

from services.casework.pages import cases, proceedings

router = APIRouter(tags=["pages"], include_in_schema=False)
for _part in (proceedings, cases):
    router.include_router(_part.router)
