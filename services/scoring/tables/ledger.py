"""Obligations, the append-only ledger, and standings."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    Date,
    Identity,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from services.scoring.tables.base import metadata
from shared.kit.tables import TIMESTAMP

obligations = Table(
    "obligations",
    metadata,
    Column("deadline_id", UUID, primary_key=True),
    Column("case_id", UUID, comment="null where no case is behind it: a lead, a handover, a campaign"),
    Column("number", Text, comment="of the case, proceeding or handover, where it has one"),
    Column("plan", Text, nullable=False),
    Column("area", Text),
    Column("agency", Text, nullable=False),
    Column("unit", Text),
    Column("kind", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("due", TIMESTAMP, nullable=False),
    Column("provisional", Boolean, nullable=False),
    Column("state", Text, nullable=False, server_default="open"),
    Column("opened_recordedat", TIMESTAMP, comment="null while only a later fact has arrived"),
    Column("accepted_event", UUID),
    Column("accepted_at", TIMESTAMP),
    Column("accepted_recordedat", TIMESTAMP),
    Column("in_time", Boolean),
    Column("missed_event", UUID),
    Column("missed_at", TIMESTAMP),
    Column("missed_recordedat", TIMESTAMP),
    Column("back_event", UUID, comment="the last time it was given back: nothing done before counts"),
    Column("back_at", TIMESTAMP),
    Column("back_recordedat", TIMESTAMP),
    Index("obligations_of_case", "case_id"),
    comment="One row for each deadline of a case and the facts its owner told of it",
)

ledger = Table(
    "ledger",
    metadata,
    Column("seq", BigInteger, Identity(always=True), nullable=False, unique=True),
    Column("entry_id", UUID, primary_key=True),
    Column("deadline_id", UUID, comment="the obligation behind it; null for findings and decisions"),
    Column("plan", Text, nullable=False),
    Column("rulebook", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("clause", Text),
    Column("outcome", Text, nullable=False),
    Column("corrects", UUID),
    Column("agency", Text, nullable=False),
    Column("unit", Text),
    Column("area", Text),
    Column("points", Numeric, nullable=False),
    Column("assumed", Boolean, nullable=False),
    Column("occurred_on", Date, nullable=False),
    Column("case_id", UUID),
    Column("fact_event", UUID, nullable=False),
    Column("fact_type", Text, nullable=False),
    Column("fact_at", TIMESTAMP, nullable=False),
    Column("recorded_at", TIMESTAMP, nullable=False),
    Column("basis", Text, nullable=False, server_default="deadline"),
    Column("basis_id", UUID, nullable=False),
    Column("subject_kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("facts", JSONB, nullable=False, server_default="[]"),
    Index("ledger_of_unit", "plan", "agency", "unit", "seq"),
    Index("ledger_of_agency", "plan", "agency", "seq", "occurred_on", "recorded_at"),
    Index("ledger_of_agency_day", "plan", "agency", "occurred_on"),
    Index("ledger_of_area", "plan", "area", "seq"),
    Index("ledger_of_deadline", "deadline_id"),
    Index("ledger_of_basis", "basis_id"),
    Index("ledger_of_subject", "plan", "subject_kind", "subject", "seq"),
    comment="Append-only. `seq` grows in the order of commits: writers take turns",
)

standings = Table(
    "standings",
    metadata,
    Column("plan", Text, nullable=False),
    Column("rulebook", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("unit", Text),
    Column("area", Text, comment="the agency's own area, where it has one"),
    Column("points", Numeric, nullable=False),
    Column("entries", Integer, nullable=False),
    Column("in_time", Integer, nullable=False),
    Column("late", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("as_of", TIMESTAMP, nullable=False),
    Column("changed_seq", BigInteger, nullable=False, unique=True, comment="seq of its newest entry"),
    Column("subject_kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column(
        "key",
        BigInteger,
        Computed("standing_key(plan, rulebook, agency, unit, subject_kind, subject)", persisted=True),
        unique=True,
        comment="what `sums` call it",
    ),
    UniqueConstraint(
        "plan", "rulebook", "agency", "unit", "subject_kind", "subject", postgresql_nulls_not_distinct=True
    ),
    comment="The ledger summed up per subject; changed in the transaction of its entries",
)


def _sum() -> tuple[Column[Any], ...]:
    return (
        Column("points", Numeric, nullable=False),
        Column("entries", Integer, nullable=False),
        Column("corrections", Integer, nullable=False),
        Column("in_time", Integer, nullable=False),
        Column("late", Integer, nullable=False),
        Column("first_known", TIMESTAMP, nullable=False, comment="when the first of its entries was recorded"),
        Column("last_known", TIMESTAMP, nullable=False),
    )


sums = Table(
    "sums",
    metadata,
    Column("standing", BigInteger, primary_key=True, comment="its key"),
    Column("level", SmallInteger, primary_key=True, comment="0: a day, 1: ten days, 2: a month, 3: a year"),
    Column("day", Date, primary_key=True, comment="the first"),
    *_sum(),
    Index("sums_of_day", "level", "day"),
    comment="The ledger summed up per standing and span of days of facts; kept by a trigger on the ledger",
)

line_sums = Table(
    "line_sums",
    metadata,
    Column("standing", BigInteger, primary_key=True, comment="its key"),
    Column("level", SmallInteger, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("line", Text, primary_key=True),
    Column("area", Text, primary_key=True, comment="empty: none"),
    *_sum(),
    Column("clause", Text),
    Column("assumed", Boolean, nullable=False),
    Column("newest", Date, nullable=False, comment="day of its newest fact"),
    Index("line_sums_of_area", "area", "level", "day"),
    comment="The same by line and area",
)
