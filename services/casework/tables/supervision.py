"""What is known of a case that may make it major, and who said so when."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Identity, Index, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from services.casework.tables.base import metadata
from shared.kit.tables import TIMESTAMP

case_facts = Table(
    "case_facts",
    metadata,
    Column("case_id", UUID, ForeignKey("cases.id"), primary_key=True),
    Column("plan", Text, nullable=False),
    Column("facts", JSONB, nullable=False, comment="counts and yuan, the highest known of each"),
    Column("because", JSONB, nullable=False, comment="the bounds reached"),
    Column("major", Boolean, nullable=False),
    Column("major_since", TIMESTAMP, comment="when it became known that the case is major"),
    Column("report_id", UUID, ForeignKey("proceedings.id"), comment="the report upward that is due or was made"),
    Column("version", Integer, nullable=False),
    Index("case_facts_major", "plan", "case_id", postgresql_where="major"),
    comment="重特大案件: the facts that decide it",
)

case_fact_notes = Table(
    "case_fact_notes",
    metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("case_id", UUID, ForeignKey("cases.id"), nullable=False),
    Column("source", Text, nullable=False, comment="what the facts come from"),
    Column("facts", JSONB, nullable=False),
    Column("known_at", TIMESTAMP, nullable=False),
    Column("at", TIMESTAMP, nullable=False),
    Column("actor", Text, nullable=False),
    Column("agency", Text),
    Index("case_fact_notes_of", "case_id", "seq"),
    comment="append-only",
)
