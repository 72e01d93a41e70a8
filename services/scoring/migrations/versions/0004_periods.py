"""Ledger entries of findings and decisions, periods, checkpoints."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TABLES: tuple[str, ...] = ()


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
