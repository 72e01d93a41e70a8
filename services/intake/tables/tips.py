"""Tips, and the leads they make."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from services.intake.tables.base import metadata
from shared.kit.tables import TIMESTAMP

leads = Table(
    "leads",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("area", Text),
    Column("kinds", JSONB, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("agency", Text, nullable=False),
    Column("unit", Text),
    Column("rule", Text, nullable=False),
    Column("received_at", TIMESTAMP, nullable=False),
    Column("tips", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Index("leads_by_plan", "plan", "received_at", "id"),
    comment="线索: what is known of one suspected pyramid-selling target; clocks start at received_at of its first tip",
)

tips = Table(
    "tips",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("area", Text),
    Column("state", Text, nullable=False),
    Column("relevant", Boolean, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("kinds", JSONB, nullable=False),
    Column("belongs_to", Text),
    Column("agency", Text),
    Column("unit", Text),
    Column("rule", Text, nullable=False),
    Column("lead_id", UUID, ForeignKey("leads.id")),
    Column("narrative", LargeBinary, nullable=False),
    Column("lexicon", Text, nullable=False),
    Column("receipt_hash", LargeBinary, nullable=False, unique=True),
    Column("source_agency", Text),
    Column("external_ref", Text),
    Column("posted_at", TIMESTAMP),
    Column("received_at", TIMESTAMP, nullable=False),
    Column("version", Integer, nullable=False),
    Index("tips_by_plan", "plan", "received_at", "id"),
    Index("tips_by_lead", "lead_id"),
    comment="举报: one message as it came in; its words are sealed, its sender is not known here",
)
