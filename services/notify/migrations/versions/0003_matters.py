"""Notices about what is no case and no handover: gatherings, funds, answers, contests, requests, patrols, major leads."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TABLES: tuple[str, ...] = (
    """
    ALTER TABLE notices ADD COLUMN matter text, ADD COLUMN matter_id uuid, ADD COLUMN dataref text,
        ADD COLUMN needs text, ADD COLUMN items integer, ADD COLUMN raised_at timestamptz
    """,
    "ALTER TABLE notices DROP CONSTRAINT notices_about",
    "ALTER TABLE notices ADD CONSTRAINT notices_about CHECK (num_nonnulls(case_id, handover_id, matter_id) >= 1)",
    "ALTER TABLE notices ADD CONSTRAINT notices_matter CHECK (num_nonnulls(matter, matter_id, dataref) IN (0, 3))",
    "CREATE INDEX notices_of_matter ON notices (matter_id) WHERE matter_id IS NOT NULL",
    "CREATE INDEX notices_needing ON notices (plan, needs, xid, seq) WHERE needs IS NOT NULL",
    "CREATE INDEX notices_needing_waiting ON notices (plan, needs, due, id) WHERE needs IS NOT NULL AND state = 'waiting'",
    """
    CREATE INDEX notices_to_raise ON notices (due)
        WHERE matter_id IS NOT NULL AND state = 'waiting' AND raised_at IS NULL
    """,
    """
    CREATE TABLE matters_ended (
        matter_id uuid NOT NULL,
        template text NOT NULL,
        ended_at timestamptz NOT NULL,
        in_time boolean NOT NULL,
        PRIMARY KEY (matter_id, template)
    )
    """,
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
