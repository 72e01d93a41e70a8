"""Webhooks on their way, and old ones given up."""

import asyncio
import time
from typing import Any
from uuid import UUID

import orjson

from services.notify.adapters.webhooks import MESSAGE_PREFIX, Outcome, Sender
from services.notify.commands import webhooks
from services.notify.commands.webhooks import Claimed
from services.notify.queries.notices import NO_CASE, case_address, handover_address
from services.notify.settings import Settings
from shared.kit import clock, db
from shared.kit.health import Component
from shared.kit.logs import log
from shared.kit.service import Service

CHANNEL = "deliveries"
"""The NOTIFY channel; the insert trigger of `deliveries` sends on it at each commit."""

LOOK_EVERY_S = 1.0
REST_S = 5.0


class Deliverer:
    """Sends webhooks: one worker for each target that has something due, so that a dead one delays nobody."""

    def __init__(self, service: Service, settings: Settings, health: Component) -> None:
        self._service = service
        self._settings = settings
        self._health = health
        self._wake = asyncio.Event()
        self._slots = asyncio.Semaphore(settings.webhook_concurrency)
        self._workers: dict[UUID, asyncio.Task[None]] = {}
        self._resting: dict[UUID, float] = {}

    async def run(self) -> None:
        """Run until cancelled; after a failure, start over. What was under way is sent again under its id."""
        sender = Sender(self._settings.webhook_timeout_s, local=self._settings.local_mode)
        try:
            while True:
                try:
                    await self._watch(sender)
                except Exception as error:
                    self._health.unwell(type(error).__name__)
                    log.warning("deliveries.failed", exc_info=error)
                    await asyncio.sleep(1)
        finally:
            for worker in self._workers.values():
                worker.cancel()
            await asyncio.gather(*self._workers.values(), return_exceptions=True)
            await sender.close()

    async def _watch(self, sender: Sender) -> None:
        async with self._service.engine.connect() as conn:
            await conn.execution_options(isolation_level="AUTOCOMMIT")
            raw: Any = (await conn.get_raw_connection()).driver_connection
            await raw.add_listener(CHANNEL, lambda *_: self._wake.set())
            try:
                while True:
                    self._wake.clear()
                    for endpoint_id in await webhooks.due_endpoints(conn, clock.now()):
                        rests = self._resting.get(endpoint_id, 0) > time.monotonic()
                        if endpoint_id not in self._workers and not rests:
                            self._start(sender, endpoint_id)
                    self._health.well()
                    try:
                        # not wait_for: until Python 3.12 it loses a cancellation that comes with the wake-up
                        async with asyncio.timeout(LOOK_EVERY_S):
                            await self._wake.wait()
                    except TimeoutError:
                        pass
            finally:
                # a connection that listens must not go back to the pool
                await conn.invalidate()

    def _start(self, sender: Sender, endpoint_id: UUID) -> None:
        worker = asyncio.create_task(self._serve(sender, endpoint_id), name=f"webhook {endpoint_id}")
        self._workers[endpoint_id] = worker

        def ended(task: asyncio.Task[None]) -> None:
            self._workers.pop(endpoint_id, None)
            self._wake.set()
            if not task.cancelled() and task.exception() is not None:
                # our own trouble (a key, the database), not the target's: look again a little later
                self._resting[endpoint_id] = time.monotonic() + REST_S
                log.warning("deliveries.target_failed", exc_info=task.exception())

        worker.add_done_callback(ended)

    async def _serve(self, sender: Sender, endpoint_id: UUID) -> None:
        """Send all that is due for one target."""
        engine, keys = self._service.engine, self._settings.keys
        while True:
            async with db.begin(engine) as conn:
                claimed = await webhooks.claim(conn, keys, endpoint_id, self._settings.webhook_per_target, clock.now())
            if not claimed:
                return
            outcomes = await asyncio.gather(*(self._send(sender, one) for one in claimed))
            async with db.begin(engine) as conn:
                await webhooks.settle(conn, endpoint_id, list(zip(claimed, outcomes, strict=True)), clock.now())

    async def _send(self, sender: Sender, one: Claimed) -> Outcome:
        async with self._slots:
            body = message(self._settings, one)
            return await sender.send(one.url, one.secret, f"{MESSAGE_PREFIX}{one.id}", body, clock.now())


def message(settings: Settings, one: Claimed) -> str:
    """A webhook's body: ids, codes and links only; equal at each attempt."""
    n = one.notice
    if n is None:
        data: dict[str, Any] = {"type": "ping", "timestamp": one.created_at, "data": {"endpoint_id": one.endpoint_id}}
    else:
        data = {
            "type": "notice.created" if one.ring is None else "notice.rung",
            "timestamp": n["n_created_at"],
            "data": {
                "notice_id": n["n_id"],
                "template": n["template"],
                "case_id": n["case_id"] or NO_CASE,
                "number": n["number"],
                "plan": n["plan"],
                "area": n["area"],
                "kinds": n["kinds"],
                "urgent": n["urgent"],
                "agency": n["agency"],
                "unit": n["unit"],
                "role": n["role"],
                "due": n["due"],
                "href": f"{settings.base_url('notify')}/v1/notices/{n['n_id']}",
                "case_href": case_address(settings, n["case_id"]) if n["case_id"] else "",
                "handover_id": n["handover_id"],
                "handover_href": handover_address(settings, n["handover_id"]) if n["handover_id"] else None,
                "matter": n["matter"],
                "matter_id": n["matter_id"],
                "dataref": n["dataref"],
                "ring": one.ring,
            },
        }
    # asyncpg's UUIDs are a subclass, which orjson leaves to `default`
    return orjson.dumps(data, default=str).decode()


async def give_up(service: Service) -> None:
    """End messages older than three days."""
    async with db.begin(service.engine) as conn:
        await webhooks.give_up_old(conn, clock.now())
