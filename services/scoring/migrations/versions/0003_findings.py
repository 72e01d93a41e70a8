"""Findings (认定), answers and appeals."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TABLES: tuple[str, ...] = ()


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
