"""Creation and certificates (无传销社区、镇区)."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TABLES: tuple[str, ...] = (
    """
    CREATE TABLE certifications (
        id uuid PRIMARY KEY,
        plan text NOT NULL,
        standard text NOT NULL,
        rulebook text NOT NULL,
        holder_kind text NOT NULL CHECK (holder_kind IN ('town', 'community', 'agency', 'unit', 'post')),
        holder text NOT NULL,
        agency text NOT NULL,
        area text NOT NULL,
        state text NOT NULL CHECK (state IN ('creating', 'applied', 'committed', 'drawn', 'inspected', 'rectifying',
            'grant_proposed', 'refusal_proposed', 'granted', 'refused', 'suspended', 'restore_asked',
            'restore_proposed', 'revocation_proposed', 'revoked', 'expired')),
        round integer NOT NULL DEFAULT 1,
        number text UNIQUE,
        started_at timestamptz NOT NULL,
        due_on date,
        applied_at timestamptz,
        applied_by text,
        applied_items jsonb,
        applied_score numeric,
        proposed_by text,
        proposed_at timestamptz,
        decided_by text,
        decided_items jsonb,
        granted_at timestamptz,
        standing_since timestamptz,
        valid_until date,
        suspended_at timestamptz,
        rectify_by date,
        ended_at timestamptz,
        words jsonb NOT NULL DEFAULT '{}',
        history jsonb NOT NULL DEFAULT '[]',
        version integer NOT NULL DEFAULT 1,
        CHECK (granted_at IS NULL OR number IS NOT NULL)
    )
    """,
    """
    CREATE UNIQUE INDEX certifications_open ON certifications (plan, standard, holder)
        WHERE state NOT IN ('refused', 'revoked', 'expired')
    """,
    "CREATE INDEX certifications_of_area ON certifications (plan, area, state)",
    """
    CREATE TABLE certification_steps (
        certification_id uuid NOT NULL REFERENCES certifications,
        step text NOT NULL,
        position integer NOT NULL,
        agency text NOT NULL,
        due_on date,
        done_at timestamptz,
        done_by text,
        proof bytea,
        PRIMARY KEY (certification_id, step)
    )
    """,
    """
    CREATE TABLE certification_proofs (
        id uuid PRIMARY KEY,
        certification_id uuid NOT NULL REFERENCES certifications,
        indicator text NOT NULL,
        statement bytea NOT NULL,
        sha256 text,
        shown_by text NOT NULL,
        agency text NOT NULL,
        shown_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX certification_proofs_of ON certification_proofs (certification_id, indicator)",
    """
    CREATE TABLE certification_draws (
        certification_id uuid NOT NULL REFERENCES certifications,
        round integer NOT NULL,
        part text NOT NULL,
        codes jsonb NOT NULL,
        digest text NOT NULL,
        commitment text NOT NULL,
        number integer NOT NULL,
        secret_sealed bytea,
        secret text,
        word text,
        seed text,
        committed_at timestamptz NOT NULL,
        committed_by text NOT NULL,
        drawn_at timestamptz,
        drawn_by text,
        PRIMARY KEY (certification_id, round, part),
        CHECK ((secret IS NULL) = (seed IS NULL))
    )
    """,
    """
    CREATE TABLE certification_samples (
        certification_id uuid NOT NULL REFERENCES certifications,
        round integer NOT NULL,
        part text NOT NULL,
        code text NOT NULL,
        position integer NOT NULL,
        result text CHECK (result IN ('good', 'bad', 'unreachable')),
        note bytea,
        inspected_at timestamptz,
        inspected_by text,
        PRIMARY KEY (certification_id, round, part, code)
    )
    """,
    """
    CREATE TABLE certification_reasons (
        id uuid PRIMARY KEY,
        certification_id uuid NOT NULL REFERENCES certifications,
        kind text NOT NULL CHECK (kind IN ('finding', 'indicator')),
        what text NOT NULL,
        finding_id uuid,
        events jsonb NOT NULL DEFAULT '[]',
        origin text,
        since timestamptz NOT NULL,
        lifted_at timestamptz
    )
    """,
    "CREATE INDEX certification_reasons_of ON certification_reasons (certification_id)",
    "CREATE INDEX certification_reasons_of_finding ON certification_reasons (finding_id)",
    """
    CREATE TABLE certificate_numbers (
        plan text NOT NULL,
        standard text NOT NULL,
        year integer NOT NULL,
        last integer NOT NULL,
        PRIMARY KEY (plan, standard, year)
    )
    """,
    """
    CREATE TABLE certificate_dues (
        id uuid PRIMARY KEY,
        plan text NOT NULL,
        standard text NOT NULL,
        rulebook text NOT NULL,
        holder_kind text NOT NULL,
        holder text NOT NULL,
        agency text NOT NULL,
        area text NOT NULL,
        due_on date NOT NULL,
        state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'met', 'missed')),
        settled_at timestamptz,
        UNIQUE (plan, standard, holder, due_on)
    )
    """,
    """
    CREATE TABLE evidence_facts (
        event_id uuid PRIMARY KEY,
        type text NOT NULL,
        plan text NOT NULL,
        area text,
        agency text,
        unit text,
        source text NOT NULL,
        what text NOT NULL,
        object_id uuid NOT NULL,
        at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL,
        heard_at timestamptz NOT NULL,
        dataref text
    )
    """,
    "CREATE INDEX evidence_facts_of ON evidence_facts (plan, source, area, at)",
    "CREATE INDEX evidence_facts_of_object ON evidence_facts (object_id)",
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
