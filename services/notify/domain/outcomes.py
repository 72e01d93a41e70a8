"""What came of an attempt to deliver, and whether it is worth another: by HTTP status, robot code, SMTP code. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from services.notify.domain.channels import Channel

LONGEST_WAIT = timedelta(days=1)
"""A target may ask to be left alone for so long at most."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt: a code such as `204`, `timeout`, `private-address`; whether it arrived.

    `permanent`: this message will never be taken, another try is useless. `gone`: the target wants no more at all.
    `busy`: the target is well but asks for patience (no failure of its circuit), `retry_after` seconds of it.
    `ours`: this message could not be put together here; the target has nothing to do with it.
    """

    code: str
    delivered: bool
    gone: bool = False
    permanent: bool = False
    busy: bool = False
    retry_after: float | None = None
    ours: bool = False


_NEVER = frozenset({400, 413, 415, 422})
"""Statuses by which a receiver says that this very message is wrong: equal at each attempt, it would be refused again."""
_BUSY = frozenset({425, 429})


def of_http(status: int, retry_after: str | None, now: datetime) -> Outcome:
    """An HTTP answer (RFC 9110 §15, RFC 6585 §4; 410 as Standard Webhooks reads it)."""
    wait = waiting_time(retry_after, now) if status in _BUSY or status == 503 else None
    return Outcome(
        str(status),
        200 <= status < 300,
        gone=status == 410,
        permanent=status in _NEVER,
        busy=status in _BUSY or wait is not None,
        retry_after=wait,
    )


def waiting_time(header: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for (RFC 9110 §10.2.3), a day at most; None when it says nothing usable."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        seconds = float(text[:9])
    else:
        try:
            seconds = (parsedate_to_datetime(text) - now).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return None
    return min(max(seconds, 0.0), LONGEST_WAIT.total_seconds())


_ROBOT_BUSY: Mapping[Channel, frozenset[int]] = {
    Channel.DINGTALK: frozenset({-1, 130101, 410100, 90018, 88}),
    Channel.WECOM: frozenset({-1, 45009, 45033}),
    Channel.FEISHU: frozenset({11232, 9499, 11233}),
}
"""Codes for “too many, wait a minute”, as the makers' pages list them."""
_ROBOT_GONE: Mapping[Channel, frozenset[int]] = {
    Channel.DINGTALK: frozenset({300001, 300005, 40035, 400013, 400101, 400102}),
    Channel.WECOM: frozenset({93000}),
    Channel.FEISHU: frozenset({19001}),
}
"""Codes for “no such robot”: it was removed from its group."""
_ROBOT_NEVER: Mapping[Channel, frozenset[int]] = {
    Channel.DINGTALK: frozenset({40054, 400105}),
    Channel.WECOM: frozenset({40058, 45002, 45004}),
    Channel.FEISHU: frozenset(),
}
"""Codes for “this message is wrong”. What is left (keyword, signature, sender's address not listed) the owner can put
right, and the message then goes."""
ROBOT_REST_S = 60.0


def of_robot(channel: Channel, http: Outcome, answer: Any) -> Outcome:
    """A chat robot's answer: HTTP says little, the code inside says what happened; without one it did not arrive."""
    if not http.delivered:
        return http
    code = answer.get("errcode", answer.get("code", answer.get("StatusCode"))) if isinstance(answer, dict) else None
    if not isinstance(code, int) or isinstance(code, bool):
        return Outcome("no-answer", False)
    if code == 0:
        return replace(http, code="ok")
    if code in _ROBOT_BUSY[channel]:
        return Outcome(f"robot-{code}", False, busy=True, retry_after=ROBOT_REST_S)
    return Outcome(f"robot-{code}", False, gone=code in _ROBOT_GONE[channel], permanent=code in _ROBOT_NEVER[channel])


_OURS = frozenset({530, 534, 535, 538})
"""SMTP codes about our own sign-in at the relay (RFC 4954): not the message's fault, and put right by ops."""


def of_smtp(code: int) -> Outcome:
    """An SMTP answer: 4xx is for now, 5xx for good (RFC 5321 §4.2.1)."""
    if 200 <= code < 300:
        return Outcome(f"smtp-{code}", True)
    return Outcome(f"smtp-{code}", False, permanent=500 <= code < 600 and code not in _OURS, busy=code == 421)


_SMS_BUSY = frozenset({"isv.BUSINESS_LIMIT_CONTROL", "Throttling", "Throttling.User", "Throttling.Api"})
_SMS_NEVER = frozenset({"isv.MOBILE_NUMBER_ILLEGAL", "isv.MOBILE_COUNT_OVER_LIMIT", "isv.BLACK_KEY_CONTROL_LIMIT",
                        "isv.TEMPLATE_PARAMS_ILLEGAL", "isv.PARAM_LENGTH_LIMIT", "isv.INVALID_PARAMETERS"})  # fmt: skip
SMS_REST_S = 60.0


def of_sms(http: Outcome, answer: Any) -> Outcome:
    """An SMS gateway's answer: its `Code` decides, whatever the HTTP status; without one, the status does."""
    code = answer.get("Code") if isinstance(answer, dict) else None
    if code == "OK":
        return Outcome("ok", True)
    if not isinstance(code, str) or not code.isascii() or len(code) > 60:
        return http if not http.delivered else Outcome("no-answer", False)
    if code in _SMS_BUSY:
        return Outcome(code, False, busy=True, retry_after=http.retry_after or SMS_REST_S)
    return Outcome(code, False, permanent=code in _SMS_NEVER)
