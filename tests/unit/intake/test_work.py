"""Proof of work: free at rest, harder with the load, good once, and never in the way of somebody in danger."""

from __future__ import annotations

import hashlib
import hmac
import itertools

import pytest

from services.intake.domain.work import (
    LEAST_BITS,
    MOST_BITS,
    Bucket,
    Challenge,
    Door,
    Outcome,
    Rules,
    Spent,
    bits_for,
    worked,
    zero_bits,
)

RULES = Rules(free_a_second=10, burst=20, valid_s=600, wait_s=20, waits_a_second=0.1)
NOW = 1_790_000_000


def sign(message: bytes) -> bytes:
    return hmac.digest(b"k" * 32, message, "sha256")


def solve(challenge: Challenge) -> str:
    return next(
        f"{challenge.text}:{n}"
        for n in itertools.count()
        if zero_bits(hashlib.sha256(f"{challenge.text}:{n}".encode()).digest()) >= challenge.bits
    )


@pytest.fixture
def door() -> Door:
    return Door(RULES, sign)


@pytest.fixture
def crowded(door: Door) -> Door:
    for _ in range(25):
        door.decide("", NOW, 1000.0, lambda: False)
    return door


def never() -> bool:
    raise AssertionError("the words of a post that comes in anyway are not read")


def test_at_rest_nobody_works(door: Door) -> None:
    for second in range(100):
        for _ in range(9):
            assert door.decide("", NOW + second, 1000.0 + second, never) is Outcome.FREE
    assert door.bits(1200.0) == 0


def test_the_work_rises_with_the_load_and_falls_after_it() -> None:
    assert [bits_for(level) for level in (0, 0.99, 1, 1.5, 2, 4, 100)] == [0, 0, 14, 15, 16, 20, MOST_BITS]
    bucket = Bucket(10, 20)
    for _ in range(1000):
        bucket.pour(5.0)
    assert bucket.level(5.0) == 4
    assert bucket.level(5.0 + 8.1) < 0.01


def test_a_solved_challenge_lets_in_once(crowded: Door) -> None:
    proof = solve(crowded.challenge(NOW, 1000.0, "n1"))
    assert crowded.decide(proof, NOW + 1, 1000.0, never) is Outcome.PROVEN
    assert crowded.decide(proof, NOW + 2, 1000.0, lambda: False) is Outcome.TURNED_BACK


def test_what_is_expired_forged_unsolved_or_too_easy_does_not(crowded: Door) -> None:
    good = solve(crowded.challenge(NOW, 1000.0, "n2"))
    text, _, answer = good.partition(":")
    wrong = [
        "",
        ":",
        text + ":",
        f"{text}:{int(answer) + 1}" if not worked(Challenge.read(sign, text), str(int(answer) + 1)) else f"{text}:x",  # type: ignore[arg-type]
        good.replace("n2", "n3"),
        f"1.{NOW}.1.n4.{'0' * 32}:1",
        "x" * 300,
        f"{text}:{answer}".replace(answer, "９"),
        solve(Challenge.make(sign, NOW, 4, "easy")),
    ]
    for proof in wrong:
        assert crowded.decide(proof, NOW, 1000.0, lambda: False) is Outcome.TURNED_BACK, proof
    assert crowded.decide(good, NOW + 601, 1000.0, lambda: False) is Outcome.TURNED_BACK
    assert crowded.decide(good, NOW - 5, 1000.0, lambda: False) is Outcome.TURNED_BACK


def test_somebody_in_danger_comes_in_without_any_proof(crowded: Door) -> None:
    """Point 2 of what users lack: a locked-up person is minutes."""
    assert crowded.decide("", NOW, 1000.0, lambda: True) is Outcome.URGENT


def test_without_scripts_one_waits_and_comes_in_but_not_many_at_once(crowded: Door) -> None:
    mine = crowded.challenge(NOW, 1000.0, "w1")
    assert crowded.decide(mine.text, NOW + 10, 1000.0, lambda: False) is Outcome.TURNED_BACK
    assert crowded.renewed(mine.text, NOW + 10, 1000.0, "other") == mine, "the wait does not begin anew"
    assert crowded.decide(mine.text, NOW + 20, 1000.0, never) is Outcome.WAITED
    assert crowded.decide(mine.text, NOW + 30, 1000.0, lambda: False) is Outcome.TURNED_BACK
    second = crowded.challenge(NOW, 1000.0, "w2")
    assert crowded.decide(second.text, NOW + 20, 1000.0, lambda: False) is Outcome.TURNED_BACK
    crowded_again = 1011.0
    for _ in range(200):
        crowded.decide("", NOW, crowded_again, lambda: False)
    assert crowded.decide(second.text, NOW + 31, crowded_again, never) is Outcome.WAITED, "never a dead end"


def test_the_memory_of_used_ones_is_bounded_and_forgets_nothing_that_is_still_good() -> None:
    spent = Spent(3)
    made = [Challenge.make(sign, NOW + n, LEAST_BITS, f"s{n}") for n in range(5)]
    assert all(spent.take(one) for one in made)
    assert not any(spent.take(one) for one in made)
    assert not spent.free(Challenge.make(sign, NOW, LEAST_BITS, "as old as a forgotten one"))
    assert spent.take(Challenge.make(sign, NOW + 9, LEAST_BITS, "young"))
