"""What gives an agency's system more waits for a second person: who asked for it stands on its row."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_BEFORE = (
    "'account.created', 'account.changed', 'account.locked', 'account.password_changed', 'account.totp_on', "
    "'account.totp_off', 'system.created', 'system.changed'"
)


def upgrade() -> None:
    """Add the column; the history of a system tells of its approval, too."""
    op.execute("ALTER TABLE systems ADD COLUMN asked_by text")
    op.execute("CREATE INDEX systems_waiting ON systems (plan, client_id) WHERE asked_by IS NOT NULL")
    op.execute("DROP INDEX audit_accounts")
    op.execute(
        f"CREATE INDEX audit_accounts ON audit ((object_ids ->> 0), seq) WHERE action IN ({_BEFORE}, 'system.approved')"
    )


def downgrade() -> None:
    """What waited is switched off: nothing else would hold it back any more."""
    op.execute("UPDATE systems SET active = false WHERE asked_by IS NOT NULL")
    op.execute("DROP INDEX audit_accounts")
    op.execute(f"CREATE INDEX audit_accounts ON audit ((object_ids ->> 0), seq) WHERE action IN ({_BEFORE})")
    op.execute("ALTER TABLE systems DROP COLUMN asked_by")
