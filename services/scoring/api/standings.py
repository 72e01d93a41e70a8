"""Standings (得分), now, of a period, or as known on any day; as JSON and CSV."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from services.scoring import queries
from services.scoring.api.csv_text import HEADERS, lines
from services.scoring.api.filters import AsOf, Code, From, Span, To, days
from services.scoring.queries import LedgerFilter
from services.scoring.schemas.ledger import StandingOut, StandingsOut
from shared.kit import db
from shared.kit.access import Caller, Requires
from shared.kit.service import Service
from shared.kit.sheets import XLSX, write_xlsx
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["standings"])

RIGHT = "score.read"


async def _wanted(
    plan: Code = None, rulebook: Code = None, agency: Code = None, first: From = None, last: To = None,
    as_of: AsOf = None, area: Code = None, period: Span = None,
) -> LedgerFilter:  # fmt: skip
    first, last = days(period, first, last)
    return LedgerFilter(
        plan=plan, rulebook=rulebook, agency=agency, first=first, last=last, as_of=as_of, area=area
    )


async def _rows(service: Service, caller: Caller, wanted: LedgerFilter) -> Sequence[Any]:
    async with db.begin(service.engine) as conn:
        if replace(wanted, plan=None, rulebook=None, agency=None) == LedgerFilter():
            return await queries.standings(
                conn, caller, RIGHT, plan=wanted.plan, rulebook=wanted.rulebook, agency=wanted.agency
            )
        return await queries.standings_as_of(conn, caller, RIGHT, wanted)


@router.get("/standings", response_model=StandingsOut, summary="Standings, best first")
async def standings(
    request: Request, caller: Caller = Depends(Requires(RIGHT)), wanted: LedgerFilter = Depends(_wanted)
) -> Response:
    """Now; or with `from`/`to` or `period` of the facts of those China days; or with `as_of` as known at that moment;
    with `area` of what happened there."""
    rows = await _rows(request.app.state.service, caller, wanted)
    return ORJSONResponse({"items": [StandingOut.told(row) for row in rows]})


@router.get("/standings.csv", summary="Standings as CSV (UTF-8 with a byte-order mark, as Excel wants it)")
async def standings_csv(
    request: Request, caller: Caller = Depends(Requires(RIGHT)), wanted: LedgerFilter = Depends(_wanted)
) -> Response:
    """The same rows with the agencies' names."""
    service: Service = request.app.state.service
    head, body = _table(service, await _rows(service, caller, wanted))
    return Response(
        b"\xef\xbb\xbf" + lines([head, *body]),
        media_type="text/csv; charset=utf-8",
        headers={**HEADERS, "content-disposition": 'attachment; filename="standings.csv"'},
    )


@router.get(
    "/standings.xlsx", summary="Standings as a workbook", response_class=Response,
    responses={200: {"content": {XLSX: {}}}},
)  # fmt: skip
async def standings_xlsx(
    request: Request, caller: Caller = Depends(Requires(RIGHT)), wanted: LedgerFilter = Depends(_wanted)
) -> Response:
    """The same rows as the CSV."""
    service: Service = request.app.state.service
    head, body = _table(service, await _rows(service, caller, wanted))
    made = await asyncio.to_thread(write_xlsx, "得分", head, body)
    return Response(
        made, media_type=XLSX, headers={**HEADERS, "content-disposition": 'attachment; filename="standings.xlsx"'}
    )


def _table(service: Service, rows: Sequence[Any]) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    head = (
        "方案 plan", "细则 rulebook", "单位 agency", "名称 name", "科室 unit", "分值 points", "条数 entries", "按时 in_time",
        "逾期 late", "截至 as_of",
    )  # fmt: skip
    body = [
        (
            row.plan, row.rulebook, row.agency, _name(service, row), row.unit, row.points, row.entries, row.in_time,
            row.late, row.as_of.isoformat(),
        )
        for row in rows
    ]  # fmt: skip
    return head, body


def _name(service: Service, row: Any) -> str:
    try:
        return service.plans[row.plan].agency(row.agency).name.zh
    except KeyError:
        return row.agency
