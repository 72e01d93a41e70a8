"""Webhooks over real HTTP: signed, to checked targets, tried again, never under two ids."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from services.notify.adapters.webhooks import Outcome, Sender
from services.notify.jobs import Deliverer
from services.notify.jobs import deliveries as delivering_jobs
from services.notify.metrics import DELIVERIES
from shared.kit import clock
from tests.integration.notify.conftest import House
from tests.integration.notify.test_notices import opened
from tests.patience import PATIENCE_S

AGENCY = {"agency": "police", "posts": ("head",)}


@dataclass
class Receiver:
    """An agency's system: a real HTTP server on loopback that keeps what it got and answers as told."""

    status: int = 204
    headers: str = ""
    silent: bool = False
    got: list[tuple[dict[str, str], str]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
            original = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
            body = (await reader.readexactly(int(headers.get("content-length", 0)))).decode()
            self.got.append(({k.lower(): v for k, v in original.items()}, body))
            if self.silent:
                await asyncio.sleep(30)
            writer.write(
                f"HTTP/1.1 {self.status} X\r\ncontent-length: 0\r\nconnection: close\r\n{self.headers}\r\n".encode()
            )
            await writer.drain()
        writer.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Receiver]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()


async def register(house: House, receiver: Receiver, **caller: Any) -> dict[str, Any]:
    who = house.bearer(**(AGENCY | caller))
    made = await house.client.post("/v1/webhooks", json={"url": receiver.url}, headers=who)
    assert made.status_code == 201, made.text
    return made.json()


@asynccontextmanager
async def delivering(house: House) -> AsyncIterator[Deliverer]:
    """The delivery task, running as in the service."""
    part = house.service.health.component("deliveries.test", 30, required=False)
    deliverer = Deliverer(house.service, house.settings, part)
    task = asyncio.create_task(deliverer.run())
    try:
        yield deliverer
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], bool | Awaitable[bool]], seconds: float = PATIENCE_S) -> None:
    for _ in range(int(seconds / 0.05)):
        found = condition()
        if await found if isinstance(found, Awaitable) else found:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not happen in time")


async def state(house: House) -> list[tuple[str, str | None, int]]:
    rows = await house.rows("SELECT state, last_outcome, attempts FROM deliveries ORDER BY created_at, id")
    return [(row.state, row.last_outcome, row.attempts) for row in rows]


