"""Events that detectors read, findings, and everything that was done with them."""

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from services.scoring.tables.base import metadata
from shared.kit.tables import TIMESTAMP

finding_facts = Table(
    "finding_facts",
    metadata,
    Column("event_id", UUID, primary_key=True),
    Column("matter", Text, nullable=False, comment="what it is about, `kind:id`: its facts are judged together"),
    Column("plan", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("at", TIMESTAMP, nullable=False),
    Column("recorded_at", TIMESTAMP, nullable=False),
    Column("data", JSONB, nullable=False),
    Index("finding_facts_of_matter", "matter"),
    comment="Append-only. The events that a detector reads, as their owners told them",
)

findings = Table(
    "findings",
    metadata,
    Column("finding_id", UUID, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("condition", Text, nullable=False),
    Column("clause", Text, nullable=False),
    Column("matter", Text, nullable=False),
    Column("subject_kind", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("unit", Text),
    Column("area", Text),
    Column("case_id", UUID),
    Column("origin", Text, nullable=False),
    Column("occurred_at", TIMESTAMP, nullable=False),
    Column("events", JSONB, nullable=False),
    Column("measure", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("proposed_at", TIMESTAMP, nullable=False),
    Column("changed_at", TIMESTAMP, nullable=False),
    Column("answer_by", TIMESTAMP, nullable=False),
    Column("provisional", Boolean, nullable=False, comment="a year its windows touch has no published calendar"),
    Column("answered_at", TIMESTAMP),
    Column("left_by", Text, comment="who left the decision to a second person"),
    Column("decided_by", Text),
    Column("decided_at", TIMESTAMP),
    Column("appeal_by", TIMESTAMP),
    Column("appealed_at", TIMESTAMP),
    Column("decide_by", TIMESTAMP),
    Column("appeal_decided_by", Text),
    Column("appeal_decided_at", TIMESTAMP),
    Index("findings_of_matter", "matter"),
    Index("findings_by_state", "plan", "state", "proposed_at", "finding_id"),
    Index("findings_of_agency", "plan", "agency", "proposed_at", "finding_id"),
    Index("findings_by_time", "proposed_at", "finding_id"),
    comment="One row for each condition of a matter and agency, however often its events come",
)
Index("findings_of_case", findings.c.case_id, postgresql_where=findings.c.case_id.is_not(None))

finding_steps = Table(
    "finding_steps",
    metadata,
    Column("finding_id", UUID, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("step", Text, nullable=False),
    Column("from_state", Text),
    Column("state", Text, nullable=False),
    Column("at", TIMESTAMP, nullable=False),
    Column("actor", Text, nullable=False),
    Column("agency", Text),
    Column("unit", Text),
    Column("words", LargeBinary, comment="sealed: an answer, a reason, the grounds of an appeal"),
    Column("before", JSONB, comment="what the finding said before the step; null for the first"),
    Column("after", JSONB),
    comment="Append-only. What was done with a finding, with what it said before and after",
)
