"""Parties that hand over or decline, and facts about leads whose case is not open yet."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("case_parties_state_check", "case_parties_check"):
        op.execute(f"ALTER TABLE case_parties DROP CONSTRAINT {name}")
    op.execute(
        """
        ALTER TABLE case_parties
            ADD CONSTRAINT case_parties_state_check CHECK (state IN ('pending', 'accepted', 'handed_over', 'declined')),
            ADD CONSTRAINT case_parties_accepted CHECK (
                (accepted_at IS NULL) = (accepted_by IS NULL)
                AND (state <> 'accepted' OR accepted_at IS NOT NULL)
                AND (state <> 'pending' OR accepted_at IS NULL)
            )
        """
    )
    op.execute(
        """
        CREATE TABLE early_facts (
            lead_id uuid NOT NULL,
            seq bigint GENERATED ALWAYS AS IDENTITY,
            type text NOT NULL,
            data jsonb NOT NULL,
            at timestamptz NOT NULL,
            PRIMARY KEY (lead_id, seq)
        )
        """
    )
