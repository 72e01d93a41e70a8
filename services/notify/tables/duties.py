"""Duties with their proofs, meetings with their decisions."""

from sqlalchemy import BigInteger, Boolean, Column, Date, ForeignKey, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from services.notify.tables.base import metadata
from shared.kit.tables import TIMESTAMP

meetings = Table(
    "meetings",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("kind", Text, nullable=False, comment="joint_conference or case_conference"),
    Column("activity", Text, comment="the activity of the plan's calendar that it is"),
    Column("case_id", UUID),
    Column("title", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("starts_at", TIMESTAMP, nullable=False),
    Column("ends_at", TIMESTAMP, nullable=False),
    Column("agencies", JSONB, nullable=False, comment="who is asked to come"),
    Column("agenda", JSONB, nullable=False),
    Column("minutes", Text, nullable=False),
    Column("present", JSONB, nullable=False, comment="agencies that came"),
    Column("state", Text, nullable=False),
    Column("called_by", Text, nullable=False),
    Column("created_at", TIMESTAMP, nullable=False),
    Column("changed_at", TIMESTAMP, nullable=False),
    Column("version", Integer, nullable=False),
    Column("history", JSONB, nullable=False),
    Index("meetings_of_plan", "plan", "starts_at", "id"),
    comment="联席会议、小型案件会议",
)

duties = Table(
    "duties",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("area", Text, comment="the community's own"),
    Column("origin", Text, nullable=False, comment="plan or meeting"),
    Column("duty", Text, comment="id in the plan's duties"),
    Column("phase", Text, comment="none: for the whole time of the plan"),
    Column("clause", Text),
    Column("meeting_id", UUID, ForeignKey("meetings.id")),
    Column("what", Text, comment="a meeting's decision in words"),
    Column("starts", Date, nullable=False),
    Column("due", TIMESTAMP, nullable=False),
    Column("counts", Boolean, nullable=False, comment="whether lateness counts: not where its day had passed before it was known here"),
    Column("state", Text, nullable=False),
    Column("done_at", TIMESTAMP),
    Column("done_by", Text),
    Column("in_time", Boolean),
    Column("missed_at", TIMESTAMP),
    Column("reminded_at", TIMESTAMP),
    Column("created_at", TIMESTAMP, nullable=False),
    Column("version", Integer, nullable=False),
    Index("duties_of_agency", "plan", "agency", "due", "id"),
    Index("duties_of_meeting", "meeting_id", postgresql_where=text("meeting_id IS NOT NULL")),
    Index("duties_running", "due", postgresql_where=text("state = 'open'")),
    comment="职责: of the plan by agency and phase, and of meetings' decisions",
)

duty_proofs = Table(
    "duty_proofs",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("duty_id", UUID, ForeignKey("duties.id"), nullable=False),
    Column("kind", Text, nullable=False, comment="photo, link or count"),
    Column("reference", Text, comment="id of a file or an address"),
    Column("number", BigInteger),
    Column("note", Text, nullable=False),
    Column("recorded_at", TIMESTAMP, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Index("duty_proofs_of_duty", "duty_id"),
    comment="what shows that a duty is done",
)
