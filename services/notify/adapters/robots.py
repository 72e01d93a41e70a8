"""Chat robots (群机器人) of DingTalk, WeCom and Feishu, by the shapes their makers document.

Not by Apprise: it calls an HTTP 200 sent, whatever code stands inside, and these robots refuse with a code inside a 200;
a refused notice would be lost. docs/decisions says more.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import orjson

from services.notify.adapters.outside import FAILURES, Outside, failed, json_of
from services.notify.domain.channels import Channel
from services.notify.domain.outcomes import Outcome, of_http, of_robot


def _signed(key: bytes, message: bytes) -> str:
    return base64.b64encode(hmac.digest(key, message, hashlib.sha256)).decode()


def request(channel: Channel, address: str, secret: str | None, text: str, now: datetime) -> tuple[str, dict[str, Any]]:
    """Where a text is posted and as what; with the robot's secret (加签) it is signed as of `now`."""
    seconds, milliseconds = str(int(now.timestamp())), str(int(now.timestamp() * 1000))
    if channel is Channel.FEISHU:
        body: dict[str, Any] = {"msg_type": "text", "content": {"text": text}}
        if secret:
            body = {"timestamp": seconds, "sign": _signed(f"{seconds}\n{secret}".encode(), b""), **body}
        return address, body
    if channel is Channel.DINGTALK and secret:
        sign = _signed(secret.encode(), f"{milliseconds}\n{secret}".encode())
        address = f"{address}&{urlencode({'timestamp': milliseconds, 'sign': sign})}"
    return address, {"msgtype": "text", "text": {"content": text}}


class Robots:
    """Posts to chat robots."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    async def send(self, channel: Channel, kept: str, text: str, now: datetime) -> Outcome:
        """One attempt; `kept` is the address, and in a second line the robot's secret if it has one."""
        address, _, secret = kept.partition("\n")
        url, body = request(channel, address, secret or None, text, now)
        try:
            answer = await self._outside.post(
                url, orjson.dumps(body), {"content-type": "application/json; charset=utf-8"}, read=True
            )
        except FAILURES as error:
            return failed(error)
        return of_robot(channel, of_http(answer.status, answer.retry_after, now), json_of(answer.body))
