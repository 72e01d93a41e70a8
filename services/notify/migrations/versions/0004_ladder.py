"""Who holds posts, deputies and leave; the ladder of unsigned notices; clocks of all services and their reminders."""

from alembic import op

from shared.kit import schema

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TABLES: tuple[str, ...] = (
    """
    ALTER TABLE notices
        ADD COLUMN post text,
        ADD COLUMN transit text NOT NULL DEFAULT 'queued'
            CHECK (transit IN ('queued', 'sent', 'delivered', 'failed')),
        ADD COLUMN ladder text CHECK (ladder IN ('deputy', 'head', 'office', 'leading_group')),
        ADD COLUMN of_notice uuid REFERENCES notices (id),
        ADD COLUMN reminds uuid,
        ADD COLUMN parts jsonb,
        ADD COLUMN climb_at timestamptz,
        ADD COLUMN climbed integer NOT NULL DEFAULT 0
    """,
    "CREATE INDEX notices_climbing ON notices (climb_at) WHERE state = 'waiting' AND climb_at IS NOT NULL",
    "CREATE INDEX notices_rungs ON notices (of_notice) WHERE of_notice IS NOT NULL AND state <> 'done'",
    "CREATE INDEX notices_reminding ON notices (reminds) WHERE reminds IS NOT NULL AND state <> 'done'",
    """
    CREATE TABLE climbs (
        notice_id uuid NOT NULL REFERENCES notices (id),
        step integer NOT NULL,
        rung text NOT NULL,
        at timestamptz NOT NULL,
        rule text,
        made uuid,
        skipped text,
        PRIMARY KEY (notice_id, step)
    )
    """,
    """
    CREATE TABLE seats (
        id uuid PRIMARY KEY,
        plan text NOT NULL,
        agency text NOT NULL,
        unit text,
        post text NOT NULL,
        deputy_id uuid REFERENCES accounts (id),
        set_at timestamptz NOT NULL,
        set_by text NOT NULL,
        version integer NOT NULL,
        CONSTRAINT seats_once UNIQUE NULLS NOT DISTINCT (plan, agency, unit, post)
    )
    """,
    "CREATE INDEX seats_of_deputy ON seats (deputy_id) WHERE deputy_id IS NOT NULL",
    """
    CREATE TABLE leaves (
        id uuid PRIMARY KEY,
        account_id uuid NOT NULL REFERENCES accounts (id),
        deputy_id uuid REFERENCES accounts (id),
        first_day date NOT NULL,
        last_day date NOT NULL,
        cancelled_at timestamptz,
        set_at timestamptz NOT NULL,
        set_by text NOT NULL,
        version integer NOT NULL,
        CHECK (first_day <= last_day),
        CHECK (deputy_id IS DISTINCT FROM account_id)
    )
    """,
    "CREATE INDEX leaves_of_account ON leaves (account_id, last_day) WHERE cancelled_at IS NULL",
    "CREATE INDEX leaves_running ON leaves (last_day) WHERE cancelled_at IS NULL",
    """
    CREATE TABLE contacts (
        id uuid PRIMARY KEY,
        account_id uuid NOT NULL REFERENCES accounts (id),
        kind text NOT NULL CHECK (kind IN ('mobile', 'phone', 'email')),
        address bytea,
        set_at timestamptz NOT NULL,
        set_by text NOT NULL,
        version integer NOT NULL,
        CONSTRAINT contacts_once UNIQUE (account_id, kind)
    )
    """,
    """
    CREATE TABLE clocks (
        id uuid PRIMARY KEY,
        plan text NOT NULL,
        agency text NOT NULL,
        unit text,
        kind text NOT NULL,
        rule text NOT NULL,
        number text NOT NULL,
        matter text NOT NULL,
        matter_id uuid NOT NULL,
        dataref text NOT NULL,
        area text,
        urgent boolean NOT NULL,
        start timestamptz NOT NULL,
        due timestamptz NOT NULL,
        provisional boolean NOT NULL,
        standing text NOT NULL
            CHECK (standing IN ('running', 'suspended', 'missed', 'met', 'met_late', 'cancelled')),
        at timestamptz NOT NULL,
        closed boolean NOT NULL,
        ordinal bigint NOT NULL,
        rank smallint NOT NULL,
        tie text NOT NULL,
        reminded text NOT NULL CHECK (reminded IN ('none', 'soon', 'due', 'overdue')),
        next_at timestamptz,
        CHECK (closed = (standing IN ('met', 'met_late', 'cancelled'))),
        CHECK (next_at IS NULL OR standing IN ('running', 'missed'))
    ) WITH (fillfactor = 90)
    """,
    "CREATE INDEX clocks_next ON clocks (next_at) WHERE next_at IS NOT NULL",
    "CREATE INDEX clocks_open ON clocks (plan, agency, due, id) INCLUDE (unit, standing) WHERE NOT closed",
    "CREATE INDEX clocks_of_plan ON clocks (plan, due, id) WHERE NOT closed",
    "CREATE INDEX clocks_of_document ON clocks (matter_id) WHERE matter = 'document'",
    """
    CREATE TABLE digests (
        plan text NOT NULL,
        day date NOT NULL,
        made_at timestamptz NOT NULL,
        notices integer NOT NULL,
        PRIMARY KEY (plan, day)
    )
    """,
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
    schema.append_only("notify", "climbs")
