"""Notify's own metrics; docs/ops/metrics.md explains each."""

from prometheus_client import Counter, Gauge

from shared.kit.metrics import REGISTRY

SIGN_INS = Counter(
    "dachuan_sign_ins", "Officers' sign-in attempts, by outcome: ok, refused, locked.", ["outcome"], registry=REGISTRY
)
TOKENS = Counter(
    "dachuan_tokens", "Token requests of agencies' systems, by outcome: ok or the OAuth error.", ["outcome"],
    registry=REGISTRY,
)  # fmt: skip
NOTICES = Counter("dachuan_notices", "Notices made, by template.", ["template"], registry=REGISTRY)
NOTICES_OPEN = Gauge("dachuan_notices_open", "Notices nobody has signed yet, by lateness.", ["late"], registry=REGISTRY)
RINGS = Counter("dachuan_rings", "Times an urgent case rang again, unsigned.", registry=REGISTRY)
RINGING = Gauge("dachuan_ringing", "Urgent cases that ring now: nobody has signed.", registry=REGISTRY)
RINGING_SECONDS = Gauge("dachuan_ringing_seconds", "How long the longest one has been ringing.", registry=REGISTRY)
DELIVERIES = Counter(
    "dachuan_webhook_deliveries",
    "Webhook delivery attempts, by outcome: delivered, retrying, failed (given up).",
    ["outcome"],
    registry=REGISTRY,
)
DELIVERIES_WAITING = Gauge("dachuan_webhook_waiting", "Webhook deliveries not yet done.", registry=REGISTRY)
