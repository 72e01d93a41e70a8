"""When webhooks are tried again, and where they may go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest

from services.notify.domain import retries
from services.notify.domain.targets import BadTargetError, parsed, permitted

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def test_a_message_is_tried_ten_times_within_three_days() -> None:
    at, tries = NOW, 1
    while again := retries.next_try(tries, NOW, at, spread=0.0):
        assert again > at
        at, tries = again, tries + 1
    assert tries == 10
    assert timedelta(days=2, hours=20) < at - NOW <= timedelta(days=3)


def test_an_old_message_is_given_up_however_few_its_tries() -> None:
    assert retries.next_try(1, NOW, NOW + timedelta(days=3)) is None


def test_a_target_is_left_alone_from_the_fifth_failure_on_an_hour_at_most() -> None:
    breaks = [retries.break_until(failures, NOW) for failures in (0, 4, 5, 6, 30)]
    assert breaks == [None, None, NOW + timedelta(seconds=30), NOW + timedelta(minutes=1), NOW + timedelta(hours=1)]


PRIVATE = [
    "10.0.0.1", "172.16.5.5", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "240.0.0.1",
    "255.255.255.255", "198.18.0.1", "192.0.2.1", "::", "fe80::1", "fc00::1", "fd12::1", "fec0::1", "ff02::1",
    "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a00:1", "2002:a00:1::1", "2001:0:a00:1::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_our_own_networks_are_never_a_target(address: str) -> None:
    assert not permitted(ip_address(address), local=False)
    assert not permitted(ip_address(address), local=True)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_loopback_is_a_target_in_the_local_mode_only(address: str) -> None:
    assert not permitted(ip_address(address), local=False)
    assert permitted(ip_address(address), local=True)


@pytest.mark.parametrize("address", ["1.1.1.1", "223.5.5.5", "2400:3200::1"])
def test_public_addresses_are_targets(address: str) -> None:
    assert permitted(ip_address(address), local=False)


@pytest.mark.parametrize(
    "url",
    [
        "http://agency.example/hook", "ftp://agency.example/", "https://", "https://user:pw@agency.example/",
        "https://agency.example/#x", "https://agency.example:0/", "https://agency.example:99999/", "https://[::1",
        "https://agency.example/ a", "https://agency.example\\@evil.example/", "//agency.example/", "",
    ],
)  # fmt: skip
def test_odd_targets_are_refused(url: str) -> None:
    with pytest.raises(BadTargetError):
        parsed(url, local=False)


def test_plain_http_is_for_the_local_mode() -> None:
    assert parsed("http://127.0.0.1:9/hook", local=True).port == 9
    assert parsed("https://agency.example/hook?a=1", local=False).hostname == "agency.example"
