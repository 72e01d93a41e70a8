"""Targets that misbehave, crashes, secrets changed under load, messages sent again: none lost, none under two ids."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from services.notify import jobs
from services.notify.adapters.webhooks import Sender
from services.notify.commands import sending
from services.notify.jobs import deliveries as delivering_jobs
from shared.kit import clock
from shared.kit.ids import new_id
from tests.integration.notify.conftest import House
from tests.integration.notify.outside import misbehaving, setting, target
from tests.integration.notify.test_notices import opened
from tests.integration.notify.test_webhooks import AGENCY, Receiver, _is, delivering, state, until


async def _drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for byte in b"HTTP/1.1 204 OK\r\nx-slow: " + b"a" * 600:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.1)


async def _endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 503 X\r\ncontent-length: 100000000000\r\n\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def _oversized(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 204 OK\r\nx-large: " + b"a" * 1_000_000 + b"\r\n\r\n")
    await writer.drain()


async def _truncated(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 20")
    await writer.drain()


async def _nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example ESMTP\r\n")
    await writer.drain()


async def _away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 302 X\r\nlocation: http://169.254.169.254/latest/\r\ncontent-length: 0\r\n\r\n")
    await writer.drain()


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        (_drip, "timeout"), (_endless, "503"), (_oversized, "broken"), (_truncated, "broken"), (_nonsense, "broken"),
        (_away, "302"),
    ],
)  # fmt: skip
async def test_a_target_that_misbehaves_delays_nobody_and_loses_nothing(house: House, behaviour: Any, code: str) -> None:
    setting(house, webhook_timeout_s=1.5)
    async with misbehaving(behaviour) as bad, Receiver().running() as well, delivering(house):
        await target(house, bad)
        await target(house, well.url, agency="commerce")
        began = asyncio.get_running_loop().time()
        await house.tell(opened())
        await until(lambda: len(well.got) == 2, 5)
        assert asyncio.get_running_loop().time() - began < 1.4
        await until(lambda: _tried(house, code), 10)
        (row,) = await house.rows("SELECT state, attempts FROM deliveries WHERE last_outcome = :code", code=code)
        assert (row.state, row.attempts) == ("retrying", 1)


async def _tried(house: House, code: str) -> bool:
    return any(outcome == code for _, outcome, _ in await state(house))


PRIVATE = (
    "https://2130706433/", "https://127.1/", "https://0177.0.0.1/", "https://[::1]/", "https://[::]/", "https://[fd00::1]/",
    "https://[64:ff9b::a00:1]/", "https://100.64.0.1/", "https://0/", "https://192.168.1.1:443/x", "https://127.0.0.1.:443/",
)  # fmt: skip


async def test_addresses_inside_are_not_reached_however_they_are_written(house: House) -> None:
    async with Receiver().running() as inside:
        sender = Sender(2, local=False)
        for url in (*PRIVATE, f"https://2130706433:{inside.port}/", f"https://127.1:{inside.port}/"):
            outcome = await sender.send(url, b"s" * 32, "msg_1", "{}", clock.now())
            assert outcome.code in ("private-address", "unresolvable"), url
        await sender.close()
        assert inside.got == []


async def test_a_name_that_turns_inside_after_it_was_registered_is_not_reached(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: public when the target was registered, and ours when the message leaves; also when only one of
    its addresses is."""
    setting(house, local_mode=False)
    addresses = [["93.184.216.34"]]
    async with Receiver().running() as inside:

        async def answers(host: str, port: int, **_: Any) -> list[Any]:
            return [(2, 1, 6, "", (address, inside.port)) for address in addresses[0]]

        with monkeypatch.context() as patched:
            patched.setattr(asyncio.get_running_loop(), "getaddrinfo", answers)
            await target(house, f"https://agency.example:{inside.port}/hook")
        await house.tell(opened())
        monkeypatch.setattr(delivering_jobs, "Sender", lambda timeout, **more: _Rebound(timeout, answers, monkeypatch, more))
        for turned in (["127.0.0.1"], ["93.184.216.34", "127.0.0.1"]):
            addresses[0] = turned
            async with delivering(house):
                await until(lambda: _is_last(house, "private-address"))
            await house.run("UPDATE deliveries SET next_at = now(), last_outcome = NULL")
        assert inside.got == []


class _Rebound(Sender):
    def __init__(self, timeout: float, answers: Any, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any]) -> None:
        super().__init__(timeout, **more)
        self._answers, self._patch = answers, monkeypatch

    async def send(self, *args: Any, **more: Any) -> Any:
        with self._patch.context() as patched:
            patched.setattr(asyncio.get_running_loop(), "getaddrinfo", self._answers)
            return await super().send(*args, **more)


