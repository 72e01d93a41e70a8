"""Hand-offs of other systems: a receipt of every exchange, and what stands behind each item."""

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import UUID

from services.intake.tables.base import metadata
from shared.kit.tables import TIMESTAMP

handin_exchanges = Table(
    "handin_exchanges",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("caller", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("items", Integer, nullable=False),
    Column("created", Integer, nullable=False),
    Column("replayed", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("body_hash", LargeBinary, nullable=False),
    Column("at", TIMESTAMP, nullable=False),
    Index("handin_exchanges_by_agency", "plan", "agency", "at", "id"),
    comment="交换回执: what an outside system sent when, and how much of it was taken; append-only",
)

handins = Table(
    "handins",
    metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("tip_id", UUID, ForeignKey("tips.id"), nullable=False, unique=True),
    Column("exchange_id", UUID, ForeignKey("handin_exchanges.id"), nullable=False),
    Column("plan", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("external_ref", Text, nullable=False),
    Column("dispatched_by", Text),
    Column("dispatch_no", Text),
    Column("at", TIMESTAMP, nullable=False),
    Index("handins_by_agency", "plan", "agency", "seq"),
    comment="交办件: an outside system's item, its number there, who assigned it under which number; append-only",
)
