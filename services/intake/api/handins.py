"""Hand-offs of other systems in their own formats, receipts of every exchange, and what became of each item."""

import asyncio
import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.intake.adapters.channels import FORMATS, Unreadable
from services.intake.commands import handins as commands
from services.intake.queries import conversation, told
from services.intake.queries import handins as seen
from services.intake.queries.present import tip_out
from services.intake.schemas.handins import ExchangeOut, FeedbackOut, HandinOut
from shared.kit import clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.pagination import Page
from shared.kit.problem import BadRequest, Forbidden, NotFound, Problem, TooLarge
from shared.kit.service import Service
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["hand-ins"])

_MOST_FOLLOWED = 100
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            media: {"schema": {"type": "string"}} for media in ("application/json", "application/xml", "text/csv")
        },
    }
}


def _agency(service: Service, caller: Caller) -> str:
    if caller.agency is None or caller.plan not in service.plans:
        raise Forbidden("只有方案中单位的系统可以使用。 Only systems of an agency of a plan may use this.")
    return caller.agency


@router.get("/handins/feedback", response_model=Page[FeedbackOut], summary="What became of my agency's items")
async def feedback(
    request: Request,
    caller: Caller = Depends(Requires("tip.submit")),
    format: str | None = Query(None, max_length=20),
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(50, ge=1, le=_MOST_FOLLOWED),
) -> Response:
    """Items in the order they came in, each as it stands now; from any cursor, again and again.

    An item's `version` changes when anything of it does, so a system that reads again sees what is new.
    """
    service: Service = request.app.state.service
    _agency(service, caller)
    after = pagination.decode(cursor, (int,))
    async with db.begin(service.engine) as conn:
        found = await seen.handed_in(conn, caller, form=format, after=after[0] if after else None, limit=limit)
        shown, following = pagination.page(found, limit, lambda row: (row.seq,))
        standings = await conversation.standings(conn, service, shown) if shown else {}
    items = []
    for row in shown:
        standing = standings[row.id]
        item = {
            "tip_id": row.id, "external_ref": row.number, "dispatched_by": row.dispatched_by,
            "dispatch_no": row.dispatch_no, "format": row.format, "received_at": row.received_at,
            "state": standing.closing.outcome if standing.closing else standing.state,
            "agency": row.agency, "unit": row.unit, "closed": standing.closing is not None,
            "words": told.now_words(service, row, standing).model_dump(),
        }  # fmt: skip
        items.append({**item, "version": commands.version_of(item)})
    return ORJSONResponse({"items": items, "next": following})


@router.get("/handins/exchanges", response_model=Page[ExchangeOut], summary="Receipts of my agency's exchanges")
async def exchanges(
    request: Request,
    caller: Caller = Depends(Requires("tip.submit")),
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(50, ge=1, le=pagination.MOST),
) -> Response:
    """Oldest first; a cursor may be used again and again."""
    service: Service = request.app.state.service
    _agency(service, caller)
    after: Any = pagination.decode(cursor, (datetime.fromisoformat, UUID))
    async with db.begin(service.engine) as conn:
        found = await seen.exchanges(conn, caller, after=after, limit=limit)
    shown, following = pagination.page(found, limit, lambda row: (row.at, row.id))
    items = [
        {
            "exchange_id": row.id, "format": row.format, "items": row.items, "created": row.created,
            "replayed": row.replayed, "rejected": row.rejected, "at": row.at,
        }
        for row in shown
    ]  # fmt: skip
    return ORJSONResponse({"items": items, "next": following})


@router.post("/handins/{format}", response_model=HandinOut, openapi_extra=_BODY, summary="Hand in items in my format")
async def hand_in(
    request: Request,
    format: str,
    dry_run: bool = Query(False, description="Check, read and route every item, and keep nothing"),
    caller: Caller = Depends(Requires("tip.submit")),
) -> Response:
    """Items of 110, 12315, 12345, petition, telecom, media or net-patrol, as docs/agencies/handins.md shows them.

    A wrong item is rejected with its field and reason, the others stand. Sending again gives the same receipts.
    """
    service: Service = request.app.state.service
    form = FORMATS.get(format)
    if form is None:
        raise NotFound(f"没有这种格式；现有：{'、'.join(FORMATS)}。 There is no such format.", code="unknown-format")
    _agency(service, caller)
    plan = service.plans[caller.plan or ""]
    body = await request.body()
    try:
        items = form.read(body)
    except Unreadable as error:
        raise BadRequest(
            f"{error.zh}；未保存任何内容。 The body is {error.en}; nothing was kept.", code="unreadable-format"
        ) from error
    most = service.settings.most_tips_a_batch  # type: ignore[attr-defined]
    if len(items) > most:
        raise TooLarge(f"一次最多 {most} 条；未保存任何内容。 At most {most} items; nothing was kept.", limit=most)
    drafted = []
    for index, item in enumerate(items):
        if index % 20 == 19:
            # as with bulk requests: single tips, and held persons, must not wait while many are read
            await asyncio.sleep(0)
        drafted.append(commands.draft(service, caller, plan, form, item))
    exchange_id: UUID | None = None
    results: list[Any]
    if dry_run:
        async with db.begin(service.engine) as conn:
            results = list(await commands.preview(conn, drafted, clock.now()))
    else:
        async with db.begin(service.engine) as conn:
            exchange_id, results = await commands.take(
                conn, service, caller, plan, form, drafted, body, clock.now()
            )
    rows, counts = [], {"created": 0, "replayed": 0, "rejected": 0}
    for index, (one, result) in enumerate(zip(drafted, results, strict=True)):
        if isinstance(result, Problem):
            status, tip, problem = "rejected", None, result.marshal()
        else:
            status, problem = "replayed" if result.replayed else "created", None
            tip = tip_out(service, result.row, None if dry_run else result.receipt, result.replayed)
        counts[status] += 1
        rows.append(
            {"index": index, "external_ref": one.external_ref, "status": status, "tip": tip, "problem": problem}
        )
    return ORJSONResponse(
        {"exchange_id": exchange_id, **counts, "body_sha256": hashlib.sha256(body).hexdigest(), "rows": rows}
    )
