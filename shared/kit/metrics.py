"""The metrics every service exposes at `/metrics`; each is documented, with its query, in docs/ops/metrics.md."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry(auto_describe=True)

HTTP_REQUESTS = Counter(
    "dachuan_http_requests", "HTTP requests answered.", ["route", "method", "status"], registry=REGISTRY
)
HTTP_SECONDS = Histogram(
    "dachuan_http_request_seconds",
    "Seconds from a request's first byte to the end of its answer.",
    ["route", "method"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.035, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    registry=REGISTRY,
)
OUTBOX_BACKLOG = Gauge(
    "dachuan_outbox_backlog", "Events recorded and not yet sent to Kafka.", ["lane"], registry=REGISTRY
)
OUTBOX_OLDEST = Gauge(
    "dachuan_outbox_oldest_seconds",
    "Age in seconds of the oldest event not yet sent.",
    ["lane"],
    registry=REGISTRY,
)
RELAY_PUBLISHED = Counter(
    "dachuan_relay_published", "Events sent to Kafka and acknowledged.", ["topic"], registry=REGISTRY
)
CONSUMER_LAG = Gauge(
    "dachuan_consumer_lag",
    "Events in Kafka that this service has not yet applied.",
    ["topic", "partition"],
    registry=REGISTRY,
)
CONSUMER_AGE = Gauge(
    "dachuan_consumer_age_seconds",
    "Seconds from an event's recording to its being applied, for the last batch; 0 without lag.",
    ["topic"],
    registry=REGISTRY,
)
CONSUMER_EVENTS = Counter(
    "dachuan_consumer_events",
    "Events consumed, by outcome: applied, ignored (no handler), duplicate, dead (sent to the DLQ).",
    ["topic", "outcome"],
    registry=REGISTRY,
)
INBOX_DUPLICATES = Counter(
    "dachuan_inbox_duplicates", "Events received again and skipped.", ["topic"], registry=REGISTRY
)
DLQ_MESSAGES = Counter("dachuan_dlq_messages", "Events moved to a dead-letter queue.", ["topic"], registry=REGISTRY)
DLQ_DEPTH = Gauge("dachuan_dlq_depth", "Dead-letter messages waiting to be redriven.", ["topic"], registry=REGISTRY)
DEADLINES_DUE = Gauge("dachuan_deadlines_due", "Open deadlines due within 24 hours.", ["kind"], registry=REGISTRY)
DEADLINES_OVERDUE = Gauge(
    "dachuan_deadlines_overdue", "Deadlines past due whose act has not happened.", ["kind"], registry=REGISTRY
)
READY = Gauge("dachuan_ready", "1 while this service is ready, else 0.", registry=REGISTRY)
COMPONENT_READY = Gauge(
    "dachuan_component_ready",
    "1 while a part of this service is well, else 0.",
    ["component"],
    registry=REGISTRY,
)
AUDIT_UNSEALED = Gauge("dachuan_audit_unsealed", "Audit entries not yet covered by a signed seal.", registry=REGISTRY)
BUILD_INFO = Gauge("dachuan_build_info", "1, labelled with the running version.", ["version"], registry=REGISTRY)
