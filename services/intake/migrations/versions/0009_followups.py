"""What intake's own users were still missing: verification of major leads, codes lost, figures over time."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TABLES: tuple[str, ...] = (
    "ALTER TABLE leads ADD COLUMN major_at timestamptz",
    """
    CREATE INDEX leads_may_be_major ON leads (plan, id)
        WHERE major_at IS NULL AND merged_into IS NULL AND closed_at IS NULL
            AND (urgent OR tips > 1 OR gathering_at IS NOT NULL)
    """,
    "CREATE INDEX leads_major ON leads (plan, received_at, id) WHERE major_at IS NOT NULL AND merged_into IS NULL",
    """
    CREATE TABLE lead_verifications (
        lead_id uuid PRIMARY KEY REFERENCES leads (id),
        plan text NOT NULL,
        causes jsonb NOT NULL,
        state text NOT NULL CHECK (state IN ('waiting', 'missed', 'verified')),
        rule text,
        article text,
        certainty text,
        calendar text,
        start timestamptz,
        due timestamptz,
        provisional boolean NOT NULL,
        marked_at timestamptz NOT NULL,
        missed_at timestamptz,
        outcome text CHECK (outcome IN ('founded', 'unfounded', 'inconclusive')),
        note bytea,
        in_time boolean,
        verified_at timestamptz,
        verified_by text,
        verified_agency text,
        version integer NOT NULL,
        CHECK ((state = 'verified') = (verified_at IS NOT NULL)),
        CHECK ((due IS NULL) = (rule IS NULL))
    )
    """,
    "CREATE INDEX lead_verifications_due ON lead_verifications (plan, due, lead_id) WHERE state = 'waiting'",
    "CREATE INDEX lead_verifications_missed ON lead_verifications (plan, missed_at, lead_id) WHERE state = 'missed'",
    """
    CREATE TABLE reward_code_requests (
        id uuid PRIMARY KEY,
        plan text NOT NULL,
        area text,
        claim_id uuid NOT NULL REFERENCES reward_claims (id),
        tip_id uuid NOT NULL REFERENCES tips (id),
        state text NOT NULL CHECK (state IN ('asked', 'agreed', 'released', 'given', 'refused')),
        asked_at timestamptz NOT NULL,
        first_by text,
        first_at timestamptz,
        second_by text,
        second_at timestamptz,
        refused_by text,
        refused_at timestamptz,
        given_at timestamptz,
        version integer NOT NULL,
        CHECK (second_by IS NULL OR second_by <> first_by)
    )
    """,
    """
    CREATE UNIQUE INDEX reward_code_requests_one ON reward_code_requests (claim_id)
        WHERE state IN ('asked', 'agreed', 'released')
    """,
    "CREATE INDEX reward_code_requests_by_plan ON reward_code_requests (plan, state, asked_at, id)",
    """
    CREATE TABLE trend_days (
        plan text NOT NULL,
        day date NOT NULL,
        area text NOT NULL,
        kind text NOT NULL,
        agency text NOT NULL,
        unit text NOT NULL,
        tips integer NOT NULL,
        urgent integer NOT NULL,
        PRIMARY KEY (plan, day, area, kind, agency, unit)
    )
    """,
    """
    CREATE TABLE trend_progress (
        plan text PRIMARY KEY,
        counted_until date NOT NULL,
        looked_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX tips_reviewed ON tips (plan, reviewed_at) WHERE reviewed_at IS NOT NULL",
    # tips that a line distributed and that are not ours: looked for once a moment, gone from here once handed back
    "ALTER TABLE tips ADD COLUMN handed_back_at timestamptz",
    """
    CREATE INDEX tips_to_hand_back ON tips (plan, channel, received_at, id)
        WHERE state = 'referred' AND lead_id IS NULL AND handed_back_at IS NULL AND NOT urgent
            AND anonymised_at IS NULL AND source_agency IS NOT NULL
    """,
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
