"""Tips and leads for those entitled to them."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.intake import queries
from services.intake.commands import tips as commands
from services.intake.queries import tip_out
from services.intake.schemas.tips import TipFull, TipOut
from shared.kit import clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.etag import etag
from shared.kit.pagination import Page
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["tips"])


@router.get("/tips", response_model=Page[TipOut], summary="Tips in my reach, newest first")
async def list_tips(
    request: Request,
    caller: Caller = Depends(Requires("tip.read")),
    state: str | None = Query(None, pattern="^(lead|referred)$"),
    channel: str | None = Query(None, max_length=20),
    urgent: bool | None = None,
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(50, ge=1, le=pagination.MOST),
) -> Response:
    """One page of tips; their words are not in it."""
    service = request.app.state.service
    after = pagination.decode(cursor, (datetime.fromisoformat, UUID))
    async with db.begin(service.engine) as conn:
        found = await queries.list_tips(
            conn,
            caller,
            state=state,
            channel=channel,
            urgent=urgent,
            after=after,
            limit=limit,  # type: ignore[arg-type]
        )
    shown, following = pagination.page(found, limit, lambda row: (row.received_at, row.id))
    items = [tip_out(service, row._mapping, None, False) for row in shown]
    return ORJSONResponse({"items": items, "next": following})


@router.get("/tips/{tip_id}", response_model=TipFull, summary="One tip with its words; the reading is recorded")
async def get_tip(request: Request, tip_id: UUID, caller: Caller = Depends(Requires("tip.read"))) -> Response:
    """One tip: its words, the words that made us read it so, and the routing rules tried, matched, skipped."""
    told = await commands.read_tip(request.app.state.service, caller, tip_id, clock.now())
    return ORJSONResponse(told, headers={"etag": etag(told["version"])})
