"""How leads meet: targets in their index, joins for ever, suggestions, gatherings, corrected readings."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, SmallInteger, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from services.intake.tables.base import metadata
from shared.kit.tables import TIMESTAMP

lead_targets = Table(
    "lead_targets",
    metadata,
    Column("lead_id", UUID, ForeignKey("leads.id"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("tips", Integer, nullable=False),
    Column("seen_at", TIMESTAMP, nullable=False),
    Index("lead_targets_by_key", "plan", "key", "seen_at"),
    comment="目标: under which keys a lead is found; persons and phones stand as keyed tokens",
)

target_names = Table(
    "target_names",
    metadata,
    Column("plan", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("bigrams", ARRAY(Text), comment="made by the database from the name"),
    Index("target_names_by_bigram", "bigrams", postgresql_using="gin"),
    comment="estates, roads, organisations and apps by name, for a search of two characters or more",
)

lead_joins = Table(
    "lead_joins",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("lead_id", UUID, nullable=False),
    Column("other_id", UUID),
    Column("undoes", UUID),
    Column("tips", JSONB, nullable=False, comment="the tips that moved"),
    Column("score", SmallInteger),
    Column("reasons", JSONB, nullable=False),
    Column("automatic", Boolean, nullable=False),
    Column("actor", Text, nullable=False),
    Column("agency", Text),
    Column("at", TIMESTAMP, nullable=False),
    Index("lead_joins_of_lead", "lead_id", "at"),
    Index("lead_joins_of_other", "other_id", "at", postgresql_where=text("other_id IS NOT NULL")),
    Index("lead_joins_undone_once", "undoes", unique=True, postgresql_where=text("undoes IS NOT NULL")),
    comment="并入与拆分: append-only; what moved, why, by whom, and what it undoes",
)

lead_suggestions = Table(
    "lead_suggestions",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("lead_id", UUID, ForeignKey("leads.id"), nullable=False),
    Column("other_id", UUID, ForeignKey("leads.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("score", SmallInteger, nullable=False),
    Column("reasons", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("agency", Text, nullable=False, comment="whose lead the newer one is"),
    Column("made_at", TIMESTAMP, nullable=False),
    Column("decided_at", TIMESTAMP),
    Column("decided_by", Text),
    Column("version", Integer, nullable=False),
    Index("lead_suggestions_pair", "lead_id", "other_id", unique=True),
    Index("lead_suggestions_of_other", "other_id"),
    Index("lead_suggestions_open", "plan", "made_at", "id", postgresql_where=text("state = 'open'")),
    comment="疑似同一目标 (same) and 死灰复燃 (seen_before): the newer lead, the older, the score and why",
)

gatherings = Table(
    "gatherings",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("area", Text),
    Column("signals", Integer, nullable=False),
    Column("lead_id", UUID, ForeignKey("leads.id"), nullable=False),
    Column("found_at", TIMESTAMP, nullable=False),
    Column("until", TIMESTAMP, nullable=False),
    Index("gatherings_by_key", "plan", "key", "until"),
    Index("gatherings_newest", "plan", "found_at", "id"),
    comment="聚集: several signals about one place within the plan's window",
)

tip_corrections = Table(
    "tip_corrections",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("tip_id", UUID, ForeignKey("tips.id"), nullable=False),
    Column("plan", Text, nullable=False),
    Column("agreed", Boolean, nullable=False),
    Column("before", JSONB, nullable=False),
    Column("after", JSONB, nullable=False),
    Column("lexicon", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", TIMESTAMP, nullable=False),
    Index("tip_corrections_of_tip", "tip_id", "at"),
    Index("tip_corrections_newest", "plan", "at", "id"),
    comment="判读的确认与更正: labels before and after, by lexicon; the words stay sealed with the tip",
)
