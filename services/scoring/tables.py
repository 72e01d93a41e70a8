"""Scoring's database: obligations, the append-only ledger, standings, and the kit's tables."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import UUID

from shared.kit.tables import TIMESTAMP, kit_tables

metadata = MetaData()
kit = kit_tables(metadata)

obligations = Table(
    "obligations",
    metadata,
    Column("deadline_id", UUID, primary_key=True),
    Column("case_id", UUID, nullable=False),
    Column("number", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("area", Text),
    Column("agency", Text, nullable=False),
    Column("unit", Text),
    Column("kind", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("due", TIMESTAMP, nullable=False),
    Column("provisional", Boolean, nullable=False),
    Column("state", Text, nullable=False, server_default="open"),
    Column("opened_recordedat", TIMESTAMP, comment="null while only a later fact has arrived"),
    Column("accepted_event", UUID),
    Column("accepted_at", TIMESTAMP),
    Column("accepted_recordedat", TIMESTAMP),
    Column("in_time", Boolean),
    Column("missed_event", UUID),
    Column("missed_at", TIMESTAMP),
    Column("missed_recordedat", TIMESTAMP),
    Index("obligations_of_case", "case_id"),
    comment="One row for each deadline of a case and the facts its owner told of it",
)

ledger = Table(
    "ledger",
    metadata,
    Column("seq", BigInteger, Identity(always=True), nullable=False, unique=True),
    Column("entry_id", UUID, primary_key=True),
    Column("deadline_id", UUID, nullable=False),
    Column("plan", Text, nullable=False),
    Column("rulebook", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("clause", Text),
    Column("outcome", Text, nullable=False),
    Column("corrects", UUID),
    Column("agency", Text, nullable=False),
    Column("unit", Text),
    Column("area", Text),
    Column("points", Numeric, nullable=False),
    Column("assumed", Boolean, nullable=False),
    Column("occurred_on", Date, nullable=False),
    Column("case_id", UUID, nullable=False),
    Column("fact_event", UUID, nullable=False),
    Column("fact_type", Text, nullable=False),
    Column("fact_at", TIMESTAMP, nullable=False),
    Column("recorded_at", TIMESTAMP, nullable=False),
    Index("ledger_of_unit", "plan", "agency", "unit", "seq"),
    Index("ledger_of_area", "plan", "area", "seq"),
    Index("ledger_of_deadline", "deadline_id"),
    comment="Append-only. `seq` grows in the order of commits: writers take turns",
)

standings = Table(
    "standings",
    metadata,
    Column("plan", Text, nullable=False),
    Column("rulebook", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("unit", Text),
    Column("area", Text, comment="the agency's own area, where it has one"),
    Column("points", Numeric, nullable=False),
    Column("entries", Integer, nullable=False),
    Column("in_time", Integer, nullable=False),
    Column("late", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("as_of", TIMESTAMP, nullable=False),
    Column("changed_seq", BigInteger, nullable=False, unique=True, comment="seq of its newest entry"),
    UniqueConstraint("plan", "rulebook", "agency", "unit", postgresql_nulls_not_distinct=True),
    comment="The ledger summed up per unit; changed in the transaction of its entries",
)
