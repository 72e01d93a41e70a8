"""Prevention registers: estates, rental units, agents, venues; patrols; survey rounds."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_PLACE = """
    id uuid PRIMARY KEY,
    plan text NOT NULL,
    area text NOT NULL,
    number text,
    words text NOT NULL,
    grams text[] NOT NULL GENERATED ALWAYS AS (register_bigrams(words)) STORED,
    contact bytea,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    version integer NOT NULL
"""

_STATEMENTS = (
    """
    CREATE FUNCTION register_bigrams(words text) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
        SELECT coalesce(array_agg(DISTINCT substr(words, at, 2)), '{}')
        FROM generate_series(1, length(words) - 1) AS at
    $$
    """,
    f"CREATE TABLE estates ({_PLACE}, name text NOT NULL, name_key text NOT NULL, kind text NOT NULL, address text, "
    "manager text, UNIQUE (plan, area, name_key), UNIQUE (plan, number))",
    f"CREATE TABLE agents ({_PLACE}, name text NOT NULL, name_key text NOT NULL, licence text, address text, "
    "visited_at timestamptz, signed_at timestamptz, UNIQUE (plan, area, name_key), UNIQUE (plan, number))",
    f"CREATE TABLE venues ({_PLACE}, name text NOT NULL, name_key text NOT NULL, kind text NOT NULL, address text, "
    "capacity integer, checked_at timestamptz, findings integer NOT NULL DEFAULT 0, "
    "UNIQUE (plan, area, name_key), UNIQUE (plan, number))",
    f"""
    CREATE TABLE rental_units ({_PLACE.replace("contact bytea,", "")},
        address_key text NOT NULL,
        estate_id uuid REFERENCES estates (id),
        estate text NOT NULL,
        building text NOT NULL,
        room text NOT NULL,
        tier text,
        registration text NOT NULL CHECK (registration IN ('registered', 'unregistered')),
        state text NOT NULL CHECK (state IN ('active', 'ended')),
        occupants integer CHECK (occupants BETWEEN 0 AND 500),
        agent_id uuid REFERENCES agents (id),
        landlord bytea,
        landlord_name bytea,
        landlord_phone bytea,
        landlord_id_number bytea,
        den_at timestamptz,
        den_case uuid,
        due_from date NOT NULL,
        last_patrol_on date,
        UNIQUE (plan, address_key),
        UNIQUE (plan, number)
    )
    """,
    """
    CREATE TABLE dens (
        case_id uuid NOT NULL,
        place_id uuid NOT NULL,
        plan text NOT NULL,
        area text,
        unit_id uuid,
        found_at timestamptz NOT NULL,
        applied_at timestamptz,
        PRIMARY KEY (case_id, place_id)
    )
    """,
    """
    CREATE TABLE patrol_tasks (
        id uuid PRIMARY KEY,
        plan text NOT NULL,
        area text NOT NULL,
        unit_id uuid NOT NULL REFERENCES rental_units (id),
        estate_id uuid,
        estate text NOT NULL,
        place text NOT NULL,
        tier text NOT NULL,
        agency text NOT NULL,
        cause text NOT NULL CHECK (cause IN ('tier', 'den')),
        state text NOT NULL CHECK (state IN ('open', 'overdue', 'done', 'dropped')),
        starts date NOT NULL,
        due date NOT NULL,
        next_miss date NOT NULL,
        missed integer NOT NULL,
        attempts integer NOT NULL,
        created_at timestamptz NOT NULL,
        done_at timestamptz,
        version integer NOT NULL
    )
    """,
    """
    CREATE TABLE check_ins (
        id uuid PRIMARY KEY,
        plan text NOT NULL,
        area text NOT NULL,
        unit_id uuid NOT NULL REFERENCES rental_units (id),
        task_id uuid NOT NULL REFERENCES patrol_tasks (id),
        at timestamptz NOT NULL,
        received_at timestamptz NOT NULL,
        actor text NOT NULL,
        agency text,
        result text NOT NULL,
        signs jsonb NOT NULL,
        occupants integer,
        in_time boolean NOT NULL,
        tip_id uuid,
        lead_id uuid
    )
    """,
    """
    CREATE TABLE agent_visits (
        id uuid PRIMARY KEY,
        plan text NOT NULL,
        area text NOT NULL,
        agent_id uuid NOT NULL REFERENCES agents (id),
        at timestamptz NOT NULL,
        actor text NOT NULL,
        agency text,
        materials jsonb NOT NULL,
        signed boolean NOT NULL,
        signer bytea
    )
    """,
    """
    CREATE TABLE venue_bookings (
        id uuid PRIMARY KEY,
        plan text NOT NULL,
        area text NOT NULL,
        venue_id uuid NOT NULL REFERENCES venues (id),
        starts_at timestamptz NOT NULL,
        ends_at timestamptz NOT NULL,
        attendees integer,
        purpose text NOT NULL,
        organiser bytea,
        organiser_token bytea,
        state text NOT NULL CHECK (state IN ('booked', 'cancelled', 'checked')),
        created_at timestamptz NOT NULL,
        version integer NOT NULL
    )
    """,
    """
    CREATE TABLE venue_checks (
        id uuid PRIMARY KEY,
        plan text NOT NULL,
        area text NOT NULL,
        venue_id uuid NOT NULL REFERENCES venues (id),
        booking_id uuid REFERENCES venue_bookings (id),
        at timestamptz NOT NULL,
        actor text NOT NULL,
        agency text,
        result text NOT NULL,
        signs jsonb NOT NULL,
        tip_id uuid,
        lead_id uuid
    )
    """,
    """
    CREATE TABLE survey_rounds (
        id uuid PRIMARY KEY,
        plan text NOT NULL,
        title text NOT NULL,
        first date NOT NULL,
        due date NOT NULL,
        state text NOT NULL CHECK (state IN ('open', 'closed')),
        created_at timestamptz NOT NULL,
        closed_at timestamptz,
        version integer NOT NULL
    )
    """,
    """
    CREATE TABLE survey_parts (
        id uuid PRIMARY KEY,
        round_id uuid NOT NULL REFERENCES survey_rounds (id),
        plan text NOT NULL,
        area text NOT NULL,
        estate_id uuid REFERENCES estates (id),
        estate text NOT NULL,
        target integer NOT NULL,
        visited integer NOT NULL,
        counted integer NOT NULL,
        found integer NOT NULL,
        done boolean NOT NULL,
        updated_at timestamptz NOT NULL,
        version integer NOT NULL,
        UNIQUE NULLS NOT DISTINCT (round_id, area, estate_id)
    )
    """,
    """
    CREATE TABLE survey_visits (
        round_id uuid NOT NULL REFERENCES survey_rounds (id),
        unit_id uuid NOT NULL REFERENCES rental_units (id),
        part_id uuid NOT NULL REFERENCES survey_parts (id),
        at timestamptz NOT NULL,
        PRIMARY KEY (round_id, unit_id)
    )
    """,
    *(f"CREATE INDEX {table}_by_gram ON {table} USING gin (grams)" for table in ("estates", "agents", "venues")),
    "CREATE INDEX rental_units_by_gram ON rental_units USING gin (grams) WITH (fastupdate = off)",
    *(f"CREATE INDEX {table}_by_area ON {table} (plan, area, id)" for table in ("estates", "agents", "venues")),
    "CREATE INDEX rental_units_by_plan ON rental_units (plan, id)",
    "CREATE INDEX rental_units_by_area ON rental_units (plan, area, id)",
    "CREATE INDEX rental_units_by_tier ON rental_units (plan, tier, id)",
    "CREATE INDEX rental_units_by_registration ON rental_units (plan, registration, id)",
    "CREATE INDEX rental_units_by_estate ON rental_units (estate_id, id)",
    "CREATE INDEX rental_units_by_agent ON rental_units (agent_id, id) WHERE agent_id IS NOT NULL",
    "CREATE INDEX rental_units_with_den ON rental_units (plan, area, id) WHERE den_at IS NOT NULL",
    *(
        f"CREATE INDEX rental_units_by_{column} ON rental_units ({column}) WHERE {column} IS NOT NULL"
        for column in ("landlord_name", "landlord_phone", "landlord_id_number")
    ),
    "CREATE INDEX dens_waiting ON dens (place_id) WHERE applied_at IS NULL",
    "CREATE UNIQUE INDEX patrol_tasks_one_a_unit ON patrol_tasks (unit_id) WHERE state IN ('open', 'overdue')",
    "CREATE INDEX patrol_tasks_by_unit ON patrol_tasks (unit_id, created_at)",
    "CREATE INDEX patrol_tasks_by_area ON patrol_tasks (plan, area, due, id) WHERE state IN ('open', 'overdue')",
    "CREATE INDEX patrol_tasks_by_due ON patrol_tasks (plan, due, id) WHERE state IN ('open', 'overdue')",
    "CREATE INDEX patrol_tasks_by_estate ON patrol_tasks (estate_id, due, id) WHERE state IN ('open', 'overdue')",
    "CREATE INDEX patrol_tasks_dens ON patrol_tasks (plan, area, due, id) "
    "WHERE state IN ('open', 'overdue') AND cause = 'den'",
    "CREATE INDEX patrol_tasks_missing ON patrol_tasks (plan, tier, next_miss) WHERE state IN ('open', 'overdue')",
    "CREATE INDEX check_ins_by_unit ON check_ins (unit_id, at)",
    "CREATE INDEX check_ins_by_task ON check_ins (task_id)",
    "CREATE INDEX check_ins_with_tip ON check_ins (actor, at) WHERE tip_id IS NOT NULL",
    "CREATE INDEX agent_visits_by_agent ON agent_visits (agent_id, at)",
    "CREATE INDEX venue_bookings_by_venue ON venue_bookings (venue_id, starts_at)",
    "CREATE INDEX venue_bookings_by_start ON venue_bookings (plan, starts_at, id)",
    "CREATE INDEX venue_bookings_by_organiser ON venue_bookings (organiser_token) WHERE organiser_token IS NOT NULL",
    "CREATE INDEX venue_checks_by_venue ON venue_checks (venue_id, at)",
    "CREATE INDEX survey_rounds_by_plan ON survey_rounds (plan, state, due)",
    "CREATE INDEX survey_parts_by_area ON survey_parts (plan, area, round_id)",
    # Figures are kept by the database as rows come and go: counting 200,000 units for each look at a board would
    # cost more than the board may take. One upsert a statement, in one order, so bulk imports do not deadlock.
    """
    CREATE TABLE unit_figures (
        plan text NOT NULL, area text NOT NULL, tier text NOT NULL, registration text NOT NULL, n bigint NOT NULL,
        PRIMARY KEY (plan, area, tier, registration)
    )
    """,
    """
    CREATE TABLE task_figures (
        plan text NOT NULL, area text NOT NULL, estate text NOT NULL, estate_id uuid NOT NULL, state text NOT NULL,
        n bigint NOT NULL,
        PRIMARY KEY (plan, area, estate_id, estate, state)
    )
    """,
)

_NOBODY = "00000000-0000-0000-0000-000000000000"


def _figures(table: str, rows: str, keys: str, picked: str, wanted: str) -> list[str]:
    def counted(alias: str, sign: int) -> str:
        return f"SELECT {picked}, {sign} AS one FROM {alias} WHERE {wanted}"

    made = []
    for event, parts in (
        ("insert", [counted("new_rows", 1)]),
        ("update", [counted("new_rows", 1), counted("old_rows", -1)]),
        ("delete", [counted("old_rows", -1)]),
    ):
        made.append(
            f"""
            CREATE FUNCTION {table}_{event}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                INSERT INTO {table} ({keys}, n)
                SELECT {keys}, sum(one) FROM ({" UNION ALL ".join(parts)}) AS changed
                GROUP BY {keys} HAVING sum(one) <> 0 ORDER BY {keys}
                ON CONFLICT ({keys}) DO UPDATE SET n = {table}.n + excluded.n;
                RETURN NULL;
            END $$
            """
        )
        seen = {"insert": "NEW TABLE AS new_rows", "delete": "OLD TABLE AS old_rows"}.get(
            event, "OLD TABLE AS old_rows NEW TABLE AS new_rows"
        )
        made.append(
            f"CREATE TRIGGER {table}_{event} AFTER {event.upper()} ON {rows} REFERENCING {seen} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_{event}()"
        )
    return made


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
    for statement in (
        *_figures(
            "unit_figures",
            "rental_units",
            "plan, area, tier, registration",
            "plan, area, coalesce(tier, '') AS tier, registration",
            "state = 'active'",
        ),
        *_figures(
            "task_figures",
            "patrol_tasks",
            "plan, area, estate_id, estate, state",
            f"plan, area, coalesce(estate_id, '{_NOBODY}') AS estate_id, estate, state",
            "state IN ('open', 'overdue')",
        ),
    ):
        op.execute(statement)
