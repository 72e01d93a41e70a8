"""Seats with their deputies, leave, contacts; how unsigned notices climbed."""

from sqlalchemy import Column, Date, ForeignKey, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import UUID

from services.notify.tables.base import metadata
from shared.kit.tables import TIMESTAMP

seats = Table(
    "seats",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("unit", Text),
    Column("post", Text, nullable=False),
    Column("deputy_id", UUID, ForeignKey("accounts.id")),
    Column("set_at", TIMESTAMP, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("version", Integer, nullable=False),
    comment="岗位: a post in an agency or unit, and who stands in for it; who holds it, accounts say",
)

leaves = Table(
    "leaves",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("account_id", UUID, ForeignKey("accounts.id"), nullable=False),
    Column("deputy_id", UUID, ForeignKey("accounts.id"), comment="none: the deputy of each of the officer's seats"),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("cancelled_at", TIMESTAMP),
    Column("set_at", TIMESTAMP, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("version", Integer, nullable=False),
    comment="休假、外出: from its first day to its last, both included",
)

contacts = Table(
    "contacts",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("account_id", UUID, ForeignKey("accounts.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("address", LargeBinary, comment="sealed under the key `contact`; none: taken off the list"),
    Column("set_at", TIMESTAMP, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("version", Integer, nullable=False),
    comment="how an officer is reached; never a citizen's",
)

climbs = Table(
    "climbs",
    metadata,
    Column("notice_id", UUID, ForeignKey("notices.id"), primary_key=True),
    Column("step", Integer, primary_key=True),
    Column("rung", Text, nullable=False),
    Column("at", TIMESTAMP, nullable=False),
    Column("rule", Text),
    Column("made", UUID, comment="the notice made for the rung"),
    Column("skipped", Text, comment="why none was made"),
    comment="how a notice nobody signed for climbed; append-only",
)
