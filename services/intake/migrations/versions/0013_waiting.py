"""Who waits longest over a whole town is read in order, as it is for one agency."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DROP INDEX lead_parties_waiting")
    op.execute(
        "CREATE INDEX lead_parties_waiting ON lead_parties (plan, due, case_id, agency, unit) WHERE state = 'pending'"
    )
