"""The random choice of an inspection, which nobody can steer and anyone can compute again.

1. The list of what can be inspected is frozen, sorted, one code a line; its SHA-256 is published.
2. The system draws a secret of 32 bytes and publishes only its SHA-256 (the commitment).
3. Then the applicant gives a word of its own choice (a number thrown with dice, say).
4. Only now the secret is shown. The seed is SHA-256 of the fixed lines below, and those are chosen whose SHA-256 of
   seed and code is smallest.

Whoever made the secret did not know the word; whoever gave the word did not know the secret; and neither can change
the list any more. `examples/certificate_sample/verify.py` is the same in 60 lines of plain Python, for outsiders.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

SCHEME = "dachuan-sample-v1"
"""Named in the seed, so that another way to draw can never be mistaken for this one."""


@dataclass(frozen=True, slots=True)
class Draw:
    """A draw with everything that makes it: `chosen` are the codes to be inspected, in the order of their numbers."""

    seed: str
    chosen: tuple[str, ...]


def frozen_list(codes: Iterable[str]) -> tuple[str, ...]:
    """The list as it is published: each code once, sorted by its UTF-8 bytes."""
    return tuple(sorted(set(codes), key=lambda code: code.encode()))


def digest_of(codes: Sequence[str]) -> str:
    """SHA-256 of the list: one code a line, each ended by a newline, UTF-8; in hex."""
    return hashlib.sha256("".join(f"{code}\n" for code in codes).encode()).hexdigest()


def commitment_of(secret: str) -> str:
    """What is published of the secret (64 hex digits) beforehand: SHA-256 of its bytes."""
    return hashlib.sha256(bytes.fromhex(secret)).hexdigest()


def seed_of(certification: str, part: str, digest: str, secret: str, word: str) -> str:
    """The seed of one part of the sample: SHA-256 of six lines."""
    lines = (SCHEME, certification, part, digest, secret, word)
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def how_many(total: int, percent: Decimal, at_least: int) -> int:
    """So many of a list are inspected: the percentage rounded up, `at_least` at the least, all at the most."""
    share = int((Decimal(total) * percent / 100).to_integral_value(ROUND_CEILING))
    return min(total, max(share, at_least))


def draw(codes: Sequence[str], number: int, seed: str) -> Draw:
    """The codes with the smallest SHA-256 of seed and code."""
    ranked = sorted(codes, key=lambda code: (hashlib.sha256(f"{seed}\n{code}\n".encode()).digest(), code))
    return Draw(seed, tuple(ranked[:number]))


def wrong_with(
    *, certification: str, part: str, codes: Sequence[str], digest: str, commitment: str, secret: str, word: str, seed: str,
    number: int, chosen: Sequence[str],
) -> list[str]:  # fmt: skip
    """What does not fit in a published draw; nothing when it is right."""
    wrong = []
    if list(codes) != list(frozen_list(codes)):
        wrong.append("the list is not sorted, or names a code twice")
    if digest_of(codes) != digest:
        wrong.append("the list is not the one that was frozen")
    if commitment_of(secret) != commitment:
        wrong.append("the secret is not the one that was committed to")
    if seed_of(certification, part, digest, secret, word) != seed:
        wrong.append("the seed does not follow from list, secret and word")
    if list(draw(codes, number, seed).chosen) != list(chosen):
        wrong.append("the chosen codes do not follow from the seed")
    return wrong
