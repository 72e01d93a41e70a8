"""The kit's tables as a migration creates them. A version is never changed once released; the next adds to it."""

from alembic import op

_V1 = """
CREATE TABLE outbox (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    lane text NOT NULL,
    topic text NOT NULL,
    key text NOT NULL,
    type text NOT NULL,
    "time" timestamptz NOT NULL,
    recordedat timestamptz NOT NULL,
    traceparent text,
    data bytea NOT NULL,
    sent_at timestamptz
);
CREATE INDEX outbox_unsent ON outbox (lane, seq) WHERE sent_at IS NULL;
ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.2);
CREATE FUNCTION outbox_notify() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_notify('outbox', ''); RETURN NULL; END $$;
CREATE TRIGGER outbox_notify AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION outbox_notify();

CREATE TABLE inbox (
    consumer text NOT NULL,
    event_id uuid NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, event_id)
);
CREATE TABLE idempotency (
    key_hash bytea PRIMARY KEY,
    request_hash bytea NOT NULL,
    object_id uuid NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE TABLE audit (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text)::bigint,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    agency text,
    action text NOT NULL,
    object_type text NOT NULL,
    object_ids jsonb NOT NULL,
    facts jsonb NOT NULL,
    trace_id text
);
CREATE INDEX audit_xid ON audit (xid, seq);
CREATE TABLE audit_seal (
    number bigint PRIMARY KEY,
    entries jsonb NOT NULL,
    count bigint NOT NULL,
    last_xid bigint NOT NULL,
    last_seq bigint NOT NULL,
    previous bytea NOT NULL,
    hash bytea NOT NULL,
    signature bytea NOT NULL,
    sealed_at timestamptz NOT NULL
);
CREATE TABLE principal (
    id text PRIMARY KEY,
    kind text NOT NULL,
    plan text NOT NULL,
    agency text NOT NULL,
    unit text,
    posts jsonb NOT NULL,
    areas jsonb NOT NULL,
    scopes jsonb NOT NULL,
    active smallint NOT NULL,
    valid_from timestamptz NOT NULL
);
"""

_APPEND_ONLY = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
        REVOKE UPDATE, DELETE, TRUNCATE ON {tables} FROM {role};
    END IF;
END $$;
"""

_OUTBOX_GRANT = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
        GRANT UPDATE (sent_at) ON outbox TO {role};
    END IF;
END $$;
"""


def create_v1(service: str) -> None:
    """Create the kit's tables; the service's own role can only append to outbox, audit and seals."""
    for statement in _split(_V1):
        op.execute(statement)
    append_only(service, "outbox", "audit", "audit_seal")
    op.execute(_OUTBOX_GRANT.format(role=f"dachuan_{service}"))


def append_only(service: str, *tables: str) -> None:
    """Take from the service's role the right to change or remove rows of these tables."""
    op.execute(_APPEND_ONLY.format(role=f"dachuan_{service}", tables=", ".join(tables)))


def _split(script: str) -> list[str]:
    """Statements of a script; `$$` bodies stay whole. asyncpg prepares one statement at a time."""
    statements, current, inside = [], "", False
    for piece in script.replace("$$", "\0$$\0").split("\0"):
        if piece == "$$":
            inside = not inside
            current += piece
        elif inside:
            current += piece
        else:
            *done, rest = piece.split(";")
            for one in done:
                statements.append((current + one).strip())
                current = ""
            current += rest
    return [one for one in [*statements, current.strip()] if one]
