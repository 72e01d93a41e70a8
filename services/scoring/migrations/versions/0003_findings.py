"""Findings (认定), answers and appeals."""

from alembic import op

from shared.kit import schema

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TABLES: tuple[str, ...] = (
    """
    CREATE TABLE finding_facts (
        event_id uuid PRIMARY KEY,
        matter text NOT NULL,
        plan text NOT NULL,
        type text NOT NULL,
        at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL,
        data jsonb NOT NULL
    )
    """,
    "CREATE INDEX finding_facts_of_matter ON finding_facts (matter)",
    """
    CREATE TABLE findings (
        finding_id uuid PRIMARY KEY,
        plan text NOT NULL,
        condition text NOT NULL,
        clause text NOT NULL,
        matter text NOT NULL,
        subject_kind text NOT NULL CHECK (subject_kind IN ('town', 'community', 'agency', 'unit', 'post')),
        agency text NOT NULL,
        unit text,
        area text,
        case_id uuid,
        origin text NOT NULL CHECK (origin IN ('self_reported', 'self_found', 'exposed')),
        occurred_at timestamptz NOT NULL,
        events jsonb NOT NULL,
        measure jsonb NOT NULL,
        state text NOT NULL CHECK (state IN ('proposed', 'left_to_second', 'lapsed', 'confirmed', 'rejected', 'appealed',
            'upheld', 'overturned')),
        version integer NOT NULL,
        proposed_at timestamptz NOT NULL,
        changed_at timestamptz NOT NULL,
        answer_by timestamptz NOT NULL,
        provisional boolean NOT NULL,
        answered_at timestamptz,
        left_by text,
        decided_by text,
        decided_at timestamptz,
        appeal_by timestamptz,
        appealed_at timestamptz,
        decide_by timestamptz,
        appeal_decided_by text,
        appeal_decided_at timestamptz,
        CHECK (appeal_decided_by IS NULL OR decided_by IS NULL OR appeal_decided_by <> decided_by)
    )
    """,
    "CREATE INDEX findings_of_matter ON findings (matter)",
    "CREATE INDEX findings_by_state ON findings (plan, state, proposed_at, finding_id)",
    "CREATE INDEX findings_of_agency ON findings (plan, agency, proposed_at, finding_id)",
    "CREATE INDEX findings_by_time ON findings (proposed_at, finding_id)",
    "CREATE INDEX findings_of_case ON findings (case_id) WHERE case_id IS NOT NULL",
    """
    CREATE TABLE finding_steps (
        finding_id uuid NOT NULL,
        version integer NOT NULL,
        step text NOT NULL,
        from_state text,
        state text NOT NULL,
        at timestamptz NOT NULL,
        actor text NOT NULL,
        agency text,
        unit text,
        words bytea,
        before jsonb,
        after jsonb,
        PRIMARY KEY (finding_id, version)
    )
    """,
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
    schema.append_only("scoring", "finding_steps", "finding_facts")
