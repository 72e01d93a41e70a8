"""Clocks of all services as their owners told of them, and the digests made of them."""

from sqlalchemy import BigInteger, Boolean, Column, Date, Integer, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import UUID

from services.notify.tables.base import metadata
from shared.kit.tables import TIMESTAMP

clocks = Table(
    "clocks",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("unit", Text),
    Column("kind", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("matter", Text, nullable=False),
    Column("matter_id", UUID, nullable=False),
    Column("dataref", Text, nullable=False),
    Column("area", Text),
    Column("urgent", Boolean, nullable=False),
    Column("start", TIMESTAMP, nullable=False),
    Column("due", TIMESTAMP, nullable=False),
    Column("provisional", Boolean, nullable=False),
    Column("standing", Text, nullable=False),
    Column("at", TIMESTAMP, nullable=False),
    Column("closed", Boolean, nullable=False),
    Column("ordinal", BigInteger, nullable=False),
    Column("rank", SmallInteger, nullable=False),
    Column("tie", Text, nullable=False),
    Column("reminded", Text, nullable=False),
    Column("next_at", TIMESTAMP),
)
"""The fact that holds of each deadline: (closed, ordinal, rank, tie) is greatest, in whatever order facts came.
`reminded`: the last reminder of this due moment; `next_at`: when the next is due, none while the clock does not run."""

digests = Table(
    "digests",
    metadata,
    Column("plan", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("made_at", TIMESTAMP, nullable=False),
    Column("notices", Integer, nullable=False),
)
"""Days whose digest is made: one a plan and working day."""
