"""Proof of work instead of a captcha: asked of anonymous posts under load alone, by no address, of nobody in danger.

A challenge is signed, not stored. Whoever finds a number whose SHA-256 with the challenge begins with enough zero bits
has worked (Hashcash, Back 2002); whoever has no scripts waits instead, by the same challenge. No I/O.
"""

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

LEAST_BITS = 14
"""Some 16,000 hashes: a few tens of milliseconds in a telephone's browser."""
MOST_BITS = 20
"""Some million hashes: a few seconds. Harder would lock out old telephones rather than attackers."""

Sign = Callable[[bytes], bytes]


class Outcome(StrEnum):
    """What becomes of an anonymous post at the door."""

    FREE = "free"
    PROVEN = "proven"
    WAITED = "waited"
    URGENT = "urgent"
    TURNED_BACK = "turned_back"


class Bucket:
    """A leaky bucket (Turner 1986) over all who come together; it knows no address. Times are seconds of a steady clock."""

    def __init__(self, a_second: float, holds: float) -> None:
        self._rate, self._holds = a_second, holds
        self._level, self._at = 0.0, 0.0

    def level(self, now_s: float) -> float:
        """How full it is: above 1 it runs over."""
        return max(0.0, self._level - (now_s - self._at) * self._rate) / self._holds

    def pour(self, now_s: float) -> float:
        """One more comes; how full it is then. It never counts more than four times what it holds, so that a flood
        is forgotten soon after its end."""
        self._level = min(self.level(now_s) * self._holds + 1, 4 * self._holds)
        self._at = now_s
        return self._level / self._holds


def bits_for(level: float) -> int:
    """How many zero bits are asked at a bucket's level: none until it is full, then harder as it runs over."""
    if level < 1:
        return 0
    return min(MOST_BITS, LEAST_BITS + int((level - 1) * 2))


@dataclass(frozen=True, slots=True)
class Challenge:
    """What was signed: when it was made, for how hard a work, and a number of its own."""

    made_s: int
    bits: int
    nonce: str
    text: str

    @classmethod
    def make(cls, sign: Sign, now_s: int, bits: int, nonce: str) -> "Challenge":
        """A fresh one. `nonce` is random, of letters and digits."""
        body = f"1.{now_s}.{bits}.{nonce}"
        return cls(now_s, bits, nonce, f"{body}.{sign(body.encode())[:16].hex()}")

    @classmethod
    def read(cls, sign: Sign, text: str) -> "Challenge | None":
        """A challenge of ours, or None for anything else."""
        body, _, mac = text.rpartition(".")
        if not text.isascii() or len(text) > 200 or not hmac.compare_digest(mac, sign(body.encode())[:16].hex()):
            return None
        _, made, bits, nonce = body.split(".")
        return cls(int(made), int(bits), nonce, text)


def zero_bits(digest: bytes) -> int:
    """How many zero bits a digest begins with."""
    number = int.from_bytes(digest, "big")
    return len(digest) * 8 - number.bit_length()


def worked(challenge: Challenge, answer: str) -> bool:
    """Whether an answer (up to 20 digits) solves a challenge: SHA-256 of `challenge:answer`."""
    if not (answer.isascii() and answer.isdigit() and len(answer) <= 20):
        return False
    return zero_bits(hashlib.sha256(f"{challenge.text}:{answer}".encode()).digest()) >= challenge.bits


class Spent:
    """Challenges already used. When it is full the oldest leave, and with them every challenge as old counts as used."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: OrderedDict[str, int] = OrderedDict()
        self._floor = 0

    def free(self, challenge: Challenge) -> bool:
        """Whether a challenge was surely not used yet."""
        return challenge.made_s > self._floor and challenge.nonce not in self._seen

    def take(self, challenge: Challenge) -> bool:
        """Use a challenge: False when it was used before, or may have been."""
        if not self.free(challenge):
            return False
        self._seen[challenge.nonce] = challenge.made_s
        while len(self._seen) > self._most:
            self._floor = max(self._floor, self._seen.popitem(last=False)[1])
        return True


@dataclass(frozen=True, slots=True)
class Rules:
    """The numbers of the door: posts a second that are free, how many at once, how long a challenge is good, how long
    waiting instead of working takes, and how many of those who waited are let in a second."""

    free_a_second: float
    burst: int
    valid_s: int
    wait_s: int
    waits_a_second: float


class Door:
    """Decides over anonymous posts, one process's worth of them. Knows when, never who."""

    def __init__(self, rules: Rules, sign: Sign, most_spent: int = 100_000) -> None:
        self._rules, self._sign = rules, sign
        self._all = Bucket(rules.free_a_second, rules.burst)
        self._waits = Bucket(rules.waits_a_second, max(1.0, rules.waits_a_second * 10))
        self._spent = Spent(most_spent)

    def bits(self, steady_s: float) -> int:
        """How hard the work is that is asked now; 0: none."""
        return bits_for(self._all.level(steady_s))

    def challenge(self, now_s: int, steady_s: float, nonce: str) -> Challenge:
        """A challenge as hard as the load is."""
        return Challenge.make(self._sign, now_s, self.bits(steady_s) or LEAST_BITS, nonce)

    def renewed(self, proof: str, now_s: int, steady_s: float, nonce: str) -> Challenge:
        """The challenge somebody waits or works with, while it is good; else a fresh one."""
        known = Challenge.read(self._sign, proof.partition(":")[0])
        if (
            known
            and ":" not in proof
            and 0 <= now_s - known.made_s < self._rules.valid_s / 2
            and self._spent.free(known)
        ):
            return known
        return self.challenge(now_s, steady_s, nonce)

    def decide(self, proof: str, now_s: int, steady_s: float, urgent: Callable[[], bool]) -> Outcome:
        """What becomes of a post with `proof` (`challenge:answer`, or the challenge alone by who waited).

        `urgent` is asked only when the post would be turned back: somebody in danger never is.
        """
        needed = bits_for(self._all.pour(steady_s))
        if not needed:
            return Outcome.FREE
        text, _, answer = proof.partition(":")
        challenge = Challenge.read(self._sign, text)
        if challenge and 0 <= now_s - challenge.made_s <= self._rules.valid_s:
            # one that was given a little easier a moment ago is good enough; one from a time of rest is not
            if answer and challenge.bits >= needed - 2 and worked(challenge, answer):
                if self._spent.take(challenge):
                    return Outcome.PROVEN
            elif (
                not answer
                and now_s - challenge.made_s >= self._rules.wait_s
                and self._waits.level(steady_s) < 1
                and self._spent.take(challenge)
            ):
                self._waits.pour(steady_s)
                return Outcome.WAITED
        return Outcome.URGENT if urgent() else Outcome.TURNED_BACK
