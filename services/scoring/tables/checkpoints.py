"""The Merkle tree over the ledger, its signed checkpoints, and closed periods. All append-only."""

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import UUID

from services.scoring.tables.base import metadata
from shared.kit.tables import TIMESTAMP

ledger_tree = Table(
    "ledger_tree",
    metadata,
    Column("level", SmallInteger, primary_key=True, comment="height: it stands for 2^level entries"),
    Column("index", BigInteger, primary_key=True),
    Column("hash", LargeBinary, nullable=False),
    Column("last_seq", BigInteger, nullable=False, comment="seq of its last entry"),
    Index("ledger_tree_of_seq", "level", "last_seq"),
    comment="Roots of the tree's perfect subtrees, under a checkpoint; entries beside them are hashed anew",
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("number", BigInteger, primary_key=True),
    Column("origin", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("taken_at", TIMESTAMP, nullable=False),
    Column("period_id", UUID, unique=True),
    Column("note", Text, nullable=False, comment="as signed"),
    Column("stored_at", TIMESTAMP, comment="when it was written outside the database"),
    Index("checkpoints_of_seq", "seq"),
    Index("checkpoints_unstored", "number", postgresql_where=sql("stored_at IS NULL")),
)

periods = Table(
    "periods",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("label", Text, nullable=False, comment="2026, 2026-Q4 or 2026-11"),
    Column("first", Date, nullable=False),
    Column("last", Date, nullable=False),
    Column("closed_at", TIMESTAMP, nullable=False),
    Column("closed_by", Text, nullable=False),
    Column("seq", BigInteger, nullable=False, comment="entries up to here count; later ones are corrections"),
    Column("size", BigInteger, nullable=False),
    Column("entries", BigInteger, nullable=False),
    Column("document", LargeBinary, nullable=False, comment="the frozen standings, byte for byte"),
    Column("digest", LargeBinary, nullable=False),
    Column("checkpoint", BigInteger, nullable=False),
    UniqueConstraint("plan", "label"),
)

period_standings = Table(
    "period_standings",
    metadata,
    Column("period_id", UUID, nullable=False),
    Column("plan", Text, nullable=False),
    Column("rulebook", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("unit", Text),
    Column("area", Text),
    Column("points", Numeric, nullable=False),
    Column("entries", Integer, nullable=False),
    Column("in_time", Integer, nullable=False),
    Column("late", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("as_of", TIMESTAMP, nullable=False),
    Column("subject_kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    UniqueConstraint(
        "period_id", "rulebook", "agency", "unit", "subject_kind", "subject", postgresql_nulls_not_distinct=True
    ),
)
