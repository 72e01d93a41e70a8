"""How a case ended (结案)."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE cases ADD COLUMN outcome text, ADD COLUMN closed_at timestamptz, ADD COLUMN closed_by text")
