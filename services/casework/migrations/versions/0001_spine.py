"""Joint cases, parties, deadlines and their numbers."""

from alembic import op

from shared.kit import schema

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    """
    CREATE TABLE cases (
        id uuid PRIMARY KEY,
        number text NOT NULL,
        plan text NOT NULL,
        area text,
        lead_id uuid NOT NULL UNIQUE,
        kinds jsonb NOT NULL,
        urgent boolean NOT NULL,
        state text NOT NULL CHECK (state IN ('opened', 'accepted', 'closed')),
        received_at timestamptz NOT NULL,
        opened_at timestamptz NOT NULL,
        version integer NOT NULL,
        missed integer NOT NULL DEFAULT 0 CHECK (missed >= 0),
        history jsonb NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX cases_number ON cases (number, plan)",
    "CREATE INDEX cases_by_area ON cases (plan, area, id)",
    "CREATE INDEX cases_by_state ON cases (plan, state, id)",
    "CREATE INDEX cases_late ON cases (plan, id) WHERE missed > 0",
    "CREATE INDEX cases_by_kind ON cases USING gin (kinds jsonb_path_ops)",
    """
    CREATE TABLE case_parties (
        case_id uuid NOT NULL REFERENCES cases (id),
        agency text NOT NULL,
        unit text,
        units jsonb NOT NULL,
        role text NOT NULL CHECK (role IN ('lead', 'co', 'coordinator')),
        state text NOT NULL CHECK (state IN ('pending', 'accepted')),
        accepted_at timestamptz,
        accepted_by text,
        PRIMARY KEY (case_id, agency),
        CHECK ((state = 'accepted') = (accepted_at IS NOT NULL AND accepted_by IS NOT NULL))
    )
    """,
    "CREATE INDEX case_parties_by_agency ON case_parties (agency, case_id)",
    """
    CREATE TABLE deadlines (
        id uuid PRIMARY KEY,
        case_id uuid NOT NULL REFERENCES cases (id),
        agency text NOT NULL,
        unit text,
        kind text NOT NULL,
        rule text NOT NULL,
        article text NOT NULL,
        certainty text NOT NULL,
        clock_unit text NOT NULL,
        amount integer NOT NULL,
        rolls boolean NOT NULL,
        calendar text NOT NULL,
        start timestamptz NOT NULL,
        due timestamptz NOT NULL,
        provisional boolean NOT NULL,
        basis_reason text NOT NULL,
        state text NOT NULL CHECK (state IN ('running', 'suspended', 'missed', 'met', 'met_late', 'cancelled')),
        met_at timestamptz,
        missed_at timestamptz,
        suspensions jsonb NOT NULL,
        extensions jsonb NOT NULL,
        history jsonb NOT NULL,
        version integer NOT NULL
    )
    """,
    "CREATE INDEX deadlines_of_case ON deadlines (case_id)",
    "CREATE INDEX deadlines_running ON deadlines (due) WHERE state = 'running'",
    "CREATE INDEX deadlines_open ON deadlines (agency, due, case_id) WHERE state IN ('running', 'missed')",
    """
    CREATE TABLE number_register (
        plan text NOT NULL,
        series text NOT NULL,
        year integer NOT NULL,
        last integer NOT NULL CHECK (last >= 0),
        PRIMARY KEY (plan, series, year)
    )
    """,
)


def upgrade() -> None:
    schema.create_v1("casework")
    for statement in _TABLES:
        op.execute(statement)
