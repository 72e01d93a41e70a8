"""Joint operations (联合行动)."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_TABLES: tuple[str, ...] = (
    """
    CREATE TABLE operations (
        proceeding_id uuid PRIMARY KEY REFERENCES proceedings (id),
        plan text NOT NULL,
        known_from timestamptz
    )
    """,
    """
    CREATE TABLE operation_members (
        id uuid PRIMARY KEY,
        proceeding_id uuid NOT NULL REFERENCES proceedings (id),
        agency text,
        unit text,
        post text,
        principal text,
        named_by text NOT NULL,
        named_at timestamptz NOT NULL,
        struck_at timestamptz,
        CHECK (agency IS NOT NULL OR post IS NOT NULL OR principal IS NOT NULL),
        CHECK (unit IS NULL OR agency IS NOT NULL)
    )
    """,
    "CREATE INDEX operation_members_of ON operation_members (proceeding_id)",
    "CREATE INDEX operation_members_agency ON operation_members (agency, proceeding_id) WHERE struck_at IS NULL",
    """
    CREATE TABLE operation_forces (
        id uuid PRIMARY KEY,
        proceeding_id uuid NOT NULL REFERENCES proceedings (id),
        agency text NOT NULL,
        unit text,
        people integer NOT NULL CHECK (people > 0),
        vehicles integer NOT NULL CHECK (vehicles >= 0),
        words bytea,
        withdrawn_at timestamptz,
        version integer NOT NULL
    )
    """,
    "CREATE INDEX operation_forces_of ON operation_forces (proceeding_id)",
    """
    CREATE TABLE operation_presence (
        force_id uuid NOT NULL REFERENCES operation_forces (id),
        principal text NOT NULL,
        proceeding_id uuid NOT NULL REFERENCES proceedings (id),
        people integer NOT NULL CHECK (people >= 0),
        first_at timestamptz NOT NULL,
        at timestamptz NOT NULL,
        PRIMARY KEY (force_id, principal)
    )
    """,
    "CREATE INDEX operation_presence_of ON operation_presence (proceeding_id)",
    """
    CREATE TABLE operation_entries (
        id uuid PRIMARY KEY,
        proceeding_id uuid NOT NULL REFERENCES proceedings (id),
        kind text NOT NULL CHECK (kind IN ('place', 'den', 'persons', 'items')),
        at timestamptz NOT NULL,
        force_id uuid REFERENCES operation_forces (id),
        area text,
        counts jsonb NOT NULL,
        den_id uuid,
        place_id uuid,
        person_ids jsonb NOT NULL,
        words bytea,
        agency text NOT NULL,
        unit text,
        principal text NOT NULL,
        recorded_at timestamptz NOT NULL,
        withdrawn_at timestamptz,
        withdrawn_by text,
        UNIQUE (proceeding_id, id),
        CHECK ((withdrawn_at IS NULL) = (withdrawn_by IS NULL))
    )
    """,
    """
    CREATE TABLE withheld_events (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        proceeding_id uuid NOT NULL REFERENCES proceedings (id),
        type text NOT NULL,
        "time" timestamptz NOT NULL,
        data bytea NOT NULL
    )
    """,
    "CREATE INDEX withheld_events_of ON withheld_events (proceeding_id, seq)",
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
