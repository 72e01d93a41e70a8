"""The downline of a case: members under their codes, recruitment edges, the facts that carry them, imports."""

from sqlalchemy import BigInteger, Boolean, Column, Date, ForeignKey, Integer, LargeBinary, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from services.casework.tables.base import metadata
from shared.kit.tables import TIMESTAMP

downlines = Table(
    "downlines",
    metadata,
    Column("case_id", UUID, ForeignKey("cases.id"), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("members", Integer, nullable=False),
    Column("edges", Integer, nullable=False),
    Column("facts", Integer, nullable=False),
    Column("changed_at", TIMESTAMP, nullable=False),
    Column("evaluated_version", Integer),
    Column("evaluated_at", TIMESTAMP),
    Column("evaluation", JSONB, comment="counts and member numbers only"),
    Column("picture", JSONB),
    Column("reached", JSONB, nullable=False, comment="the rules that were reached when last told"),
    comment="上下线: one a case; its version changes with every fact",
)
downline_members = Table(
    "downline_members",
    metadata,
    Column("case_id", UUID, ForeignKey("downlines.case_id"), primary_key=True),
    Column("no", Integer, primary_key=True),
    Column("code_token", LargeBinary, nullable=False),
    Column("name_token", LargeBinary),
    Column("identity_token", LargeBinary),
    Column("account_token", LargeBinary),
    Column("person_id", UUID, comment="a person of the register, where known"),
    Column("sealed", LargeBinary, nullable=False, comment="code, name, identity number, account"),
    Column("organisation", Text),
    Column("roles", JSONB, nullable=False),
    Column("convicted", Boolean, nullable=False),
    Column("penalised_on", Date),
    Column("left_on", Date),
    Column("still_paid", Boolean, nullable=False),
    Column("collected", BigInteger, nullable=False, comment="fen"),
    Column("grave", JSONB, nullable=False),
    Column("created_at", TIMESTAMP, nullable=False),
    Column("updated_at", TIMESTAMP, nullable=False),
    Column("version", Integer, nullable=False),
    comment="a code within a case (编号、账号、昵称); numbered from 1",
)
downline_edges = Table(
    "downline_edges",
    metadata,
    Column("case_id", UUID, primary_key=True),
    Column("upline", Integer, primary_key=True),
    Column("downline", Integer, primary_key=True),
    Column("kinds", SmallInteger, nullable=False, comment="mask of the kinds of facts that carry it"),
    Column("denied", Boolean, nullable=False),
    Column("first_on", Date),
    Column("paid", BigInteger, nullable=False, comment="fen"),
    Column("facts", Integer, nullable=False),
    comment="who recruited whom, summed up from the facts",
)
downline_facts = Table(
    "downline_facts",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("case_id", UUID, ForeignKey("downlines.case_id"), nullable=False),
    Column("upline", Integer),
    Column("downline", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("denies", Boolean, nullable=False),
    Column("role", Text, comment="of a fact about the member alone"),
    Column("happened_on", Date),
    Column("amount", BigInteger, comment="fen"),
    Column("evidence_id", UUID),
    Column("source", LargeBinary, comment="where it stands, in words; sealed"),
    Column("import_id", UUID),
    Column("line", Integer),
    Column("key", LargeBinary, nullable=False, comment="equal for the same row of the same content"),
    Column("recorded_by", Text, nullable=False),
    Column("recorded_at", TIMESTAMP, nullable=False),
    comment="append-only: contradictions are kept side by side",
)
downline_imports = Table(
    "downline_imports",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("case_id", UUID, ForeignKey("downlines.case_id"), nullable=False),
    Column("content_hash", LargeBinary, nullable=False),
    Column("evidence_id", UUID),
    Column("told", JSONB, nullable=False),
    Column("imported_by", Text, nullable=False),
    Column("imported_at", TIMESTAMP, nullable=False),
)
