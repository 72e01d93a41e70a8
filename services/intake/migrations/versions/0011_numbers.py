"""Leads are found by the number of their case, the one that people read and say."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX lead_parties_by_number ON lead_parties (plan, number)")
