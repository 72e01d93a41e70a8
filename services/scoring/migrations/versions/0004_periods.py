"""Ledger entries of findings and decisions, obligations of every clock, periods, checkpoints."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TABLES: tuple[str, ...] = (
    "ALTER TABLE obligations ALTER COLUMN case_id DROP NOT NULL, ALTER COLUMN number DROP NOT NULL",
    """
    ALTER TABLE ledger
        ALTER COLUMN deadline_id DROP NOT NULL,
        ALTER COLUMN case_id DROP NOT NULL,
        ADD COLUMN basis text NOT NULL DEFAULT 'deadline' CHECK (basis IN ('deadline', 'finding', 'decision')),
        ADD COLUMN basis_id uuid,
        ADD COLUMN subject_kind text CHECK (subject_kind IN ('town', 'community', 'agency', 'unit', 'post')),
        ADD COLUMN subject text,
        ADD COLUMN facts jsonb NOT NULL DEFAULT '[]',
        DROP CONSTRAINT ledger_outcome_check,
        ADD CHECK (outcome IN ('met', 'met_late', 'missed', 'found', 'decided')),
        ADD CHECK ((basis = 'deadline') = (deadline_id IS NOT NULL))
    """,
    """
    UPDATE ledger SET basis_id = deadline_id, subject_kind = CASE WHEN unit IS NULL THEN 'agency' ELSE 'unit' END,
        subject = agency || coalesce('/' || unit, '')
    """,
    """
    ALTER TABLE ledger ALTER COLUMN basis_id SET NOT NULL, ALTER COLUMN subject_kind SET NOT NULL,
        ALTER COLUMN subject SET NOT NULL
    """,
    "CREATE INDEX ledger_of_basis ON ledger (basis_id)",
    "CREATE INDEX ledger_of_subject ON ledger (plan, subject_kind, subject, seq)",
    "ALTER TABLE standings ADD COLUMN subject_kind text, ADD COLUMN subject text",
    """
    UPDATE standings SET subject_kind = CASE WHEN unit IS NULL THEN 'agency' ELSE 'unit' END,
        subject = agency || coalesce('/' || unit, '')
    """,
    """
    ALTER TABLE standings ALTER COLUMN subject_kind SET NOT NULL, ALTER COLUMN subject SET NOT NULL,
        DROP CONSTRAINT standings_plan_rulebook_agency_unit_key,
        ADD UNIQUE NULLS NOT DISTINCT (plan, rulebook, agency, unit, subject_kind, subject)
    """,
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
