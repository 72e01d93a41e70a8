"""An obligation keeps when it was given back last: what was done before does not count any more."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the fact."""
    op.execute(
        "ALTER TABLE obligations ADD COLUMN back_event uuid, ADD COLUMN back_at timestamptz, "
        "ADD COLUMN back_recordedat timestamptz"
    )


def downgrade() -> None:
    """Remove the fact."""
    op.execute("ALTER TABLE obligations DROP COLUMN back_event, DROP COLUMN back_at, DROP COLUMN back_recordedat")
