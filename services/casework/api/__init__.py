"""JSON routes of casework."""

from fastapi import APIRouter

from services.casework.api import cases, proceedings, trace

router = APIRouter(prefix="/v1")
for _part in (cases.router, proceedings.router, trace.router):
    router.include_router(_part)
