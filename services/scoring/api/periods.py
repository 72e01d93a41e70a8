"""Periods: closing one, and reading what was frozen beside what came to be known later."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Request, Response

from services.scoring import queries
from services.scoring.api.filters import Code
from services.scoring.commands.periods import CLOSES, close_once
from services.scoring.domain.periods import PATTERN
from services.scoring.queries import LedgerFilter
from services.scoring.queries import periods as reading
from services.scoring.schemas.checkpoints import PeriodFullOut, PeriodIn, PeriodOut, PeriodsOut
from services.scoring.schemas.ledger import EntryOut, StandingOut
from shared.kit import clock, db
from shared.kit.access import Caller, Requires
from shared.kit.problem import NotFound
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["periods"])

RIGHT = "score.read"
_MOST = 500
Key = Annotated[str, Header(description="8 to 200 characters; sent again, a request has its effect once")]
Label = Annotated[str, Path(pattern=PATTERN, description="2026, 2026-Q4 or 2026-11")]


@router.get("/periods", response_model=PeriodsOut, summary="Closed periods, newest first")
async def list_(request: Request, caller: Caller = Depends(Requires(RIGHT)), plan: Code = None) -> Response:
    """What is closed stays as it was frozen."""
    async with db.begin(request.app.state.service.engine) as conn:
        rows = await reading.closed(conn, caller, RIGHT, plan=plan)
    return ORJSONResponse(PeriodsOut(items=[PeriodOut.of(row) for row in rows]).model_dump(mode="json"))


@router.post(
    "/periods", status_code=201, response_model=PeriodFullOut, summary="Close a period",
    responses={
        403: {"description": "Another plan's"},
        409: {"description": "Not over yet, closed already, or the key was used for another request"},
    },
)  # fmt: skip
async def close_(
    request: Request, body: PeriodIn, idempotency_key: Key, caller: Caller = Depends(Requires(CLOSES))
) -> Response:
    """Freeze a period's standings and sign them. Facts that come to be known later are shown as corrections beside them."""
    state = request.app.state
    plan = body.plan or caller.plan
    async with db.begin(state.service.engine) as conn:
        taken = await close_once(conn, state.service, state.sealing, caller, plan, body.period, idempotency_key, clock.now())
    state.sealing.outside = taken or state.sealing.outside
    return await _answer(request, caller, plan, body.period, 201)


@router.get("/periods/{plan}/{period}", response_model=PeriodFullOut, summary="One closed period and its corrections")
async def one(
    request: Request, plan: str, period: Label, caller: Caller = Depends(Requires(RIGHT))
) -> Response:
    """`standings` as they were frozen; `known_now` as the same days come out today; `corrections`: what lies between."""
    return await _answer(request, caller, plan, period, 200)


async def _answer(request: Request, caller: Caller, plan: str, label: str, status: int) -> Response:
    async with db.begin(request.app.state.service.engine) as conn:
        row = await reading.one(conn, caller, RIGHT, plan, label)
        if row is None:
            raise _missing()
        frozen = await reading.as_closed(conn, caller, RIGHT, row)
        now = await queries.standings_as_of(
            conn, caller, RIGHT, LedgerFilter(plan=plan, first=row.first, last=row.last)
        )
        later = await reading.corrections(conn, caller, RIGHT, row, _MOST + 1)
    out = PeriodFullOut(
        **PeriodOut.of(row).model_dump(),
        standings=[StandingOut.of(one) for one in frozen],
        known_now=[StandingOut.of(one) for one in now],
        corrections=[EntryOut.of(one) for one in later[:_MOST]],
        more_corrections=len(later) > _MOST,
    )
    return ORJSONResponse(out.model_dump(mode="json"), status_code=status)


@router.get(
    "/periods/{plan}/{period}/document", summary="The frozen document, byte for byte",
    response_class=Response, responses={200: {"content": {"application/json": {}}}},
)  # fmt: skip
async def document(
    request: Request, plan: str, period: Label, caller: Caller = Depends(Requires(RIGHT))
) -> Response:
    """Its SHA-256 stands in a signed checkpoint. For those who may see the whole plan."""
    async with db.begin(request.app.state.service.engine) as conn:
        row = await reading.one(conn, caller, RIGHT, plan, period)
    if row is None or not reading.whole(caller, RIGHT, plan):
        raise _missing()
    name = f"period-{plan}-{period}.json"
    return Response(
        bytes(row.document),
        media_type="application/json",
        headers={"cache-control": "no-store", "content-disposition": f'attachment; filename="{name}"'},
    )


def _missing() -> NotFound:
    return NotFound("没有这个已结账期间，或不在您的权限内。 No such closed period within your reach.")
