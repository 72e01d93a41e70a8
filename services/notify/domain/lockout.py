"""Lock-out after failed sign-ins. An attempt counts as failed until it has succeeded, so that guesses sent at the same
time cannot outrun the count."""

from datetime import datetime, timedelta

FAILURES = 5
"""Failed attempts in a row until an account is locked."""

FIRST_LOCK = timedelta(minutes=15)
LONGEST_LOCK = timedelta(hours=24)


def is_locked(locked_until: datetime | None, now: datetime) -> bool:
    """Whether an account takes no attempt now; the right password changes nothing about it."""
    return locked_until is not None and now < locked_until


def after_attempt(failed: int, now: datetime) -> tuple[int, datetime | None]:
    """The count and the lock after one more attempt: 15 minutes at the fifth failure, doubled by each further one."""
    failed += 1
    if failed < FAILURES:
        return failed, None
    return failed, now + min(LONGEST_LOCK, FIRST_LOCK * 2 ** min(failed - FAILURES, 10))
