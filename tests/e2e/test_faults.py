"""Whatever dies, and whenever: nothing acknowledged is lost, nothing is done twice."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.town import Poster, Town, a_town, assert_exactly_once

CRASHES = (
    ("api.after_commit", "intake"),
    ("relay.after_send", "intake"),
    ("relay.before_mark", "casework"),
    ("consumer.after_effect", "casework"),
    ("consumer.after_effect", "notify"),
    ("consumer.before_offset_commit", "casework"),
    ("consumer.before_offset_commit", "scoring"),
)


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with a_town() as made:
        yield made


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    return itertools.count()


@pytest.fixture(scope="module")
def poster(town: Town) -> Poster:
    return Poster(town, "faults")


def _crash(town: Town, poster: Poster, numbers: Iterator[int], point: str, service: str, times: int) -> None:
    child = town.child(service)
    before = child.restarts
    town.set_env(service, DACHUAN_CRASH_AT=f"{point}:3")
    town.kill(service)
    until = time.monotonic() + 60 + 60 * times  # only against hanging: a start takes seconds, on a busy machine many
    try:
        while child.restarts < before + 1 + times:
            assert time.monotonic() < until, f"{service} died {child.restarts - before - 1} times at {point}, not {times}"
            poster.post(next(numbers))
    finally:
        town.set_env(service, DACHUAN_CRASH_AT=None)
        town.kill(service)
    town.wait("started anew", lambda: child.restarts >= before + 2 + times)
    assert_exactly_once(town, len(poster.receipts))


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("point", "service"), CRASHES)
def test_a_crash_at_any_point_loses_and_doubles_nothing(
    town: Town, poster: Poster, numbers: Iterator[int], point: str, service: str
) -> None:
    _crash(town, poster, numbers, point, service, 5)


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize(("point", "service"), CRASHES)
def test_fifty_crashes_at_any_point(
    town: Town, poster: Poster, numbers: Iterator[int], point: str, service: str
) -> None:
    _crash(town, poster, numbers, point, service, 50)


@pytest.mark.timeout(600)
def test_kill_of_every_process_in_turn(town: Town, poster: Poster, numbers: Iterator[int]) -> None:
    for name in ("intake", "kafka", "casework", "postgres", "notify", "kafka", "scoring"):
        for _ in range(5):
            poster.post(next(numbers))
        town.kill(name)
        for _ in range(5):
            poster.post(next(numbers))
    assert_exactly_once(town, len(poster.receipts))


@pytest.mark.timeout(600)
def test_with_the_broker_away_tips_are_accepted_and_flow_when_it_is_back(
    town: Town, poster: Poster, numbers: Iterator[int]
) -> None:
    town.all_ready()
    thaw = town.freeze("kafka")
    try:
        for _ in range(20):
            answer = poster.try_once(number := next(numbers))
            assert answer.status_code == 201
            poster.receipts[f"faults-{number:06d}"] = answer.json()["receipt"]
        assert town.count("intake", "SELECT count(*) FROM outbox WHERE sent_at IS NULL") >= 20
    finally:
        thaw()
    assert_exactly_once(town, len(poster.receipts))


@pytest.mark.timeout(600)
def test_with_the_database_away_there_is_503_and_no_receipt(town: Town, poster: Poster, numbers: Iterator[int]) -> None:
    number = next(numbers)
    town.kill("postgres")
    refused: httpx.Response | None = None
    until = time.monotonic() + 20
    while refused is None and time.monotonic() < until:
        answer = poster.try_once(number)
        if answer.status_code == 503:
            refused = answer
        else:
            assert answer.status_code in (200, 201), answer.text
            poster.receipts[f"faults-{number:06d}"] = answer.json()["receipt"]
            number = next(numbers)
            town.kill("postgres")
    assert refused is not None, "PostgreSQL came back before any request met its absence"
    told = refused.json()
    assert refused.headers["content-type"] == "application/problem+json"
    assert told["type"] == "urn:dachuan:problem:unavailable" and "receipt" not in told
    assert "retry-after" in refused.headers
    poster.post(number)
    assert_exactly_once(town, len(poster.receipts))
