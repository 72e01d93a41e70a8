"""Patrols (D-E2): tasks, routes, check-ins, the overdue board, feedback to who brought a suspicion."""

from datetime import date
from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.intake.api.registers.common import required_key
from services.intake.commands.registers.patrols import check_in
from services.intake.domain.registers.signs import signs_at
from services.intake.queries.registers import patrols, plain
from services.intake.queries.told import told_of
from services.intake.schemas.registers import CheckIn
from shared.kit import clock, db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.service import Service
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["patrols"])


@router.get("/patrols/tasks", summary="Unfinished patrol tasks, the longest due first")
async def tasks(
    request: Request,
    caller: Caller = Depends(Requires("rental.read")),
    area: str | None = Query(None, max_length=48),
    estate: UUID | None = None,
    state: Literal["open", "overdue"] | None = None,
    cause: Literal["tier", "den"] | None = None,
    cursor: str | None = Query(None, max_length=300),
    limit: int = Query(50, ge=1, le=pagination.MOST),
) -> Response:
    """One page; `state=overdue` is the overdue list, `cause=den` the revisits of units in which a den was found."""
    after = pagination.decode(cursor, (date.fromisoformat, UUID))
    async with db.begin(request.app.state.service.engine) as conn:
        found = await patrols.tasks(
            conn, caller, area=area, estate=estate, state=state, cause=cause, after=after, limit=limit  # type: ignore[arg-type]
        )  # fmt: skip
    rows, following = pagination.page(found, limit, lambda row: (row["due"], row["id"]))
    return ORJSONResponse({"items": [plain(row) for row in rows], "next": following})


@router.get("/patrols/routes", summary="Unfinished tasks by community and estate")
async def routes(
    request: Request,
    caller: Caller = Depends(Requires("rental.read")),
    area: str | None = Query(None, max_length=48),
) -> Response:
    """Open and overdue, per estate: the routes of a patrol."""
    async with db.begin(request.app.state.service.engine) as conn:
        return ORJSONResponse({"routes": await patrols.routes(conn, caller, area)})


@router.get("/patrols/signs", summary="The signs that a patrol can tick")
async def signs(request: Request, caller: Caller = Depends(Requires("rental.read"))) -> Response:
    """A list that is data."""
    return ORJSONResponse({"signs": [{"id": s.id, "zh": s.zh, "en": s.en} for s in signs_at("patrol")]})


@router.get("/patrols/findings", summary="What became of the suspicions I brought")
async def findings(request: Request, caller: Caller = Depends(Requires("patrol.do"))) -> Response:
    """Feedback to the patroller (D-E4): the lead, who has it, what happened, and how it ended in plain words."""
    service: Service = request.app.state.service
    async with db.begin(service.engine) as conn:
        rows = await patrols.findings(conn, caller)
        told = await told_of(conn, service, [row["tip_id"] for row in rows])
    return ORJSONResponse({"items": [plain(row) | told[row["tip_id"]] for row in rows]})


@router.post("/patrols/tasks/{task_id}/check-ins", status_code=201, summary="What a patrol found (Idempotency-Key)")
async def check(
    request: Request, task_id: UUID, body: CheckIn, caller: Caller = Depends(Requires("patrol.do"))
) -> Response:
    """Record it; a suspicion becomes a lead at the police at once. Sent again with its key, it is the same one."""
    service: Service = request.app.state.service
    done = await check_in(service, caller, task_id, body, required_key(request), clock.now())
    names = ("id", "task_id", "unit_id", "result", "signs", "at", "received_at", "in_time", "lead_id", "tip_id")
    return ORJSONResponse(
        {**{name: done.row[name] for name in names}, "replayed": done.replayed}, status_code=200 if done.replayed else 201
    )
