"""What measures hold, item by item; instalments and payments of penalties."""

from sqlalchemy import BigInteger, Column, Date, ForeignKey, Index, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import UUID

from services.casework.tables.base import metadata
from shared.kit.tables import TIMESTAMP

measure_items = Table(
    "measure_items",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("proceeding_id", UUID, ForeignKey("proceedings.id"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("value", BigInteger, comment="fen; none: not valued"),
    Column("details", LargeBinary, nullable=False, comment="sealed: name, holder, where kept, remarks"),
    Column("evidence_id", UUID),
    Column("state", Text, nullable=False),
    Column("added_at", TIMESTAMP, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("ended_on", Date),
    Column("ended_at", TIMESTAMP),
    Column("ended_by", Text),
    Column("receipt", LargeBinary, comment="sealed: who received it, or the record of destruction"),
    Index("measure_items_of", "proceeding_id", "seq", unique=True),
    comment="查封扣押物品清单: each item and what became of it",
)

penalty_instalments = Table(
    "penalty_instalments",
    metadata,
    Column("proceeding_id", UUID, ForeignKey("proceedings.id"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("due_on", Date, nullable=False),
    Column("amount", BigInteger, nullable=False, comment="fen"),
    comment="分期缴纳: the plan that stands",
)

penalty_payments = Table(
    "penalty_payments",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("proceeding_id", UUID, ForeignKey("proceedings.id"), nullable=False),
    Column("paid_on", Date, nullable=False),
    Column("amount", BigInteger, nullable=False, comment="fen"),
    Column("way", Text, nullable=False),
    Column("receipt", LargeBinary, nullable=False, comment="sealed: number of the receipt"),
    Column("recorded_at", TIMESTAMP, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Index("penalty_payments_of", "proceeding_id", "paid_on", "id"),
    comment="缴款: append-only",
)

