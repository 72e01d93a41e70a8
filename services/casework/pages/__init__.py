"""HTML pages of casework."""

from fastapi import APIRouter

from services.casework.pages import cases

router = APIRouter(tags=["pages"], include_in_schema=False)
for _part in (cases,):
    router.include_router(_part.router)
