"""E-mail by the house's own relay (SMTP, RFC 5321). The Message-ID is the same at each attempt."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

import aiosmtplib

from services.notify.domain.outcomes import Outcome, of_smtp
from services.notify.domain.wording import Said
from services.notify.settings import Settings

RELAY_REST_S = 60.0
"""The relay is ours: while it is away nothing is held against the target, and it is asked again after so long."""


def _relay(code: str) -> Outcome:
    return Outcome(code, False, busy=True, retry_after=RELAY_REST_S)


class Mailer:
    """Hands messages to the relay."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def send(self, address: str, message_id: str, said: Said, written_at: datetime) -> Outcome:
        """One attempt; what the relay or the receiver's server says is an outcome."""
        s = self._settings
        if s.smtp_host is None:
            return _relay("no-relay")
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = s.smtp_from, address, said.subject
        message["Message-ID"] = f"<{message_id}@{s.smtp_from.rpartition('@')[2]}>"
        message["Date"] = format_datetime(written_at)
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(said.text)
        try:
            await aiosmtplib.send(
                message,
                hostname=s.smtp_host,
                port=s.smtp_port,
                username=s.smtp_username,
                password=s.smtp_password,
                use_tls=s.smtp_security == "tls",
                start_tls=s.smtp_security == "starttls",
                timeout=s.webhook_timeout_s,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            return of_smtp(error.recipients[0].code)
        except aiosmtplib.SMTPSenderRefused as error:
            return _relay(f"sender-refused-{error.code}")
        except aiosmtplib.SMTPAuthenticationError as error:
            return _relay(f"sign-in-refused-{error.code}")
        except aiosmtplib.SMTPResponseException as error:
            outcome = of_smtp(error.code)
            return _relay(outcome.code) if outcome.busy else outcome
        except (aiosmtplib.SMTPException, TimeoutError, OSError) as error:
            return _relay("relay-timeout" if isinstance(error, TimeoutError) else "relay-unreachable")
        return Outcome("250", True)
