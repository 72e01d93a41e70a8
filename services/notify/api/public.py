"""What anybody may read of warnings without a page: JSON, and feeds in three forms. No caller is known, no cookie read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.notify.adapters import feeds
from services.notify.adapters.feeds import FeedEntry, FeedHead
from services.notify.commands.publicity.parts import room_of
from services.notify.queries import public_feed
from services.notify.queries import public_warnings as queries
from services.notify.schemas.public_warnings import PublicWarningOut
from shared.kit import db
from shared.kit.access import Caller, Public
from shared.kit.pagination import Page

router = APIRouter(tags=["public warnings"])

Anybody = Depends(Public("warnings are made to be read by everybody (条例 23, D-M4)", reads_caller=False))
Code = Annotated[str | None, Query(max_length=48)]
IN_A_FEED = 50


@router.get("/v1/public/warnings", summary="Public warnings")
async def listed(
    request: Request, plan: Code = None, area: Code = None, cursor: Annotated[str | None, Query(max_length=300)] = None,
    limit: int = Query(20, ge=1, le=100), _: Caller = Anybody,
) -> Page[PublicWarningOut]:  # fmt: skip
    """The last released first, each with its versions; a recalled one says so, and why."""
    room = room_of(request)
    one, areas = public_feed.chosen(room.service.plans, plan, area)
    async with db.begin(room.service.engine) as conn:
        found, following = await queries.public_list(conn, one.id if one else None, areas, limit=limit, cursor=cursor)
    base = room.settings.base_url("notify")
    return Page(items=[public_feed.public_out(base, room.service.plans, each) for each in found], next=following)


@router.get("/v1/public/warnings/{warning_id}", responses={404: {"description": "Never public"}}, summary="A public warning")
async def one(request: Request, warning_id: UUID, _: Caller = Anybody) -> PublicWarningOut:
    """With the history of its versions."""
    room = room_of(request)
    async with db.begin(room.service.engine) as conn:
        found = await queries.public_one(conn, warning_id)
    return public_feed.public_out(room.settings.base_url("notify"), room.service.plans, found)


Write = Callable[[FeedHead, Sequence[FeedEntry]], bytes]


async def _feed(request: Request, ending: str, plan: str | None, area: str | None, write: Write, kind: str) -> Response:
    room = room_of(request)
    chosen, areas = public_feed.chosen(room.service.plans, plan, area)
    async with db.begin(room.service.engine) as conn:
        found, _ = await queries.public_list(conn, chosen.id if chosen else None, areas, limit=IN_A_FEED)
    base = room.settings.base_url("notify")
    head = public_feed.head(base, ending, chosen, area, found)
    body = write(head, [public_feed.entry(base, room.service.plans, each) for each in found])
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": "public, max-age=60", "access-control-allow-origin": "*"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=kind, headers=headers)


@router.get("/public/warnings.atom", summary="Public warnings as Atom")
async def atom(request: Request, plan: Code = None, area: Code = None, _: Caller = Anybody) -> Response:
    """RFC 4287; of a plan, of an area, or all."""
    return await _feed(request, "atom", plan, area, feeds.atom, "application/atom+xml; charset=utf-8")


@router.get("/public/warnings.rss", summary="Public warnings as RSS")
async def rss(request: Request, plan: Code = None, area: Code = None, _: Caller = Anybody) -> Response:
    """RSS 2.0."""
    return await _feed(request, "rss", plan, area, feeds.rss, "application/rss+xml; charset=utf-8")


@router.get("/public/warnings.json", summary="Public warnings as JSON Feed")
async def json_feed(request: Request, plan: Code = None, area: Code = None, _: Caller = Anybody) -> Response:
    """JSON Feed 1.1, with the history of each warning."""
    return await _feed(request, "json", plan, area, feeds.json_feed, "application/feed+json; charset=utf-8")
