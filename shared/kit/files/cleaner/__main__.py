"""`python -m shared.kit.files.cleaner TYPE MEMORY_MB CPU_S [MARK]`: file in, one line of JSON and the copy out."""

import ctypes
import json
import resource
import signal
import sys

from shared.kit.files.cleaner import KeptError, RefusedError

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38


def _confine(memory_mb: int, cpu_s: int) -> None:
    """Take from this process what it does not need, before it sees a byte of the file."""
    limits = {
        resource.RLIMIT_AS: memory_mb << 20,
        resource.RLIMIT_CPU: cpu_s,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: 32,
        resource.RLIMIT_CORE: 0,
    }
    for name, most in limits.items():
        resource.setrlimit(name, (most, most))
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def main(media_type: str, memory_mb: int, cpu_s: int, mark: str) -> int:
    """Judge the file on standard input; `mark` (ASCII) is written across the copy where its kind allows."""
    _confine(memory_mb, cpu_s)
    from shared.kit.files.cleaner.judge import judge

    data = sys.stdin.buffer.read()
    copy = b""
    try:
        media_type, copy_type, copy = judge(media_type, data, mark)
        told = {
            "outcome": "cleaned",
            "reason": None,
            "media_type": media_type,
            "copy_type": copy_type,
            "size": len(copy),
            "marked": bool(mark) and (copy_type.startswith("image/") or copy_type == "application/pdf"),
        }
    except RefusedError as refused:
        told = {"outcome": "refused", "reason": refused.reason, "media_type": media_type}
    except KeptError as kept:
        told = {"outcome": "kept", "reason": kept.reason, "media_type": media_type}
    except (MemoryError, RecursionError):
        told = {"outcome": "refused", "reason": "bomb", "media_type": media_type}
    sys.stdout.buffer.write(json.dumps(told).encode() + b"\n" + copy)
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
