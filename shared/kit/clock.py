"""The only place that reads the wall clock. Everything else is given `now`."""

import os
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

CHINA = ZoneInfo("Asia/Shanghai")
"""Legal days and working days are days in this zone."""

_offset = timedelta(seconds=float(os.environ.get("DACHUAN_CLOCK_OFFSET_S", "0")))


def now() -> datetime:
    """The current time in UTC, moved by `DACHUAN_CLOCK_OFFSET_S` seconds when a rehearsal drives the clock."""
    return datetime.now(UTC) + _offset


def set_offset(seconds: float) -> None:
    """Move this process's clock, for a rehearsal."""
    global _offset
    _offset = timedelta(seconds=seconds)
