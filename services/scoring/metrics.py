"""Scoring's own metrics; docs/ops/metrics.md explains each."""

from prometheus_client import Counter, Gauge

from shared.kit.metrics import REGISTRY

LEDGER_ENTRIES = Counter(
    "dachuan_ledger_entries", "Entries added to the scoring ledger, by outcome.", ["outcome"], registry=REGISTRY
)
FEED_STREAMS = Gauge("dachuan_feed_streams", "Open streams of the scoring feed.", registry=REGISTRY)
