"""Handovers, acceptance and supplements."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TABLES = (
    """
    CREATE TABLE handovers (
        id uuid PRIMARY KEY,
        number text NOT NULL,
        matter_id uuid NOT NULL,
        lead_id uuid REFERENCES leads (id),
        tip_id uuid REFERENCES tips (id),
        plan text NOT NULL,
        area text,
        kinds jsonb NOT NULL,
        urgent boolean NOT NULL,
        from_agency text NOT NULL,
        from_unit text,
        to_agency text,
        to_unit text,
        distributor text,
        their_number text,
        reason text NOT NULL,
        note bytea,
        answer_reason text,
        answer_note bytea,
        assigned_agency text,
        assigned_unit text,
        state text NOT NULL CHECK (
            state IN ('proposed', 'accepted', 'refused', 'returned', 'withdrawn', 'escalated', 'decided')
        ),
        attempt integer NOT NULL,
        previous_id uuid,
        rule text NOT NULL,
        article text NOT NULL,
        certainty text NOT NULL,
        calendar text NOT NULL,
        start timestamptz NOT NULL,
        due timestamptz NOT NULL,
        provisional boolean NOT NULL,
        proposed_at timestamptz NOT NULL,
        answered_at timestamptz,
        escalated_at timestamptz,
        decided_at timestamptz,
        answer_late_at timestamptz,
        decision_late_at timestamptz,
        version integer NOT NULL,
        history jsonb NOT NULL,
        CHECK (num_nonnulls(lead_id, tip_id) = 1),
        CHECK (num_nonnulls(to_agency, distributor) = 1),
        CHECK ((state = 'decided') = (assigned_agency IS NOT NULL))
    )
    """,
    "CREATE INDEX handovers_of_matter ON handovers (matter_id, id)",
    "CREATE UNIQUE INDEX handovers_number ON handovers (plan, number)",
    """
    CREATE UNIQUE INDEX handovers_one_open ON handovers (matter_id, from_agency)
        WHERE state IN ('proposed', 'escalated')
    """,
    "CREATE INDEX handovers_due ON handovers (due) WHERE state IN ('proposed', 'escalated')",
    "CREATE INDEX handovers_of_plan ON handovers (plan, id)",
    "CREATE INDEX handovers_to ON handovers (plan, to_agency, id)",
    "CREATE INDEX handovers_from ON handovers (plan, from_agency, id)",
    """
    CREATE TABLE handover_matters (
        id uuid PRIMARY KEY,
        lead_id uuid,
        tip_id uuid,
        plan text NOT NULL,
        area text,
        kinds jsonb NOT NULL,
        urgent boolean NOT NULL,
        agency text NOT NULL,
        unit text,
        distributor text,
        handovers integer NOT NULL,
        bounces integer NOT NULL,
        late integer NOT NULL,
        first_at timestamptz NOT NULL,
        last_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX handover_matters_bounced ON handover_matters (plan, last_at, id) WHERE bounces > 0",
    """
    CREATE TABLE handover_register (
        plan text NOT NULL,
        year integer NOT NULL,
        last bigint NOT NULL CHECK (last >= 0),
        PRIMARY KEY (plan, year)
    )
    """,
    """
    CREATE TABLE supplements (
        id uuid PRIMARY KEY,
        lead_id uuid NOT NULL REFERENCES leads (id),
        plan text NOT NULL,
        agency text NOT NULL,
        unit text,
        question bytea NOT NULL,
        state text NOT NULL CHECK (state IN ('asked', 'received', 'expired', 'withdrawn')),
        rule text NOT NULL,
        asked_at timestamptz NOT NULL,
        due timestamptz NOT NULL,
        ended_at timestamptz,
        version integer NOT NULL,
        CHECK ((state = 'asked') = (ended_at IS NULL))
    )
    """,
    "CREATE INDEX supplements_of_lead ON supplements (lead_id)",
    "CREATE INDEX supplements_due ON supplements (due) WHERE state = 'asked'",
    """
    CREATE TABLE lead_parties (
        case_id uuid NOT NULL,
        agency text NOT NULL,
        lead_id uuid,
        number text NOT NULL,
        plan text NOT NULL,
        area text,
        urgent boolean NOT NULL,
        unit text,
        role text,
        state text NOT NULL CHECK (state IN ('following', 'pending', 'accepted', 'handed_over', 'declined')),
        due timestamptz,
        accepted_at timestamptz,
        in_time boolean,
        late_at timestamptz,
        ended_at timestamptz,
        seen_at timestamptz NOT NULL,
        PRIMARY KEY (case_id, agency)
    )
    """,
    "CREATE INDEX lead_parties_of_lead ON lead_parties (lead_id)",
    "CREATE INDEX lead_parties_waiting ON lead_parties (plan, agency, due, case_id) WHERE state = 'pending'",
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
