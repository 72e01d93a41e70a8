"""Casework's numbers: the deadlines it owns, as gauges of the kit."""

from collections.abc import Iterable

from shared.kit.metrics import DEADLINES_DUE, DEADLINES_OVERDUE


def show_deadlines(counts: Iterable[tuple[str, int, int]]) -> None:
    """Set the gauges from (kind, due within 24 hours, overdue); kinds not named are at zero."""
    DEADLINES_DUE.clear()
    DEADLINES_OVERDUE.clear()
    for kind, due, overdue in counts:
        DEADLINES_DUE.labels(kind).set(due)
        DEADLINES_OVERDUE.labels(kind).set(overdue)
