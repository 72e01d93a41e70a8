"""Intake over a real, fresh PostgreSQL: its app without its consumers and jobs, callers by real tokens."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Row, text

from deploy.local.cluster import Cluster
from deploy.local.databases import plain
from services.intake.main import build
from services.intake.settings import Settings
from shared.events import EVENT_TYPES
from shared.kit import db, logs
from shared.kit.service import Service
from tests.instances import Databases, Stack

HEADCOUNT = "安堂社区兴华里5栋301有人搞传销，每天几十人听课拉人头，发展下线，每人交3900元"


@dataclass
class Desk:
    """One intake on a database of its own, as tests use it."""

    app: FastAPI
    service: Service
    client: httpx.AsyncClient
    stack: Stack
    databases: Databases
    keys: int = field(default=0)

    def bearer(self, agency: str = "commerce", posts: tuple[str, ...] = ("desk",), **more: Any) -> dict[str, str]:
        """An officer of an agency with posts of the plan."""
        return self.stack.bearer(agency=agency, posts=posts, **more)

    def key(self) -> dict[str, str]:
        """A fresh Idempotency-Key, as a header."""
        self.keys += 1
        return {"idempotency-key": f"test-key-{self.keys:06d}"}

    async def tip(self, said: str = HEADCOUNT, **more: Any) -> dict[str, Any]:
        """Hand in one tip through the agency API; the answer (tip_id, receipt, lead_id, …)."""
        who = self.stack.bearer(kind="system", principal_id="board", posts=("desk",), scopes=("tip.submit",))
        body = {"plan": "dayong", "channel": "message-board", "text": said, **more}
        answer = await self.client.post("/v1/tips", json=body, headers=who | self.key())
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def report(self, said: str = HEADCOUNT, plan: str = "dayong", **more: Any) -> dict[str, Any]:
        """Report as a citizen; the answer holds the receipt and nothing that names the tip."""
        answer = await self.client.post("/v1/public/tips", json={"plan": plan, "text": said, **more}, headers=self.key())
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def get(self, path: str, who: dict[str, str], **params: Any) -> httpx.Response:
        return await self.client.get(path, headers=who, params=params)

    async def post(
        self, path: str, who: dict[str, str] | None = None, body: Any = None, *, version: int | None = None, key: str = ""
    ) -> httpx.Response:
        """Post JSON with a fresh key, unless one is given, and If-Match when there is a version."""
        headers = (who or {}) | ({"idempotency-key": key} if key else self.key())
        if version is not None:
            headers["if-match"] = f'"{version}"'
        return await self.client.post(path, json=body if body is not None else {}, headers=headers)

    async def rows(self, statement: str, **values: Any) -> list[Row[Any]]:
        async with db.begin(self.service.engine) as conn:
            return list(await conn.execute(text(statement), values))

    async def as_owner(self, statement: str, *values: Any) -> None:
        """Run a statement as the owner: what time or another service would have done."""
        owner = await asyncpg.connect(plain(self.databases.owner_url("intake")))
        try:
            await owner.execute(statement, *values)
        finally:
            await owner.close()

    async def events(self, *types: str) -> list[tuple[Row[Any], Any]]:
        """What the outbox tells, in order: (row, decoded data); only of these types when some are given."""
        rows = await self.rows("SELECT * FROM outbox ORDER BY seq")
        return [
            (row, EVENT_TYPES[row.type].model_validate_json(bytes(row.data)))
            for row in rows
            if not types or row.type in types
        ]

    async def lead_of(self, tip_id: str) -> UUID:
        """The lead a tip is part of now."""
        [row] = await self.rows("SELECT lead_id FROM tips WHERE id = :id", id=tip_id)
        return row.lead_id


@pytest.fixture(scope="session", autouse=True)
def service_logs() -> None:
    """Log as the service does: structlog's default draws every local variable of a traceback, which takes minutes."""
    logs.configure("intake")


@pytest.fixture(scope="session")
def own_database(cluster: Cluster) -> Iterator[Databases]:
    """One migrated database of intake for these tests; `desk` empties it before each."""
    made = Databases(cluster, f"in{uuid4().hex[:10]}")
    asyncio.run(made.create("intake"))
    yield made
    asyncio.run(made.drop())


@pytest.fixture
async def desk(own_database: Databases) -> AsyncIterator[Desk]:
    databases, cluster = own_database, own_database.cluster
    await databases.empty("intake")
    settings = Settings(
        database_url=databases.app_url("intake"),
        kafka_bootstrap=cluster.kafka.bootstrap,
        kafka_password=cluster.secrets.kafka_users["intake"],
        jwks_file=cluster.secrets.jwks_file,
        keys_file=cluster.secrets.keys_file("intake"),
        local_mode=True,
    )
    app = build(settings)
    service = app.state.service
    committing = asyncio.create_task(app.state.tips.run())
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://127.0.0.1"
    ) as client:
        yield Desk(app, service, client, Stack(cluster), databases)
    committing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await committing
    await service.engine.dispose()

