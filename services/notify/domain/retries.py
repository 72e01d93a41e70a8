"""When a webhook is tried again, and when its target is left alone for a while."""

from datetime import datetime, timedelta

PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=20),
)
"""After the first failure, the second, …: together just under three days (as Standard Webhooks advises)."""

GIVE_UP_AFTER = timedelta(days=3)

CIRCUIT_AT = 5
"""Failures of a target in a row until it is left alone; then a single message asks whether it is back."""

FIRST_BREAK = timedelta(seconds=30)
LONGEST_BREAK = timedelta(hours=1)


def next_try(attempts: int, created_at: datetime, now: datetime, spread: float = 0.0) -> datetime | None:
    """When to try again after so many attempts; None to give up. `spread` (0 to 1) delays by up to a tenth."""
    if attempts > len(PAUSES) or now - created_at >= GIVE_UP_AFTER:
        return None
    return now + PAUSES[attempts - 1] * (1 + spread / 10)


def break_until(failures: int, now: datetime) -> datetime | None:
    """Until when a target with so many failures in a row is left alone; None: it is not."""
    if failures < CIRCUIT_AT:
        return None
    return now + min(LONGEST_BREAK, FIRST_BREAK * 2 ** min(failures - CIRCUIT_AT, 10))
