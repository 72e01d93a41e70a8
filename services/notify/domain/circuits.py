"""A target's circuit as people see it, when it is switched off for good, and when it may be sent the next. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from services.notify.domain.retries import CIRCUIT_AT

MINUTE = timedelta(minutes=1)


class Circuit(StrEnum):
    """Closed: all is well. Failing: tried one message at a time. Open: left alone. Probing: the next one decides."""

    CLOSED = "closed"
    FAILING = "failing"
    OPEN = "open"
    PROBING = "probing"
    OFF = "off"


def circuit(row: Mapping[str, Any], now: datetime) -> Circuit:
    """The state of a target's circuit."""
    if not row["active"]:
        return Circuit.OFF
    if row["paused_until"] is not None and row["paused_until"] > now:
        return Circuit.OPEN
    if row["failures"] >= CIRCUIT_AT:
        return Circuit.PROBING
    return Circuit.FAILING if row["failures"] else Circuit.CLOSED


def switched_off(failing_since: datetime | None, days: int, now: datetime) -> bool:
    """Whether a target has failed without a break for so many days that nobody is there any more."""
    return failing_since is not None and now - failing_since >= timedelta(days=days)


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many messages may go now, and the window they are counted in; `until`: when the next window begins."""

    most: int
    window_at: datetime | None
    used: int
    until: datetime | None


def allowance(per_minute: int | None, window_at: datetime | None, used: int, wanted: int, now: datetime) -> Allowance:
    """What a target's limit leaves of the wanted number; without a limit, all of it."""
    if per_minute is None:
        return Allowance(wanted, window_at, used, None)
    if window_at is None or now - window_at >= MINUTE or window_at > now:
        window_at, used = now, 0
    most = min(wanted, max(0, per_minute - used))
    return Allowance(most, window_at, used, window_at + MINUTE if most == 0 else None)
