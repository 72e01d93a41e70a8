"""Messages on their way out, and old ones given up."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

import orjson

from services.notify.adapters.mail import Mailer
from services.notify.adapters.outside import Outside
from services.notify.adapters.robots import Robots
from services.notify.adapters.sms import gateway
from services.notify.adapters.webhooks import MESSAGE_PREFIX, Sender
from services.notify.commands import sending
from services.notify.commands.sending import Claimed, Target
from services.notify.domain.channels import ROBOTS, Channel
from services.notify.domain.outcomes import Outcome
from services.notify.domain.wording import Said, said
from services.notify.queries.notices import NO_CASE, case_address, handover_address
from services.notify.settings import Settings
from shared.kit import clock, db
from shared.kit.health import Component
from shared.kit.logs import log
from shared.kit.service import Service

T = TypeVar("T")

CHANNEL = "deliveries"
"""The NOTIFY channel; the insert trigger of `deliveries` sends on it at each commit."""

LOOK_EVERY_S = 1.0
REST_S = 5.0
MOST_AT_ONCE = 64
"""A target that takes all it is given quickly is given so many in one go at most."""
GO_S = 1.0
PACE_S = 0.1
"""Once a target has taken all there was, it is begun with anew so long after the last beginning at the earliest, unless
something is urgent: a go costs two transactions, and what comes meanwhile shares them.
"""
SETTLE_TRIES = 4


class Channels:
    """The ways out. Whatever goes wrong is an outcome, not an exception."""

    def __init__(self, service: Service, settings: Settings) -> None:
        self._service, self._settings = service, settings
        self._outside = Outside(settings.webhook_timeout_s, local=settings.local_mode)
        # the gateway and its address are the operator's own, so it may stand in our network
        self._house = Outside(settings.webhook_timeout_s, local=True, guarded=False)
        self._webhooks = Sender(settings.webhook_timeout_s, local=settings.local_mode, outside=self._outside)
        self._robots = Robots(self._outside)
        self._mailer = Mailer(settings)
        self._sms = gateway(settings, self._house)

    async def close(self) -> None:
        await self._outside.close()
        await self._house.close()

    async def send(self, target: Target, one: Claimed) -> Outcome:
        """One attempt by the target's channel."""
        message_id, now = f"{MESSAGE_PREFIX}{one.id}", clock.now()
        try:
            if target.channel is Channel.WEBHOOK:
                body = message(self._settings, target.id, one)
            else:
                address, words = target.secret.decode(), self._words(target, one)
        except Exception as error:
            # one message that cannot be put together holds up no other
            log.error("deliveries.not_composed", delivery=str(one.id), exc_info=error)
            return Outcome("not-composed", False, ours=True)
        if target.channel is Channel.WEBHOOK:
            return await self._webhooks.send(target.url, target.secret, message_id, body, now, target.old_secret)
        if target.channel in ROBOTS:
            return await self._robots.send(target.channel, address, words.text, now)
        if target.channel is Channel.EMAIL:
            return await self._mailer.send(address, message_id, words, one.created_at)
        return await self._sms.send(address, message_id, words, now)

    def _words(self, target: Target, one: Claimed) -> Said:
        n = one.notice
        link = f"{self._settings.base_url('notify')}/" + (f"#notice-{n['n_id']}" if n is not None else "")
        rules = sending.rules_of(self._service, target.plan)
        return said(rules.words, n["number"] if n is not None else "", one.urgent and n is not None, link)


