"""Places (窝点、场所): found, cleared, sealed, revisited, seen again; what binds persons and places."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TABLES: tuple[str, ...] = (
    """
    CREATE TABLE registered_places (
        id uuid PRIMARY KEY,
        plan text NOT NULL,
        area text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('rental', 'venue')),
        seen_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX registered_places_by_area ON registered_places (plan, area, kind, id)",
    """
    CREATE TABLE places (
        id uuid PRIMARY KEY,
        plan text NOT NULL,
        area text,
        kind text NOT NULL CHECK (kind IN ('rental', 'venue', 'site', 'other')),
        details bytea NOT NULL,
        address_token bytea NOT NULL,
        grams text[] NOT NULL,
        registered_id uuid,
        landlord_id uuid REFERENCES persons (id),
        cleared_at timestamptz,
        again integer NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        version integer NOT NULL,
        UNIQUE (plan, address_token)
    )
    """,
    "CREATE UNIQUE INDEX places_registered ON places (registered_id) WHERE registered_id IS NOT NULL",
    "CREATE INDEX places_by_area ON places (plan, area, id)",
    "CREATE INDEX places_by_kind ON places (plan, kind, id)",
    "CREATE INDEX places_back ON places (plan, id) WHERE again > 0",
    "CREATE INDEX places_grams ON places USING gin (grams)",
    "CREATE INDEX places_landlord ON places (landlord_id) WHERE landlord_id IS NOT NULL",
    """
    CREATE TABLE dens (
        id uuid PRIMARY KEY,
        place_id uuid NOT NULL REFERENCES places (id),
        case_id uuid NOT NULL REFERENCES cases (id),
        plan text NOT NULL,
        area text,
        state text NOT NULL CHECK (state IN ('found', 'sealed', 'cleared', 'cleared_sealed')),
        agency text NOT NULL,
        unit text,
        found_at timestamptz NOT NULL,
        officers integer NOT NULL CHECK (officers > 0),
        persons integer NOT NULL CHECK (persons >= 0),
        again boolean NOT NULL,
        cleared_at timestamptz,
        recorded_at timestamptz NOT NULL,
        recorded_by text NOT NULL,
        version integer NOT NULL,
        history jsonb NOT NULL,
        UNIQUE (case_id, place_id)
    )
    """,
    "CREATE INDEX dens_of_place ON dens (place_id, found_at)",
    """
    CREATE TABLE revisits (
        id uuid PRIMARY KEY,
        den_id uuid NOT NULL REFERENCES dens (id),
        place_id uuid NOT NULL REFERENCES places (id),
        case_id uuid NOT NULL REFERENCES cases (id),
        plan text NOT NULL,
        area text,
        agency text NOT NULL,
        number integer NOT NULL,
        due date NOT NULL,
        state text NOT NULL CHECK (state IN ('open', 'overdue', 'done', 'dropped')),
        outcome text,
        done_at timestamptz,
        actor text,
        missed_at timestamptz,
        version integer NOT NULL,
        UNIQUE (den_id, number)
    )
    """,
    "CREATE INDEX revisits_open ON revisits (plan, area, due, id) WHERE state IN ('open', 'overdue')",
    "CREATE INDEX revisits_due ON revisits (due) WHERE state = 'open'",
    "CREATE INDEX revisits_of_place ON revisits (place_id, due)",
    """
    CREATE TABLE recurrences (
        id uuid PRIMARY KEY,
        plan text NOT NULL,
        area text,
        kind text NOT NULL CHECK (kind IN ('place', 'landlord', 'person')),
        case_id uuid NOT NULL REFERENCES cases (id),
        place_id uuid REFERENCES places (id),
        person_id uuid REFERENCES persons (id),
        cause text NOT NULL,
        since timestamptz NOT NULL,
        at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX recurrences_by_time ON recurrences (plan, at)",
    "CREATE INDEX recurrences_of_place ON recurrences (place_id) WHERE place_id IS NOT NULL",
    "CREATE INDEX recurrences_of_person ON recurrences (person_id) WHERE person_id IS NOT NULL",
    """
    CREATE TABLE organisations (
        id uuid PRIMARY KEY,
        plan text NOT NULL,
        name text NOT NULL,
        name_key text NOT NULL,
        created_at timestamptz NOT NULL,
        UNIQUE (plan, name_key)
    )
    """,
    """
    CREATE TABLE links (
        id uuid PRIMARY KEY,
        case_id uuid NOT NULL REFERENCES cases (id),
        kind text NOT NULL,
        from_id uuid NOT NULL,
        to_id uuid NOT NULL,
        to_type text NOT NULL CHECK (to_type IN ('person', 'place', 'organisation')),
        from_type text NOT NULL CHECK (from_type IN ('person', 'place')),
        stated_at timestamptz NOT NULL,
        actor text NOT NULL,
        removed_at timestamptz,
        removed_by text,
        CHECK (from_id <> to_id)
    )
    """,
    "CREATE INDEX links_from ON links (from_id) WHERE removed_at IS NULL",
    "CREATE INDEX links_to ON links (to_id) WHERE removed_at IS NULL",
    "CREATE UNIQUE INDEX links_once ON links (case_id, kind, from_id, to_id) WHERE removed_at IS NULL",
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
