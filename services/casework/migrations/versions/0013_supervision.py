"""Supervision, major cases, incidents (督办、重大案件、突发事件)."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_TABLES: tuple[str, ...] = (
    """
    CREATE TABLE case_facts (
        case_id uuid PRIMARY KEY REFERENCES cases (id),
        plan text NOT NULL,
        facts jsonb NOT NULL,
        because jsonb NOT NULL,
        major boolean NOT NULL,
        major_since timestamptz,
        report_id uuid REFERENCES proceedings (id),
        version integer NOT NULL,
        CHECK (major = (major_since IS NOT NULL))
    )
    """,
    "CREATE INDEX case_facts_major ON case_facts (plan, case_id) WHERE major",
    """
    CREATE TABLE case_fact_notes (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        case_id uuid NOT NULL REFERENCES cases (id),
        source text NOT NULL,
        facts jsonb NOT NULL,
        known_at timestamptz NOT NULL,
        at timestamptz NOT NULL,
        actor text NOT NULL,
        agency text
    )
    """,
    "CREATE INDEX case_fact_notes_of ON case_fact_notes (case_id, seq)",
    # what is listed by kind within a plan: operations, supervision, reports
    "CREATE INDEX proceedings_by_category ON proceedings (plan, category, id)",
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
