"""SMS: a port with one real gateway shape (Alibaba Cloud SendSms, 2017-05-25) and a recorder for trials."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, urlsplit

import orjson

from services.notify.adapters.outside import FAILURES, Outside, failed, json_of
from services.notify.domain.channels import Channel, shown
from services.notify.domain.outcomes import Outcome, of_http, of_sms
from services.notify.domain.wording import Said
from services.notify.settings import Settings

GATEWAY_REST_S = 60.0


class Gateway(Protocol):
    """How an SMS leaves the house. `message_id` is the same at each attempt."""

    async def send(self, number: str, message_id: str, said: Said, now: datetime) -> Outcome: ...


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")


def authorisation(
    key_id: str, key_secret: str, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
) -> str:
    """The Authorization header over a request (Alibaba Cloud signature V3, ACS3-HMAC-SHA256).

    `headers` are those that are signed: `host` and every `x-acs-…`.
    """
    asked = "&".join(f"{_encoded(k)}={_encoded(v)}" for k, v in sorted(query.items()))
    named = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in sorted(headers))
    canonical = "\n".join((method, path, asked, lines, named, hashlib.sha256(body).hexdigest()))
    to_sign = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
    signature = hmac.digest(key_secret.encode(), to_sign.encode(), hashlib.sha256).hex()
    return f"ACS3-HMAC-SHA256 Credential={key_id},SignedHeaders={named},Signature={signature}"


class HttpGateway:
    """The gateway of an operator or cloud that speaks SendSms."""

    def __init__(self, settings: Settings, outside: Outside) -> None:
        self._settings, self._outside = settings, outside

    async def send(self, number: str, message_id: str, said: Said, now: datetime) -> Outcome:
        """One attempt. The gateway fills its own template: number, urgency and link are all it is told."""
        s = self._settings
        url = (s.sms_url or "").rstrip("/")
        query = {
            "PhoneNumbers": number,
            "SignName": s.sms_sign_name,
            "TemplateCode": s.sms_template,
            "TemplateParam": orjson.dumps({"number": said.number, "urgency": said.urgency, "link": said.link}).decode(),
            "OutId": message_id,
        }
        signed = {
            "host": urlsplit(url).netloc,
            "x-acs-action": "SendSms",
            "x-acs-version": "2017-05-25",
            "x-acs-date": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-acs-signature-nonce": uuid.uuid4().hex,
            "x-acs-content-sha256": hashlib.sha256(b"").hexdigest(),
        }
        credential = authorisation(s.sms_key_id, s.sms_key_secret, "POST", "/", query, signed, b"")
        asked = "&".join(f"{_encoded(k)}={_encoded(v)}" for k, v in query.items())
        try:
            answer = await self._outside.post(
                f"{url}/?{asked}", b"", {**signed, "authorization": credential, "accept": "application/json"}, read=True
            )
        except FAILURES as error:
            # the gateway is ours: nothing is held against the number
            return Outcome(f"gateway-{failed(error).code}", False, busy=True, retry_after=GATEWAY_REST_S)
        outcome = of_sms(of_http(answer.status, answer.retry_after, now), json_of(answer.body))
        if outcome.delivered or outcome.permanent or outcome.busy:
            return outcome
        return Outcome(f"gateway-{outcome.code}"[:60], False, busy=True, retry_after=GATEWAY_REST_S)


class Recorder:
    """Keeps a line for each SMS instead of sending it: for trials on one machine."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def send(self, number: str, message_id: str, said: Said, now: datetime) -> Outcome:
        """Always taken. The number stands as its owner may see it."""
        line = {"at": now, "to": shown(Channel.SMS, number), "id": message_id, "text": said.text}
        await asyncio.to_thread(self._append, orjson.dumps(line) + b"\n")
        return Outcome("recorded", True)

    def _append(self, line: bytes) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with open(self._file, "ab") as out:
            out.write(line)


class NoGateway:
    """Where none is set up: messages wait until one is."""

    async def send(self, number: str, message_id: str, said: Said, now: datetime) -> Outcome:
        """Asks for patience."""
        return Outcome("no-gateway", False, busy=True, retry_after=GATEWAY_REST_S)


def gateway(settings: Settings, outside: Outside) -> Gateway:
    """The gateway that the settings name."""
    if settings.sms_url:
        return HttpGateway(settings, outside)
    if settings.sms_record is not None:
        return Recorder(settings.sms_record)
    return NoGateway()
