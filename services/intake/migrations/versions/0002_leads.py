"""Leads that join: targets, suggestions, merges and what officers corrected."""

from alembic import op

from shared.kit import schema

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    ALTER TABLE leads
        ADD COLUMN first_tip uuid,
        ADD COLUMN last_at timestamptz,
        ADD COLUMN urgent_at timestamptz,
        ADD COLUMN closed_at timestamptz,
        ADD COLUMN merged_into uuid REFERENCES leads (id) CHECK (merged_into <> id),
        ADD COLUMN gathering_at timestamptz,
        ADD COLUMN targets jsonb NOT NULL DEFAULT '[]'
    """,
    """
    UPDATE leads SET last_at = received_at, urgent_at = CASE WHEN urgent THEN received_at END,
        first_tip = (SELECT t.id FROM tips t WHERE t.lead_id = leads.id ORDER BY t.received_at, t.id LIMIT 1)
    """,
    """
    ALTER TABLE tips
        ADD COLUMN targets jsonb NOT NULL DEFAULT '[]',
        ADD COLUMN reviewed_at timestamptz,
        ADD COLUMN reviewed_by text
    """,
    "CREATE INDEX leads_by_agency ON leads (plan, agency, received_at, id) WHERE merged_into IS NULL",
    "CREATE INDEX leads_by_area ON leads (plan, area, received_at, id) WHERE merged_into IS NULL",
    "CREATE INDEX leads_of_many ON leads (plan, received_at, id) WHERE tips > 1 AND merged_into IS NULL",
    "CREATE INDEX leads_urgent ON leads (plan, received_at, id) WHERE urgent AND merged_into IS NULL",
    "CREATE INDEX leads_merged ON leads (merged_into) WHERE merged_into IS NOT NULL",
    "CREATE INDEX leads_gathering ON leads (plan, received_at, id) WHERE gathering_at IS NOT NULL",
    """
    CREATE INDEX tips_unreviewed ON tips (plan, agency, urgent, received_at, id)
        WHERE reviewed_at IS NULL AND state = 'lead'
    """,
    """
    CREATE TABLE lead_targets (
        lead_id uuid NOT NULL REFERENCES leads (id),
        key text NOT NULL,
        plan text NOT NULL,
        tips integer NOT NULL CHECK (tips > 0),
        seen_at timestamptz NOT NULL,
        PRIMARY KEY (lead_id, key)
    )
    """,
    "CREATE INDEX lead_targets_by_key ON lead_targets (plan, key, seen_at)",
    """
    CREATE FUNCTION bigrams_of(given text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN (
        SELECT array_agg(DISTINCT substr(lower(given), i, 2)) FROM generate_series(1, greatest(length(given) - 1, 1)) i
    )
    """,
    """
    CREATE TABLE target_names (
        plan text NOT NULL,
        key text NOT NULL,
        name text NOT NULL,
        bigrams text[] GENERATED ALWAYS AS (bigrams_of(name)) STORED,
        PRIMARY KEY (plan, key, name)
    )
    """,
    "CREATE INDEX target_names_by_bigram ON target_names USING gin (bigrams)",
    """
    CREATE TABLE lead_joins (
        id uuid PRIMARY KEY,
        plan text NOT NULL,
        action text NOT NULL CHECK (action IN ('opened', 'joined', 'merged', 'split', 'unmerged', 'corrected')),
        lead_id uuid NOT NULL,
        other_id uuid,
        undoes uuid REFERENCES lead_joins (id),
        tips jsonb NOT NULL,
        score smallint,
        reasons jsonb NOT NULL,
        automatic boolean NOT NULL,
        actor text NOT NULL,
        agency text,
        at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX lead_joins_of_lead ON lead_joins (lead_id, at)",
    "CREATE INDEX lead_joins_of_other ON lead_joins (other_id, at) WHERE other_id IS NOT NULL",
    "CREATE UNIQUE INDEX lead_joins_undone_once ON lead_joins (undoes) WHERE undoes IS NOT NULL",
    """
    CREATE TABLE lead_suggestions (
        id uuid PRIMARY KEY,
        plan text NOT NULL,
        lead_id uuid NOT NULL REFERENCES leads (id),
        other_id uuid NOT NULL REFERENCES leads (id),
        kind text NOT NULL CHECK (kind IN ('same', 'seen_before')),
        score smallint NOT NULL,
        reasons jsonb NOT NULL,
        state text NOT NULL CHECK (state IN ('open', 'accepted', 'rejected', 'noted', 'gone')),
        agency text NOT NULL,
        made_at timestamptz NOT NULL,
        decided_at timestamptz,
        decided_by text,
        version integer NOT NULL,
        CHECK (lead_id <> other_id)
    )
    """,
    "CREATE UNIQUE INDEX lead_suggestions_pair ON lead_suggestions (lead_id, other_id)",
    "CREATE INDEX lead_suggestions_of_other ON lead_suggestions (other_id)",
    "CREATE INDEX lead_suggestions_open ON lead_suggestions (plan, made_at, id) WHERE state = 'open'",
    """
    CREATE TABLE gatherings (
        id uuid PRIMARY KEY,
        plan text NOT NULL,
        key text NOT NULL,
        level text NOT NULL CHECK (level IN ('building', 'estate')),
        place text NOT NULL,
        area text,
        signals integer NOT NULL,
        lead_id uuid NOT NULL REFERENCES leads (id),
        found_at timestamptz NOT NULL,
        until timestamptz NOT NULL
    )
    """,
    "CREATE INDEX gatherings_by_key ON gatherings (plan, key, until)",
    "CREATE INDEX gatherings_newest ON gatherings (plan, found_at, id)",
    """
    CREATE TABLE tip_corrections (
        id uuid PRIMARY KEY,
        tip_id uuid NOT NULL REFERENCES tips (id),
        plan text NOT NULL,
        agreed boolean NOT NULL,
        before jsonb NOT NULL,
        after jsonb NOT NULL,
        lexicon text NOT NULL,
        actor text NOT NULL,
        at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX tip_corrections_of_tip ON tip_corrections (tip_id, at)",
    "CREATE INDEX tip_corrections_newest ON tip_corrections (plan, at, id)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
    schema.append_only("intake", "lead_joins", "tip_corrections")
