"""Rulebooks (记分细则): drafts, versions, publication."""

from alembic import op

from shared.kit import schema

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLES: tuple[str, ...] = (
    """
    CREATE TABLE rulebooks (
        seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
        rulebook text NOT NULL,
        edition text NOT NULL,
        plans jsonb NOT NULL,
        valid_from date NOT NULL,
        source text NOT NULL,
        sha256 text NOT NULL,
        origin text NOT NULL CHECK (origin IN ('shipped', 'published')),
        draft_id uuid,
        drafted_by text,
        published_by text,
        published_at timestamptz NOT NULL,
        PRIMARY KEY (rulebook, edition),
        UNIQUE (rulebook, valid_from),
        CHECK (origin = 'shipped' OR (draft_id IS NOT NULL AND drafted_by <> published_by))
    )
    """,
    """
    CREATE TABLE rulebook_drafts (
        id uuid PRIMARY KEY,
        plan text NOT NULL,
        rulebook text NOT NULL,
        edition text NOT NULL,
        valid_from date NOT NULL,
        source text NOT NULL,
        state text NOT NULL CHECK (state IN ('draft', 'submitted', 'published', 'withdrawn')),
        agency text NOT NULL,
        unit text,
        drafted_by text NOT NULL,
        drafted_at timestamptz NOT NULL,
        submitted_by text,
        submitted_at timestamptz,
        decided_by text,
        decided_at timestamptz,
        reason text,
        version integer NOT NULL,
        history jsonb NOT NULL,
        CHECK (state <> 'published' OR (decided_by <> drafted_by AND decided_by <> submitted_by))
    )
    """,
    "CREATE INDEX rulebook_drafts_of_plan ON rulebook_drafts (plan, state, id)",
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
    schema.append_only("scoring", "rulebooks")
