"""Deadlines of all services for agencies' systems."""

from fastapi import APIRouter, Depends, Query, Request

from services.notify.queries import clocks as queries
from services.notify.schemas.clocks import DeadlineOut
from services.notify.tables import kit
from shared.kit import audit, clock, db
from shared.kit.access import Caller, Requires
from shared.kit.pagination import MOST, Page
from shared.kit.service import Service

router = APIRouter(prefix="/v1/deadlines", tags=["deadlines"])


@router.get("")
async def list_deadlines(
    request: Request,
    cursor: str | None = None,
    limit: int = Query(50, ge=1, le=MOST),
    caller: Caller = Depends(Requires("notice.read")),
) -> Page[DeadlineOut]:
    """What is not yet done within the caller's reach, the most overdue first."""
    svc: Service = request.app.state.service
    now = clock.now()
    async with db.begin(svc.engine) as conn:
        rows, following = await queries.running(conn, caller, cursor, limit)
        await audit.record(conn, kit, caller, "deadline.listed", "deadline", [row.id for row in rows], now)
    return Page(items=[queries.deadline_out(row, now) for row in rows], next=following)
