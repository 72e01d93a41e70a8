"""An agency's entries of some days, or as known at a moment, are found in their order without looking at each."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Widen the index that gives them in order."""
    op.execute("DROP INDEX ledger_of_agency")
    op.execute("CREATE INDEX ledger_of_agency ON ledger (plan, agency, seq, occurred_on, recorded_at)")


def downgrade() -> None:
    """As it was."""
    op.execute("DROP INDEX ledger_of_agency")
    op.execute("CREATE INDEX ledger_of_agency ON ledger (plan, agency, seq)")
