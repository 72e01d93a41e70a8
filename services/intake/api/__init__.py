"""JSON routes of intake: for citizens' own programs, officers' pages and agencies' systems."""

from fastapi import APIRouter

from services.intake.api import handing_in, reading, receipts, trace

router = APIRouter(prefix="/v1")
for _part in (handing_in.direct, handing_in.router, receipts.router, reading.router, trace.router):
    router.include_router(_part)