class Deliverer:
    """Sends what is due: one worker for each target that has something, so that a dead one delays nobody."""

    def __init__(self, service: Service, settings: Settings, health: Component) -> None:
        self._service = service
        self._settings = settings
        self._health = health
        self._wake = asyncio.Event()
        self._slots = asyncio.Semaphore(settings.webhook_concurrency)
        self._workers: dict[UUID, asyncio.Task[None]] = {}
        self._resting: dict[UUID, float] = {}
        self._paced: dict[UUID, float] = {}

    async def run(self) -> None:
        """Run until cancelled; after a failure, start over. What was under way is sent again under its id."""
        channels = Channels(self._service, self._settings)
        try:
            while True:
                try:
                    await self._watch(channels)
                except Exception as error:
                    self._health.unwell(type(error).__name__)
                    log.warning("deliveries.failed", exc_info=error)
                    await asyncio.sleep(1)
        finally:
            for worker in self._workers.values():
                worker.cancel()
            await asyncio.gather(*self._workers.values(), return_exceptions=True)
            await channels.close()

    async def _watch(self, channels: Channels) -> None:
        async with self._service.engine.connect() as conn:
            await conn.execution_options(isolation_level="AUTOCOMMIT")
            raw: Any = (await conn.get_raw_connection()).driver_connection
            await raw.add_listener(CHANNEL, lambda *_: self._wake.set())
            try:
                while True:
                    self._wake.clear()
                    patience = LOOK_EVERY_S
                    for endpoint_id, urgent in await sending.due_endpoints(conn, clock.now()):
                        if endpoint_id in self._workers:
                            continue
                        rest = self._rest(endpoint_id, urgent)
                        if rest > 0:
                            patience = min(patience, rest)
                        else:
                            self._start(channels, endpoint_id)
                    self._health.well()
                    try:
                        # not wait_for: until Python 3.12 it loses a cancellation that comes with the wake-up
                        async with asyncio.timeout(patience):
                            await self._wake.wait()
                    except TimeoutError:
                        pass
            finally:
                # a connection that listens must not go back to the pool
                await conn.invalidate()

    def _rest(self, endpoint_id: UUID, urgent: bool) -> float:
        """Seconds until a target's next go may begin."""
        begins = self._resting.get(endpoint_id, 0.0)
        if not urgent:
            begins = max(begins, self._paced.get(endpoint_id, 0.0))
        return begins - time.monotonic()

    def _start(self, channels: Channels, endpoint_id: UUID) -> None:
        self._paced[endpoint_id] = time.monotonic() + PACE_S
        worker = asyncio.create_task(self._serve(channels, endpoint_id), name=f"target {endpoint_id}")
        self._workers[endpoint_id] = worker

        def ended(task: asyncio.Task[None]) -> None:
            self._workers.pop(endpoint_id, None)
            self._wake.set()
            if not task.cancelled() and task.exception() is not None:
                # our own trouble (a key, the database), not the target's: look again a little later
                self._resting[endpoint_id] = time.monotonic() + REST_S
                log.warning("deliveries.target_failed", exc_info=task.exception())

        worker.add_done_callback(ended)

    async def _serve(self, channels: Channels, endpoint_id: UUID) -> None:
        """Send all that is due for one target, in larger gos while it takes them quickly."""
        many = self._settings.webhook_per_target
        async with db.begin(self._service.engine) as conn:
            found = await sending.claim(conn, self._service, endpoint_id, many, clock.now())
        while found is not None:
            target, claimed = found
            began = time.monotonic()
            outcomes = await self._send_all(channels, target, claimed)
            more = len(claimed) == many
            many = self._next_go(many, outcomes, time.monotonic() - began)
            found = await self._settle(endpoint_id, list(zip(claimed, outcomes, strict=True)), many if more else 0)

    def _next_go(self, many: int, outcomes: Sequence[Outcome | None], took: float) -> int:
        """How many to take next: what the target took in about `GO_S`, at most twice as many as before."""
        least = self._settings.webhook_per_target
        if not all(o is not None and o.delivered for o in outcomes):
            return least
        return max(least, min(many * 2, MOST_AT_ONCE, int(len(outcomes) * GO_S / max(took, 0.001))))

    async def _send_all(
        self, channels: Channels, target: Target, claimed: Sequence[Claimed]
    ) -> list[Outcome | None]:
        """What came of each; None for those not tried any more once the target failed."""
        outcomes: list[Outcome | None] = [None] * len(claimed)
        waiting = iter(enumerate(claimed))
        stopped = False

        async def work() -> None:
            nonlocal stopped
            for place, one in waiting:
                async with self._slots:
                    if stopped:
                        return
                    outcome = outcomes[place] = await channels.send(target, one)
                stopped = stopped or not (outcome.delivered or outcome.permanent or outcome.ours)

        await asyncio.gather(*(work() for _ in range(min(self._settings.webhook_per_target, len(claimed)))))
        return outcomes

    async def _settle(
        self, endpoint_id: UUID, outcomes: Sequence[tuple[Claimed, Outcome | None]], many: int
    ) -> tuple[Target, list[Claimed]] | None:
        """Mark what came of some, and take on `many` more in the same transaction; mark alone where that cannot be done."""

        async def both() -> tuple[Target, list[Claimed]] | None:
            async with db.begin(self._service.engine) as conn:
                await sending.settle(conn, self._service, endpoint_id, outcomes, clock.now())
                if not many:
                    return None
                return await sending.claim(conn, self._service, endpoint_id, many, clock.now())

        async def alone() -> None:
            async with db.begin(self._service.engine) as conn:
                await sending.settle(conn, self._service, endpoint_id, outcomes, clock.now())

        try:
            return await _persist(both)
        except Exception:
            await _persist(alone)
            raise


async def _persist(work: Callable[[], Awaitable[T]]) -> T:
    """Do it, and again while the database is away or asks to try again: what is not marked is sent a second time."""
    for left in reversed(range(SETTLE_TRIES)):
        try:
            return await work()
        except Exception as error:
            if not left or not db.unavailable(error):
                raise
            await asyncio.sleep(0.2 * (SETTLE_TRIES - left))
    raise AssertionError("the last try returns or raises")


def message(settings: Settings, endpoint_id: UUID, one: Claimed) -> str:
    """A webhook's body: ids, codes and links only; equal at each attempt."""
    n = one.notice
    if n is None:
        data: dict[str, Any] = {"type": "ping", "timestamp": one.created_at, "data": {"endpoint_id": endpoint_id}}
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
        await sending.give_up_old(conn, clock.now())
