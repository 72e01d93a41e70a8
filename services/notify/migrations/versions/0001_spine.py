"""Accounts, systems, notices, webhooks."""

from alembic import op

from shared.kit import schema

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    """
    CREATE TABLE accounts (
        id uuid PRIMARY KEY,
        login text NOT NULL UNIQUE,
        password_hash text,
        must_change boolean NOT NULL,
        totp_secret bytea,
        totp_pending bytea,
        display_name bytea NOT NULL,
        oidc_subject text UNIQUE,
        plan text NOT NULL,
        agency text NOT NULL,
        unit text,
        posts jsonb NOT NULL,
        areas jsonb NOT NULL,
        active boolean NOT NULL,
        failed integer NOT NULL,
        locked_until timestamptz,
        valid_from timestamptz NOT NULL,
        version integer NOT NULL,
        demo boolean NOT NULL,
        created_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE totp_used (
        account_id uuid NOT NULL REFERENCES accounts (id),
        step bigint NOT NULL,
        PRIMARY KEY (account_id, step)
    )
    """,
    """
    CREATE TABLE systems (
        id uuid PRIMARY KEY,
        client_id text NOT NULL UNIQUE,
        secret_hash bytea NOT NULL,
        plan text NOT NULL,
        agency text NOT NULL,
        scopes jsonb NOT NULL,
        active boolean NOT NULL,
        valid_from timestamptz NOT NULL,
        version integer NOT NULL,
        demo boolean NOT NULL,
        created_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE notices (
        id uuid PRIMARY KEY,
        seq bigint GENERATED ALWAYS AS IDENTITY,
        xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text)::bigint,
        case_id uuid NOT NULL,
        number text NOT NULL,
        plan text NOT NULL,
        area text,
        kinds jsonb NOT NULL,
        urgent boolean NOT NULL,
        agency text NOT NULL,
        unit text,
        role text,
        template text NOT NULL,
        state text NOT NULL,
        rule text,
        due timestamptz,
        provisional boolean NOT NULL,
        created_at timestamptz NOT NULL,
        signed_at timestamptz,
        signed_by text,
        done_at timestamptz,
        in_time boolean,
        version integer NOT NULL
    )
    """,
    "CREATE INDEX notices_of_case ON notices (case_id)",
    "CREATE INDEX notices_feed ON notices (plan, agency, xid, seq)",
    "CREATE INDEX notices_of_plan ON notices (plan, xid, seq)",
    "CREATE INDEX notices_past ON notices (plan, agency, xid, seq) WHERE state <> 'waiting'",
    "CREATE INDEX notices_waiting ON notices (plan, agency, due, id) WHERE state = 'waiting'",
    """
    CREATE TABLE acceptances (
        case_id uuid NOT NULL,
        agency text NOT NULL,
        accepted_at timestamptz NOT NULL,
        in_time boolean NOT NULL,
        PRIMARY KEY (case_id, agency)
    )
    """,
    """
    CREATE TABLE endpoints (
        id uuid PRIMARY KEY,
        plan text NOT NULL,
        agency text NOT NULL,
        url text NOT NULL,
        secret bytea NOT NULL,
        active boolean NOT NULL,
        failures integer NOT NULL,
        paused_until timestamptz,
        created_at timestamptz NOT NULL,
        created_by text NOT NULL,
        version integer NOT NULL,
        CONSTRAINT endpoints_once UNIQUE (plan, agency, url)
    )
    """,
    """
    CREATE TABLE deliveries (
        id uuid PRIMARY KEY,
        endpoint_id uuid NOT NULL REFERENCES endpoints (id),
        notice_id uuid,
        state text NOT NULL,
        attempts integer NOT NULL,
        next_at timestamptz NOT NULL,
        claimed_until timestamptz,
        last_outcome text,
        created_at timestamptz NOT NULL,
        delivered_at timestamptz
    )
    """,
    "CREATE INDEX deliveries_due ON deliveries (endpoint_id, next_at) WHERE state = 'retrying'",
    "CREATE INDEX deliveries_of_notice ON deliveries (notice_id)",
    "CREATE INDEX deliveries_of_endpoint ON deliveries (endpoint_id, created_at DESC, id)",
    """
    CREATE FUNCTION deliveries_notify() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN
            IF EXISTS (SELECT FROM fresh) THEN PERFORM pg_notify('deliveries', ''); END IF;
            RETURN NULL;
        END $$
    """,
    """
    CREATE TRIGGER deliveries_notify AFTER INSERT ON deliveries
        REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION deliveries_notify()
    """,
)


def upgrade() -> None:
    schema.create_v1("notify")
    for statement in _TABLES:
        op.execute(statement)
