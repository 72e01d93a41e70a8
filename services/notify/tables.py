"""Notify's tables. Timestamps are UTC; lists are jsonb."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from shared.kit.tables import TIMESTAMP, kit_tables

metadata = MetaData()
kit = kit_tables(metadata)

accounts = Table(
    "accounts",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("login", Text, nullable=False, unique=True),
    Column("password_hash", Text),
    Column("must_change", Boolean, nullable=False),
    Column("totp_secret", LargeBinary),
    Column("totp_pending", LargeBinary),
    Column("display_name", LargeBinary, nullable=False),
    Column("oidc_subject", Text, unique=True),
    Column("plan", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("unit", Text),
    Column("posts", JSONB, nullable=False),
    Column("areas", JSONB, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("locked_until", TIMESTAMP),
    Column("valid_from", TIMESTAMP, nullable=False),
    Column("version", Integer, nullable=False),
    Column("demo", Boolean, nullable=False),
    Column("created_at", TIMESTAMP, nullable=False),
)
"""Officers. Name and TOTP secrets are sealed under the key `contact`; `demo` ones work in the local mode only."""

totp_used = Table(
    "totp_used",
    metadata,
    Column("account_id", UUID, ForeignKey("accounts.id"), primary_key=True),
    Column("step", BigInteger, primary_key=True),
)
"""Time steps whose code was used: a code works once (RFC 6238 §5.2)."""

systems = Table(
    "systems",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("client_id", Text, nullable=False, unique=True),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("plan", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("scopes", JSONB, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("valid_from", TIMESTAMP, nullable=False),
    Column("version", Integer, nullable=False),
    Column("demo", Boolean, nullable=False),
    Column("created_at", TIMESTAMP, nullable=False),
)
"""Agencies' systems: OAuth clients."""

notices = Table(
    "notices",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("seq", BigInteger, Identity(always=True), nullable=False),
    Column("xid", BigInteger, nullable=False, server_default=text("(pg_current_xact_id()::text)::bigint")),
    Column("case_id", UUID),
    Column("handover_id", UUID),
    Column("lead_id", UUID),
    Column("number", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("area", Text),
    Column("kinds", JSONB, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("agency", Text, nullable=False),
    Column("unit", Text),
    Column("role", Text),
    Column("template", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("rule", Text),
    Column("due", TIMESTAMP),
    Column("provisional", Boolean, nullable=False),
    Column("created_at", TIMESTAMP, nullable=False),
    Column("signed_at", TIMESTAMP),
    Column("signed_by", Text),
    Column("done_at", TIMESTAMP),
    Column("in_time", Boolean),
    Column("version", Integer, nullable=False),
    Column("rung", Integer, nullable=False, server_default=text("0")),
    Column("matter", Text),
    Column("matter_id", UUID),
    Column("dataref", Text),
    Column("needs", Text),
    Column("items", Integer),
    Column("raised_at", TIMESTAMP),
)
"""Notices (通知), one for each agency or unit concerned. The id follows from case, handover or matter, addressee and
template. `needs` is the right its reader must hold; `raised_at`: when the office was told that nobody had signed."""

acceptances = Table(
    "acceptances",
    metadata,
    Column("case_id", UUID, primary_key=True),
    Column("agency", Text, primary_key=True),
    Column("accepted_at", TIMESTAMP, nullable=False),
    Column("in_time", Boolean, nullable=False),
)
"""Who has accepted which case, kept because the news may come before the notice."""

matters_ended = Table(
    "matters_ended",
    metadata,
    Column("matter_id", UUID, primary_key=True),
    Column("template", Text, primary_key=True),
    Column("ended_at", TIMESTAMP, nullable=False),
    Column("in_time", Boolean, nullable=False),
)
"""Requests of matters that are fulfilled, kept because the news may come before the notice."""

endpoints = Table(
    "endpoints",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("paused_until", TIMESTAMP),
    Column("created_at", TIMESTAMP, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("version", Integer, nullable=False),
    UniqueConstraint("plan", "agency", "url", name="endpoints_once"),
)
"""Webhook targets of agencies; the signing secret is sealed under the key `webhook`. `failures` in a row pause one."""

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("endpoint_id", UUID, ForeignKey("endpoints.id"), nullable=False),
    Column("notice_id", UUID),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", TIMESTAMP, nullable=False),
    Column("claimed_until", TIMESTAMP),
    Column("last_outcome", Text),
    Column("created_at", TIMESTAMP, nullable=False),
    Column("delivered_at", TIMESTAMP),
    Column("ring", Integer),
)
"""Notice × endpoint; the id is the webhook's message id and never changes. Without a notice it is a ping; `ring` counts
the times an urgent notice rang again."""

rings = Table(
    "rings",
    metadata,
    Column("case_id", UUID, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("agency", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("started_at", TIMESTAMP, nullable=False),
    Column("next_at", TIMESTAMP, nullable=False),
    Column("answered_at", TIMESTAMP),
    Column("answered_by", Text),
)
"""Urgent cases (催签): `agency` leads the case, and it rings until one of its desks signs, or it accepts."""

ring_attempts = Table(
    "ring_attempts",
    metadata,
    Column("case_id", UUID, ForeignKey("rings.case_id"), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("at", TIMESTAMP, nullable=False),
    Column("notices", JSONB, nullable=False),
    Column("wide", Boolean, nullable=False),
)
"""Each time it rang again, and for which notices; append-only."""
