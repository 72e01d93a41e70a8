"""Urgent tips are few among many; their list goes by an index of its own."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX tips_urgent ON tips (plan, received_at, id) WHERE urgent")
