"""A service as a process: its tasks beside its web app, started together and ended together."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import uvicorn
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.kit import audit, db, logs, metrics
from shared.kit.consumer import Consumer, Handler
from shared.kit.health import Health
from shared.kit.logs import log
from shared.kit.relay import LANES, Relay, measure_backlog
from shared.kit.settings import ServiceSettings
from shared.kit.tables import KitTables
from shared.kit.tokens import Authenticator, Directory, apply_directory
from shared.rules.law import LawBook
from shared.rules.plan import Plan, load_plans

VERSION = "0.1.0"

Work = Callable[[], Awaitable[None]]


@dataclass
class Service:
    """What every room of a service is given: settings, engine, plans, law, keys, health; and its tasks."""

    settings: ServiceSettings
    kit: KitTables
    engine: AsyncEngine = field(init=False)
    plans: dict[str, Plan] = field(init=False)
    law: LawBook = field(init=False)
    health: Health = field(default_factory=Health)
    directory: Directory = field(init=False)
    authenticator: Authenticator = field(init=False)
    _tasks: list[tuple[str, Work]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.engine = db.make_engine(self.settings)
        self.law = LawBook.load(self.settings.law_dir)
        self.plans = load_plans(self.settings.plans_dir, self.settings.plan_ids, self.law)
        self.directory = Directory(self.kit.principal)
        self.authenticator = Authenticator(
            self.settings.jwks_file, self.plans, self.directory, self.settings.base_url("notify")
        )
        for lane in LANES:
            part = self.health.component(f"relay.{lane}", 30, required=False)
            self.task(f"relay.{lane}", Relay(self.settings, self.engine, self.kit.outbox, lane, part).run)
        self.job("database", 2, self._check_database, required=True)
        self.job("directory", 2, lambda: self.directory.refresh(self.engine))
        self.job("backlog", 5, self._measure)
        self.job("audit", 1, self._seal)

    def task(self, name: str, work: Work) -> None:
        """Add work that runs as long as the service."""
        self._tasks.append((name, work))

    def job(self, name: str, every_s: float, work: Callable[[], Awaitable[object]], *, required: bool = False) -> None:
        """Add work that is done again and again, `every_s` seconds apart; a failed round is retried at the next."""
        part = self.health.component(name, max(30.0, every_s * 3), required=required)

        async def rounds() -> None:
            while True:
                try:
                    await work()
                    part.well()
                except Exception as error:
                    part.unwell(type(error).__name__)
                    log.warning("job.failed", job=name, exc_info=error)
                await asyncio.sleep(every_s)

        self.task(name, rounds)

    def consume(self, topics: Sequence[str], handlers: Mapping[str, Handler], *, lane: str = "normal") -> None:
        """Consume topics as this service's group, or as a fast lane of its own."""
        part = self.health.component(
            f"consumer.{lane}", self.settings.stuck_after_s, required=True, may_end_process=True
        )
        consumer = Consumer(self.settings, self.engine, self.kit.inbox, topics, handlers, part, lane=lane)
        self.task(f"consumer.{lane}", consumer.run)

    def consume_directory(self) -> None:
        """Follow the directory of officers and agencies' systems."""

        async def apply(conn, events, _now) -> None:  # type: ignore[no-untyped-def]
            await apply_directory(conn, self.kit.principal, events)

        self.consume(["notify.directory.v1"], {"dachuan.directory.principal.v1": apply}, lane="directory")

    @asynccontextmanager
    async def lifespan(self, _app: FastAPI) -> AsyncIterator[None]:
        """Run all tasks while the app serves; a task that ends by itself ends the process."""
        metrics.BUILD_INFO.labels(VERSION).set(1)
        # A batch makes some 100,000 objects and no cycles: at the default thresholds a third of its time goes to
        # looking for some, over and over through plans and models that never die.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        running = [asyncio.create_task(work(), name=name) for name, work in self._tasks]
        watch = asyncio.create_task(self._watch(running))
        log.info("service.started", version=VERSION, port=self.settings.listen_port)
        try:
            yield
        finally:
            watch.cancel()
            for task in running:
                task.cancel()
            await asyncio.wait([watch, *running], timeout=8)
            await self.engine.dispose()
            log.info("service.stopped")

    async def _watch(self, running: Sequence[asyncio.Task[None]]) -> None:
        while True:
            await asyncio.sleep(1)
            ended = [task.get_name() for task in running if task.done()]
            if ended or not self.health.alive():
                log.error("service.broken", component=",".join(ended) or "stuck")
                os._exit(70)

    async def _check_database(self) -> None:
        async with db.begin(self.engine) as conn:
            await conn.execute(text("SELECT 1"))

    async def _measure(self) -> None:
        async with db.begin(self.engine) as conn:
            await measure_backlog(conn, self.kit.outbox)

    async def _seal(self) -> None:
        while await audit.seal(self.engine, self.kit, self.settings.keys, self.settings.service) == audit.SEAL_AT_MOST:
            pass


def serve(app: FastAPI, settings: ServiceSettings) -> None:
    """Serve an app until SIGTERM or SIGINT; no access log, so no address of anyone is written."""
    logs.configure(settings.service)
    uvicorn.run(
        app,
        host=settings.listen_host,
        port=settings.listen_port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
        timeout_keep_alive=75,
        backlog=1024,
    )
