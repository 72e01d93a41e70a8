"""Joint cases, their parties, their deadlines and the register of numbers."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Identity, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from services.casework.tables.base import metadata
from shared.kit.tables import TIMESTAMP

cases = Table(
    "cases",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("number", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("area", Text),
    Column("lead_id", UUID, nullable=False, unique=True),
    Column("kinds", JSONB, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("received_at", TIMESTAMP, nullable=False),
    Column("opened_at", TIMESTAMP, nullable=False),
    Column("version", Integer, nullable=False),
    Column("missed", Integer, nullable=False, server_default=text("0"), comment="deadlines past due, act still open"),
    Column("history", JSONB, nullable=False, comment="what each later version changed: version, at, step, agency, …"),
    Column("outcome", Text, comment="how it ended, while it is closed"),
    Column("closed_at", TIMESTAMP),
    Column("closed_by", Text, comment="actor id, never a name"),
    Column("accepted_at", TIMESTAMP, comment="first acceptance; kept by the database (migration 0015)"),
    Column("acted_at", TIMESTAMP, comment="first track, measure, operation or den; kept by the database"),
    Index("cases_number", "number", "plan", unique=True),
    Index("cases_by_area", "plan", "area", "id"),
    Index("cases_by_state", "plan", "state", "id"),
    Index("cases_by_time", "plan", "received_at"),
    Index("cases_late", "plan", "id", postgresql_where=text("missed > 0")),
    Index("cases_by_kind", "kinds", postgresql_using="gin", postgresql_ops={"kinds": "jsonb_path_ops"}),
    comment="联合案件: one for each lead; police and commerce are always parties",
)

case_parties = Table(
    "case_parties",
    metadata,
    Column("case_id", UUID, ForeignKey("cases.id"), primary_key=True),
    Column("agency", Text, primary_key=True),
    Column("unit", Text),
    Column("units", JSONB, nullable=False, comment="units of the agency that the case concerns; empty: all of it"),
    Column("role", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("accepted_at", TIMESTAMP),
    Column("accepted_by", Text, comment="actor id, never a name"),
    Index("case_parties_by_agency", "agency", "case_id"),
)

deadlines = Table(
    "deadlines",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("case_id", UUID, ForeignKey("cases.id")),
    Column("proceeding_id", UUID, ForeignKey("proceedings.id"), comment="none: a clock of the case itself"),
    Column("agency", Text, nullable=False),
    Column("unit", Text),
    Column("kind", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("article", Text, nullable=False),
    Column("certainty", Text, nullable=False),
    Column("clock_unit", Text, nullable=False),
    Column("amount", Integer, nullable=False),
    Column("rolls", Boolean, nullable=False),
    Column("calendar", Text, nullable=False),
    Column("start", TIMESTAMP, nullable=False),
    Column("due", TIMESTAMP, nullable=False),
    Column("provisional", Boolean, nullable=False),
    Column("basis_reason", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("met_at", TIMESTAMP),
    Column("missed_at", TIMESTAMP),
    Column("suspensions", JSONB, nullable=False),
    Column("extensions", JSONB, nullable=False),
    Column("history", JSONB, nullable=False),
    Column("version", Integer, nullable=False),
    Index("deadlines_of_case", "case_id"),
    Index("deadlines_of_proceeding", "proceeding_id", postgresql_where=text("proceeding_id IS NOT NULL")),
    Index("deadlines_running", "due", postgresql_where=text("state = 'running'")),
    Index("deadlines_open", "agency", "due", "case_id", postgresql_where=text("state IN ('running', 'missed')")),
    comment="期限: what for, by which rule and article, until when, and what happened to it",
)

number_register = Table(
    "number_register",
    metadata,
    Column("plan", Text, primary_key=True),
    Column("series", Text, primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("last", Integer, nullable=False),
    comment="案号登记: the last number given out",
)

early_facts = Table(
    "early_facts",
    metadata,
    Column("lead_id", UUID, primary_key=True),
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("type", Text, nullable=False),
    Column("data", JSONB, nullable=False),
    Column("at", TIMESTAMP, nullable=False),
    comment="What intake told of leads before their case was open; applied when it is opened",
)

lead_meetings = Table(
    "lead_meetings",
    metadata,
    Column("join_id", UUID, primary_key=True),
    Column("lead_id", UUID, nullable=False),
    Column("merged_lead_id", UUID, nullable=False),
    Column("merged_at", TIMESTAMP),
    Column("undone_at", TIMESTAMP),
    Index("lead_meetings_of_lead", "lead_id"),
    Index("lead_meetings_of_merged", "merged_lead_id"),
    comment="并案: leads about one target, by intake's word; both cases keep number and clocks, so no order of news matters",
)

lead_signals = Table(
    "lead_signals",
    metadata,
    Column("lead_id", UUID, primary_key=True),
    Column("tips", Integer, nullable=False),
    comment="how many tips a lead has, when more than the one that opened it",
)
