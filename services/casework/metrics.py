"""Casework's numbers: the deadlines it owns, as gauges of the kit."""

from collections.abc import Iterable

from shared.kit.metrics import DEADLINES_DUE, DEADLINES_OVERDUE


def show_deadlines(counts: Iterable[tuple[str, int, int]]) -> None:
    """Set the gauges from (rule, due within 24 hours, overdue); rules not named are at zero.

    The label `kind` is the rule, so that a missed signature for confinement can wake somebody.
    """
    DEADLINES_DUE.clear()
    DEADLINES_OVERDUE.clear()
    for rule, due, overdue in counts:
        DEADLINES_DUE.labels(rule).set(due)
        DEADLINES_OVERDUE.labels(rule).set(overdue)
