"""Intake's own metrics; docs/ops/metrics.md explains each."""

from prometheus_client import Counter, Gauge

from shared.kit.metrics import REGISTRY

TIPS_RECEIVED = Counter("dachuan_tips_received", "Tips received, by channel.", ["channel"], registry=REGISTRY)
TIPS = Gauge("dachuan_tips", "Tips on record, by channel and state.", ["channel", "state"], registry=REGISTRY)
