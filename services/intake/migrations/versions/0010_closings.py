"""How the cases of leads ended, by casework's word (结案)."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE case_closings (
            case_id uuid PRIMARY KEY,
            lead_id uuid NOT NULL,
            agency text NOT NULL,
            outcome text NOT NULL,
            closed_at timestamptz NOT NULL,
            taken_up_at timestamptz,
            seen_at timestamptz NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX case_closings_of_lead ON case_closings (lead_id)")
