"""What an answer means, how a circuit stands, when one is quiet, what is said: pure rules of messages outside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.notify.adapters.sms import authorisation
from services.notify.domain import circuits, retries
from services.notify.domain.channels import Channel, checked, robot_token, shown
from services.notify.domain.circuits import Circuit
from services.notify.domain.outcomes import of_http, of_robot, of_sms, of_smtp, waiting_time
from services.notify.domain.targets import BadTargetError
from services.notify.domain.wording import USUAL, said
from shared.rules.plan.delivery import DeliveryRules, Quiet, Words

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
"""22:00 in China."""
WELL = of_http(200, None, NOW)


@pytest.mark.parametrize(
    ("status", "after", "delivered", "permanent", "busy", "gone", "wait"),
    [
        (200, None, True, False, False, False, None), (204, None, True, False, False, False, None),
        (301, None, False, False, False, False, None), (400, None, False, True, False, False, None),
        (401, None, False, False, False, False, None), (404, None, False, False, False, False, None),
        (410, None, False, False, False, True, None), (413, None, False, True, False, False, None),
        (422, None, False, True, False, False, None), (429, None, False, False, True, False, None),
        (429, "30", False, False, True, False, 30.0), (500, "30", False, False, False, False, None),
        (503, None, False, False, False, False, None), (503, "120", False, False, True, False, 120.0),
    ],
)  # fmt: skip
def test_http_answers(
    status: int, after: str | None, delivered: bool, permanent: bool, busy: bool, gone: bool, wait: float | None
) -> None:
    out = of_http(status, after, NOW)
    assert (out.delivered, out.permanent, out.busy, out.gone, out.retry_after) == (delivered, permanent, busy, gone, wait)


@given(st.text(max_size=60))
def test_retry_after_is_a_day_at_most_and_never_breaks(header: str) -> None:
    wait = waiting_time(header, NOW)
    assert wait is None or 0 <= wait <= 86_400


def test_retry_after_as_a_date() -> None:
    assert waiting_time("Mon, 23 Nov 2026 14:00:30 GMT", NOW) == 30
    assert waiting_time("Mon, 23 Nov 2025 14:00:30 GMT", NOW) == 0
    assert waiting_time("999999999999", NOW) == 86_400


@given(st.sampled_from([Channel.DINGTALK, Channel.WECOM, Channel.FEISHU]), st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
))  # fmt: skip
def test_a_robot_that_does_not_say_zero_has_not_taken_it(channel: Channel, answer: object) -> None:
    out = of_robot(channel, WELL, answer)
    confirmed = isinstance(answer, dict) and any(
        answer.get(key) == 0 and not isinstance(answer.get(key), bool) for key in ("errcode", "code", "StatusCode")
    )
    assert out.delivered <= confirmed
    assert not (out.delivered and (out.busy or out.permanent or out.gone))


@pytest.mark.parametrize(("code", "permanent", "busy"), [(421, False, True), (450, False, False), (535, False, False),
    (550, True, False), (552, True, False)])  # fmt: skip
def test_smtp_answers(code: int, permanent: bool, busy: bool) -> None:
    out = of_smtp(code)
    assert (out.delivered, out.permanent, out.busy) == (False, permanent, busy)


def test_sms_answers() -> None:
    assert of_sms(WELL, {"Code": "OK"}).delivered
    assert of_sms(WELL, {"Code": "isv.MOBILE_NUMBER_ILLEGAL"}).permanent
    assert of_sms(WELL, {"Code": "isv.BUSINESS_LIMIT_CONTROL"}).busy
    assert not of_sms(WELL, None).delivered and not of_sms(WELL, {"Code": 0}).delivered
    assert of_sms(of_http(503, "9", NOW), "<html>").retry_after == 9


def test_the_gateways_signature_is_the_one_its_makers_publish() -> None:
    """Alibaba Cloud, “Request body and signature mechanism for V3”, the worked example."""
    headers = {
        "host": "ecs.cn-shanghai.aliyuncs.com", "x-acs-action": "RunInstances", "x-acs-version": "2014-05-26",
        "x-acs-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "x-acs-date": "2023-10-26T10:22:32Z", "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
    }  # fmt: skip
    query = {"ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd", "RegionId": "cn-shanghai"}
    made = authorisation("YourAccessKeyId", "YourAccessKeySecret", "POST", "/", query, headers, b"")
    assert made.endswith("Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0")


def _row(active: bool = True, failures: int = 0, paused: datetime | None = None) -> dict[str, object]:
    return {"active": active, "failures": failures, "paused_until": paused}


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        (_row(), Circuit.CLOSED), (_row(failures=1), Circuit.FAILING), (_row(failures=4), Circuit.FAILING),
        (_row(failures=5, paused=NOW + timedelta(seconds=1)), Circuit.OPEN), (_row(failures=5, paused=NOW), Circuit.PROBING),
        (_row(active=False, failures=9), Circuit.OFF),
    ],
)  # fmt: skip
def test_circuits(row: dict[str, object], wanted: Circuit) -> None:
    assert circuits.circuit(row, NOW) is wanted


def test_the_schedule_of_tries_lasts_just_under_three_days() -> None:
    at, tries = NOW, 0
    while (again := retries.next_try(tries + 1, NOW, at)) is not None:
        at, tries = again, tries + 1
    assert timedelta(days=2, hours=22) < at - NOW < retries.GIVE_UP_AFTER and tries == len(retries.PAUSES)


def test_a_target_is_switched_off_after_the_plans_days() -> None:
    assert not circuits.switched_off(None, 5, NOW)
    assert not circuits.switched_off(NOW - timedelta(days=4, hours=23), 5, NOW)
    assert circuits.switched_off(NOW - timedelta(days=5), 5, NOW)


@given(st.integers(1, 50), st.integers(0, 80), st.integers(1, 90), st.integers(0, 200))
def test_a_limit_is_never_passed_within_its_minute(limit: int, used: int, wanted: int, seconds: int) -> None:
    found = circuits.allowance(limit, NOW - timedelta(seconds=seconds), used, wanted, NOW)
    already = used if seconds < 60 else 0
    assert 0 <= found.most <= wanted and found.used + found.most <= max(limit, already)
    assert (found.until is None) == (found.most > 0)
    assert circuits.allowance(None, None, 0, wanted, NOW).most == wanted


@pytest.mark.parametrize(("at", "until"), [("20:59", None), ("21:30", "07:30"), ("23:59", "07:30"), ("00:00", "07:30"),
    ("07:29", "07:30"), ("07:30", None), ("12:00", None)])  # fmt: skip
def test_quiet_hours_over_midnight(at: str, until: str | None) -> None:
    quiet = Quiet(starts="21:30", ends="07:30")
    hour, minute = map(int, at.split(":"))
    now = datetime(2026, 11, 23, tzinfo=UTC) + timedelta(hours=hour - 8, minutes=minute)
    found = quiet.until("sms", now, "Asia/Shanghai")
    assert (found is None) == (until is None) and quiet.until("webhook", now, "Asia/Shanghai") is None
    if found is not None:
        assert timedelta(0) < found - now <= timedelta(hours=10)
        assert (found + timedelta(hours=8)).strftime("%H:%M") == until


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=30), st.booleans())
def test_whatever_a_plan_says_the_link_is_told(subject: str, body: str, number: str, urgent: bool) -> None:
    words = Words.model_construct(subject=subject, text=body, urgent="急", normal="通知", unnumbered="新事项")
    found = said(words, number, urgent, "https://town.example/#notice-1")
    assert "https://town.example/#notice-1" in found.text and "\n" not in found.subject


def test_a_plan_may_use_only_the_three_slots() -> None:
    for wrong in ("{name} {link}", "{number.__class__} {link}", "{", "{0} {link}", "no link"):
        with pytest.raises(ValidationError):
            Words(text=wrong)
    assert "{link}" in USUAL.text and DeliveryRules().switch_off_days == 5


def test_addresses_are_kept_and_shown_as_their_channel_wants() -> None:
    assert checked(Channel.SMS, "+86 138-0013-8000", local=False) == "13800138000"
    assert shown(Channel.SMS, "13800138000") == "138****8000"
    ding = "https://oapi.dingtalk.com/robot/send?access_token=abcdefgh12345678"
    assert robot_token(Channel.DINGTALK, ding, local=False) == ("https://oapi.dingtalk.com", "abcdefgh12345678")
    assert shown(Channel.DINGTALK, ding) == "oapi.dingtalk.com/…5678"
    with pytest.raises(BadTargetError):
        robot_token(Channel.WECOM, ding, local=False)
    with pytest.raises(BadTargetError):
        checked(Channel.FEISHU, "http://open.feishu.cn/open-apis/bot/v2/hook/abcdefgh1", local=False)
