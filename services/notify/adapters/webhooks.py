"""Sending one webhook: signed by Standard Webhooks, to a checked address, without redirects."""

from __future__ import annotations

import base64
import os
from datetime import datetime

from standardwebhooks import Webhook

from services.notify.adapters.outside import FAILURES, Outside, checked_address, failed
from services.notify.domain.outcomes import Outcome, of_http

__all__ = ["MESSAGE_PREFIX", "Outcome", "Sender", "checked_address", "new_secret", "shown_secret"]

PREFIX = "whsec_"
MESSAGE_PREFIX = "msg_"


def new_secret() -> bytes:
    """A signing secret of 256 bits."""
    return os.urandom(32)


def shown_secret(secret: bytes) -> str:
    """A secret as an agency's developer is given it."""
    return PREFIX + base64.b64encode(secret).decode()


class Sender:
    """Sends webhooks."""

    def __init__(self, timeout_s: float, *, local: bool, outside: Outside | None = None) -> None:
        self._outside = outside or Outside(timeout_s, local=local)

    async def close(self) -> None:
        await self._outside.close()

    async def send(
        self, url: str, secret: bytes, message_id: str, body: str, now: datetime, old_secret: bytes | None = None
    ) -> Outcome:
        """One attempt; whatever goes wrong is an outcome, not an exception.

        While a secret is being changed the message bears both signatures, so that the receiver may know either.
        """
        secrets = (secret,) if old_secret is None else (secret, old_secret)
        headers = {
            "content-type": "application/json",
            "user-agent": "dachuan-webhooks/1",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(Webhook(one).sign(message_id, now, body) for one in secrets),
        }
        try:
            answer = await self._outside.post(url, body.encode(), headers)
        except FAILURES as error:
            return failed(error)
        return of_http(answer.status, answer.retry_after, now)
