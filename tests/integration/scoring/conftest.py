"""Scoring over a real, fresh PostgreSQL: its app without its tasks, callers by real tokens, events as casework tells them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Row, text

from deploy.local.cluster import Cluster
from services.scoring.commands import Books
from services.scoring.consumers import handlers
from services.scoring.main import build
from services.scoring.settings import Settings
from shared.events import EVENT_TYPES, Event
from shared.events.casework import CaseAccepted, CaseOpened, DeadlineMissed
from shared.events.common import DeadlineFact
from shared.kit import clock, db, inbox
from shared.kit.ids import new_id
from shared.kit.service import Service
from tests.instances import Databases, Stack

PARTIES = (("police", "economic_crime"), ("commerce", "enforcement"))


@dataclass
class Case:
    """A joint case as its events tell of it; every event is made once and may be told often."""

    case_id: UUID
    number: str
    plan: str
    area: str | None
    urgent: bool
    opened: Event[Any]

    def deadline(self, agency: str) -> DeadlineFact:
        return next(fact for fact in self.opened.data.deadlines if fact.agency == agency)

    def _common(self, agency: str) -> dict[str, Any]:
        fact = self.deadline(agency)
        return {
            "case_id": self.case_id, "plan": self.plan, "area": self.area, "urgent": self.urgent,
            "number": self.number, "agency": fact.agency, "unit": fact.unit, "deadline": fact,
        }  # fmt: skip

    def accepted(self, agency: str, *, in_time: bool = True, at: datetime | None = None) -> Event[Any]:
        return event(
            CaseAccepted(**self._common(agency), accepted_at=at or clock.now(), in_time=in_time), at or clock.now()
        )

    def missed(self, agency: str, *, at: datetime | None = None) -> Event[Any]:
        return event(DeadlineMissed(**self._common(agency), missed_at=at or clock.now()), at or clock.now())


def event(data: Any, recorded: datetime) -> Event[Any]:
    return Event(
        new_id(), data.TYPE, "/dachuan/casework", data.key, recorded, recorded,
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", data,
    )  # fmt: skip


def case(
    *,
    plan: str = "dayong",
    area: str | None = "dayong-antang",
    urgent: bool = False,
    at: datetime | None = None,
    parties: Sequence[tuple[str, str | None]] = PARTIES,
    number: int = 1,
) -> Case:
    """A case with an acceptance deadline for each party."""
    moment = at or clock.now()
    case_id = new_id()
    deadlines = tuple(
        DeadlineFact(
            deadline_id=new_id(), kind="acceptance", agency=agency, unit=unit, rule="plan-acceptance",
            calendar="2026", start=moment, due=moment + timedelta(days=7),
        )
        for agency, unit in parties
    )  # fmt: skip
    data = CaseOpened(
        case_id=case_id, plan=plan, area=area, urgent=urgent, number=f"测传联〔2026〕{number:04d}号", lead_id=new_id(),
        kinds=("headcount",), parties=(), deadlines=deadlines, received_at=moment, opened_at=moment,
        dataref=f"http://casework.example/v1/cases/{case_id}",
    )  # fmt: skip
    return Case(case_id, data.number, plan, area, urgent, event(data, moment))


@dataclass
class Score:
    """One scoring service on a database of its own, as tests use it."""

    app: FastAPI
    service: Service
    books: Books
    client: httpx.AsyncClient
    stack: Stack

    async def tell(self, *events: Event[Any]) -> None:
        """Apply events in one batch, as the consumer does: known ids are skipped, runs of a type go together."""
        apply = handlers(self.books)
        async with db.begin(self.service.engine) as conn:
            new = await inbox.take_new(conn, self.service.kit.inbox, "scoring", events)
            for one in new:
                await apply[one.type](conn, [one], clock.now())

    async def tell_all(self, events: Sequence[Event[Any]]) -> None:
        """Apply events of one type together, without the inbox."""
        async with db.begin(self.service.engine) as conn:
            await handlers(self.books)[events[0].type](conn, events, clock.now())

    def office(self) -> dict[str, str]:
        """The office: it sees every unit of its plan."""
        return self.bearer("commerce", ("office-director",))

    def bearer(self, agency: str = "police", posts: tuple[str, ...] = ("head",), **more: Any) -> dict[str, str]:
        return self.stack.bearer(agency=agency, posts=posts, **more)

    async def get(self, path: str, who: dict[str, str], **params: Any) -> httpx.Response:
        return await self.client.get(path, headers=who, params=params)

    async def rows(self, statement: str, **values: Any) -> list[Row[Any]]:
        async with db.begin(self.service.engine) as conn:
            return list(await conn.execute(text(statement), values))

    async def ledger(self) -> list[tuple[Any, ...]]:
        """The ledger without the numbers of arrival, in (`recorded_at`, id) order."""
        rows = await self.rows("SELECT * FROM ledger ORDER BY recorded_at, entry_id")
        return [tuple(value for name, value in row._mapping.items() if name != "seq") for row in rows]

    async def standings(self) -> list[tuple[Any, ...]]:
        rows = await self.rows("SELECT * FROM standings ORDER BY plan, rulebook, agency, unit")
        return [tuple(value for name, value in row._mapping.items() if name != "changed_seq") for row in rows]

    async def events(self) -> list[Any]:
        """What the outbox tells, decoded, in order."""
        rows = await self.rows("SELECT * FROM outbox ORDER BY seq")
        return [EVENT_TYPES[row.type].model_validate_json(bytes(row.data)) for row in rows]


def settings_of(databases: Databases) -> Settings:
    """The settings of a scoring service over a test's database."""
    cluster = databases.cluster
    return Settings(
        database_url=databases.app_url("scoring"),
        kafka_bootstrap=cluster.kafka.bootstrap,
        kafka_password=cluster.secrets.kafka_users["scoring"],
        jwks_file=cluster.secrets.jwks_file,
        keys_file=cluster.secrets.keys_file("scoring"),
        local_mode=True,
        feed_pulse_s=0.05,
        feed_heartbeat_s=0.3,
    )


@pytest.fixture(scope="session")
def own_database(cluster: Cluster) -> Iterator[Databases]:
    """One migrated database of scoring for these tests; `databases` empties it before each."""
    made = Databases(cluster, f"sc{uuid4().hex[:10]}")
    asyncio.run(made.create("scoring"))
    yield made
    asyncio.run(made.drop())


@pytest.fixture
async def databases(own_database: Databases) -> Databases:
    await own_database.empty("scoring")
    return own_database


@pytest.fixture
async def score(databases: Databases) -> AsyncIterator[Score]:
    app = build(settings_of(databases))
    service: Service = app.state.service
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://127.0.0.1"
    ) as client:
        yield Score(app, service, app.state.books, client, Stack(databases.cluster))
    await service.engine.dispose()
