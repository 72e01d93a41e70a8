"""The central office's board: many towns beside each other, each opening to its league table."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from services.scoring import queries
from services.scoring.domain.board import towns_of
from services.scoring.pages.standings import LATELY
from services.scoring.queries import board as reading
from shared.kit import clock, db
from shared.kit.access import Caller, Requires
from shared.kit.problem import Forbidden
from shared.web.render import page

router = APIRouter(include_in_schema=False, tags=["pages"])

RIGHT = "score.read"


@router.get("/board")
async def board(request: Request, caller: Caller = Depends(Requires(RIGHT))) -> HTMLResponse:
    """The towns within the caller's reach, best first; for those who see whole towns."""
    if caller.reach(RIGHT) not in reading.WIDE:
        raise Forbidden(
            "只有能查看整个地区得分的人员才能看各地对比；可查看本单位得分。 "
            "The board is for those who may see whole towns; the scores page shows your own unit."
        )
    service, now = request.app.state.service, clock.now()
    async with db.begin(service.engine) as conn:
        sums = await reading.sums(conn, caller, RIGHT)
        lately = await queries.trend(conn, caller, RIGHT, now.astimezone(clock.CHINA).date() - timedelta(days=LATELY))
        counts = await reading.counted(conn, caller)
        closed = await reading.newest_closed(conn, caller, RIGHT)
    towns = towns_of(sums, lately)
    for town in towns:
        town.counts = {name: by_plan.get(town.plan, 0) for name, by_plan in counts.items()}
        town.closed = closed.get(town.plan)
    return page(request, "board.html", {"towns": towns, "shown": list(counts)}, service="scoring", caller=caller)
