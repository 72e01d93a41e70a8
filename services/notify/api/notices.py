"""Notices for agencies' systems: lists, the feed, signing."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import BaseModel

from services.notify.commands import notices as commands
from services.notify.commands import transit
from services.notify.queries import notices as queries
from services.notify.queries.roster import stands_in_for
from services.notify.schemas import NoticeOut
from services.notify.tables import kit
from shared.kit import audit, clock, db, idempotency
from shared.kit.access import Caller, Requires
from shared.kit.etag import etag, required_version
from shared.kit.pagination import MOST, Page
from shared.kit.service import Service

router = APIRouter(prefix="/v1/notices", tags=["notices"])

Reader = Depends(Requires("notice.read"))
Signer = Depends(Requires("notice.sign"))


class Feed(BaseModel):
    """Notices in order of creation, and the cursor to ask from next time; keep it, also when nothing came."""

    items: list[NoticeOut]
    cursor: str | None


@router.get("")
async def list_notices(
    request: Request,
    state: Literal["waiting", "signed", "done"] | None = None,
    cursor: str | None = None,
    limit: int = Query(50, ge=1, le=MOST),
    caller: Caller = Reader,
) -> Page[NoticeOut]:
    """What the caller may see, the newest first."""
    svc: Service = request.app.state.service
    now = clock.now()
    async with db.begin(svc.engine) as conn:
        standing_in = await stands_in_for(conn, caller, now)
        rows, following = await queries.newest_first(conn, caller, state, cursor, limit, standing_in)
        rows = await transit.shown(conn, caller, rows, standing_in)
        await audit.record(conn, kit, caller, "notice.listed", "notice", [row.id for row in rows], now)
    return Page(items=[queries.notice_out(request.app.state.settings, row, now) for row in rows], next=following)


@router.get("/feed")
async def feed(
    request: Request,
    cursor: str | None = None,
    limit: int = Query(100, ge=1, le=MOST),
    caller: Caller = Reader,
) -> Feed:
    """All notices from a cursor on, in order of creation; nothing is left out and nothing comes twice."""
    svc: Service = request.app.state.service
    now = clock.now()
    async with db.begin(svc.engine) as conn:
        standing_in = await stands_in_for(conn, caller, now)
        rows, following = await queries.feed(conn, caller, cursor, limit, standing_in)
        rows = await transit.shown(conn, caller, rows, standing_in)
        if rows:
            await audit.record(conn, kit, caller, "notice.listed", "notice", [row.id for row in rows], now)
    return Feed(items=[queries.notice_out(request.app.state.settings, row, now) for row in rows], cursor=following)


@router.get("/{notice_id}")
async def one_notice(request: Request, response: Response, notice_id: UUID, caller: Caller = Reader) -> NoticeOut:
    """One notice, with its ETag."""
    svc: Service = request.app.state.service
    now = clock.now()
    async with db.begin(svc.engine) as conn:
        standing_in = await stands_in_for(conn, caller, now)
        row = await queries.one(conn, caller, notice_id, standing_in)
        [row] = await transit.shown(conn, caller, [row], standing_in)
        await audit.record(conn, kit, caller, "notice.read", "notice", [notice_id], now)
    response.headers["etag"] = etag(row.version)
    return queries.notice_out(request.app.state.settings, row, now)


@router.post("/{notice_id}/signature")
async def sign(
    request: Request,
    response: Response,
    notice_id: UUID,
    idempotency_key: Annotated[str, Header()],
    caller: Caller = Signer,
) -> NoticeOut:
    """Sign for a notice (签收). Needs If-Match and Idempotency-Key; the same key again answers the signed notice."""
    svc: Service = request.app.state.service
    version = required_version(request)
    key = idempotency.check_key(idempotency_key)
    claim = idempotency.claim(svc.settings.keys, caller, "notice.sign", key, notice_id.bytes, notice_id)
    now = clock.now()
    async with db.begin(svc.engine) as conn:
        row = await commands.sign(conn, caller, notice_id, version, claim, now)
    response.headers["etag"] = etag(row.version)
    return queries.notice_out(request.app.state.settings, row, now)
