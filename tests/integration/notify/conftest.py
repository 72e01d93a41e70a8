"""Notify over a real, fresh PostgreSQL: its app without its tasks, a browser-like client, callers by real tokens."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from deploy.local.cluster import Cluster
from services.notify.adapters import passwords
from services.notify.commands import demo, directory
from services.notify.consumers import handlers
from services.notify.domain.standing import Standing
from services.notify.main import build
from services.notify.settings import Settings
from shared.events import Event, EventData
from shared.kit import clock, db
from shared.kit.ids import new_id
from shared.kit.service import Service
from tests.instances import Databases, Stack

HOME = "http://127.0.0.1:8400"
PASSWORD = "correct horse battery staple"


@dataclass
class House:
    """One notify on a database of its own."""

    service: Service
    settings: Settings
    client: httpx.AsyncClient
    stack: Stack

    def bearer(self, **caller: Any) -> dict[str, str]:
        return self.stack.bearer(**caller)

    @property
    def admin(self) -> dict[str, str]:
        """The account manager of Dayong."""
        return self.bearer(agency="commerce", posts=("system-admin",))

    async def rows(self, statement: str, **values: Any) -> list[Row[Any]]:
        async with db.begin(self.service.engine) as conn:
            return list(await conn.execute(text(statement), values))

    async def run(self, statement: str, **values: Any) -> None:
        async with db.begin(self.service.engine) as conn:
            await conn.execute(text(statement), values)

    async def officer(self, login: str = "wang", *, subject: str | None = None, **standing: Any) -> uuid.UUID:
        """An account with PASSWORD; of the police command centre unless told otherwise."""
        wanted = {"plan": "dayong", "agency": "police", "unit": "command_centre", "posts": ("desk",), "areas": ()}
        new = directory.NewAccount(
            login,
            "测试甲",
            Standing(**(wanted | standing)),
            await passwords.hashed(PASSWORD),
            subject,
            must_change=False,
        )
        async with db.begin(self.service.engine) as conn:
            return (await directory.create_account(conn, self.service, demo.SEEDER, new, clock.now())).id

    async def sign_in(self, login: str, password: str = PASSWORD, **more: str) -> httpx.Response:
        """Post the sign-in form as a browser does."""
        return await self.post("/sign-in", login=login, password=password, **more)

    async def post(self, path: str, **fields: Any) -> httpx.Response:
        """Post one of our forms from one of our pages."""
        fields = {"idempotency_key": str(new_id()), **fields}
        headers = {"sec-fetch-site": "same-origin", "accept": "text/html"}
        return await self.client.post(path, data=fields, headers=headers)

    async def page(self, path: str) -> httpx.Response:
        return await self.client.get(path, headers={"accept": "text/html"})

    async def apply(self, conn: AsyncConnection, *events: EventData) -> None:
        """Apply events as the consumer does, in a transaction of the caller's."""
        told = handlers(self.service)
        for kind in dict.fromkeys(type(event) for event in events):
            now = clock.now()
            same = [e for e in events if type(e) is kind]
            wrapped = [Event(new_id(), kind.TYPE, "/dachuan/casework", e.key, now, now, None, e) for e in same]
            await told[kind.TYPE](conn, wrapped, now)

    async def tell(self, *events: EventData) -> None:
        """Apply events in one transaction."""
        async with db.begin(self.service.engine) as conn:
            await self.apply(conn, *events)

    async def system(
        self, client_id: str = "shop-floor", scopes: tuple[str, ...] = ("notice.read",), **more: Any
    ) -> str:
        """A client of an agency; its secret."""
        body = {"client_id": client_id, "plan": "dayong", "agency": "commerce", "scopes": list(scopes), **more}
        made = await self.client.post("/v1/directory/systems", json=body, headers=self.admin)
        assert made.status_code == 201, made.text
        await self.approve(made.json()["id"])
        return made.json()["client_secret"]

    async def approve(self, system: str, who: dict[str, str] | None = None) -> httpx.Response:
        """The second person's word about a client, as it stands now."""
        [row] = await self.rows(f"SELECT version FROM systems WHERE id = '{system}'")
        headers = (who or self.director) | {"if-match": f'"{row.version}"'}
        return await self.client.post(f"/v1/directory/systems/{system}/approve", headers=headers)

    @property
    def director(self) -> dict[str, str]:
        """The director of the office: approves what the account administrator asks for."""
        return self.bearer(principal_id="director", agency="commerce", unit="office", posts=("office-director",))

    async def token(self, auth: tuple[str, str] | None, **form: str) -> httpx.Response:
        return await self.client.post("/oauth2/token", data={"grant_type": "client_credentials", **form}, auth=auth)


def settings_for(cluster: Cluster, database_url: str, **more: Any) -> Settings:
    """Notify's settings over the run's cluster."""
    return Settings(
        **{
            "database_url": database_url,
            "kafka_bootstrap": cluster.kafka.bootstrap,
            "kafka_username": "dachuan-notify",
            "kafka_password": cluster.secrets.kafka_users["notify"],
            "jwks_file": cluster.secrets.jwks_file,
            "keys_file": cluster.secrets.keys_file("notify"),
            "token_key_file": cluster.secrets.token_key_file,
            "local_mode": True,
            "objects_dir": cluster.state.objects / "notify",
        }
        | more
    )


def told(page: str) -> str:
    """The words of a page, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.fixture(scope="session")
def own_database(cluster: Cluster) -> Iterator[Databases]:
    """One migrated database of notify for these tests; `database` empties it before each."""
    made = Databases(cluster, f"no{uuid.uuid4().hex[:10]}")
    asyncio.run(made.create("notify"))
    yield made
    asyncio.run(made.drop())


@pytest.fixture
async def database(own_database: Databases) -> Databases:
    await own_database.empty("notify")
    return own_database


@pytest.fixture
async def house(cluster: Cluster, database: Databases) -> AsyncIterator[House]:
    settings = settings_for(cluster, database.app_url("notify"))
    app = build(settings)
    service = app.state.service
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=HOME) as client:
        yield House(service, settings, client, Stack(cluster))
    await service.engine.dispose()
