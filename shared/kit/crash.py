"""Crash points: where the fault tests kill a process, to prove that nothing is lost and nothing done twice.

`DACHUAN_CRASH_AT=relay.after_send:3` kills this process with SIGKILL the third time that point is passed.
Without the variable a point costs one comparison.
"""

import os
import signal

POINTS = (
    "api.after_commit",
    "relay.after_send",
    "relay.before_mark",
    "consumer.after_effect",
    "consumer.before_offset_commit",
)

_at, _, _count = os.environ.get("DACHUAN_CRASH_AT", "").partition(":")
_left = int(_count or 1)


def point(name: str) -> None:
    """Die here if the environment asks for it."""
    global _left
    if name == _at:
        _left -= 1
        if _left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
