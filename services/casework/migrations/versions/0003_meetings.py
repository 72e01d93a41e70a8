"""Leads that met: whose case goes with whose, and how many tips a lead has."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE lead_meetings (
            join_id uuid PRIMARY KEY,
            lead_id uuid NOT NULL,
            merged_lead_id uuid NOT NULL,
            merged_at timestamptz,
            undone_at timestamptz
        )
        """
    )
    op.execute("CREATE INDEX lead_meetings_of_lead ON lead_meetings (lead_id)")
    op.execute("CREATE INDEX lead_meetings_of_merged ON lead_meetings (merged_lead_id)")
    op.execute("CREATE TABLE lead_signals (lead_id uuid PRIMARY KEY, tips integer NOT NULL CHECK (tips > 0))")
