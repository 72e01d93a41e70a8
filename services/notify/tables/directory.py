"""Accounts of officers and clients of agencies' systems."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from services.notify.tables.base import metadata
from shared.kit.tables import TIMESTAMP

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
    Column("asked_by", Text, comment="who made it, gave it more or a new secret; it waits for a second person"),
)
"""Agencies' systems: OAuth clients. One that waits (`asked_by`) does not work, however `active` it is."""
