"""Rulebooks (记分细则): drafts, versions, publication."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLES: tuple[str, ...] = ()


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
