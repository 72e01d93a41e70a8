"""Obligations, ledger and standings."""

from alembic import op

from shared.kit import schema

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE obligations (
        deadline_id uuid PRIMARY KEY,
        case_id uuid NOT NULL,
        number text NOT NULL,
        plan text NOT NULL,
        area text,
        agency text NOT NULL,
        unit text,
        kind text NOT NULL,
        rule text NOT NULL,
        due timestamptz NOT NULL,
        provisional boolean NOT NULL,
        state text NOT NULL DEFAULT 'open',
        opened_recordedat timestamptz,
        accepted_event uuid,
        accepted_at timestamptz,
        accepted_recordedat timestamptz,
        in_time boolean,
        missed_event uuid,
        missed_at timestamptz,
        missed_recordedat timestamptz,
        CHECK (state = CASE WHEN in_time THEN 'met' WHEN NOT in_time THEN 'met_late'
                            WHEN missed_event IS NOT NULL THEN 'missed' ELSE 'open' END),
        CHECK ((accepted_event IS NULL) = (in_time IS NULL))
    )
    """,
    "CREATE INDEX obligations_of_case ON obligations (case_id)",
    """
    CREATE TABLE ledger (
        seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
        entry_id uuid PRIMARY KEY,
        deadline_id uuid NOT NULL,
        plan text NOT NULL,
        rulebook text NOT NULL,
        line text NOT NULL,
        clause text,
        outcome text NOT NULL CHECK (outcome IN ('met', 'met_late', 'missed')),
        corrects uuid,
        agency text NOT NULL,
        unit text,
        area text,
        points numeric NOT NULL,
        assumed boolean NOT NULL,
        occurred_on date NOT NULL,
        case_id uuid NOT NULL,
        fact_event uuid NOT NULL,
        fact_type text NOT NULL,
        fact_at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ledger_of_unit ON ledger (plan, agency, unit, seq)",
    "CREATE INDEX ledger_of_area ON ledger (plan, area, seq)",
    "CREATE INDEX ledger_of_deadline ON ledger (deadline_id)",
    """
    CREATE TABLE standings (
        plan text NOT NULL,
        rulebook text NOT NULL,
        agency text NOT NULL,
        unit text,
        area text,
        points numeric NOT NULL,
        entries integer NOT NULL CHECK (entries > 0),
        in_time integer NOT NULL,
        late integer NOT NULL,
        version integer NOT NULL,
        as_of timestamptz NOT NULL,
        changed_seq bigint NOT NULL UNIQUE,
        UNIQUE NULLS NOT DISTINCT (plan, rulebook, agency, unit)
    )
    """,
)


def upgrade() -> None:
    schema.create_v1("scoring")
    for statement in _STATEMENTS:
        op.execute(statement)
    schema.append_only("scoring", "ledger")
