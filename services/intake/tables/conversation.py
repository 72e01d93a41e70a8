"""What is said after a tip: messages by receipt, contested closings, ratings; a reporter's contact, sealed apart."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, SmallInteger, Table, Text, text
from sqlalchemy.dialects.postgresql import UUID

from services.intake.tables.base import metadata
from shared.kit.tables import TIMESTAMP

tip_messages = Table(
    "tip_messages",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("tip_id", UUID, ForeignKey("tips.id"), nullable=False),
    Column("author", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("agency", Text),
    Column("actor", Text),
    Column("reply_to", UUID),
    Column("sealed", LargeBinary, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("at", TIMESTAMP, nullable=False),
    Column("read_at", TIMESTAMP),
    Index("tip_messages_by_tip", "tip_id", "at", "id"),
    Index("tip_messages_unread", "tip_id", "author", postgresql_where=text("read_at IS NULL")),
    comment="对话: what an agency asked and a reporter answered or added, by receipt; words sealed, nobody named",
)

closing_contests = Table(
    "closing_contests",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("tip_id", UUID, ForeignKey("tips.id"), nullable=False),
    Column("plan", Text, nullable=False),
    Column("area", Text),
    Column("agency", Text),
    Column("closing", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("closed_by", Text),
    Column("contested_at", TIMESTAMP, nullable=False),
    Column("decided_by", Text),
    Column("decided_at", TIMESTAMP),
    Column("version", Integer, nullable=False),
    Index("closing_contests_once", "tip_id", "closing", unique=True),
    Index("closing_contests_open", "plan", "contested_at", "id", postgresql_where=text("state = 'open'")),
    comment="异议: a closing that its reporter contests, for a second look by another person",
)

closing_ratings = Table(
    "closing_ratings",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("tip_id", UUID, ForeignKey("tips.id"), nullable=False),
    Column("closing", Text, nullable=False),
    Column("stars", SmallInteger, nullable=False),
    Column("sealed", LargeBinary),
    Column("rated_at", TIMESTAMP, nullable=False),
    Index("closing_ratings_once", "tip_id", "closing", unique=True),
    comment="评价: how a reporter rates what became of a tip",
)

lead_declines = Table(
    "lead_declines",
    metadata,
    Column("lead_id", UUID, ForeignKey("leads.id"), nullable=False),
    Column("agency", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", TIMESTAMP, nullable=False),
    Index("lead_declines_of_lead", "lead_id", "at"),
    comment="Who declined a lead, so that another person looks when its reporter contests that",
)

reporter_contacts = Table(
    "reporter_contacts",
    metadata,
    Column("tip_id", UUID, ForeignKey("tips.id"), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("given_at", TIMESTAMP, nullable=False),
    comment="举报人联系方式: sealed under a key of its own; shown only by contact_reveals",
)

contact_reveals = Table(
    "contact_reveals",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("tip_id", UUID, ForeignKey("tips.id"), nullable=False),
    Column("plan", Text, nullable=False),
    Column("area", Text),
    Column("state", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("requested_at", TIMESTAMP, nullable=False),
    Column("lapses_at", TIMESTAMP, nullable=False),
    Column("decided_by", Text),
    Column("decided_agency", Text),
    Column("decided_at", TIMESTAMP),
    Column("view_until", TIMESTAMP),
    Column("first_viewed_at", TIMESTAMP),
    Column("views", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Index("contact_reveals_by_tip", "tip_id", "requested_at"),
    Index("contact_reveals_by_plan", "plan", "requested_at", "id"),
    Index(
        "contact_reveals_one_waiting", "tip_id", "requested_by", unique=True,
        postgresql_where=text("state = 'requested'"),
    ),
    comment="揭示: one person asks for a contact with a reason, another approves, for a limited time",
)  # fmt: skip