async def _is_last(house: House, code: str) -> bool:
    return {outcome for _, outcome, _ in await state(house)} == {code}


async def test_what_is_forged_replayed_or_truncated_does_not_verify(house: House) -> None:
    """What a receiver does with our messages, by the library our page for developers names."""
    async with Receiver().running() as receiver, delivering(house):
        made = await target(house, receiver.url)
        await house.tell(opened())
        await until(lambda: bool(receiver.got))
    headers, body = receiver.got[0]
    verifier = Webhook(made["secret"])
    assert verifier.verify(body, headers)["type"] == "notice.created"
    old = {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) - 600)}
    attacks = (
        (body[:-1], headers), (body + " ", headers), (body, old), (body, {**headers, "webhook-id": "msg_other"}),
        (body, {**headers, "webhook-signature": "v1,AAAA"}),
    )  # fmt: skip
    for wrong, under in attacks:
        with pytest.raises(WebhookVerificationError):
            verifier.verify(wrong, under)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "QUJD" * 8).verify(body, headers)


async def test_requests_that_are_forged_truncated_or_oversized_change_nothing(house: House) -> None:
    own = house.bearer(**AGENCY) | {"content-type": "application/json"}
    forged = {name: value[:-8] + "AAAAAAAA" if value.startswith("Bearer") else value for name, value in own.items()}
    body = json.dumps({"url": "http://127.0.0.1:9/x"})
    for content, headers, codes in (
        (body, forged, (401,)), (body[:-3], own, (400, 422)), ('{"url": "' + "a" * 3_000_000 + '"}', own, (413, 422)),
        (json.dumps({"url": "http://127.0.0.1:9/" + "x" * 2000}), own, (422,)),
        (json.dumps({"url": "http://127.0.0.1:9/x", "active": True}), own, (422,)),
    ):  # fmt: skip
        answer = await house.client.post("/v1/webhooks", content=content, headers=headers)
        assert answer.status_code in codes, (answer.status_code, content[:60])
    assert await house.rows("SELECT 1 FROM endpoints") == []


async def test_crashes_at_any_point_bring_each_notice_under_one_id(house: House) -> None:
    """A dozen deaths at random moments between claim, send and mark."""
    count, dice = 24, random.Random(6)
    async with Receiver().running() as receiver:
        await target(house, receiver.url)
        for _ in range(count):
            await house.tell(opened())
        for _ in range(12):
            async with delivering(house):
                await asyncio.sleep(dice.random() * 0.06)
            # whoever had claimed them is dead
            await house.run("UPDATE deliveries SET claimed_until = now() WHERE claimed_until IS NOT NULL")
        async with delivering(house):
            await until(lambda: _done(house, count), 60)
        of_notice: dict[str, set[str]] = {}
        for headers, body in receiver.got:
            of_notice.setdefault(json.loads(body)["data"]["notice_id"], set()).add(headers["webhook-id"])
        assert len(of_notice) == count and all(len(ids) == 1 for ids in of_notice.values())
        assert len({body for _, body in receiver.got}) == count, "each repetition is equal"


async def _done(house: House, count: int) -> bool:
    return Counter(one for one, _, _ in await state(house)) == {"delivered": count}


async def test_two_deliverers_send_each_message_once(house: House) -> None:
    async with Receiver().running() as receiver:
        await target(house, receiver.url)
        for _ in range(40):
            await house.tell(opened())
        async with delivering(house), delivering(house):
            await until(lambda: _done(house, 40))
        assert max(Counter(receiver.ids).values()) == 1 and len(receiver.got) == 40


