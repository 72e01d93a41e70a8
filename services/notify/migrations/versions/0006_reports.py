"""Reporting calendar, reports and bulletins (报送、通报简讯)."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TABLES: tuple[str, ...] = (
    """
    CREATE TABLE figures (
        seq BIGINT GENERATED ALWAYS AS IDENTITY,
        xid BIGINT DEFAULT (pg_current_xact_id()::text)::bigint NOT NULL,
        plan TEXT NOT NULL,
        day DATE NOT NULL,
        area TEXT NOT NULL,
        agency TEXT NOT NULL,
        measure TEXT NOT NULL,
        number BIGINT NOT NULL,
        mark BIGINT NOT NULL,
        PRIMARY KEY (seq)
    )
    """,
    "CREATE INDEX figures_of_period ON figures (plan, day)",
    """
    CREATE TABLE reports (
        id UUID NOT NULL,
        plan TEXT NOT NULL,
        kind TEXT NOT NULL,
        origin TEXT NOT NULL,
        clause TEXT,
        agency TEXT NOT NULL,
        to_agency TEXT NOT NULL,
        first_day DATE NOT NULL,
        day DATE NOT NULL,
        due TIMESTAMP WITH TIME ZONE NOT NULL,
        counts BOOLEAN NOT NULL,
        state TEXT NOT NULL,
        contents BYTEA,
        figures JSONB,
        submitted_at TIMESTAMP WITH TIME ZONE,
        submitted_by TEXT,
        in_time BOOLEAN,
        missed_at TIMESTAMP WITH TIME ZONE,
        bulletin_id UUID,
        reminded_at TIMESTAMP WITH TIME ZONE,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        version INTEGER NOT NULL,
        history JSONB NOT NULL,
        PRIMARY KEY (id)
    )
    """,
    "CREATE INDEX reports_of_agency ON reports (plan, agency, due)",
    "CREATE INDEX reports_of_plan ON reports (plan, day, agency)",
    "CREATE INDEX reports_running ON reports (due) WHERE state IN ('owed', 'drafted')",
    """
    CREATE TABLE reporters (
        plan TEXT NOT NULL,
        agency TEXT NOT NULL,
        account_id UUID NOT NULL,
        set_at TIMESTAMP WITH TIME ZONE NOT NULL,
        set_by TEXT NOT NULL,
        version INTEGER NOT NULL,
        PRIMARY KEY (plan, agency),
        FOREIGN KEY(account_id) REFERENCES accounts (id)
    )
    """,
    """
    CREATE TABLE bulletins (
        id UUID NOT NULL,
        plan TEXT NOT NULL,
        kind TEXT NOT NULL,
        milestone TEXT,
        to_agency TEXT,
        first_day DATE NOT NULL,
        last_day DATE NOT NULL,
        state TEXT NOT NULL,
        contents BYTEA NOT NULL,
        figures JSONB NOT NULL,
        position BIGINT NOT NULL,
        digest TEXT NOT NULL,
        reports JSONB NOT NULL,
        missing JSONB NOT NULL,
        year INTEGER,
        serial INTEGER,
        number TEXT,
        edited_by TEXT NOT NULL,
        proposed_by TEXT,
        released_by TEXT,
        released_at TIMESTAMP WITH TIME ZONE,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        version INTEGER NOT NULL,
        history JSONB NOT NULL,
        PRIMARY KEY (id)
    )
    """,
    "CREATE UNIQUE INDEX bulletins_number ON bulletins (plan, kind, year, serial)",
    "CREATE INDEX bulletins_of_plan ON bulletins (plan, created_at, id)",
    """
    CREATE TABLE bulletin_numbers (
        plan TEXT NOT NULL,
        kind TEXT NOT NULL,
        year INTEGER NOT NULL,
        last INTEGER NOT NULL,
        PRIMARY KEY (plan, kind, year)
    )
    """,
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
