"""Channels, targets of agencies and posts, circuits, limits, and messages that go again."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TABLES: tuple[str, ...] = (
    """
    ALTER TABLE endpoints
        ADD COLUMN channel text NOT NULL DEFAULT 'webhook'
            CHECK (channel IN ('webhook', 'email', 'dingtalk', 'wecom', 'feishu', 'sms')),
        ADD COLUMN name text,
        ADD COLUMN unit text,
        ADD COLUMN post text,
        ADD COLUMN urgent_only boolean NOT NULL DEFAULT false,
        ADD COLUMN per_minute integer CHECK (per_minute > 0),
        ADD COLUMN window_at timestamptz,
        ADD COLUMN window_used integer NOT NULL DEFAULT 0,
        ADD COLUMN not_before timestamptz,
        ADD COLUMN failing_since timestamptz,
        ADD COLUMN last_outcome text,
        ADD COLUMN last_delivered_at timestamptz,
        ADD COLUMN off_reason text,
        ADD COLUMN off_at timestamptz,
        ADD COLUMN old_secret bytea,
        ADD COLUMN old_until timestamptz
    """,
    "ALTER TABLE endpoints DROP CONSTRAINT endpoints_once",
    "CREATE UNIQUE INDEX endpoints_once ON endpoints (plan, agency, url) WHERE channel = 'webhook'",
    """
    ALTER TABLE deliveries ADD COLUMN urgent boolean NOT NULL DEFAULT false, ADD COLUMN since timestamptz
    """,
    """
    CREATE INDEX deliveries_urgent ON deliveries (endpoint_id, next_at) WHERE state = 'retrying' AND urgent
    """,
    "CREATE INDEX deliveries_failed ON deliveries (created_at DESC, id) WHERE state = 'failed'",
    "CREATE INDEX deliveries_waiting ON deliveries (created_at, id) WHERE state = 'retrying'",
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
