"""Whatever is sent to intake, within its published contract or beyond: a clear answer, never a 5xx (Schemathesis)."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
import schemathesis
import uvicorn
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, settings
from schemathesis.generation import GenerationMode

from deploy.cli.contracts import FOLDER
from deploy.local.cluster import Cluster
from services.intake.main import build
from services.intake.settings import Settings
from shared.kit.ids import new_id
from tests.instances import Databases, Stack
from tests.patience import PATIENCE_S

schema = schemathesis.openapi.from_path(FOLDER / "openapi" / "intake.json").exclude(path_regex="^/(healthz|metrics)")
schema.config.generation.update(modes=list(GenerationMode))

_turn = itertools.count()
_POSTS = ("office-director", "desk", "head", "patroller", "leader")


class Door:
    """Intake's app behind real HTTP, with its committer and nothing else of its tasks."""

    def __init__(self, cluster: Cluster, databases: Databases) -> None:
        settings = Settings(
            database_url=databases.app_url("intake"),
            kafka_bootstrap=cluster.kafka.bootstrap,
            kafka_password=cluster.secrets.kafka_users["intake"],
            jwks_file=cluster.secrets.jwks_file,
            keys_file=cluster.secrets.keys_file("intake"),
            local_mode=True,
        )  # fmt: skip
        app = build(settings)
        app.router.lifespan_context = _committing
        self._server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False))
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        until = time.monotonic() + PATIENCE_S
        while not self._server.started:
            assert time.monotonic() < until, "the app did not start"
            time.sleep(0.02)
        self.address = f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(20)


@asynccontextmanager
async def _committing(app: FastAPI) -> AsyncIterator[None]:
    task = asyncio.create_task(app.state.tips.run())
    yield
    task.cancel()
    await app.state.service.engine.dispose()


@pytest.fixture(scope="module")
def door(cluster: Cluster) -> Iterator[Door]:
    databases = Databases(cluster, f"any{uuid4().hex[:10]}")
    asyncio.run(databases.create("intake"))
    made = Door(cluster, databases)
    yield made
    made.close()
    asyncio.run(databases.drop())


@pytest.fixture(scope="module")
def callers(cluster: Cluster) -> list[dict[str, str]]:
    """Who asks: the office, the police, the rental office; each may do other things."""
    stack = Stack(cluster)
    who: list[dict[str, Any]] = [
        {"agency": "commerce", "unit": "office"}, {"agency": "police", "unit": None}, {"agency": "rental_mgmt", "unit": None},
    ]  # fmt: skip
    return [stack.bearer(posts=_POSTS, areas=("dayong",), **one) for one in who]


@schema.parametrize()
@settings(
    max_examples=6, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
def test_no_input_breaks_the_service(case: schemathesis.Case, door: Door, callers: list[dict[str, str]]) -> None:
    who = callers[next(_turn) % len(callers)]
    headers = {"idempotency-key": f"any-{new_id().hex}", "if-match": '"1"'} | dict(case.headers or {}) | who
    answer = case.call(base_url=door.address, headers=headers)
    assert answer.status_code < 500, f"{case.method} {case.path}: {answer.status_code} {answer.text[:500]}"
    if answer.status_code >= 400 and case.method != "HEAD":
        assert answer.headers["content-type"] == ["application/problem+json"]
        assert {"type", "title", "status"} <= set(answer.json())


def test_the_door_is_the_real_one(door: Door, callers: list[dict[str, str]]) -> None:
    """Else the test above would pass on a service that refuses everything."""
    answer = httpx.post(
        f"{door.address}/v1/tips", json={"plan": "dayong", "channel": "hotline", "text": "安堂社区有人搞传销拉人头"},
        headers=callers[0],
    )  # fmt: skip
    assert answer.status_code == 201, answer.text
