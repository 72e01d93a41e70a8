"""E-mail, chat robots and SMS over real servers: what they say, and what becomes of a notice when they are refused."""

from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest

from services.notify.adapters.sms import authorisation
from shared.kit import clock
from shared.rules.calendar import SHANGHAI
from shared.rules.plan.delivery import Quiet, Words
from tests.integration.notify.conftest import House
from tests.integration.notify.outside import MailServer, Talker, rules, setting, target
from tests.integration.notify.test_notices import opened
from tests.integration.notify.test_webhooks import AGENCY, Receiver, _is, delivering, state, until

NEVER_SAID = ("headcount", "antang", "economic_crime", "大涌派出所")
"""What a message outside must not tell: kinds, places, units."""


def words(house: House) -> None:
    """The robots' minute is no limit here, and tests run by night too."""
    rules(house, per_minute={}, quiet=None)


async def test_e_mail_tells_number_and_link_only_and_bears_one_constant_id(house: House) -> None:
    words(house)
    async with MailServer().running(house) as server, delivering(house):
        made = await target(house, "desk@police.example", "email")
        assert made["url"] == "d***@police.example" and made["secret"] is None
        await house.tell(opened(number="DY-2026-0815"))
        await until(lambda: _is(house, [("delivered", "250", 1)]))
        ((to, raw),) = server.got
        letter = email.message_from_string(raw, policy=email.policy.default)
        (row,) = await house.rows("SELECT id, notice_id FROM deliveries")
        assert to == "desk@police.example" and letter["message-id"] == f"<msg_{row.id}@town.example>"
        assert "DY-2026-0815" in letter["subject"] and f"/#notice-{row.notice_id}" in letter.get_content()
        assert not any(word in letter.get_content() for word in NEVER_SAID)


@pytest.mark.parametrize(
    ("says", "wanted", "failing"),
    [
        ("450 4.2.1 mailbox busy", ("retrying", "smtp-450", 1), 1),
        ("550 5.1.1 no such user", ("failed", "smtp-550", 1), 0),
        ("421 4.7.0 try later", ("retrying", "smtp-421", 0), 0),
    ],
)
async def test_a_mail_server_refuses_for_now_or_for_good(
    house: House, says: str, wanted: tuple[str, str, int], failing: int
) -> None:
    async with MailServer(says).running(house) as server, delivering(house):
        await target(house, "desk@police.example", "email")
        await house.tell(opened())
        await until(lambda: _is(house, [wanted]))
        (row,) = await house.rows("SELECT failures, failing_since, not_before FROM endpoints")
        assert row.failures == failing and (row.not_before is not None) == (says[:3] == "421")
        (notice,) = await house.rows("SELECT transit FROM notices WHERE agency = 'police'")
        assert notice.transit == ("failed" if wanted[0] == "failed" else "sent")
        server.says = "250 OK"
        await house.run("UPDATE deliveries SET next_at = now() WHERE state = 'retrying'")
        await house.run("UPDATE endpoints SET not_before = NULL")
        if wanted[0] == "retrying":
            await until(lambda: _is(house, [("delivered", "250", wanted[2] + 1)]))
            assert len(server.got) == 1


async def test_a_relay_that_is_away_is_held_against_nobody(house: House) -> None:
    async with MailServer().running(house) as server, delivering(house):
        await target(house, "desk@police.example", "email")
        setting(house, smtp_port=9)
        await house.tell(opened())
        await until(lambda: _is(house, [("retrying", "relay-unreachable", 0)]))
        (row,) = await house.rows("SELECT failures, failing_since, not_before > now() AS waits FROM endpoints")
        assert (row.failures, row.failing_since, row.waits) == (0, None, True)
        setting(house, smtp_port=server.port)
        await house.run("UPDATE deliveries SET next_at = now()")
        await house.run("UPDATE endpoints SET not_before = NULL")
        await until(lambda: _is(house, [("delivered", "250", 1)]))


async def test_a_crash_after_the_mail_was_taken_sends_it_again_under_its_id(house: House) -> None:
    async with MailServer(hangs_after_data=True).running(house) as server:
        await target(house, "desk@police.example", "email")
        await house.tell(opened())
        async with delivering(house):
            await until(lambda: bool(server.got))
        server.hangs_after_data = False
        await house.run("UPDATE deliveries SET claimed_until = now()")
        async with delivering(house):
            await until(lambda: _is(house, [("delivered", "250", 1)]))
        first, second = (email.message_from_string(raw) for _, raw in server.got)
        assert first["message-id"] == second["message-id"] and first["date"] == second["date"]


