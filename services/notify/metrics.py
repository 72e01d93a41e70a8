"""Notify's own metrics; docs/ops/metrics.md explains each."""

from prometheus_client import Counter, Gauge, Histogram

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
CLIMBS = Counter("dachuan_notice_climbs", "Rungs that unsigned notices reached, by rung.", ["rung"], registry=REGISTRY)
REMINDERS = Counter("dachuan_reminders", "Reminders of clocks made, by template.", ["template"], registry=REGISTRY)
REMINDERS_BEHIND = Gauge(
    "dachuan_reminders_behind_seconds", "How long the reminder that waits longest is past its moment.", registry=REGISTRY
)
DELIVERIES = Counter(
    "dachuan_deliveries",
    "Attempts to deliver messages outside, by channel and outcome: delivered, retrying, failed (given up).",
    ["channel", "outcome"],
    registry=REGISTRY,
)
DELIVERIES_WAITING = Gauge("dachuan_deliveries_waiting", "Messages outside not yet done.", registry=REGISTRY)
DELIVERY_SECONDS = Histogram(
    "dachuan_delivery_seconds",
    "From a message's row to its arrival at the target.",
    ["channel", "urgent"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600, 21600, 86400),
    registry=REGISTRY,
)
TARGETS = Gauge(
    "dachuan_delivery_targets",
    "Targets outside by circuit: closed, failing, open, probing, off.",
    ["circuit"],
    registry=REGISTRY,
)