async def test_what_comes_after_a_go_waits_for_its_pace_unless_it_is_urgent(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Notices that trickle in share gos; an urgent one begins a go at once and takes what waits with it."""
    monkeypatch.setattr(delivering_jobs, "PACE_S", 300.0)
    async with Receiver().running() as receiver, delivering(house):
        await register(house, receiver)
        await house.tell(opened())
        await until(lambda: len(receiver.got) == 1)
        await house.tell(opened())
        await asyncio.sleep(2 * delivering_jobs.LOOK_EVERY_S)
        assert len(receiver.got) == 1, "all of it was taken, so that the next go keeps its distance"
        await house.tell(opened(urgent=True))
        await until(lambda: len(receiver.got) == 3)
        first, hot, waited = (json.loads(body)["data"]["urgent"] for _, body in receiver.got)
        assert (first, waited) == (False, False) and hot


async def test_a_notice_arrives_signed_and_once_without_personal_data(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    # no looking every second: only the commit itself can wake the deliverer in time
    monkeypatch.setattr(delivering_jobs, "LOOK_EVERY_S", 300.0)
    async with Receiver().running() as receiver, delivering(house):
        endpoint = await register(house, receiver)
        delivered = DELIVERIES.labels("webhook", "delivered")._value.get()
        case = opened()
        await house.tell(case)
        await until(lambda: bool(receiver.got))
        headers, body = receiver.got[0]
        told = Webhook(endpoint["secret"]).verify(body, headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(endpoint["secret"]).verify(body.replace("DY", "XX"), headers)
        assert told["type"] == "notice.created" and told["data"]["template"] == "case.opened"
        assert told["data"]["case_id"] == str(case.case_id)
        assert set(told["data"]) == {
            "notice_id", "template", "case_id", "number", "plan", "area", "kinds", "urgent", "agency", "unit", "role", "due", "href",
            "case_href", "handover_id", "handover_href", "ring", "matter", "matter_id", "dataref",
        }  # fmt: skip
        await until(lambda: _is(house, [("delivered", "204", 1)]))
        await house.tell(case)
        await asyncio.sleep(0.3)
        assert len(receiver.got) == 1
        assert DELIVERIES.labels("webhook", "delivered")._value.get() == delivered + 1


async def _is(house: House, wanted: list[tuple[str, str | None, int]]) -> bool:
    return await state(house) == wanted


async def test_a_crash_between_send_and_mark_sends_again_under_the_same_id(house: House) -> None:
    async with Receiver(silent=True).running() as receiver:
        await register(house, receiver)
        await house.tell(opened())
        async with delivering(house):
            await until(lambda: bool(receiver.got))
        (row,) = await house.rows("SELECT state, attempts, claimed_until FROM deliveries")
        assert (row.state, row.attempts) == ("retrying", 0) and row.claimed_until is not None, "sent, but not marked"
        receiver.silent = False
        async with delivering(house):
            await asyncio.sleep(0.5)
            assert len(receiver.got) == 1, "whoever claimed it might still be alive"
            await house.run("UPDATE deliveries SET claimed_until = now()")
            await until(lambda: len(receiver.got) == 2)
            await until(lambda: _is(house, [("delivered", "204", 1)]))
        assert receiver.ids[0] == receiver.ids[1]
        assert receiver.got[0][1] == receiver.got[1][1], "the body is the same too"


async def test_a_failure_is_tried_again_later_under_the_same_id(house: House) -> None:
    async with Receiver(status=500).running() as receiver, delivering(house):
        await register(house, receiver)
        await house.tell(opened())
        await until(lambda: _is(house, [("retrying", "500", 1)]))
        (row,) = await house.rows("SELECT next_at - now() AS pause FROM deliveries")
        assert 3 < row.pause.total_seconds() < 7
        receiver.status = 200
        await house.run("UPDATE deliveries SET next_at = now()")
        await until(lambda: _is(house, [("delivered", "200", 2)]))
        assert receiver.ids[0] == receiver.ids[1]


async def test_a_redirect_is_not_followed(house: House) -> None:
    async with Receiver().running() as elsewhere:
        away = f"location: {elsewhere.url}\r\n"
        async with Receiver(status=307, headers=away).running() as receiver, delivering(house):
            await register(house, receiver)
            await house.tell(opened())
            await until(lambda: _is(house, [("retrying", "307", 1)]))
        assert elsewhere.got == []


async def test_a_receiver_that_is_gone_is_switched_off(house: House) -> None:
    async with Receiver(status=410).running() as receiver, delivering(house):
        await register(house, receiver)
        await house.tell(opened())
        await until(lambda: _is(house, [("retrying", "410", 1)]))
        (row,) = await house.rows("SELECT active FROM endpoints")
        assert row.active is False


async def test_a_dead_target_delays_nobody_and_is_left_alone(house: House) -> None:
    object.__setattr__(house.settings, "webhook_timeout_s", 1.0)
    async with Receiver(silent=True).running() as dead, Receiver().running() as well:
        await register(house, dead)
        await register(house, well, agency="commerce")
        async with delivering(house):
            for _ in range(8):
                await house.tell(opened())
            # two notices a case for commerce: the co-agency's and the coordinator's
            await until(lambda: len(set(well.ids)) == 16, 10)
            (row,) = await house.rows("SELECT count(*) AS n FROM deliveries WHERE state = 'delivered'")
            assert row.n <= 16
            await until(lambda: _paused(house))
            tried = len(dead.got)
            await asyncio.sleep(1.5)
            assert len(dead.got) == tried < 8, "nothing more is sent to it for now"


async def _paused(house: House) -> bool:
    rows = await house.rows("SELECT 1 FROM endpoints WHERE paused_until > now() AND failures >= 5")
    return bool(rows)


BAD_TARGETS = {
    "https://10.0.0.1/hook": "private-address",
    "https://169.254.169.254/latest/meta-data": "private-address",
    "https://[::ffff:10.0.0.1]/": "private-address",
    "https://0x0a000001/": "private-address",
    "https://nowhere.invalid/": "unresolvable",
    "http://example.com/": "https-needed",
    "https://127.0.0.1/": "private-address",
    "https://localhost/": "private-address",
}


async def test_targets_in_our_own_network_are_refused_at_once(house: House) -> None:
    object.__setattr__(house.settings, "local_mode", False)
    for url, code in BAD_TARGETS.items():
        answer = await house.client.post("/v1/webhooks", json={"url": url}, headers=house.bearer(**AGENCY))
        assert answer.status_code == 422 and answer.json()["errors"][0]["code"] == code, url
        assert await Sender(2, local=False).send(url, b"s" * 32, "msg_1", "{}", _now()) == Outcome(code, False)


def _now() -> datetime:
    return clock.now()


async def test_a_name_that_turns_to_a_private_address_is_not_connected_to(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the address is checked when connecting, not only when the target was registered."""
    async with Receiver().running() as receiver:
        loop = asyncio.get_running_loop()

        async def rebound(host: str, port: int, **_: Any) -> list[Any]:
            return [(2, 1, 6, "", ("127.0.0.1", receiver.port))]

        monkeypatch.setattr(loop, "getaddrinfo", rebound)
        outcome = await Sender(2, local=False).send(
            f"https://agency.example:{receiver.port}/", b"s" * 32, "msg_1", "{}", _now()
        )
        assert outcome.code == "private-address" and receiver.got == []


async def test_an_agency_manages_its_own_targets_only(house: House) -> None:
    async with Receiver().running() as receiver:
        made = await register(house, receiver)
        path = f"/v1/webhooks/{made['id']}"
        own, other = house.bearer(**AGENCY), house.bearer(agency="commerce", posts=("head",))
        assert "secret" not in (await house.client.get(path, headers=own)).json() or (
            (await house.client.get(path, headers=own)).json()["secret"] is None
        )
        for method, where in (("GET", path), ("POST", f"{path}/ping"), ("GET", f"{path}/deliveries")):
            assert (await house.client.request(method, where, headers=other)).status_code == 404
        assert (await house.client.get("/v1/webhooks", headers=other)).json()["items"] == []
        desk = house.bearer(agency="police", unit="cyber", posts=())
        assert (await house.client.get("/v1/webhooks", headers=desk)).status_code == 403
        again = await house.client.post("/v1/webhooks", json={"url": receiver.url}, headers=own)
        assert again.status_code == 409
        off = await house.client.patch(path, json={"active": False}, headers=own | {"if-match": '"1"'})
        assert off.json()["active"] is False
        await house.tell(opened())
        assert await state(house) == [], "nothing is sent to a target that is off"
        gone = await house.client.delete(path, headers=own | {"if-match": off.headers["etag"]})
        assert gone.status_code == 204 and await house.rows("SELECT 1 FROM endpoints") == []
        (row,) = await house.rows("SELECT count(*) AS n FROM audit WHERE action LIKE 'webhook.%'")
        assert row.n == 3


async def test_ping_and_redelivery(house: House) -> None:
    async with Receiver().running() as receiver, delivering(house):
        made = await register(house, receiver)
        own, path = house.bearer(**AGENCY), f"/v1/webhooks/{made['id']}"
        sent = await house.client.post(f"{path}/ping", headers=own)
        assert sent.status_code == 202
        await until(lambda: bool(receiver.got))
        assert json.loads(receiver.got[0][1])["type"] == "ping" and receiver.ids == [sent.json()["id"]]
        await until(lambda: _is(house, [("delivered", "204", 1)]))
        listed = (await house.client.get(f"{path}/deliveries", headers=own)).json()["items"]
        assert [item["state"] for item in listed] == ["delivered"]
        again = await house.client.post(f"{path}/deliveries/{listed[0]['id']}/redelivery", headers=own)
        assert again.status_code == 202
        await until(lambda: len(receiver.got) == 2)
        assert receiver.ids[0] == receiver.ids[1]
        assert (await house.client.post(f"{path}/deliveries/msg_x/redelivery", headers=own)).status_code == 404


async def test_secrets_of_targets_are_sealed(house: House) -> None:
    async with Receiver().running() as receiver:
        made = await register(house, receiver)
        (row,) = await house.rows("SELECT secret FROM endpoints")
        raw = base64.b64decode(made["secret"].removeprefix("whsec_"))
        assert len(raw) == 32 and raw not in bytes(row.secret)
