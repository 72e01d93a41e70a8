"""Transfers and requests between agencies (移送、协助)."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TABLES: tuple[str, ...] = (
    # rescue, relief, information on subscribers: read by the two sides and the office, not by every party of the case
    "ALTER TABLE proceedings DROP CONSTRAINT proceedings_confidential_check",
    "ALTER TABLE proceedings ADD CHECK (confidential IN ('criminal', 'operation', 'sides'))",
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
