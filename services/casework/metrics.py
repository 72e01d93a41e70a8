"""Casework's numbers: the deadlines it owns, as gauges of the kit."""

from collections.abc import Iterable

from prometheus_client import Counter, Gauge

from shared.kit.metrics import DEADLINES_DUE, DEADLINES_OVERDUE, REGISTRY


def show_deadlines(counts: Iterable[tuple[str, int, int]]) -> None:
    """Set the gauges from (rule, due within 24 hours, overdue); rules not named are at zero.

    The label `kind` is the rule, so that a missed signature for confinement can wake somebody.
    """
    DEADLINES_DUE.clear()
    DEADLINES_OVERDUE.clear()
    for rule, due, overdue in counts:
        DEADLINES_DUE.labels(rule).set(due)
        DEADLINES_OVERDUE.labels(rule).set(overdue)


EVIDENCE_TAKEN = Counter("dachuan_evidence_taken", "Files of evidence taken, by kind.", ["kind"], registry=REGISTRY)
EVIDENCE_FILES = Gauge(
    "dachuan_evidence_files", "Files of evidence on record, by kind, state and scan.", ["kind", "state", "scan"],
    registry=REGISTRY,
)
EVIDENCE_DAMAGED = Gauge(
    "dachuan_evidence_damaged", "Files of evidence whose bytes no longer fit their hash.", registry=REGISTRY
)
EVIDENCE_CHECKED = Counter(
    "dachuan_evidence_checked", "Files of evidence read again and compared with their hash, by what was found.",
    ["outcome"], registry=REGISTRY,
)
EVIDENCE_UNCHECKED = Gauge(
    "dachuan_evidence_unchecked_seconds",
    "Seconds since the evidence file that was not read for the longest time was read last.",
    registry=REGISTRY,
)
EVIDENCE_SWEPT = Counter(
    "dachuan_evidence_swept", "Files of evidence removed because their rows never came or their keys were destroyed.",
    registry=REGISTRY,
)
