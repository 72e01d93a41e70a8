"""The conversation by receipt, outcome, contact sealed apart."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE tip_messages (
            id uuid PRIMARY KEY,
            tip_id uuid NOT NULL REFERENCES tips (id),
            author text NOT NULL CHECK (author IN ('reporter', 'officer')),
            kind text NOT NULL CHECK (kind IN ('question', 'answer', 'fact', 'word')),
            agency text,
            actor text,
            reply_to uuid,
            sealed bytea NOT NULL,
            urgent boolean NOT NULL,
            at timestamptz NOT NULL,
            read_at timestamptz,
            CHECK ((author = 'officer') = (actor IS NOT NULL))
        )
        """
    )
    op.execute("CREATE INDEX tip_messages_by_tip ON tip_messages (tip_id, at, id)")
    op.execute("CREATE INDEX tip_messages_unread ON tip_messages (tip_id, author) WHERE read_at IS NULL")
    op.execute(
        """
        CREATE TABLE closing_contests (
            id uuid PRIMARY KEY,
            tip_id uuid NOT NULL REFERENCES tips (id),
            plan text NOT NULL,
            area text,
            agency text,
            closing text NOT NULL,
            outcome text NOT NULL,
            state text NOT NULL CHECK (state IN ('open', 'upheld', 'confirmed')),
            sealed bytea NOT NULL,
            closed_by text,
            contested_at timestamptz NOT NULL,
            decided_by text,
            decided_at timestamptz,
            version integer NOT NULL,
            CHECK ((state = 'open') = (decided_at IS NULL)),
            CHECK (decided_by IS NULL OR closed_by IS NULL OR decided_by <> closed_by)
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX closing_contests_once ON closing_contests (tip_id, closing)")
    op.execute("CREATE INDEX closing_contests_open ON closing_contests (plan, contested_at, id) WHERE state = 'open'")
    op.execute(
        """
        CREATE TABLE closing_ratings (
            id uuid PRIMARY KEY,
            tip_id uuid NOT NULL REFERENCES tips (id),
            closing text NOT NULL,
            stars smallint NOT NULL CHECK (stars BETWEEN 1 AND 5),
            sealed bytea,
            rated_at timestamptz NOT NULL
        )
        """
    )
    op.execute("CREATE UNIQUE INDEX closing_ratings_once ON closing_ratings (tip_id, closing)")
    op.execute(
        """
        CREATE TABLE lead_declines (
            lead_id uuid NOT NULL REFERENCES leads (id),
            agency text NOT NULL,
            actor text NOT NULL,
            at timestamptz NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX lead_declines_of_lead ON lead_declines (lead_id, at)")
    op.execute(
        """
        CREATE TABLE reporter_contacts (
            tip_id uuid PRIMARY KEY REFERENCES tips (id),
            sealed bytea NOT NULL,
            given_at timestamptz NOT NULL
        )
        """
    )
    op.execute(
        """
        CREATE TABLE contact_reveals (
            id uuid PRIMARY KEY,
            tip_id uuid NOT NULL REFERENCES tips (id),
            plan text NOT NULL,
            area text,
            state text NOT NULL CHECK (state IN ('requested', 'approved', 'refused', 'withdrawn', 'lapsed')),
            category text NOT NULL,
            sealed bytea NOT NULL,
            requested_by text NOT NULL,
            agency text NOT NULL,
            requested_at timestamptz NOT NULL,
            lapses_at timestamptz NOT NULL,
            decided_by text,
            decided_agency text,
            decided_at timestamptz,
            view_until timestamptz,
            first_viewed_at timestamptz,
            views integer NOT NULL,
            version integer NOT NULL,
            CHECK (decided_by IS NULL OR state = 'withdrawn' OR decided_by <> requested_by),
            CHECK ((state = 'approved') = (view_until IS NOT NULL)),
            CHECK (views = 0 OR state = 'approved')
        )
        """
    )
    op.execute("CREATE INDEX contact_reveals_by_tip ON contact_reveals (tip_id, requested_at)")
    op.execute("CREATE INDEX contact_reveals_by_plan ON contact_reveals (plan, requested_at, id)")
    op.execute(
        "CREATE UNIQUE INDEX contact_reveals_one_waiting ON contact_reveals (tip_id, requested_by)"
        " WHERE state = 'requested'"
    )
    op.execute("ALTER TABLE tips ADD COLUMN brought_by text")
    op.execute(
        "CREATE INDEX tips_by_bringer ON tips (brought_by, received_at, id) WHERE brought_by IS NOT NULL"
    )
