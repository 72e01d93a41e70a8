"""The feed as server-sent events over a real socket: snapshot, changes, resuming, and the end of a sign-in."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import uvicorn

from services.scoring import jobs
from shared.kit import clock
from tests.integration.scoring.conftest import Score, case


@pytest.fixture
async def address(score: Score) -> AsyncIterator[str]:
    """The app on a real socket, with the job that wakes streams."""
    server = uvicorn.Server(uvicorn.Config(score.app, port=0, lifespan="off", log_config=None))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)

    async def look() -> None:
        while True:
            await jobs.look(score.service, score.app.state.pulse)
            await asyncio.sleep(0.05)

    looking = asyncio.create_task(look())
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    looking.cancel()
    server.should_exit = server.force_exit = True
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(looking, serving, return_exceptions=True)


async def read(response: httpx.Response, count: int) -> list[tuple[str, dict[str, Any]]]:
    """The next `count` events: id and data."""
    found, fields = [], {}
    async with asyncio.timeout(10):
        async for line in response.aiter_lines():
            name, _, value = line.partition(": ")
            if line == "" and fields.get("event") == "standing":
                found.append((fields["id"], json.loads(fields["data"])))
                fields = {}
                if len(found) == count:
                    return found
            elif line and name:
                fields[name] = value
    return found


async def test_a_stream_gives_all_standings_then_changes_and_resumes_without_a_gap(score: Score, address: str) -> None:
    one = case()
    await score.tell(one.opened, one.accepted("police"))
    async with httpx.AsyncClient(base_url=address, headers=score.office(), timeout=10) as client:
        async with client.stream("GET", "/v1/feed/stream") as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            [(last, first)] = await read(stream, 1)
            assert (first["agency"], first["points"]) == ("police", "1")
        await score.tell(one.missed("commerce"))
        async with client.stream("GET", "/v1/feed/stream", headers={"last-event-id": last}) as stream:
            lines = asyncio.create_task(read(stream, 2))
            await asyncio.sleep(0.5)
            await score.tell(case().accepted("police"))
            told = [(s["agency"], s["points"]) for _, s in await lines]
    assert told == [("commerce", "-2"), ("police", "2")]
    async with asyncio.timeout(5):
        while score.app.state.pulse.streams:
            await asyncio.sleep(0.05)


async def test_a_stream_ends_with_the_sign_in_behind_it(score: Score, address: str) -> None:
    async with (
        httpx.AsyncClient(base_url=address, headers=score.office(), timeout=10) as client,
        client.stream("GET", "/v1/feed/stream") as stream,
    ):
        received = stream.aiter_bytes()
        assert b"retry" in await anext(received)
        assert b"alive" in await anext(received)
        score.service.directory._standing["test"] = (False, clock.now().timestamp())
        async with asyncio.timeout(timedelta(seconds=5).total_seconds()):
            assert [chunk async for chunk in received if b"standing" in chunk] == []


async def test_no_more_streams_than_allowed(score: Score, address: str) -> None:
    score.app.state.pulse.streams = score.app.state.settings.feed_streams
    async with httpx.AsyncClient(base_url=address, headers=score.office()) as client:
        answer = await client.get("/v1/feed/stream")
    assert answer.status_code == 503 and answer.headers["retry-after"] == "30"