ROBOTS: dict[str, tuple[str, str, Any, Any]] = {
    "dingtalk": ("/robot/send?access_token=abcdef1234567890", "/robot/send", {"errcode": 0, "errmsg": "ok"},
                 {"errcode": 300005, "errmsg": "token is not exist"}),
    "wecom": ("/cgi-bin/webhook/send?key=11111111-2222-3333", "/cgi-bin/webhook/send", {"errcode": 0, "errmsg": "ok"},
              {"errcode": 93000, "errmsg": "invalid webhook url"}),
    "feishu": ("/open-apis/bot/v2/hook/11111111-2222", "/open-apis/bot/v2/hook/11111111-2222",
               {"StatusCode": 0, "code": 0, "msg": "success"}, {"code": 19001, "msg": "param invalid"}),
}  # fmt: skip


@pytest.mark.parametrize("channel", ROBOTS)
async def test_a_chat_robot_is_told_and_signed_for(house: House, channel: str) -> None:
    words(house)
    address, path, well, _ = ROBOTS[channel]
    secret = {} if channel == "wecom" else {"robot_secret": "SEC0123456789"}
    async with Talker(well).running() as robot, delivering(house):
        made = await target(house, robot.base + address, channel, **secret)
        assert "access_token" not in made["url"] and "2222-3333" not in made["url"], "the address is a secret"
        await house.tell(opened(number="DY-2026-0815", urgent=True))
        await until(lambda: _is(house, [("delivered", "ok", 1)]))
        ((where, query, _, body),) = robot.got
        text = body["content"]["text"] if channel == "feishu" else body["text"]["content"]
        (row,) = await house.rows("SELECT notice_id FROM deliveries")
        assert where == path and "打传" in text and "DY-2026-0815" in text and "紧急" in text and str(row.notice_id) in text
        assert not any(word in text for word in NEVER_SAID)
        if channel == "dingtalk":
            message = f"{query['timestamp']}\nSEC0123456789".encode()
            wanted = hmac.digest(b"SEC0123456789", message, hashlib.sha256)
            assert query["sign"] == base64.b64encode(wanted).decode() and query["access_token"] == "abcdef1234567890"
        if channel == "feishu":
            wanted = hmac.digest(f"{body['timestamp']}\nSEC0123456789".encode(), b"", hashlib.sha256)
            assert body["sign"] == base64.b64encode(wanted).decode()


@pytest.mark.parametrize("channel", ROBOTS)
async def test_a_robot_that_was_removed_is_switched_off_and_its_owner_told(house: House, channel: str) -> None:
    """The robots refuse inside an HTTP 200, which is not taken for a delivery."""
    words(house)
    address, _, _, gone = ROBOTS[channel]
    async with Talker(gone).running() as robot, delivering(house):
        made = await target(house, robot.base + address, channel)
        await house.tell(opened())
        code = gone.get("errcode", gone.get("code"))
        await until(lambda: _is(house, [("retrying", f"robot-{code}", 1)]))
        own = house.bearer(**AGENCY)
        now = (await house.client.get(f"/v1/webhooks/{made['id']}", headers=own)).json()
        assert (now["active"], now["off_reason"], now["circuit"]) == (False, "gone", "off")
        (notice,) = await house.rows("SELECT agency, matter_id FROM notices WHERE template = 'target.off'")
        assert (notice.agency, str(notice.matter_id)) == ("police", made["id"])


@pytest.mark.parametrize(
    ("answer", "code"), [({"errcode": 130101}, "robot-130101"), ("not a robot", "no-answer"), ({}, "no-answer")]
)
async def test_what_a_robot_does_not_confirm_stays_due(house: House, answer: Any, code: str) -> None:
    words(house)
    async with Talker(answer).running() as robot, delivering(house):
        await target(house, robot.base + ROBOTS["dingtalk"][0], "dingtalk")
        await house.tell(opened())
        await until(lambda: _is(house, [("retrying", code, 0 if "130101" in code else 1)]))
        robot.answer = {"errcode": 0}
        await house.run("UPDATE deliveries SET next_at = now()")
        await house.run("UPDATE endpoints SET not_before = NULL")
        await until(lambda: _is(house, [("delivered", "ok", 1 if "130101" in code else 2)]))


