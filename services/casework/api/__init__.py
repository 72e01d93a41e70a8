"""JSON routes of casework."""

from fastapi import APIRouter

from services.casework.api import cases, trace

router = APIRouter(prefix="/v1")
for _part in (cases.router, trace.router):
    router.include_router(_part)
