"""Joint operations: their hour, who is named, forces, roll-call, results from the scene, and events held back."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from services.casework.tables.base import metadata
from shared.kit.tables import TIMESTAMP

operations = Table(
    "operations",
    metadata,
    Column("proceeding_id", UUID, ForeignKey("proceedings.id"), primary_key=True),
    Column("plan", Text, nullable=False),
    Column("known_from", TIMESTAMP, comment="before it, and while it is null, only those named know of the operation"),
    comment="联合行动: when it stops being a matter of those named alone",
)

operation_members = Table(
    "operation_members",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("proceeding_id", UUID, ForeignKey("proceedings.id"), nullable=False),
    Column("agency", Text, comment="none: of any agency, by post or person"),
    Column("unit", Text),
    Column("post", Text),
    Column("principal", Text, comment="an account's id, never a name"),
    Column("named_by", Text, nullable=False),
    Column("named_at", TIMESTAMP, nullable=False),
    Column("struck_at", TIMESTAMP),
    Index("operation_members_of", "proceeding_id"),
    Index("operation_members_agency", "agency", "proceeding_id", postgresql_where=text("struck_at IS NULL")),
    comment="知情范围: who may know of an operation before its hour; all that is given must fit",
)

operation_forces = Table(
    "operation_forces",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("proceeding_id", UUID, ForeignKey("proceedings.id"), nullable=False),
    Column("agency", Text, nullable=False),
    Column("unit", Text),
    Column("people", Integer, nullable=False),
    Column("vehicles", Integer, nullable=False),
    Column("words", LargeBinary, comment="task and meeting point, sealed under the case key"),
    Column("withdrawn_at", TIMESTAMP),
    Column("version", Integer, nullable=False),
    Index("operation_forces_of", "proceeding_id"),
    comment="参加力量",
)

operation_presence = Table(
    "operation_presence",
    metadata,
    Column("force_id", UUID, ForeignKey("operation_forces.id"), primary_key=True),
    Column("principal", Text, primary_key=True, comment="whose word it is"),
    Column("proceeding_id", UUID, ForeignKey("proceedings.id"), nullable=False),
    Column("people", Integer, nullable=False),
    Column("first_at", TIMESTAMP, nullable=False),
    Column("at", TIMESTAMP, nullable=False),
    Index("operation_presence_of", "proceeding_id"),
    comment="点名: how many a person at the meeting point says are there; the last word counts",
)

operation_entries = Table(
    "operation_entries",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("proceeding_id", UUID, ForeignKey("proceedings.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", TIMESTAMP, nullable=False, comment="when it was so on the scene"),
    Column("force_id", UUID, ForeignKey("operation_forces.id")),
    Column("area", Text),
    Column("counts", JSONB, nullable=False),
    Column("den_id", UUID),
    Column("place_id", UUID),
    Column("person_ids", JSONB, nullable=False),
    Column("words", LargeBinary, comment="place and note, sealed under the case key"),
    Column("agency", Text, nullable=False),
    Column("unit", Text),
    Column("principal", Text, nullable=False),
    Column("recorded_at", TIMESTAMP, nullable=False),
    Column("withdrawn_at", TIMESTAMP),
    Column("withdrawn_by", Text),
    UniqueConstraint("proceeding_id", "id"),
    comment="现场战果: what was found; a wrong entry is withdrawn, never changed",
)

withheld_events = Table(
    "withheld_events",
    metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("proceeding_id", UUID, ForeignKey("proceedings.id"), nullable=False),
    Column("type", Text, nullable=False),
    Column("time", TIMESTAMP, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Index("withheld_events_of", "proceeding_id", "seq"),
    comment="Events of operations that are told only from the operation's hour on",
)
