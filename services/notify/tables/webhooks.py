"""Targets outside and what is sent to them."""

from sqlalchemy import Boolean, Column, ForeignKey, Integer, LargeBinary, Table, Text, text
from sqlalchemy.dialects.postgresql import UUID

from services.notify.tables.base import metadata
from shared.kit.tables import TIMESTAMP

endpoints = Table(
    "endpoints",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("paused_until", TIMESTAMP),
    Column("created_at", TIMESTAMP, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("channel", Text, nullable=False, server_default=text("'webhook'")),
    Column("name", Text),
    Column("unit", Text),
    Column("post", Text),
    Column("urgent_only", Boolean, nullable=False, server_default=text("false")),
    Column("per_minute", Integer),
    Column("window_at", TIMESTAMP),
    Column("window_used", Integer, nullable=False, server_default=text("0")),
    Column("not_before", TIMESTAMP),
    Column("failing_since", TIMESTAMP),
    Column("last_outcome", Text),
    Column("last_delivered_at", TIMESTAMP),
    Column("off_reason", Text),
    Column("off_at", TIMESTAMP),
    Column("old_secret", LargeBinary),
    Column("old_until", TIMESTAMP),
)
"""Targets of agencies, units and posts. `secret` is sealed under the key `webhook`: a webhook's signing secret; for
every other channel the address itself, of which `url` shows so much as its owner needs to know it again.

`failures` in a row pause one (`paused_until`: the circuit is open); `not_before` is what the target itself asked for, or
its limit; `failing_since` counts towards switching it off."""

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("endpoint_id", UUID, ForeignKey("endpoints.id"), nullable=False),
    Column("notice_id", UUID),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", TIMESTAMP, nullable=False),
    Column("claimed_until", TIMESTAMP),
    Column("last_outcome", Text),
    Column("created_at", TIMESTAMP, nullable=False),
    Column("delivered_at", TIMESTAMP),
    Column("ring", Integer),
    Column("urgent", Boolean, nullable=False, server_default=text("false")),
    Column("since", TIMESTAMP),
)
"""Notice × target; the id follows from both, is told to the receiver and never changes. Without a notice it is a ping;
`ring` counts the times an urgent notice rang again. `since`: from when three days of trying are counted, where the
message was sent again by hand."""
