"""The history of one account or agency's system is read from the audit log by an index of its own."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE INDEX audit_accounts ON audit ((object_ids ->> 0), seq) WHERE action IN (
            'account.created', 'account.changed', 'account.locked', 'account.password_changed',
            'account.totp_on', 'account.totp_off', 'system.created', 'system.changed')
        """
    )
