"""Proceedings and the steps taken in them."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from services.casework.tables.base import metadata
from shared.kit.tables import TIMESTAMP

proceedings = Table(
    "proceedings",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("number", Text, nullable=False),
    Column("kind", Text, nullable=False, comment="the procedure, by its id in deploy/procedures"),
    Column("category", Text, nullable=False, comment="the procedure's group"),
    Column("procedure_version", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("area", Text),
    Column("case_id", UUID, ForeignKey("cases.id")),
    Column("parent_id", UUID, ForeignKey("proceedings.id")),
    Column("urgent", Boolean, nullable=False),
    Column("confidential", Text, comment="criminal or operation: read under a further right"),
    Column("agency", Text, nullable=False),
    Column("unit", Text),
    Column("to_agency", Text),
    Column("to_unit", Text),
    Column("to_outside", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("awaits_agency", Text),
    Column("awaits_unit", Text),
    Column("final", Boolean, nullable=False),
    Column("outcome", Text),
    Column("facts", JSONB, nullable=False),
    Column("opened_at", TIMESTAMP, nullable=False),
    Column("ended_at", TIMESTAMP),
    Column("missed", Integer, nullable=False, server_default=text("0"), comment="clocks past due, act still open"),
    Column("version", Integer, nullable=False),
    Index("proceedings_number", "plan", "number", unique=True),
    Index("proceedings_of_case", "case_id", "id"),
    Index("proceedings_waiting", "awaits_agency", "id", postgresql_where=text("NOT final")),
    Index("proceedings_by_agency", "agency", "id"),
    Index("proceedings_to_agency", "to_agency", "id"),
    Index("proceedings_by_kind", "plan", "kind", "id"),
    Index("proceedings_late", "plan", "id", postgresql_where=text("missed > 0")),
    comment="办案程序: every track, transfer, request, measure, penalty, operation, supervision and report",
)

proceeding_steps = Table(
    "proceeding_steps",
    metadata,
    Column("proceeding_id", UUID, ForeignKey("proceedings.id"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("step", Text, nullable=False),
    Column("from_state", Text),
    Column("to_state", Text, nullable=False),
    Column("at", TIMESTAMP, nullable=False),
    Column("actor", Text, nullable=False, comment="actor id, never a name"),
    Column("agency", Text),
    Column("unit", Text),
    Column("facts", JSONB, nullable=False, comment="what this step gave"),
    Column("words", LargeBinary, comment="its prose, sealed under the case key and bound to the proceeding"),
    comment="办案步骤: append-only",
)
