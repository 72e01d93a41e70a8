"""Notify's part of one tip's journey."""

from fastapi import APIRouter, Depends, Request

from services.notify.queries import trace as queries
from services.notify.tables import kit
from shared.kit import audit, clock, db
from shared.kit.access import Caller, Requires
from shared.kit.service import Service
from shared.kit.trace import TraceAnswer, TraceRequest

router = APIRouter(prefix="/v1", tags=["trace"])


@router.post("/trace")
async def trace(request: Request, body: TraceRequest, caller: Caller = Depends(Requires("trace.read"))) -> TraceAnswer:
    """The steps notify knows for some ids, and the ids to ask the other services for."""
    svc: Service = request.app.state.service
    async with db.begin(svc.engine) as conn:
        answer = await queries.trace(conn, caller, body.ids)
        found = sorted({step.object_id for step in answer.steps})
        await audit.record(conn, kit, caller, "trace.read", "notice", found, clock.now())
    return answer
