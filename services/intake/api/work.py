"""Proof of work for citizens' own programs."""

from fastapi import APIRouter, Depends, Request, Response

from services.intake.commands.door import work_out
from services.intake.schemas.evidence import WorkOut
from shared.kit.access import Caller, Public
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["tips"])


@router.get("/public/work", response_model=WorkOut, summary="Whether proof of work is asked for, and a challenge")
async def work(
    request: Request,
    _: Caller = Depends(Public("anyone may report; a challenge tells nothing of anybody", reads_caller=False)),
) -> Response:
    """Send `challenge:answer` in the header `Dachuan-Work`, where SHA-256 of that very text begins with `bits` zero
    bits; or, without working, the challenge alone after `wait_s` seconds. Each is good once, for ten minutes."""
    return ORJSONResponse(work_out(request.app.state.door, request.app.state.settings))
