"""Scoring's own metrics; docs/ops/metrics.md explains each."""

from prometheus_client import Counter, Gauge, Histogram

from shared.kit.metrics import REGISTRY

LEDGER_ENTRIES = Counter(
    "dachuan_ledger_entries", "Entries added to the scoring ledger, by outcome.", ["outcome"], registry=REGISTRY
)
FEED_STREAMS = Gauge("dachuan_feed_streams", "Open streams of the scoring feed.", registry=REGISTRY)
LEDGER_BROKEN = Gauge(
    "dachuan_ledger_broken", "1 when the ledger is not what its newest checkpoint says; nothing is signed then.",
    registry=REGISTRY,
)  # fmt: skip
CHECKPOINT_AT = Gauge(
    "dachuan_checkpoint_timestamp_seconds", "When the ledger was last found covered by a checkpoint.", registry=REGISTRY
)
CHECKPOINT_SIZE = Gauge("dachuan_checkpoint_entries", "Entries that the newest checkpoint covers.", registry=REGISTRY)
CHECKPOINT_SECONDS = Histogram(
    "dachuan_checkpoint_seconds", "How long taking a checkpoint took.",
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 30), registry=REGISTRY,
)  # fmt: skip
