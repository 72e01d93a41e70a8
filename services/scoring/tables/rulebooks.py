"""Published versions of rulebooks, never changed, and drafts."""

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from services.scoring.tables.base import metadata
from shared.kit.tables import TIMESTAMP

rulebooks = Table(
    "rulebooks",
    metadata,
    Column("seq", BigInteger, Identity(always=True), nullable=False, unique=True),
    Column("rulebook", Text, nullable=False),
    Column("edition", Text, nullable=False, comment="the rulebook's own version"),
    Column("plans", JSONB, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("source", Text, nullable=False, comment="the YAML, as it was checked and published"),
    Column("sha256", Text, nullable=False),
    Column("origin", Text, nullable=False, comment="shipped with the program, or published here"),
    Column("draft_id", UUID),
    Column("drafted_by", Text),
    Column("published_by", Text),
    Column("published_at", TIMESTAMP, nullable=False),
    PrimaryKeyConstraint("rulebook", "edition"),
    UniqueConstraint("rulebook", "valid_from"),
    comment="Append-only. What is here counts, whatever the shipped files say later",
)

rulebook_drafts = Table(
    "rulebook_drafts",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("rulebook", Text, nullable=False),
    Column("edition", Text, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("source", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("unit", Text),
    Column("drafted_by", Text, nullable=False, comment="who wrote it last"),
    Column("drafted_at", TIMESTAMP, nullable=False),
    Column("submitted_by", Text),
    Column("submitted_at", TIMESTAMP),
    Column("decided_by", Text),
    Column("decided_at", TIMESTAMP),
    Column("reason", Text),
    Column("version", Integer, nullable=False),
    Column("history", JSONB, nullable=False),
    Index("rulebook_drafts_of_plan", "plan", "state", "id"),
    comment="A version before it is published; two persons publish it",
)
