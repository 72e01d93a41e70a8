"""Documents of cases, their numbers, the templates that offices edited, and how each was served."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from services.casework.tables.base import metadata
from shared.kit.tables import TIMESTAMP

documents = Table(
    "documents",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("case_id", UUID, ForeignKey("cases.id"), nullable=False),
    Column("proceeding_id", UUID),
    Column("plan", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("issuer", Text, nullable=False, comment="an agency of the plan, or `office`"),
    Column("agency", Text, nullable=False, comment="whose member wrote it; hosts the office where that issues"),
    Column("unit", Text),
    Column("confidential", Text, comment="criminal or operation: for its issuer and a right of its own"),
    Column("personal", Boolean, nullable=False),
    Column("approval", Text, comment="what a post must be able to approve before it is issued"),
    Column("state", Text, nullable=False),
    Column("contents", LargeBinary, nullable=False, comment="sealed: values, and once issued what is printed"),
    Column("lacking", Integer, nullable=False, comment="required fields still empty"),
    Column("series", Text, nullable=False),
    Column("year", Integer),
    Column("serial", Integer),
    Column("number", Text),
    Column("digest", Text, comment="SHA-256 of what was frozen, salted in it"),
    Column("template", Text, comment="SHA-256 of the Word template it was issued with"),
    Column("layout", Text),
    Column("deadline_id", UUID, ForeignKey("deadlines.id"), comment="clock until service"),
    Column("written_at", TIMESTAMP, nullable=False),
    Column("written_by", Text, nullable=False, comment="actor of the last version"),
    Column("approved_at", TIMESTAMP),
    Column("approved_by", Text),
    Column("approved_post", Text),
    Column("issued_at", TIMESTAMP),
    Column("issued_by", Text),
    Column("served_at", TIMESTAMP),
    Column("withdrawn_at", TIMESTAMP),
    Column("version", Integer, nullable=False),
    Column("history", JSONB, nullable=False),
    Index("documents_of_case", "case_id", "id"),
    Index("documents_of_proceeding", "proceeding_id", "kind", postgresql_where=text("proceeding_id IS NOT NULL")),
    Index("documents_in_register", "plan", "issuer", "series", "year", "serial", unique=True),
    Index("documents_by_issue", "plan", "issuer", "issued_at", "id", postgresql_where=text("serial IS NOT NULL")),
    Index("documents_number", "plan", "number", unique=True),
    Index("documents_to_approve", "plan", "approval", "id", postgresql_where=text("state = 'draft'")),
    comment="执法文书: drafted, approved, issued under a number, served, withdrawn",
)

document_services = Table(
    "document_services",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("document_id", UUID, ForeignKey("documents.id"), nullable=False),
    Column("served_at", TIMESTAMP, nullable=False),
    Column("way", Text, nullable=False),
    Column("receiver", Text, nullable=False, comment="kind of receiver, never a name"),
    Column("in_time", Boolean),
    Column("recorded_at", TIMESTAMP, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Index("document_services_of_document", "document_id"),
    comment="送达",
)

document_numbers = Table(
    "document_numbers",
    metadata,
    Column("plan", Text, primary_key=True),
    Column("issuer", Text, primary_key=True),
    Column("series", Text, primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("last", Integer, nullable=False),
    Column("first", Integer, nullable=False, comment="the first number given here; lower ones were given on paper"),
    comment="文书编号登记: the last number given out; locked while one is given, so there is no gap and no double",
)

document_styles = Table(
    "document_styles",
    metadata,
    Column("plan", Text, primary_key=True),
    Column("issuer", Text, primary_key=True),
    Column("series", Text, primary_key=True),
    Column("style", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("set_at", TIMESTAMP, nullable=False),
    Column("set_by", Text, nullable=False),
    comment="a style of numbers that an office set itself",
)

document_files = Table(
    "document_files",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    comment="templates and layouts by their hash: what was issued keeps the ones it was issued with; no personal data",
)

document_templates = Table(
    "document_templates",
    metadata,
    Column("plan", Text, primary_key=True),
    Column("issuer", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("sha256", Text, comment="none: back to the default"),
    Column("set_at", TIMESTAMP, nullable=False),
    Column("set_by", Text, nullable=False),
    comment="Word templates that an office edited, newest version in use",
)
