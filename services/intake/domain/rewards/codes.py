"""Codes that stand for a person without a name: the claim code, and the payout token shown at the counter."""

import secrets
import unicodedata

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Thirty signs that nobody mistakes for another (no 0/O, 1/I/L, U/V)."""
LENGTH = 12
"""Twelve signs: 58 bits."""


def random_code() -> str:
    """A code nobody can guess."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def derived_code(token: bytes) -> str:
    """The code that belongs to a keyed token, so that a request sent again is given the same one."""
    number, signs = int.from_bytes(token, "big"), []
    for _ in range(LENGTH):
        number, at = divmod(number, len(ALPHABET))
        signs.append(ALPHABET[at])
    return "".join(signs)


def spaced(code: str) -> str:
    """A code as it is shown: in groups of four."""
    return " ".join(code[at : at + 4] for at in range(0, len(code), 4))


def clean_code(typed: str) -> str | None:
    """What was typed as a code (any case, full width, spaces and dashes), or None when it cannot be one."""
    plain = unicodedata.normalize("NFKC", typed).upper()
    signs = "".join(sign for sign in plain if sign not in " -－—\u3000\t")
    return signs if len(signs) == LENGTH and all(sign in ALPHABET for sign in signs) else None
