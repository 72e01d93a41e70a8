"""Notices of handovers, and the ringing of urgent ones until someone signs."""

from alembic import op

from shared.kit import schema

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_STEPS = (
    "ALTER TABLE notices ALTER COLUMN case_id DROP NOT NULL",
    "ALTER TABLE notices ADD COLUMN handover_id uuid, ADD COLUMN lead_id uuid, ADD COLUMN rung integer NOT NULL DEFAULT 0",
    "ALTER TABLE notices ADD CONSTRAINT notices_about CHECK (num_nonnulls(case_id, handover_id) >= 1)",
    "CREATE INDEX notices_of_handover ON notices (handover_id) WHERE handover_id IS NOT NULL",
    "ALTER TABLE deliveries ADD COLUMN ring integer",
    """
    CREATE TABLE rings (
        case_id uuid PRIMARY KEY,
        plan text NOT NULL,
        agency text NOT NULL,
        state text NOT NULL CHECK (state IN ('ringing', 'answered')),
        attempts integer NOT NULL,
        started_at timestamptz NOT NULL,
        next_at timestamptz NOT NULL,
        answered_at timestamptz,
        answered_by text,
        CHECK ((state = 'answered') = (answered_at IS NOT NULL))
    )
    """,
    "CREATE INDEX rings_due ON rings (next_at) WHERE state = 'ringing'",
    """
    CREATE TABLE ring_attempts (
        case_id uuid NOT NULL REFERENCES rings (case_id),
        attempt integer NOT NULL,
        at timestamptz NOT NULL,
        notices jsonb NOT NULL,
        wide boolean NOT NULL,
        PRIMARY KEY (case_id, attempt)
    )
    """,
)


def upgrade() -> None:
    for step in _STEPS:
        op.execute(step)
    schema.append_only("notify", "ring_attempts")
