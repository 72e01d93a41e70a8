"""Webhook targets and what is sent to them."""

from sqlalchemy import Boolean, Column, ForeignKey, Integer, LargeBinary, Table, Text, UniqueConstraint
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
    UniqueConstraint("plan", "agency", "url", name="endpoints_once"),
)
"""Webhook targets of agencies; the signing secret is sealed under the key `webhook`. `failures` in a row pause one."""

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
)
"""Notice × endpoint; the id is the webhook's message id and never changes. Without a notice it is a ping; `ring` counts
the times an urgent notice rang again."""
