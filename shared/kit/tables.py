"""The tables that every service's database has beside its own."""

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

TIMESTAMP = DateTime(timezone=True)


@dataclass(frozen=True)
class KitTables:
    """Handles to the kit's tables within one service's metadata."""

    outbox: Table
    inbox: Table
    idempotency: Table
    audit: Table
    audit_seal: Table
    principal: Table


def kit_tables(metadata: MetaData) -> KitTables:
    """Add the kit's tables to a service's metadata.

    - `outbox`: every event this service ever recorded, in order; never deleted, so topics can be rebuilt.
    - `inbox`: ids of events already applied, per consumer.
    - `idempotency`: keyed hashes of Idempotency-Keys, what was asked under them, and the object that came of it.
    - `audit`, `audit_seal`: append-only log and its signed hash chain.
    - `principal`: the directory as this service last heard it (RFC 7662's role, without asking anyone).
    """
    outbox = Table(
        "outbox",
        metadata,
        Column("seq", BigInteger, Identity(always=True), primary_key=True),
        Column("id", UUID, nullable=False, unique=True),
        Column("lane", Text, nullable=False),
        Column("topic", Text, nullable=False),
        Column("key", Text, nullable=False),
        Column("type", Text, nullable=False),
        Column("time", TIMESTAMP, nullable=False),
        Column("recordedat", TIMESTAMP, nullable=False),
        Column("traceparent", Text),
        Column("data", LargeBinary, nullable=False),
        Column("sent_at", TIMESTAMP),
        Index("outbox_unsent", "lane", "seq", postgresql_where=text("sent_at IS NULL")),
    )
    inbox = Table(
        "inbox",
        metadata,
        Column("consumer", Text, primary_key=True),
        Column("event_id", UUID, primary_key=True),
        Column("applied_at", TIMESTAMP, nullable=False, server_default=func.now()),
    )
    idempotency = Table(
        "idempotency",
        metadata,
        Column("key_hash", LargeBinary, primary_key=True),
        Column("request_hash", LargeBinary, nullable=False),
        Column("object_id", UUID, nullable=False),
        Column("created_at", TIMESTAMP, nullable=False),
    )
    audit = Table(
        "audit",
        metadata,
        Column("seq", BigInteger, Identity(always=True), primary_key=True),
        Column("xid", BigInteger, nullable=False, server_default=text("(pg_current_xact_id()::text)::bigint")),
        Column("at", TIMESTAMP, nullable=False),
        Column("actor", Text, nullable=False),
        Column("agency", Text),
        Column("action", Text, nullable=False),
        Column("object_type", Text, nullable=False),
        Column("object_ids", JSONB, nullable=False),
        Column("facts", JSONB, nullable=False),
        Column("trace_id", Text),
        Index("audit_xid", "xid", "seq"),
    )
    audit_seal = Table(
        "audit_seal",
        metadata,
        Column("number", BigInteger, primary_key=True),
        Column("entries", JSONB, nullable=False),
        Column("count", BigInteger, nullable=False),
        Column("last_xid", BigInteger, nullable=False),
        Column("last_seq", BigInteger, nullable=False),
        Column("previous", LargeBinary, nullable=False),
        Column("hash", LargeBinary, nullable=False),
        Column("signature", LargeBinary, nullable=False),
        Column("sealed_at", TIMESTAMP, nullable=False),
    )
    principal = Table(
        "principal",
        metadata,
        Column("id", Text, primary_key=True),
        Column("kind", Text, nullable=False),
        Column("plan", Text, nullable=False),
        Column("agency", Text, nullable=False),
        Column("unit", Text),
        Column("posts", JSONB, nullable=False),
        Column("areas", JSONB, nullable=False),
        Column("scopes", JSONB, nullable=False),
        Column("active", SmallInteger, nullable=False),
        Column("valid_from", TIMESTAMP, nullable=False),
    )
    return KitTables(outbox, inbox, idempotency, audit, audit_seal, principal)
