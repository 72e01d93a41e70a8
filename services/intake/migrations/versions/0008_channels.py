"""Hand-offs of other systems."""

from alembic import op

from shared.kit import schema

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE handin_exchanges (
            id uuid PRIMARY KEY,
            plan text NOT NULL,
            agency text NOT NULL,
            caller text NOT NULL,
            format text NOT NULL,
            items integer NOT NULL,
            created integer NOT NULL,
            replayed integer NOT NULL,
            rejected integer NOT NULL,
            body_hash bytea NOT NULL,
            at timestamptz NOT NULL,
            CHECK (items = created + replayed + rejected)
        )
        """
    )
    op.execute("CREATE INDEX handin_exchanges_by_agency ON handin_exchanges (plan, agency, at, id)")
    op.execute(
        """
        CREATE TABLE handins (
            seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            tip_id uuid NOT NULL UNIQUE REFERENCES tips (id),
            exchange_id uuid NOT NULL REFERENCES handin_exchanges (id),
            plan text NOT NULL,
            agency text NOT NULL,
            format text NOT NULL,
            external_ref text NOT NULL,
            dispatched_by text,
            dispatch_no text,
            at timestamptz NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX handins_by_agency ON handins (plan, agency, seq)")
    schema.append_only("intake", "handin_exchanges", "handins")
