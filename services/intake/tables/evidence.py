"""Files that came with a tip; their bytes stand sealed in the object storage."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, SmallInteger, Table, Text, text
from sqlalchemy.dialects.postgresql import UUID

from services.intake.tables.base import metadata
from shared.kit.tables import TIMESTAMP

tip_files = Table(
    "tip_files",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("tip_id", UUID, ForeignKey("tips.id"), nullable=False),
    Column("number", SmallInteger, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("scan", Text, nullable=False),
    Column("data_key", LargeBinary, nullable=False),
    Column("copy_type", Text),
    Column("copy_size", BigInteger),
    Column("source", Text, nullable=False),
    Column("attempts", SmallInteger, nullable=False),
    Column("received_at", TIMESTAMP, nullable=False),
    Column("cleaned_at", TIMESTAMP),
    Column("scanned_at", TIMESTAMP),
    Column("version", Integer, nullable=False),
    Index("tip_files_waiting", "received_at", postgresql_where=text("state = 'received' AND reason IS NULL")),
    Index("tip_files_unscanned", "received_at", postgresql_where=text("scan IN ('not_scanned', 'failed')")),
    comment="证据材料: a file by its number within its tip; the name it had is never known here",
)

tip_flags = Table(
    "tip_flags",
    metadata,
    Column("tip_id", UUID, ForeignKey("tips.id"), primary_key=True),
    Column("flag", Text, primary_key=True),
    Column("at", TIMESTAMP, nullable=False),
    comment="What an officer should know of how a tip came: `unproven`, taken under load without proof of work",
)