async def test_a_message_that_cannot_be_put_together_holds_up_no_other(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Template errors: the message waits for its next try, the target is not blamed."""
    whole = delivering_jobs.message
    poisoned = opened(number="DY-2026-0666")

    def broken(settings: Any, endpoint_id: Any, one: Any) -> str:
        if one.notice["number"] == poisoned.number:
            raise KeyError("a template of ours")
        return whole(settings, endpoint_id, one)

    monkeypatch.setattr(delivering_jobs, "message", broken)
    async with Receiver().running() as receiver, delivering(house):
        await target(house, receiver.url)
        await house.tell(poisoned)
        await house.tell(opened(number="DY-2026-0001"))
        await until(lambda: _counts(house, {"delivered": 1, "retrying": 1}))
        (row,) = await house.rows("SELECT failures, failing_since FROM endpoints")
        assert (row.failures, row.failing_since) == (0, None)
        monkeypatch.setattr(delivering_jobs, "message", whole)
        await house.run("UPDATE deliveries SET next_at = now()")
        await until(lambda: _done(house, 2))
        assert max(Counter(receiver.ids).values()) == 1


async def _counts(house: House, wanted: dict[str, int]) -> bool:
    rows = await state(house)
    return Counter(one for one, _, _ in rows) == wanted and all(outcome for _, outcome, _ in rows)


async def test_a_secret_is_changed_under_load_and_no_message_fails_to_verify(house: House) -> None:
    """While secrets overlap every message verifies under the old and under the new one; afterwards under the new alone."""
    own, sent = house.bearer(**AGENCY), 120
    async with Receiver().running() as receiver, delivering(house):
        made = await target(house, receiver.url)
        path, secrets = f"/v1/webhooks/{made['id']}", [made["secret"]]

        async def load() -> None:
            for _ in range(sent):
                await house.tell(opened())

        working = asyncio.create_task(load())
        for _ in range(2):
            before = len(receiver.got)
            await until(lambda before=before: len(receiver.got) > before + 15)
            version = (await house.client.get(path, headers=own)).headers["etag"]
            headers = own | {"if-match": version, "idempotency-key": str(new_id())}
            rotated = await house.client.post(f"{path}/secret", json={"overlap_hours": 24}, headers=headers)
            assert rotated.status_code == 200, rotated.text
            again = await house.client.post(f"{path}/secret", json={"overlap_hours": 24}, headers=headers)
            assert again.json()["secret"] == rotated.json()["secret"], "the same key, the same secret"
            secrets.append(rotated.json()["secret"])
        await working
        await until(lambda: _done(house, sent))
        under = [[_verifies(secret, *one) for secret in secrets] for one in receiver.got]
        assert len(set(receiver.ids)) == sent and all(any(row) for row in under)
        both = [row for row in under if sum(row) == 2]
        assert both, "in the overlap both signatures are there"
        assert under[-1] == [False, True, True], "the secret before last is gone"
        await house.run("UPDATE endpoints SET old_until = now()")
        await house.tell(opened())
        await until(lambda: len(set(receiver.ids)) == sent + 1)
        assert [_verifies(secret, *receiver.got[-1]) for secret in secrets] == [False, False, True]
        stale = await house.client.post(
            f"{path}/secret", json={}, headers=own | {"if-match": '"1"', "idempotency-key": str(new_id())}
        )
        assert stale.status_code == 412
    assert b"whsec" not in b"".join(bytes(row.secret) for row in await house.rows("SELECT secret FROM endpoints"))


def _verifies(secret: str, headers: dict[str, str], body: str) -> bool:
    try:
        Webhook(secret).verify(body, headers)
    except WebhookVerificationError:
        return False
    return True


async def test_a_target_dead_for_days_is_switched_off_its_owner_told_and_nothing_lost(house: House) -> None:
    """Point 12: what was missed is replayed from a cursor, each message under its one id."""
    own = house.bearer(**AGENCY)
    async with Receiver(status=500).running() as receiver, delivering(house):
        made = await target(house, receiver.url)
        path = f"/v1/webhooks/{made['id']}"
        await house.tell(opened())
        await until(lambda: _is(house, [("retrying", "500", 1)]))
        await house.run("UPDATE endpoints SET failing_since = now() - interval '6 days'")
        await house.run("UPDATE deliveries SET next_at = now()")
        await until(lambda: _off(house))
        (notice,) = await house.rows("SELECT * FROM notices WHERE template = 'target.off'")
        assert notice.agency == "police" and notice.dataref.endswith(path)
        inbox = (await house.client.get("/v1/notices", headers=own)).json()["items"]
        assert "target.off" in [item["template"] for item in inbox]
        missed = opened()
        await house.tell(missed)
        assert len(await house.rows("SELECT 1 FROM deliveries")) == 1, "nothing goes to a target that is off"
        receiver.status = 204
        was = (await house.client.get(path, headers=own)).headers["etag"]
        on = await house.client.patch(path, json={"active": True}, headers=own | {"if-match": was})
        assert (on.json()["circuit"], on.json()["failing_since"], on.json()["off_reason"]) == ("closed", None, None)
        key = own | {"idempotency-key": str(new_id())}
        asked = {"failed_only": True, "limit": 2}
        first = (await house.client.post(f"{path}/replay", json=asked, headers=key)).json()
        assert first["queued"] == 2 and first["next"]
        again = (await house.client.post(f"{path}/replay", json=asked, headers=key)).json()
        assert again.keys() == first.keys(), "the key was used: nothing is queued anew"
        rest = (
            await house.client.post(
                f"{path}/replay", json=asked | {"after": first["next"]}, headers=own | {"idempotency-key": str(new_id())}
            )
        ).json()
        assert (rest["queued"], rest["next"]) == (1, None)
        await until(lambda: _done(house, 3))
        told = {json.loads(body)["data"]["notice_id"]: headers["webhook-id"] for headers, body in receiver.got}
        rows = {str(r.notice_id): f"msg_{r.id}" for r in await house.rows("SELECT id, notice_id FROM deliveries")}
        assert told == rows and len(rows) == 3
        by_hand = rows[next(iter(rows))]
        await house.client.post(f"{path}/deliveries/{by_hand}/redelivery", headers=own)
        await until(lambda: receiver.ids.count(by_hand) >= 2)
        await until(lambda: _done(house, 3))
        # the rows last: the replay again of everything sends nothing under a second id
        await house.client.post(f"{path}/replay", json={}, headers=own | {"idempotency-key": str(new_id())})
        await until(lambda: len(receiver.ids) >= 7)
        assert set(receiver.ids) == set(rows.values())


async def _off(house: House) -> bool:
    return bool(await house.rows("SELECT 1 FROM endpoints WHERE NOT active AND off_reason = 'dead'"))


async def test_three_days_end_a_message_and_the_notice_says_so(house: House) -> None:
    async with Receiver(status=503, headers="retry-after: 2\r\n").running() as receiver, delivering(house):
        await target(house, receiver.url)
        await house.tell(opened())
        await until(lambda: _is(house, [("retrying", "503", 0)]))
        (row,) = await house.rows("SELECT failures, not_before - now() AS rest FROM endpoints")
        assert row.failures == 0 and row.rest < timedelta(seconds=2.1), "as it asked"
        await house.run("UPDATE deliveries SET created_at = now() - interval '73 hours', next_at = now() + interval '1 hour'")
        await jobs.give_up(house.service)
        assert await state(house) == [("failed", "expired", 0)]
        (notice,) = await house.rows("SELECT transit, state FROM notices WHERE agency = 'police'")
        assert (notice.transit, notice.state) == ("failed", "waiting"), "the inbox has it all the same"


async def test_a_database_that_asks_to_try_again_loses_no_mark(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deadlock or a short outage between send and mark: the mark is made a moment later, and nothing is sent twice."""
    from sqlalchemy.exc import TimeoutError as PoolTimeoutError

    whole, troubles = sending.settle, iter([PoolTimeoutError("no connection"), PoolTimeoutError("no connection")])

    async def troubled(*args: Any) -> None:
        trouble = next(troubles, None)
        if trouble is not None:
            raise trouble
        await whole(*args)

    monkeypatch.setattr(sending, "settle", troubled)
    async with Receiver().running() as receiver, delivering(house):
        await target(house, receiver.url)
        await house.tell(opened())
        await until(lambda: _done(house, 1))
        assert len(receiver.got) == 1


async def test_operators_see_and_mend_every_agencys_targets_and_heads_only_their_own(house: House) -> None:
    async with Receiver(status=500).running() as receiver, delivering(house):
        made = await target(house, receiver.url)
        await house.tell(opened())
        await until(lambda: _is(house, [("retrying", "500", 1)]))
        operator = house.bearer(agency="commerce", posts=("operator",))
        other = house.bearer(agency="commerce", posts=("head",))
        listed = (await house.client.get("/v1/webhooks", headers=operator)).json()["items"]
        assert [(item["id"], item["circuit"]) for item in listed] == [(made["id"], "failing")]
        waiting = (await house.client.get("/v1/webhooks/deliveries?state=retrying", headers=operator)).json()["items"]
        assert len(waiting) == 1 and waiting[0]["endpoint_id"] == made["id"]
        assert (await house.client.get("/v1/webhooks/deliveries", headers=other)).json()["items"] == []
        receiver.status = 204
        path = f"/v1/webhooks/{made['id']}/deliveries/{waiting[0]['id']}/redelivery"
        assert (await house.client.post(path, headers=other)).status_code == 404
        assert (await house.client.post(path, headers=operator)).status_code == 202
        await until(lambda: _is(house, [("delivered", "204", 1)]))
        for nobody in (house.bearer(agency="police", posts=("desk",)), house.bearer(agency="police", posts=("investigator",))):
            assert (await house.client.get("/v1/webhooks", headers=nobody)).status_code == 403
