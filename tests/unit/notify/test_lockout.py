"""Lock-out, logins and passwords."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.notify.domain import credentials, lockout

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def test_the_lock_starts_at_the_fifth_failure_and_doubles() -> None:
    failed, locks = 0, []
    for _ in range(14):
        failed, until = lockout.after_attempt(failed, NOW)
        locks.append(until - NOW if until else None)
    minutes = [None if lock is None else lock / timedelta(minutes=1) for lock in locks]
    assert minutes == [None] * 4 + [15, 30, 60, 120, 240, 480, 960, 1440, 1440, 1440]


def test_a_huge_count_does_not_overflow() -> None:
    assert lockout.after_attempt(100_000, NOW)[1] == NOW + timedelta(hours=24)


def test_a_lock_ends() -> None:
    assert lockout.is_locked(NOW + timedelta(seconds=1), NOW)
    assert not lockout.is_locked(NOW, NOW)
    assert not lockout.is_locked(None, NOW)


@pytest.mark.parametrize(
    ("typed", "kept"), [(" Wang ", "wang"), ("a.b@c", "a.b@c"), ("王", None), ("a", None), ("a\0b", None)]
)
def test_logins(typed: str, kept: str | None) -> None:
    assert credentials.normal_login(typed) == kept


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("short", "too-short"),
        ("x" * 201, "too-long"),
        ("aaaaaaaaaaaaaaaa", "too-simple"),
        ("my Wang password", "too-simple"),
        ("several plain words", None),
        ("十二个汉字以上的一句话也可以", None),
    ],
)
def test_passwords(password: str, fault: str | None) -> None:
    assert credentials.password_fault(password, "wang") == fault


def test_made_secrets_are_good_enough_for_ourselves() -> None:
    assert credentials.password_fault(credentials.initial_password(), "wang") is None
    assert len(credentials.client_secret()) >= credentials.SHORTEST_SECRET