def gateway(house: House, talker: Talker) -> None:
    rules(house, per_minute={}, quiet=None)
    setting(house, sms_url=talker.base, sms_key_id="key-id", sms_sign_name="打传办", sms_template="SMS_1")


async def test_the_sms_gateway_counts_what_arrived_and_what_did_not(house: House) -> None:
    """D-K2b: messages through an SMS gateway, with delivery figures by day and reason."""
    async with Talker({"Code": "OK", "Message": "OK", "BizId": "9006"}).running() as operator:
        gateway(house, operator)
        made = await target(house, "+86 138-0013-8000", "sms")
        assert made["url"] == "138****8000"
        async with delivering(house):
            for number in range(3):
                await house.tell(opened(number=f"DY-2026-000{number}"))
            await until(lambda: _all(house, "delivered", 3))
            operator.answer = {"Code": "isv.MOBILE_NUMBER_ILLEGAL", "Message": "号码不合法"}
            await house.tell(opened())
            await until(lambda: _all(house, "failed", 1))
            operator.answer = {"Code": "isv.BUSINESS_LIMIT_CONTROL", "Message": "触发流控"}
            await house.tell(opened())
            await until(lambda: _waits(house))
        path, query, headers, _ = operator.got[0]
        ids = {f"msg_{row.id}" for row in await house.rows("SELECT id FROM deliveries")}
        assert {asked["OutId"] for _, asked, _, _ in operator.got} == ids
        assert query["PhoneNumbers"] == "13800138000" and query["SignName"] == "打传办"
        assert set(json.loads(query["TemplateParam"])) == {"number", "urgency", "link"}
        signed = {k: v for k, v in headers.items() if k == "host" or k.startswith("x-acs-")}
        assert headers["authorization"] == authorisation("key-id", "", "POST", path, query, signed, b"")
        found = await house.client.get("/v1/webhooks/figures", headers=house.bearer(**AGENCY))
        (sms,) = found.json()["channels"]
        assert sms == {
            "channel": "sms", "messages": 5, "delivered": 3, "waiting": 1, "failed": 1,
            "outcomes": {"isv.BUSINESS_LIMIT_CONTROL": 1, "isv.MOBILE_NUMBER_ILLEGAL": 1, "ok": 3},
        }  # fmt: skip
        elsewhere = await house.client.get("/v1/webhooks/figures", headers=house.bearer(agency="commerce", posts=("head",)))
        assert elsewhere.json()["channels"] == [], "an agency's figures are its own"


async def _all(house: House, wanted: str, count: int) -> bool:
    return [one for one, _, _ in await state(house)].count(wanted) == count


async def _waits(house: House) -> bool:
    return bool(await house.rows("SELECT 1 FROM endpoints WHERE not_before > now() AND failures = 0"))


async def test_without_a_gateway_a_recorder_stands_for_it_or_the_channel_is_refused(house: House, tmp_path: Any) -> None:
    """Point 12: a sandbox to try against."""
    own, body = house.bearer(**AGENCY), {"url": "13800138000", "channel": "sms"}
    refused = await house.client.post("/v1/webhooks", json=body, headers=own)
    assert refused.status_code == 422 and refused.json()["errors"][0]["code"] == "not-set-up"
    setting(house, sms_record=tmp_path / "sms.jsonl")
    rules(house, quiet=None)
    async with delivering(house):
        made = await target(house, "13800138000", "sms")
        await house.client.post(f"/v1/webhooks/{made['id']}/ping", headers=own)
        await until(lambda: _is(house, [("delivered", "recorded", 1)]))
    (line,) = (tmp_path / "sms.jsonl").read_text().splitlines()
    assert json.loads(line)["to"] == "138****8000" and "13800138000" not in line


BAD = {
    "email": ("desk", "desk@", "a b@c.example", "desk@localhost", "x\r\nBcc: y@z.example"),
    "sms": ("12345", "10800138000", "+1 2025550123"),
    "dingtalk": ("https://oapi.example/robot/send", "https://oapi.example/other?access_token=abcdefgh1234"),
    "wecom": ("https://qyapi.example/cgi-bin/webhook/send?key=<script>",),
    "feishu": ("https://open.example/open-apis/bot/v2/hook/",),
}


