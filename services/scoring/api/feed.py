"""The feed of the central office (综治考评): current standings, what changed since, and a stream of changes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from services.scoring import queries
from services.scoring.api.filters import Code
from services.scoring.schemas.ledger import FeedOut, StandingOut
from services.scoring.settings import Settings
from shared.kit import db, pagination
from shared.kit.access import Caller, Requires, authenticate
from shared.kit.problem import BadRequest, NotAuthenticated, Unavailable
from shared.kit.service import Service
from shared.kit.web import ORJSONResponse

router = APIRouter(tags=["feed"])

RIGHT = "feed.read"
MOST = 2000


def _position(cursor: str | None) -> int:
    decoded = pagination.decode(cursor, (int,))
    return decoded[0] if decoded else 0


async def _changed(
    service: Service, caller: Caller, after: int, limit: int, plan: str | None
) -> tuple[Sequence[Any], int, bool]:
    """Changed rows, where to go on from, and whether there are more."""
    async with db.begin(service.engine) as conn:
        rows = await queries.changes(conn, caller, RIGHT, after=after, limit=limit, plan=plan)
    shown = rows[:limit]
    return shown, shown[-1].changed_seq if shown else after, len(rows) > limit


@router.get("/feed", response_model=FeedOut, summary="Standings that changed since a cursor; all without one")
async def feed(
    request: Request,
    caller: Caller = Depends(Requires(RIGHT)),
    since: str | None = Query(None, max_length=100, description="The cursor of the last answer"),
    plan: Code = None,
    limit: int = Query(500, ge=1, le=MOST),
) -> Response:
    """Each unit comes once with its newest standing, in the order of changes; nothing that changes later is missed.

    The ETag stands for the newest change: If-None-Match answers 304 while nothing happened.
    """
    rows, position, more = await _changed(request.app.state.service, caller, _position(since), limit, plan)
    tag = f'"{position}-{len(rows)}"'
    headers = {"etag": tag, "cache-control": "private, no-cache", "vary": "authorization, cookie"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    out = FeedOut(items=[StandingOut.of(row) for row in rows], cursor=pagination.encode([position]), more=more)
    return ORJSONResponse(out.model_dump(mode="json"), headers=headers)


@router.get(
    "/feed/stream",
    summary="The same as server-sent events, resumable by Last-Event-ID",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def stream(
    request: Request,
    caller: Caller = Depends(Requires(RIGHT)),
    since: str | None = Query(None, max_length=100),
    plan: Code = None,
) -> StreamingResponse:
    """Events named `standing` with the cursor as id; the reader that comes back with it misses nothing.

    The stream ends when the sign-in or token behind it does.
    """
    pulse: queries.Pulse = request.app.state.pulse
    settings: Settings = request.app.state.settings
    if pulse.streams >= settings.feed_streams:
        raise Unavailable(
            "订阅已满，请稍后再连，或改用 GET /v1/feed 轮询。 Too many streams; poll GET /v1/feed or come back later.",
            headers={"retry-after": "30"},
        )
    start = _position(request.headers.get("last-event-id") or since)
    return StreamingResponse(
        _events(request, pulse, settings, caller, start, plan),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


async def _events(
    request: Request, pulse: queries.Pulse, settings: Settings, caller: Caller, position: int, plan: str | None
) -> AsyncIterator[bytes]:
    service: Service = request.app.state.service
    with pulse.stream():
        yield b"retry: 3000\n\n"
        while True:
            seen = pulse.newest
            more = True
            while more:
                rows, position, more = await _changed(service, caller, position, 500, plan)
                if rows:
                    yield b"".join(_event(row) for row in rows)
            while not await pulse.changed(seen, settings.feed_heartbeat_s):
                if not _still_allowed(request):
                    return
                yield b": alive\n\n"
            if not _still_allowed(request):
                return


def _event(row: Any) -> bytes:
    data = orjson.dumps(StandingOut.of(row).model_dump(mode="json"))
    return f"id: {pagination.encode([row.changed_seq])}\nevent: standing\ndata: ".encode() + data + b"\n\n"


def _still_allowed(request: Request) -> bool:
    try:
        caller = authenticate(request)
    except (NotAuthenticated, BadRequest):
        return False
    return caller is not None and caller.reach(RIGHT) is not None
