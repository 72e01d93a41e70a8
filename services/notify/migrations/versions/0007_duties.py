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
        activity TEXT,
        case_id UUID,
        title TEXT NOT NULL,
        place TEXT NOT NULL,
        starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
        ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
        agencies JSONB NOT NULL,
        agenda JSONB NOT NULL,
        minutes TEXT NOT NULL,
        present JSONB NOT NULL,
        state TEXT NOT NULL,
        called_by TEXT NOT NULL,
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
        area TEXT,
        origin TEXT NOT NULL,
        duty TEXT,
        phase TEXT,
        clause TEXT,
        meeting_id UUID,
        what TEXT,
        starts DATE NOT NULL,
        due TIMESTAMP WITH TIME ZONE NOT NULL,
        counts BOOLEAN NOT NULL,
        state TEXT NOT NULL,
        done_at TIMESTAMP WITH TIME ZONE,
        done_by TEXT,
        in_time BOOLEAN,
        missed_at TIMESTAMP WITH TIME ZONE,
        reminded_at TIMESTAMP WITH TIME ZONE,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        version INTEGER NOT NULL,
        PRIMARY KEY (id),
        FOREIGN KEY(meeting_id) REFERENCES meetings (id)
    )
    """,
    "CREATE INDEX duties_of_agency ON duties (plan, agency, due, id)",
    "CREATE INDEX duties_of_meeting ON duties (meeting_id) WHERE meeting_id IS NOT NULL",
    "CREATE INDEX duties_running ON duties (due) WHERE state = 'open'",
    """
    CREATE TABLE duty_proofs (
        id UUID NOT NULL,
        duty_id UUID NOT NULL,
        kind TEXT NOT NULL,
        reference TEXT,
        number BIGINT,
        note TEXT NOT NULL,
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
