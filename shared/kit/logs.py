"""Structured logs (one JSON object a line) that cannot carry personal data.

Only the keys in `ALLOWED` are written; anything else is dropped and its name noted under `dropped`, so a
careless `log.info("…", phone=…)` leaks nothing. No client address, user agent or request body is ever logged.
"""

import logging
import sys
from typing import Any

import orjson
import structlog

ALLOWED = frozenset(
    """event level timestamp service trace_id route method status seconds error where topic partition offset
    type lane count batch id event_id case_id lead_id tip_id notice_id deadline_id agency unit plan rule component
    reason state attempt version port path lag age job table principal kind outcome points entry_id url_host
    started stopped crash_point limit size""".split()
)
"""The log keys that exist; each holds a code, a count, a time or an id."""


def _only_allowed(_: Any, __: str, entry: dict[str, Any]) -> dict[str, Any]:
    dropped = [key for key in entry if key not in ALLOWED]
    for key in dropped:
        del entry[key]
    if dropped:
        entry["dropped"] = dropped
    return entry


def _where(_: Any, __: str, entry: dict[str, Any]) -> dict[str, Any]:
    """Turn an exception into its type and the place it was raised; its message may quote input, so it stays out."""
    exc = entry.pop("exc_info", None)
    if exc is True:
        exc = sys.exc_info()
    error = exc[1] if isinstance(exc, tuple) else exc
    if isinstance(error, BaseException):
        entry["error"] = type(error).__qualname__
        frames = []
        tb = error.__traceback__
        while tb:
            frames.append(f"{tb.tb_frame.f_code.co_filename.rsplit('/', 3)[-1]}:{tb.tb_lineno}")
            tb = tb.tb_next
        entry["where"] = frames[-6:]
    return entry


class _StdlibToStructlog(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            record.levelno,
            "library",
            component=record.name,
            where=f"{record.module}:{record.lineno}",
            exc_info=record.exc_info,
        )


def configure(service: str, level: str = "INFO") -> None:
    """Set up logging of this process; libraries' messages keep only their logger, place and error type."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            _where,
            _only_allowed,
            structlog.processors.JSONRenderer(lambda obj, **_: orjson.dumps(obj, default=str).decode()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    root = logging.getLogger()
    root.handlers[:] = [_StdlibToStructlog(level=logging.WARNING)]
    root.setLevel(logging.WARNING)


log = structlog.get_logger()
