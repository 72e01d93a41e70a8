"""Proceedings (办案程序), their steps, and clocks that belong to them."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_STEPS = (
    """
    CREATE TABLE proceedings (
        id uuid PRIMARY KEY,
        number text NOT NULL,
        kind text NOT NULL,
        category text NOT NULL,
        procedure_version text NOT NULL,
        plan text NOT NULL,
        area text,
        case_id uuid REFERENCES cases (id),
        parent_id uuid REFERENCES proceedings (id),
        urgent boolean NOT NULL,
        confidential text CHECK (confidential IN ('criminal', 'operation')),
        agency text NOT NULL,
        unit text,
        to_agency text,
        to_unit text,
        to_outside boolean NOT NULL,
        state text NOT NULL,
        awaits_agency text,
        awaits_unit text,
        final boolean NOT NULL,
        outcome text,
        facts jsonb NOT NULL,
        opened_at timestamptz NOT NULL,
        ended_at timestamptz,
        missed integer NOT NULL DEFAULT 0 CHECK (missed >= 0),
        version integer NOT NULL,
        CHECK (final = (ended_at IS NOT NULL))
    )
    """,
    "CREATE UNIQUE INDEX proceedings_number ON proceedings (plan, number)",
    "CREATE INDEX proceedings_of_case ON proceedings (case_id, id)",
    "CREATE INDEX proceedings_waiting ON proceedings (awaits_agency, id) WHERE NOT final",
    "CREATE INDEX proceedings_by_agency ON proceedings (agency, id)",
    "CREATE INDEX proceedings_to_agency ON proceedings (to_agency, id)",
    "CREATE INDEX proceedings_by_kind ON proceedings (plan, kind, id)",
    "CREATE INDEX proceedings_late ON proceedings (plan, id) WHERE missed > 0",
    """
    CREATE TABLE proceeding_steps (
        proceeding_id uuid NOT NULL REFERENCES proceedings (id),
        seq integer NOT NULL,
        step text NOT NULL,
        from_state text,
        to_state text NOT NULL,
        at timestamptz NOT NULL,
        actor text NOT NULL,
        agency text,
        unit text,
        facts jsonb NOT NULL,
        words bytea,
        PRIMARY KEY (proceeding_id, seq)
    )
    """,
    "ALTER TABLE deadlines ALTER COLUMN case_id DROP NOT NULL",
    "ALTER TABLE deadlines ADD COLUMN proceeding_id uuid REFERENCES proceedings (id)",
    "ALTER TABLE deadlines ADD CHECK (case_id IS NOT NULL OR proceeding_id IS NOT NULL)",
    "CREATE INDEX deadlines_of_proceeding ON deadlines (proceeding_id) WHERE proceeding_id IS NOT NULL",
)


def upgrade() -> None:
    for statement in _STEPS:
        op.execute(statement)
