"""Following a tip by its receipt."""

from fastapi import APIRouter, Depends, Request, Response

from services.intake import queries
from services.intake.queries import next_words
from services.intake.schemas.tips import ReceiptIn, ReceiptOut
from shared.kit.access import Caller, Public
from shared.kit.service import Service
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["receipts"])


@router.post("/receipts", response_model=ReceiptOut, summary="Follow a tip by its receipt")
async def follow(
    request: Request,
    body: ReceiptIn,
    _: Caller = Depends(Public("the receipt is the right; it is never part of an address")),
) -> Response:
    """How the tip stands. A wrong receipt tells nothing about any other."""
    service: Service = request.app.state.service
    row = await queries.tip_by_receipt(service, request.app.state.receipt_misses, body.receipt)
    words = next_words(service, row._mapping)
    return ORJSONResponse({"state": row.state, "received_at": row.received_at, "words": words.model_dump()})
