"""Casework over a real, fresh PostgreSQL: its app without its tasks, callers by real tokens, leads as intake tells them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import Row, text

from deploy.local.cluster import Cluster
from services.casework.commands import Basis, mark_missed, open_cases
from services.casework.main import build
from services.casework.settings import Settings
from shared.events import EVENT_TYPES
from shared.events.common import PartyFact
from shared.events.intake import LeadOpened
from shared.kit import clock, db, logs
from shared.kit.ids import new_id
from shared.kit.service import Service
from tests.instances import Databases, Stack

POLICE_LEADS = (
    PartyFact(agency="police", unit="economic_crime", role="lead"),
    PartyFact(agency="commerce", unit="enforcement", role="co"),
)


def lead(
    *,
    plan: str = "dayong",
    area: str | None = "dayong-antang",
    kinds: tuple[str, ...] = ("headcount",),
    urgent: bool = False,
    parties: tuple[PartyFact, ...] = POLICE_LEADS,
    received_at: datetime | None = None,
    lead_id: UUID | None = None,
) -> LeadOpened:
    """A lead as intake publishes it."""
    made = lead_id or new_id()
    first = parties[0] if parties else PartyFact(agency="commerce", unit="enforcement", role="lead")
    return LeadOpened(
        lead_id=made,
        tip_id=new_id(),
        plan=plan,
        area=area,
        kinds=kinds,
        urgent=urgent,
        channel="message-board",
        agency=first.agency,
        unit=first.unit,
        rule="headcount",
        parties=parties,
        received_at=received_at or clock.now(),
        dataref=f"http://intake.example/v1/leads/{made}",
    )


@dataclass
class Desk:
    """One casework on a database of its own, as tests use it."""

    service: Service
    basis: Basis
    client: httpx.AsyncClient
    stack: Stack
    keys: int = field(default=0)

    def bearer(self, agency: str = "police", posts: tuple[str, ...] = ("head",), **more: Any) -> dict[str, str]:
        """An officer of an agency with posts of the plan."""
        return self.stack.bearer(agency=agency, posts=posts, **more)

    async def open(self, *leads: LeadOpened, now: datetime | None = None) -> list[UUID]:
        """Open cases for leads, as the consumer does."""
        async with db.begin(self.service.engine) as conn:
            return await open_cases(conn, self.basis, [(one, None) for one in leads], now or clock.now())

    async def miss(self, now: datetime) -> int:
        """One round of the job, at a moment."""
        async with db.begin(self.service.engine) as conn:
            return await mark_missed(conn, now)

    async def accept(
        self, case_id: UUID, who: dict[str, str], *, version: int | None = 1, key: str | None = None, **more: Any
    ) -> httpx.Response:
        """Accept through the API with a fresh key, unless one is given."""
        self.keys += 1
        headers = who | {"idempotency-key": key or f"test-key-{self.keys:04d}"}
        if version is not None:
            headers["if-match"] = f'"{version}"'
        return await self.client.post(f"/v1/cases/{case_id}/acceptance", headers=headers, **more)

    async def get(self, path: str, who: dict[str, str], **params: Any) -> httpx.Response:
        return await self.client.get(path, headers=who, params=params)

    async def rows(self, statement: str, **values: Any) -> list[Row[Any]]:
        async with db.begin(self.service.engine) as conn:
            return list(await conn.execute(text(statement), values))

    async def events(self) -> list[tuple[Any, Any]]:
        """What the outbox tells, in order: (row, decoded data)."""
        rows = await self.rows("SELECT * FROM outbox ORDER BY seq")
        return [(row, EVENT_TYPES[row.type].model_validate_json(bytes(row.data))) for row in rows]


@pytest.fixture(scope="session", autouse=True)
def service_logs() -> None:
    """Log as the service does: structlog's default draws every local variable of a traceback, which takes minutes."""
    logs.configure("casework")


@pytest.fixture(scope="session")
def own_database(cluster: Cluster) -> Iterator[Databases]:
    """One migrated database of casework for these tests; `desk` empties it before each."""
    made = Databases(cluster, f"cw{uuid4().hex[:10]}")
    asyncio.run(made.create("casework"))
    yield made
    asyncio.run(made.drop())


@pytest.fixture
async def desk(own_database: Databases) -> AsyncIterator[Desk]:
    databases, cluster = own_database, own_database.cluster
    await databases.empty("casework")
    settings = Settings(
        database_url=databases.app_url("casework"),
        kafka_bootstrap=cluster.kafka.bootstrap,
        kafka_password=cluster.secrets.kafka_users["casework"],
        jwks_file=cluster.secrets.jwks_file,
        keys_file=cluster.secrets.keys_file("casework"),
        local_mode=True,
    )
    app = build(settings)
    service = app.state.service
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://127.0.0.1"
    ) as client:
        yield Desk(service, Basis.of(service), client, Stack(cluster))
    await service.engine.dispose()


DAY = timedelta(days=1)
