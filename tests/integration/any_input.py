"""Whatever is sent to a service, within its published contract or beyond: a clear answer, never a 5xx (Schemathesis)."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
import uvicorn
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation

from deploy.cli.contracts import FOLDER
from deploy.local.cluster import Cluster
from shared.kit.ids import new_id
from tests.instances import Databases, Stack
from tests.patience import PATIENCE_S

_POSTS = ("office-director", "desk", "head", "patroller", "leader")
_ENDLESS = "/stream$|^/(healthz|metrics)"
_few = settings(
    max_examples=6, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@schemathesis.serializer("application/vnd.openxmlformats-officedocument.wordprocessingml.document")
def _anything(_context: Any, value: Any) -> bytes:
    """What is sent as a Word document is no Word document."""
    return value if isinstance(value, bytes) else str(value).encode()


def each_operation(service: str) -> pytest.MarkDecorator:
    """Run a test once for each operation of a service's published contract, but for what never ends and what anybody may ask.

    Not by Schemathesis' own parametrisation: its cases differ in name alone, and xdist runs one test of an id.
    """
    schema = schemathesis.openapi.from_path(FOLDER / "openapi" / f"{service}.json").exclude(path_regex=_ENDLESS)
    operations = [found.ok() for found in schema.get_all_operations()]
    return pytest.mark.parametrize("operation", operations, ids=lambda one: one.label)


class Door:
    """A service's app behind real HTTP, and who asks: the office, the police, the rental office; each may do other things."""

    def __init__(self, app: FastAPI, cluster: Cluster) -> None:
        self._server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False))
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        until = time.monotonic() + PATIENCE_S
        while not self._server.started:
            assert time.monotonic() < until, "the app did not start"
            time.sleep(0.02)
        self.address = f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"
        stack = Stack(cluster)
        who: list[dict[str, Any]] = [
            {"agency": "commerce", "unit": "office"}, {"agency": "police", "unit": None}, {"agency": "rental_mgmt", "unit": None},
        ]  # fmt: skip
        self.callers = [stack.bearer(posts=_POSTS, areas=("dayong",), **one) for one in who]
        self._turn = itertools.cycle(self.callers)

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(20)

    def ask(self, operation: APIOperation) -> None:
        """Send six requests, the same ones every time, some of them beyond the contract."""
        wide = st.one_of([operation.as_strategy(generation_mode=mode) for mode in GenerationMode])
        _few(given(case=wide)(self._ask))()

    def _ask(self, case: schemathesis.Case) -> None:
        """A refusal must be a problem in the sense of RFC 9457; of a token an error in that of RFC 6749, 5.2."""
        headers = {"idempotency-key": f"any-{new_id().hex}", "if-match": '"1"'} | dict(case.headers or {}) | next(self._turn)
        answer = case.call(base_url=self.address, headers=headers)
        assert answer.status_code < 500, f"{case.method} {case.path}: {answer.status_code} {answer.text[:500]}"
        if answer.status_code >= 400 and case.path == "/oauth2/token":
            assert answer.json()["error"]
        elif answer.status_code >= 400 and case.method != "HEAD":
            assert answer.headers["content-type"] == ["application/problem+json"]
            assert {"type", "title", "status"} <= set(answer.json())


@contextmanager
def door_of(
    cluster: Cluster,
    service: str,
    build: Callable[[Any], FastAPI],
    settings_of: Callable[..., Any],
    *,
    task: Callable[[FastAPI], Any] | None = None,
    **more: Mapping[str, Any],
) -> Iterator[Door]:
    """A service's app over a database of its own, with none of its tasks but `task`."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        running = asyncio.create_task(task(app)) if task else None
        yield
        if running:
            running.cancel()
        await app.state.service.engine.dispose()

    databases = Databases(cluster, f"any{uuid4().hex[:10]}")
    asyncio.run(databases.create(service))
    app = build(
        settings_of(
            database_url=databases.app_url(service),
            kafka_bootstrap=cluster.kafka.bootstrap,
            kafka_password=cluster.secrets.kafka_users[service],
            jwks_file=cluster.secrets.jwks_file,
            keys_file=cluster.secrets.keys_file(service),
            local_mode=True,
            **more,
        )
    )
    app.router.lifespan_context = lifespan
    door = Door(app, cluster)
    try:
        yield door
    finally:
        door.close()
        asyncio.run(databases.drop())
