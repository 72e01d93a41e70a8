"""The delivery console: targets, what failed, messages sent again by hand and from a day on; every agency its own."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
from standardwebhooks import Webhook

from services.notify import jobs
from shared.kit import clock
from shared.kit.ids import new_id
from shared.rules.calendar import local_day
from tests.integration.notify.conftest import House, told
from tests.integration.notify.outside import target
from tests.integration.notify.test_notices import opened
from tests.integration.notify.test_webhooks import AGENCY, Receiver, _is, delivering, until

OPERATOR = {"agency": "commerce", "posts": ("operator",)}
BROWSER = {"accept": "text/html", "sec-fetch-site": "same-origin"}


class Desk:
    """An officer in a browser."""

    def __init__(self, house: House, **who: Any) -> None:
        self._house, self._headers = house, house.bearer(**who) | BROWSER

    async def read(self, path: str) -> httpx.Response:
        return await self._house.client.get(path, headers=self._headers)

    async def post(self, path: str, **fields: Any) -> httpx.Response:
        fields = {"idempotency_key": str(new_id()), **fields}
        return await self._house.client.post(path, data=fields, headers=self._headers)


def secret_of(page: str) -> str:
    [found] = re.findall(r"whsec_[A-Za-z0-9+/=]+", page)
    return found


async def test_an_agency_adds_a_target_and_changes_its_secret_on_the_page(house: House) -> None:
    """Point 12: by the agency itself; a secret is shown once, and while two overlap a message verifies under both."""
    head = Desk(house, **AGENCY)
    assert "通知只进收件箱" in told((await head.read("/webhooks")).text)
    async with Receiver().running() as receiver, delivering(house):
        made = await head.post("/webhooks", channel="webhook", url=receiver.url, name="案件系统")
        assert made.status_code == 200 and made.headers["cache-control"] == "no-store"
        first = secret_of(made.text)
        (row,) = await house.rows("SELECT id, version, name FROM endpoints")
        path = f"/webhooks/{row.id}"
        assert row.name == "案件系统" and "whsec_" not in (await head.read(path)).text
        again = await head.post("/webhooks", channel="webhook", url=receiver.url)
        assert again.status_code == 409 and "已登记" in again.text
        key = str(new_id())
        changed = [await head.post(f"{path}/secret", idempotency_key=key, version=1, overlap_hours=24) for _ in range(2)]
        second = secret_of(changed[0].text)
        assert second != first and secret_of(changed[1].text) == second, "a reload shows the same one"
        assert (await head.post(f"{path}/ping")).status_code == 303
        await until(lambda: bool(receiver.got))
        for secret in (first, second):
            assert Webhook(secret).verify(*reversed(receiver.got[0]))["type"] == "ping"
    stale = await head.post(f"{path}/settings", version=1, name="改名")
    assert stale.status_code == 412 and "重新读取" in stale.text
    saved = await head.post(f"{path}/settings", version=2, name="改名", urgent_only="true", per_minute=30)
    assert saved.status_code == 303
    (row,) = await house.rows("SELECT name, urgent_only, per_minute FROM endpoints")
    assert tuple(row) == ("改名", True, 30)
    refused = await head.post("/webhooks", channel="dingtalk", url="https://oapi.example/other")
    assert refused.status_code == 422 and "不是这种机器人的地址" in refused.text
    assert (await head.post(f"{path}/removal", version=3)).status_code == 303
    assert await house.rows("SELECT 1 FROM endpoints") == []


async def test_operators_send_again_by_hand_and_from_a_day_on(house: House) -> None:
    """Point 12: a message given up, then a target that was off for days; each notice goes under the one id it has."""
    ops, today = Desk(house, **OPERATOR), local_day(clock.now()).isoformat()
    async with Receiver(status=422).running() as receiver, delivering(house):
        made = await target(house, receiver.url)
        path = f"/webhooks/{made['id']}"
        await house.tell(opened())
        await until(lambda: _is(house, [("failed", "422", 1)]))
        page = (await ops.read("/webhooks")).text
        assert "HTTP 422" in page and "公安" in told(page) and "已放弃" in page
        (message,) = re.findall(r'name="message" value="([^"]+)"', page)
        receiver.status = 204
        assert (await ops.post(f"{path}/redelivery", message=message)).status_code == 303
        await until(lambda: _is(house, [("delivered", "204", 1)]))
        assert receiver.ids == [f"msg_{message}"] * 2
        assert (await ops.post(f"{path}/switch", version=1, active="false")).status_code == 303
        await house.tell(opened())
        off = (await ops.read(path)).text
        assert "已停用，不再向这里推送" in off and "由本单位停用" in off and "补发" not in told(off).partition("已停用")[0]
        assert (await ops.post(f"{path}/switch", version=2, active="true")).status_code == 303
        none = await ops.post(f"{path}/replay", day="2100-01-01")
        assert none.headers["location"].endswith("queued=0")
        missed = await ops.post(f"{path}/replay", day=today)
        assert missed.headers["location"].endswith("queued=1"), "what arrived is not sent again"
        await until(lambda: _is(house, [("delivered", "204", 1)] * 2))
        whole = await ops.post(f"{path}/replay", day=today, everything="true")
        assert whole.headers["location"].endswith("queued=2") and "2 条消息正在重发" in (await ops.read(whole.headers["location"])).text
        await until(lambda: len(receiver.got) == 5)
        of_notice: dict[str, set[str]] = {}
        for headers, body in receiver.got:
            of_notice.setdefault(json.loads(body)["data"]["notice_id"], set()).add(headers["webhook-id"])
        assert len(of_notice) == 2 and all(len(ids) == 1 for ids in of_notice.values())
        figures = told((await ops.read("/webhooks?state=delivered")).text)
        assert "最近三十天" in figures
    await jobs.give_up(house.service)


async def test_the_console_is_for_heads_of_their_own_agency_and_for_operators(house: House) -> None:
    """Point 11: what is not one's own is not there, on every path."""
    async with Receiver().running() as receiver:
        made = await target(house, receiver.url)
    path, other = f"/webhooks/{made['id']}", Desk(house, agency="commerce", posts=("head",))
    assert made["url"] not in (await other.read("/webhooks")).text and (await other.read(path)).status_code == 404
    for what in ("ping", "switch", "settings", "secret", "replay", "redelivery"):
        fields = {"version": 1, "active": "false", "overlap_hours": 0, "message": str(new_id())}
        wanted = {"ping": (), "switch": ("version", "active"), "settings": ("version",), "secret": ("version", "overlap_hours"),
                  "replay": (), "redelivery": ("message",)}[what]  # fmt: skip
        answer = await other.post(f"{path}/{what}", **{name: fields[name] for name in wanted})
        assert answer.status_code == 404, what
    assert (await other.post(f"{path}/removal", version=1)).status_code == 303
    assert len(await house.rows("SELECT 1 FROM endpoints")) == 1, "nothing was removed"
    nobody = Desk(house, agency="police", posts=("desk",))
    for where in ("/webhooks", path):
        assert (await nobody.read(where)).status_code == 403


async def test_an_agencys_system_keeps_its_own_targets_by_a_right_of_its_own(house: House) -> None:
    """Point 12: with its token alone; whoever may only read notices adds nothing."""
    async with Receiver().running() as receiver:
        for scopes, status in ((("notice.read",), 403), (("notice.read", "webhook.manage"), 201)):
            client = f"shop-{status}"
            secret = await house.system(client, scopes)
            token = (await house.token((client, secret))).json()["access_token"]
            made = await house.client.post(
                "/v1/webhooks", json={"url": receiver.url}, headers={"authorization": f"Bearer {token}"}
            )
            assert made.status_code == status, made.text
        assert made.json()["agency"] == "commerce" and made.json()["secret"].startswith("whsec_")
