"""W3C trace context (https://www.w3.org/TR/trace-context/): one trace id from the request to the last consumer."""

import secrets
from contextvars import ContextVar

from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_current: ContextVar[str | None] = ContextVar("traceparent", default=None)
_propagator = TraceContextTextMapPropagator()


def _new_id(bits: int) -> int:
    """A random id; zero is none (W3C trace context, 3.2.2.3 and 3.2.2.4)."""
    return secrets.randbits(bits) or 1


def current() -> str | None:
    """The traceparent of the work in hand."""
    return _current.get()


def set_current(traceparent: str | None) -> None:
    """Set the traceparent of the work in hand."""
    _current.set(traceparent)


def trace_id(traceparent: str | None = None) -> str | None:
    """The 32-digit trace id within a traceparent (the current one by default)."""
    value = traceparent or _current.get()
    return value[3:35] if value else None


def continued(header: str | None) -> str:
    """A traceparent that continues a caller's trace, or starts one where the header is missing or malformed."""
    if header is None:
        # the propagator's own form, without its carriers and contexts
        return f"00-{_new_id(128):032x}-{_new_id(64):016x}-01"
    parent = get_current_span(_propagator.extract({"traceparent": header})).get_span_context()
    valid = parent.is_valid
    span = SpanContext(
        trace_id=parent.trace_id if valid else _new_id(128),
        span_id=_new_id(64),
        is_remote=False,
        trace_flags=parent.trace_flags if valid else TraceFlags(TraceFlags.SAMPLED),
    )
    carrier: dict[str, str] = {}
    _propagator.inject(carrier, context=set_span_in_context(NonRecordingSpan(span)))
    return carrier["traceparent"]
