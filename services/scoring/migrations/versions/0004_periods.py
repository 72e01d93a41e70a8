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
    "CREATE INDEX ledger_of_day ON ledger (plan, occurred_on, seq)",
    "CREATE INDEX ledger_corrections ON ledger (corrects) WHERE corrects IS NOT NULL",
    """
    CREATE TABLE ledger_tree (
        level smallint NOT NULL CHECK (level IN (8, 16, 24, 32)),
        index bigint NOT NULL,
        hash bytea NOT NULL CHECK (length(hash) = 32),
        last_seq bigint NOT NULL,
        PRIMARY KEY (level, index)
    )
    """,
    "CREATE INDEX ledger_tree_of_seq ON ledger_tree (level, last_seq)",
    """
    CREATE TABLE checkpoints (
        number bigint PRIMARY KEY,
        origin text NOT NULL,
        size bigint NOT NULL,
        root bytea NOT NULL CHECK (length(root) = 32),
        seq bigint NOT NULL,
        taken_at timestamptz NOT NULL,
        period_id uuid UNIQUE,
        note text NOT NULL,
        stored_at timestamptz
    )
    """,
    "CREATE INDEX checkpoints_of_seq ON checkpoints (seq)",
    "CREATE INDEX checkpoints_unstored ON checkpoints (number) WHERE stored_at IS NULL",
    """
    CREATE TABLE periods (
        id uuid PRIMARY KEY,
        plan text NOT NULL,
        label text NOT NULL,
        first date NOT NULL,
        last date NOT NULL CHECK (last >= first),
        closed_at timestamptz NOT NULL,
        closed_by text NOT NULL,
        seq bigint NOT NULL,
        size bigint NOT NULL,
        entries bigint NOT NULL,
        document bytea NOT NULL,
        digest bytea NOT NULL CHECK (length(digest) = 32),
        checkpoint bigint NOT NULL REFERENCES checkpoints (number),
        UNIQUE (plan, label)
    )
    """,
    """
    CREATE TABLE period_standings (
        period_id uuid NOT NULL REFERENCES periods (id),
        plan text NOT NULL,
        rulebook text NOT NULL,
        agency text NOT NULL,
        unit text,
        area text,
        points numeric NOT NULL,
        entries integer NOT NULL,
        in_time integer NOT NULL,
        late integer NOT NULL,
        version integer NOT NULL,
        as_of timestamptz NOT NULL,
        subject_kind text NOT NULL,
        subject text NOT NULL,
        UNIQUE NULLS NOT DISTINCT (period_id, rulebook, agency, unit, subject_kind, subject)
    )
    """,
    """
    DO $$ BEGIN
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'dachuan_scoring') THEN
            REVOKE UPDATE, DELETE, TRUNCATE ON ledger_tree, checkpoints, periods, period_standings FROM dachuan_scoring;
            GRANT UPDATE (stored_at) ON checkpoints TO dachuan_scoring;
        END IF;
    END $$
    """,
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
