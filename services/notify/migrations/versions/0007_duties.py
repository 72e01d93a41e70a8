"""Meetings, decisions and duties (会议、职责)."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TABLES: tuple[str, ...] = (
    """
    CREATE TABLE meetings (
        id UUID NOT NULL,
        plan TEXT NOT NULL,
        kind TEXT NOT NULL,
        case_id UUID,
        case_number TEXT,
        sealed BYTEA NOT NULL,
        starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
        ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
        agencies TEXT[] NOT NULL,
        present TEXT[] NOT NULL,
        state TEXT NOT NULL,
        agency TEXT NOT NULL,
        called_by TEXT NOT NULL,
        duty_id UUID,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        version INTEGER NOT NULL,
        history JSONB NOT NULL,
        PRIMARY KEY (id)
    )
    """,
    "CREATE INDEX meetings_of_plan ON meetings (plan, starts_at, id)",
    """
    CREATE TABLE duties (
        id UUID NOT NULL,
        plan TEXT NOT NULL,
        agency TEXT NOT NULL,
        unit TEXT,
        area TEXT,
        origin TEXT NOT NULL,
        duty TEXT,
        phase TEXT,
        clause TEXT,
        meeting_id UUID,
        sealed BYTEA,
        starts DATE NOT NULL,
        due TIMESTAMP WITH TIME ZONE NOT NULL,
        counts BOOLEAN NOT NULL,
        state TEXT NOT NULL,
        done_at TIMESTAMP WITH TIME ZONE,
        done_by TEXT,
        late BOOLEAN,
        missed_at TIMESTAMP WITH TIME ZONE,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        version INTEGER NOT NULL,
        history JSONB NOT NULL,
        PRIMARY KEY (id),
        FOREIGN KEY(meeting_id) REFERENCES meetings (id)
    )
    """,
    "CREATE INDEX duties_of_agency ON duties (plan, agency, due, id)",
    "CREATE INDEX duties_of_meeting ON duties (meeting_id) WHERE meeting_id IS NOT NULL",
    "CREATE INDEX duties_of_plan ON duties (plan, due, id)",
    "CREATE INDEX duties_running ON duties (due) WHERE state = 'open' AND counts",
    """
    CREATE TABLE duty_proofs (
        id UUID NOT NULL,
        duty_id UUID NOT NULL,
        kind TEXT NOT NULL,
        sealed BYTEA NOT NULL,
        number BIGINT,
        file_id UUID,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        recorded_by TEXT NOT NULL,
        PRIMARY KEY (id),
        FOREIGN KEY(duty_id) REFERENCES duties (id)
    )
    """,
    "CREATE INDEX duty_proofs_of_duty ON duty_proofs (duty_id)",
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
