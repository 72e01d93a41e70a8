"""Measures and penalties (强制措施、处罚): items, instalments, payments; what lapses and what is shown too long."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_TABLES: tuple[str, ...] = (
    """
    CREATE TABLE measure_items (
        id uuid PRIMARY KEY,
        proceeding_id uuid NOT NULL REFERENCES proceedings (id),
        seq integer NOT NULL CHECK (seq > 0),
        kind text NOT NULL,
        quantity integer NOT NULL CHECK (quantity > 0),
        value bigint CHECK (value >= 0),
        details bytea NOT NULL,
        evidence_id uuid,
        state text NOT NULL CHECK (state IN ('kept', 'returned', 'confiscated', 'destroyed', 'transferred')),
        added_at timestamptz NOT NULL,
        added_by text NOT NULL,
        ended_on date,
        ended_at timestamptz,
        ended_by text,
        receipt bytea,
        CHECK ((state = 'kept') = (ended_at IS NULL))
    )
    """,
    "CREATE UNIQUE INDEX measure_items_of ON measure_items (proceeding_id, seq)",
    """
    CREATE TABLE penalty_instalments (
        proceeding_id uuid NOT NULL REFERENCES proceedings (id),
        seq integer NOT NULL CHECK (seq > 0),
        due_on date NOT NULL,
        amount bigint NOT NULL CHECK (amount > 0),
        PRIMARY KEY (proceeding_id, seq)
    )
    """,
    """
    CREATE TABLE penalty_payments (
        id uuid PRIMARY KEY,
        proceeding_id uuid NOT NULL REFERENCES proceedings (id),
        paid_on date NOT NULL,
        amount bigint NOT NULL CHECK (amount > 0),
        way text NOT NULL CHECK (way IN ('paid', 'enforced')),
        receipt bytea NOT NULL,
        recorded_at timestamptz NOT NULL,
        recorded_by text NOT NULL
    )
    """,
    "CREATE INDEX penalty_payments_of ON penalty_payments (proceeding_id, paid_on, id)",
    "CREATE INDEX deadlines_lapsing ON deadlines (due) WHERE state = 'running' AND kind = 'period'",
    """
    CREATE INDEX proceedings_frozen ON proceedings ((facts ->> 'frozen_until'))
    WHERE kind = 'freeze_request' AND state IN ('frozen', 'release_asked')
    """,
    """
    CREATE INDEX proceedings_shown ON proceedings ((facts ->> 'shown_until'))
    WHERE facts ? 'shown_until' AND NOT facts ? 'publication_ended_on'
    """,
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
