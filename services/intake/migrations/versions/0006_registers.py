"""Prevention registers: rentals, agents, venues, patrols, surveys."""

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
