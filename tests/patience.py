"""Waiting for what must come. The time is only against hanging: machines differ in speed several times over."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE_S = 240.0


def until(what: str, look: Callable[[], T], seconds: float = PATIENCE_S) -> T:
    """What `look` finds at last; fails with what was waited for."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.2)
    return found
