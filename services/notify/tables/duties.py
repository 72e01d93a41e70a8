"""Duties with their proofs, meetings with their decisions. Words of officers are sealed by the key `report`."""

from sqlalchemy import BigInteger, Boolean, Column, Date, ForeignKey, Index, Integer, LargeBinary, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from services.notify.tables.base import metadata
from shared.kit.tables import TIMESTAMP

meetings = Table(
    "meetings",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("kind", Text, nullable=False, comment="joint_conference or case_conference"),
    Column("case_id", UUID, comment="the joint case of a case conference"),
    Column("case_number", Text),
    Column("sealed", LargeBinary, nullable=False, comment="title, place, agenda, minutes"),
    Column("starts_at", TIMESTAMP, nullable=False),
    Column("ends_at", TIMESTAMP, nullable=False),
    Column("agencies", ARRAY(Text), nullable=False, comment="who is asked to come, the one that calls included"),
    Column("present", ARRAY(Text), nullable=False, comment="who came"),
    Column("state", Text, nullable=False),
    Column("agency", Text, nullable=False, comment="who calls it"),
    Column("called_by", Text, nullable=False),
    Column("duty_id", UUID, comment="the turn of the plan's calendar that it is"),
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
    Column("unit", Text),
    Column("area", Text, comment="the community's own"),
    Column("origin", Text, nullable=False, comment="plan, activity or meeting"),
    Column("duty", Text, comment="id of the plan's duty or activity"),
    Column("phase", Text, comment="none: for the whole run of the plan"),
    Column("clause", Text),
    Column("meeting_id", UUID, ForeignKey("meetings.id")),
    Column("sealed", LargeBinary, comment="a meeting's decision in words"),
    Column("starts", Date, nullable=False),
    Column("due", TIMESTAMP, nullable=False),
    Column("counts", Boolean, nullable=False, comment="no: its time had passed before it was known here"),
    Column("state", Text, nullable=False),
    Column("done_at", TIMESTAMP),
    Column("done_by", Text),
    Column("late", Boolean),
    Column("missed_at", TIMESTAMP),
    Column("created_at", TIMESTAMP, nullable=False),
    Column("version", Integer, nullable=False),
    Column("history", JSONB, nullable=False),
    Index("duties_of_agency", "plan", "agency", "due", "id"),
    Index("duties_of_plan", "plan", "due", "id"),
    Index("duties_of_meeting", "meeting_id", postgresql_where=text("meeting_id IS NOT NULL")),
    Index("duties_running", "due", postgresql_where=text("state = 'open' AND counts")),
    comment="职责: of the plan by agency and phase, of its calendar, and of meetings' decisions",
)

duty_proofs = Table(
    "duty_proofs",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("duty_id", UUID, ForeignKey("duties.id"), nullable=False),
    Column("kind", Text, nullable=False, comment="photo, link or count"),
    Column("sealed", LargeBinary, nullable=False, comment="what it shows, in words, and the address of a link"),
    Column("number", BigInteger, comment="of a count"),
    Column("file_id", UUID, comment="of a photo"),
    Column("recorded_at", TIMESTAMP, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Index("duty_proofs_of_duty", "duty_id"),
    comment="what shows that a duty is done",
)
