"""The ledger (台账): every entry with its rule line and the fact behind it, as JSON pages and as CSV."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from services.scoring import queries
from services.scoring.api.csv_text import HEADERS, lines
from services.scoring.api.filters import ledger_filter
from services.scoring.queries import LedgerFilter
from services.scoring.schemas.ledger import EntryOut
from shared.kit import db, pagination
from shared.kit.access import Caller, Requires
from shared.kit.pagination import Page
from shared.kit.problem import TooLarge
from shared.kit.service import Service
from shared.kit.sheets import XLSX, write_xlsx
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["ledger"])

RIGHT = "score.read"
_CSV_PAGE = 2000
_XLSX_MOST = 50_000
_COLUMNS = tuple(EntryOut.model_fields)


@router.get("/ledger", response_model=Page[EntryOut], summary="Entries in the order they were recorded")
async def ledger(
    request: Request,
    caller: Caller = Depends(Requires(RIGHT)),
    wanted: LedgerFilter = Depends(ledger_filter),
    cursor: str | None = Query(None, max_length=100),
    limit: int = Query(50, ge=1, le=pagination.MOST),
) -> Response:
    """One page. Entries are only ever added, so a reader that keeps the last cursor finds each entry once."""
    after = pagination.decode(cursor, (int,))
    async with db.begin(request.app.state.service.engine) as conn:
        rows = await queries.entries(conn, caller, RIGHT, wanted, after=after[0] if after else None, limit=limit)
    shown, following = pagination.page(rows, limit, lambda row: (row.seq,))
    page = Page[EntryOut](items=[EntryOut.of(row) for row in shown], next=following)
    return ORJSONResponse(page.model_dump(mode="json"))


@router.get("/ledger.csv", summary="All these entries as CSV (UTF-8 with a byte-order mark)")
async def ledger_csv(
    request: Request, caller: Caller = Depends(Requires(RIGHT)), wanted: LedgerFilter = Depends(ledger_filter)
) -> StreamingResponse:
    """Written page by page, so its length is no burden; entries added meanwhile are in it."""
    return StreamingResponse(
        _csv(request.app.state.service, caller, wanted),
        media_type="text/csv; charset=utf-8",
        headers={**HEADERS, "content-disposition": 'attachment; filename="ledger.csv"'},
    )


@router.get(
    "/ledger.xlsx", summary="These entries as a workbook", response_class=Response,
    responses={200: {"content": {XLSX: {}}}, 413: {"description": "More entries than a workbook should hold"}},
)  # fmt: skip
async def ledger_xlsx(
    request: Request, caller: Caller = Depends(Requires(RIGHT)), wanted: LedgerFilter = Depends(ledger_filter)
) -> Response:
    """The same columns as the CSV; for more than 50,000 entries take the CSV or ask for less."""
    async with db.begin(request.app.state.service.engine) as conn:
        rows = await queries.entries(conn, caller, RIGHT, wanted, after=None, limit=_XLSX_MOST)
    if len(rows) > _XLSX_MOST:
        raise TooLarge(
            "条数过多，请缩小范围，或下载 CSV。 Too many entries for a workbook; ask for less, or take the CSV."
        )
    made = await asyncio.to_thread(
        write_xlsx, "台账", _COLUMNS, ([_plain(getattr(EntryOut.of(row), name)) for name in _COLUMNS] for row in rows)
    )
    return Response(
        made, media_type=XLSX, headers={**HEADERS, "content-disposition": 'attachment; filename="ledger.xlsx"'}
    )


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str | Decimal):
        return value
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


async def _csv(service: Service, caller: Caller, wanted: LedgerFilter) -> AsyncIterator[bytes]:
    yield b"\xef\xbb\xbf" + lines([_COLUMNS])
    after, more = None, True
    while more:
        async with db.begin(service.engine) as conn:
            rows = await queries.entries(conn, caller, RIGHT, wanted, after=after, limit=_CSV_PAGE)
        more, rows = len(rows) > _CSV_PAGE, rows[:_CSV_PAGE]
        if rows:
            after = rows[-1].seq
            values = [EntryOut.of(row) for row in rows]
            yield lines([[getattr(value, name) for name in _COLUMNS] for value in values])
