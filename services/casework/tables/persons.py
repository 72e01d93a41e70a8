"""Persons of cases (涉案人员): who, found by keyed tokens alone; their part in each case; what was done with each."""

from sqlalchemy import Boolean, Column, Date, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from services.casework.tables.base import metadata
from shared.kit.tables import TIMESTAMP

persons = Table(
    "persons",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("subject_id", UUID, nullable=False, comment="who it is now: itself, or the record it was merged into"),
    Column("details", LargeBinary, nullable=False, comment="sealed: name, document, phones"),
    Column("id_kind", Text, nullable=False),
    Column("id_token", LargeBinary),
    Column("name_token", LargeBinary),
    Column("name_grams", ARRAY(Text), nullable=False, comment="keyed tokens of the name's two-character parts"),
    Column("home_area", Text, comment="GB/T 2260 code of the home county"),
    Column("created_at", TIMESTAMP, nullable=False),
    Column("updated_at", TIMESTAMP, nullable=False),
    Column("version", Integer, nullable=False),
    comment="涉案人员: independent of cases; one record an identity number",
)

person_phones = Table(
    "person_phones",
    metadata,
    Column("token", LargeBinary, primary_key=True),
    Column("person_id", UUID, primary_key=True),
)

person_merges = Table(
    "person_merges",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("person_id", UUID, nullable=False),
    Column("into_id", UUID, nullable=False),
    Column("moved", JSONB, nullable=False, comment="the records whose subject it changed"),
    Column("reason", Text, nullable=False),
    Column("at", TIMESTAMP, nullable=False),
    Column("actor", Text, nullable=False),
    Column("undone_at", TIMESTAMP),
    Column("undone_by", Text),
    comment="two records that proved to be one person; reversible",
)

case_persons = Table(
    "case_persons",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("case_id", UUID, nullable=False),
    Column("person_id", UUID, nullable=False),
    Column("plan", Text, nullable=False),
    Column("area", Text),
    Column("role", Text, nullable=False),
    Column("role_since", Date, nullable=False),
    Column("place_id", UUID),
    Column("agency", Text, nullable=False),
    Column("unit", Text),
    Column("found_at", TIMESTAMP, nullable=False),
    Column("recorded_at", TIMESTAMP, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Column("record_due", TIMESTAMP, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("seen_before", Integer, nullable=False, comment="in how many other cases when recorded"),
    Column("disposition", Text),
    Column("disposed_at", TIMESTAMP),
    Column("follow_up_due", Date, comment="open follow-up after education"),
    Column("follow_up_missed_at", TIMESTAMP),
    Column("entry_due", TIMESTAMP, nullable=False),
    Column("entered_at", TIMESTAMP),
    Column("entered_by", Text),
    Column("entry_number", Text, comment="receipt number of the police information system"),
    Column("entry_missed_at", TIMESTAMP),
    Column("version", Integer, nullable=False),
    Column("history", JSONB, nullable=False),
    comment="a person's part in one case, with its changes",
)

person_steps = Table(
    "person_steps",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("case_person_id", UUID, nullable=False),
    Column("case_id", UUID, nullable=False),
    Column("kind", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("at", TIMESTAMP, nullable=False),
    Column("recorded_at", TIMESTAMP, nullable=False),
    Column("agency", Text, nullable=False),
    Column("unit", Text),
    Column("officers", Integer),
    Column("basis", Text),
    Column("deadline_id", UUID),
    Column("facts", JSONB, nullable=False, comment="codes, dates and counts only"),
    Column("actor", Text, nullable=False),
    comment="identity check, questioning, sampling (done, never the sample), disposition, follow-up",
)

case_entries = Table(
    "case_entries",
    metadata,
    Column("case_id", UUID, primary_key=True),
    Column("due", TIMESTAMP, nullable=False),
    Column("rule", Text, nullable=False),
    Column("number", Text),
    Column("entered_at", TIMESTAMP),
    Column("entered_by", Text),
    Column("missed_at", TIMESTAMP),
    comment="a case entered in the information system (D-M7), or found late",
)
