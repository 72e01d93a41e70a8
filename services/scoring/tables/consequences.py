"""Tools of the ladder, rewards, penalties, accountability proposals, and the moves of special funds."""

from sqlalchemy import BigInteger, Boolean, Column, Date, Identity, Index, Integer, Numeric, Table, Text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from services.scoring.tables.base import metadata
from shared.kit.tables import TIMESTAMP

tools = Table(
    "tools",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("rulebook", Text, nullable=False),
    Column("edition", Text, nullable=False),
    Column("tool", Text, nullable=False),
    Column("rung", Integer, nullable=False, comment="1 is the mildest of its rulebook"),
    Column("clause", Text),
    Column("subject_kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("unit", Text),
    Column("area", Text),
    Column("state", Text, nullable=False),
    Column("cause", JSONB, nullable=False, comment="the trigger that held, or that a person proposed it"),
    Column("findings", JSONB, nullable=False, comment="the confirmed findings it rests on"),
    Column("blocks", JSONB, nullable=False),
    Column("public", Boolean, nullable=False),
    Column("reason", Text),
    Column("period", Date, nullable=False, comment="first day of the assessment year"),
    Column("opened_at", TIMESTAMP, nullable=False),
    Column("proposed_by", Text),
    Column("decided_by", Text),
    Column("decided_at", TIMESTAMP),
    Column("starts_at", TIMESTAMP),
    Column("ends_at", TIMESTAMP),
    Column("rectify_by", TIMESTAMP),
    Column("reported_at", TIMESTAMP),
    Column("overdue_at", TIMESTAMP, comment="when the time for rectification passed without a report"),
    Column("closed_at", TIMESTAMP),
    Column("version", Integer, nullable=False),
    Column("history", JSONB, nullable=False),
    Index("tools_of_subject", "plan", "subject_kind", "subject", "opened_at"),
    Index("tools_by_state", "plan", "state", "opened_at", "id"),
)
_OPEN = tools.c.state.in_(("triggered", "proposed", "standing", "reported", "rectified"))
_STANDS = tools.c.state.in_(("standing", "reported", "rectified"))
Index(
    "tools_open", tools.c.plan, tools.c.rulebook, tools.c.tool, tools.c.subject_kind, tools.c.subject,
    unique=True, postgresql_where=_OPEN,
)  # fmt: skip
Index("tools_due", tools.c.ends_at, postgresql_where=_STANDS)

measures = Table(
    "measures",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("rulebook", Text, nullable=False),
    Column("edition", Text, nullable=False),
    Column("measure", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("clause", Text),
    Column("subject_kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("unit", Text),
    Column("area", Text),
    Column("post", Text, comment="a function, never who holds it"),
    Column("state", Text, nullable=False),
    Column("yuan", Integer),
    Column("fund", Text),
    Column("sent_to", JSONB, nullable=False),
    Column("answers", JSONB, nullable=False, comment="agency → when received, what came of it"),
    Column("findings", JSONB, nullable=False),
    Column("entries", JSONB, nullable=False, comment="ledger entries it rests on"),
    Column("reason", Text, nullable=False),
    Column("score", Numeric, comment="of the subject in the period, when it was proposed"),
    Column("decision", Text, comment="the rulebook's decision line that its approval books"),
    Column("occurred_at", TIMESTAMP, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", TIMESTAMP, nullable=False),
    Column("decided_by", Text),
    Column("decided_at", TIMESTAMP),
    Column("version", Integer, nullable=False),
    Column("history", JSONB, nullable=False),
    Index("measures_of_subject", "plan", "subject_kind", "subject", "proposed_at"),
    Index("measures_by_state", "plan", "state", "proposed_at", "id"),
    Index("measures_sent", "sent_to", postgresql_using="gin", postgresql_ops={"sent_to": "jsonb_path_ops"}),
)

fund_moves = Table(
    "fund_moves",
    metadata,
    Column("seq", BigInteger, Identity(always=True), nullable=False, unique=True),
    Column("id", UUID, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("fund", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("yuan", Integer, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("commitment", UUID, comment="the commit that is released or paid"),
    Column("measure_id", UUID),
    Column("at", TIMESTAMP, nullable=False),
    Column("actor", Text, nullable=False),
    Index("fund_moves_of_fund", "plan", "fund", "seq"),
    Index("fund_moves_of_commitment", "commitment"),
    comment="Append-only",
)
