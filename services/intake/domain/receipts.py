"""Receipts: the 16 digits by which a reporter, and nobody else, follows their tip."""

import secrets
from collections import deque

from stdnum import luhn

RANDOM_DIGITS = 15


def format_receipt(number: int) -> str:
    """Sixteen digits: fifteen from `number` and a Luhn check digit (ISO/IEC 7812-1), which catches a typing slip."""
    body = str(number % 10**RANDOM_DIGITS).zfill(RANDOM_DIGITS)
    return body + luhn.calc_check_digit(body)


def random_receipt() -> str:
    """A receipt nobody can guess."""
    return format_receipt(secrets.randbelow(10**RANDOM_DIGITS))


def derived_receipt(token: bytes) -> str:
    """The receipt that belongs to a keyed token, so that a request sent again is given the same one."""
    return format_receipt(int.from_bytes(token[:8], "big"))


def clean_receipt(typed: str) -> str | None:
    """What was typed as sixteen digits (full-width digits, spaces and dashes allowed), or None if it cannot be one."""
    digits = "".join(str(int(c)) for c in typed if c.isdecimal())
    others = [c for c in typed if not c.isdecimal() and c not in " -－—\u3000\t"]
    return digits if len(digits) == RANDOM_DIGITS + 1 and not others and luhn.is_valid(digits) else None


class MissLimit:
    """Counts wrong receipts in all, with no address: beyond the limit, look-ups pause for everybody."""

    def __init__(self, a_minute: int) -> None:
        self._most = a_minute
        self._misses: deque[float] = deque(maxlen=a_minute)

    def reached(self, now_s: float) -> bool:
        """Whether the last minute saw as many wrong receipts as are borne. `now_s` is any steady clock, in seconds."""
        return len(self._misses) == self._most and now_s - self._misses[0] < 60

    def miss(self, now_s: float) -> None:
        """Note a wrong receipt."""
        self._misses.append(now_s)
