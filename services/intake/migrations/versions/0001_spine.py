"""Tips and leads."""

from alembic import op

from shared.kit import schema

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    schema.create_v1("intake")
    op.execute(
        """
        CREATE TABLE leads (
            id uuid PRIMARY KEY,
            plan text NOT NULL,
            area text,
            kinds jsonb NOT NULL,
            urgent boolean NOT NULL,
            agency text NOT NULL,
            unit text,
            rule text NOT NULL,
            received_at timestamptz NOT NULL,
            tips integer NOT NULL,
            version integer NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX leads_by_plan ON leads (plan, received_at, id)")
    op.execute(
        """
        CREATE TABLE tips (
            id uuid PRIMARY KEY,
            plan text NOT NULL,
            channel text NOT NULL,
            area text,
            state text NOT NULL CHECK (state IN ('lead', 'referred')),
            relevant boolean NOT NULL,
            urgent boolean NOT NULL,
            kinds jsonb NOT NULL,
            belongs_to text,
            agency text,
            unit text,
            rule text NOT NULL,
            lead_id uuid REFERENCES leads (id),
            narrative bytea NOT NULL,
            lexicon text NOT NULL,
            receipt_hash bytea NOT NULL UNIQUE,
            source_agency text,
            external_ref text,
            posted_at timestamptz,
            received_at timestamptz NOT NULL,
            version integer NOT NULL,
            CHECK ((state = 'lead') = (lead_id IS NOT NULL))
        )
        """
    )
    op.execute("CREATE INDEX tips_by_plan ON tips (plan, received_at, id)")
    op.execute("CREATE INDEX tips_by_lead ON tips (lead_id)")