async def test_addresses_that_are_none_are_refused(house: House, tmp_path: Any) -> None:
    setting(house, sms_record=tmp_path / "x", smtp_host="127.0.0.1")
    for channel, addresses in BAD.items():
        for url in addresses:
            answer = await house.client.post(
                "/v1/webhooks", json={"url": url, "channel": channel}, headers=house.bearer(**AGENCY)
            )
            assert answer.status_code == 422, (channel, url)
    assert await house.rows("SELECT 1 FROM endpoints") == []


async def test_quiet_hours_hold_what_is_not_urgent(house: House) -> None:
    now = clock.now().astimezone(SHANGHAI)
    quiet = Quiet(starts=(now - timedelta(hours=1)).strftime("%H:%M"), ends=(now + timedelta(hours=1)).strftime("%H:%M"))
    rules(house, quiet=quiet, per_minute={})
    async with Talker({"errcode": 0}).running() as robot, Receiver().running() as hook, delivering(house):
        await target(house, robot.base + ROBOTS["dingtalk"][0], "dingtalk")
        await target(house, hook.url)
        await house.tell(opened(number="DY-2026-0001"))
        await until(lambda: bool(hook.got))
        await until(lambda: _held(house))
        assert robot.got == [], "a robot in a chat is quiet; a machine is not"
        await house.tell(opened(number="DY-2026-0002", urgent=True))
        await until(lambda: bool(robot.got))
        assert len(robot.got) == 1 and "DY-2026-0002" in robot.got[0][3]["text"]["content"]
        rules(house, quiet=None)
        await house.run("UPDATE deliveries SET next_at = now() WHERE state = 'retrying'")
        await until(lambda: len(robot.got) == 2)


async def _held(house: House) -> bool:
    rows = await house.rows(
        "SELECT 1 FROM deliveries d JOIN endpoints e ON e.id = d.endpoint_id "
        "WHERE e.channel = 'dingtalk' AND d.next_at BETWEEN now() + interval '50 minutes' AND now() + interval '61 minutes'"
    )
    return len(rows) == 1


async def test_a_target_gets_no_more_a_minute_than_it_takes_and_urgent_ones_first(house: House) -> None:
    rules(house, quiet=None)
    async with Talker({"errcode": 0}).running() as robot:
        await target(house, robot.base + ROBOTS["dingtalk"][0], "dingtalk", per_minute=2)
        for number in range(4):
            await house.tell(opened(number=f"DY-2026-000{number}"))
        await house.tell(opened(number="DY-2026-0009", urgent=True))
        async with delivering(house):
            await until(lambda: len(robot.got) == 2)
            await until(lambda: _waits(house))
            assert "DY-2026-0009" in robot.got[0][3]["text"]["content"] + robot.got[1][3]["text"]["content"]
            assert len(robot.got) == 2
            await house.run("UPDATE endpoints SET not_before = NULL, window_at = now() - interval '61 seconds'")
            await until(lambda: len(robot.got) == 4)


async def test_a_plan_whose_words_cannot_be_filled_still_tells(house: House) -> None:
    """Template errors: the usual words are said instead, and no notice is lost."""
    broken = Words.model_construct(subject="{nothing}", text="{number.__class__.x} {link", urgent="u", normal="n", unnumbered="-")
    rules(house, words=broken, quiet=None, per_minute={})
    async with Talker({"errcode": 0}).running() as robot, delivering(house):
        await target(house, robot.base + ROBOTS["dingtalk"][0], "dingtalk")
        await house.tell(opened(number="DY-2026-0815"))
        await until(lambda: _is(house, [("delivered", "ok", 1)]))
        assert "DY-2026-0815" in robot.got[0][3]["text"]["content"]


async def test_targets_of_a_unit_and_of_urgent_matters_get_only_theirs(house: House) -> None:
    async with Receiver().running() as cyber, Receiver().running() as urgent, Receiver().running() as all_of_it:
        await target(house, cyber.url, unit="cyber")
        await target(house, urgent.url, urgent_only=True)
        await target(house, all_of_it.url)
        async with delivering(house):
            await house.tell(opened(unit="economic_crime"))
            await house.tell(opened(unit="economic_crime", urgent=True))
            await until(lambda: len(all_of_it.got) == 2)
            await until(lambda: len(urgent.got) == 1)
            assert cyber.got == []
            await house.tell(opened(unit="cyber"))
            await until(lambda: len(cyber.got) == 1)
