"""The ladder of tools (政策工具), rewards, penalties, accountability, funds."""

from alembic import op

from shared.kit import schema

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TABLES: tuple[str, ...] = (
    """
    CREATE TABLE tools (
        id uuid PRIMARY KEY,
        plan text NOT NULL,
        rulebook text NOT NULL,
        edition text NOT NULL,
        tool text NOT NULL,
        rung integer NOT NULL CHECK (rung > 0),
        clause text,
        subject_kind text NOT NULL CHECK (subject_kind IN ('town', 'community', 'agency', 'unit', 'post')),
        subject text NOT NULL,
        agency text NOT NULL,
        unit text,
        area text,
        state text NOT NULL,
        cause jsonb NOT NULL,
        findings jsonb NOT NULL,
        blocks jsonb NOT NULL,
        public boolean NOT NULL,
        reason text,
        period date NOT NULL,
        opened_at timestamptz NOT NULL,
        proposed_by text,
        decided_by text,
        decided_at timestamptz,
        starts_at timestamptz,
        ends_at timestamptz,
        rectify_by timestamptz,
        reported_at timestamptz,
        overdue_at timestamptz,
        closed_at timestamptz,
        version integer NOT NULL,
        history jsonb NOT NULL,
        CHECK (state IN ('triggered', 'dropped', 'lapsed', 'proposed', 'rejected', 'standing', 'reported', 'rectified',
                         'lifted', 'ended', 'annulled')),
        CHECK (decided_by IS NULL OR decided_by <> proposed_by)
    )
    """,
    """
    CREATE UNIQUE INDEX tools_open ON tools (plan, rulebook, tool, subject_kind, subject)
        WHERE state IN ('triggered', 'proposed', 'standing', 'reported', 'rectified')
    """,
    "CREATE INDEX tools_of_subject ON tools (plan, subject_kind, subject, opened_at)",
    "CREATE INDEX tools_by_state ON tools (plan, state, opened_at, id)",
    "CREATE INDEX tools_due ON tools (ends_at) WHERE state IN ('standing', 'reported', 'rectified')",
    """
    CREATE TABLE measures (
        id uuid PRIMARY KEY,
        plan text NOT NULL,
        rulebook text NOT NULL,
        edition text NOT NULL,
        measure text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('reward', 'penalty', 'accountability')),
        clause text,
        subject_kind text NOT NULL CHECK (subject_kind IN ('town', 'community', 'agency', 'unit', 'post')),
        subject text NOT NULL,
        agency text NOT NULL,
        unit text,
        area text,
        post text,
        state text NOT NULL CHECK (state IN ('proposed', 'rejected', 'withdrawn', 'approved', 'done', 'revoked', 'sent',
                                             'answered')),
        yuan integer CHECK (yuan >= 0),
        fund text,
        sent_to jsonb NOT NULL,
        answers jsonb NOT NULL,
        findings jsonb NOT NULL,
        entries jsonb NOT NULL,
        reason text NOT NULL,
        score numeric,
        decision text,
        occurred_at timestamptz NOT NULL,
        proposed_by text NOT NULL,
        proposed_at timestamptz NOT NULL,
        decided_by text,
        decided_at timestamptz,
        version integer NOT NULL,
        history jsonb NOT NULL,
        CHECK (decided_by IS NULL OR decided_by <> proposed_by),
        CHECK ((subject_kind = 'post') = (post IS NOT NULL)),
        CHECK (kind <> 'accountability' OR jsonb_array_length(findings) + jsonb_array_length(entries) > 0)
    )
    """,
    "CREATE INDEX measures_of_subject ON measures (plan, subject_kind, subject, proposed_at)",
    "CREATE INDEX measures_by_state ON measures (plan, state, proposed_at, id)",
    "CREATE INDEX measures_sent ON measures USING gin (sent_to jsonb_path_ops)",
    """
    CREATE TABLE fund_moves (
        seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
        id uuid PRIMARY KEY,
        plan text NOT NULL,
        fund text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('budget', 'commit', 'release', 'pay')),
        yuan integer NOT NULL CHECK (yuan > 0),
        purpose text NOT NULL,
        commitment uuid,
        measure_id uuid,
        at timestamptz NOT NULL,
        actor text NOT NULL,
        CHECK ((kind IN ('release', 'pay')) = (commitment IS NOT NULL))
    )
    """,
    "CREATE INDEX fund_moves_of_fund ON fund_moves (plan, fund, seq)",
    "CREATE INDEX fund_moves_of_commitment ON fund_moves (commitment)",
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
    schema.append_only("scoring", "fund_moves")
