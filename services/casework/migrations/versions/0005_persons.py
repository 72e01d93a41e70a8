"""Persons of cases (涉案人员), and what was done with each."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TABLES: tuple[str, ...] = (
    """
    CREATE TABLE persons (
        id uuid PRIMARY KEY,
        subject_id uuid NOT NULL,
        details bytea NOT NULL,
        id_kind text NOT NULL,
        id_token bytea,
        name_token bytea,
        name_grams text[] NOT NULL,
        home_area text,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        version integer NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX persons_id_token ON persons (id_token) WHERE id_token IS NOT NULL",
    "CREATE INDEX persons_name_token ON persons (name_token) WHERE name_token IS NOT NULL",
    "CREATE INDEX persons_name_grams ON persons USING gin (name_grams)",
    "CREATE INDEX persons_subject ON persons (subject_id)",
    """
    CREATE TABLE person_phones (
        token bytea NOT NULL,
        person_id uuid NOT NULL REFERENCES persons (id),
        PRIMARY KEY (token, person_id)
    )
    """,
    "CREATE INDEX person_phones_of_person ON person_phones (person_id)",
    """
    CREATE TABLE person_merges (
        id uuid PRIMARY KEY,
        person_id uuid NOT NULL REFERENCES persons (id),
        into_id uuid NOT NULL REFERENCES persons (id),
        moved jsonb NOT NULL,
        reason text NOT NULL,
        at timestamptz NOT NULL,
        actor text NOT NULL,
        undone_at timestamptz,
        undone_by text,
        CHECK ((undone_at IS NULL) = (undone_by IS NULL))
    )
    """,
    "CREATE INDEX person_merges_of_person ON person_merges (person_id)",
    "CREATE INDEX person_merges_into ON person_merges (into_id)",
    """
    CREATE TABLE case_persons (
        id uuid PRIMARY KEY,
        case_id uuid NOT NULL REFERENCES cases (id),
        person_id uuid NOT NULL REFERENCES persons (id),
        plan text NOT NULL,
        area text,
        role text NOT NULL CHECK (
            role IN ('organiser', 'backbone', 'participant', 'deceived', 'landlord', 'facilitator')),
        role_since date NOT NULL,
        place_id uuid,
        agency text NOT NULL,
        unit text,
        found_at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL,
        recorded_by text NOT NULL,
        record_due timestamptz NOT NULL,
        late boolean NOT NULL,
        seen_before integer NOT NULL,
        disposition text,
        disposed_at timestamptz,
        follow_up_due date,
        follow_up_missed_at timestamptz,
        entry_due timestamptz NOT NULL,
        entered_at timestamptz,
        entered_by text,
        entry_number text,
        entry_missed_at timestamptz,
        version integer NOT NULL,
        history jsonb NOT NULL,
        UNIQUE (case_id, person_id)
    )
    """,
    "CREATE INDEX case_persons_of_person ON case_persons (person_id, case_id)",
    "CREATE INDEX case_persons_of_place ON case_persons (place_id) WHERE place_id IS NOT NULL",
    "CREATE INDEX case_persons_by_role ON case_persons (plan, role, id)",
    "CREATE INDEX case_persons_by_area ON case_persons (plan, area, id)",
    "CREATE INDEX case_persons_undecided ON case_persons (plan, id) WHERE disposition IS NULL",
    "CREATE INDEX case_persons_not_entered ON case_persons (plan, id) WHERE entered_at IS NULL",
    "CREATE INDEX case_persons_to_follow ON case_persons (plan, id) WHERE follow_up_due IS NOT NULL",
    """
    CREATE INDEX case_persons_unentered ON case_persons (entry_due)
    WHERE entered_at IS NULL AND entry_missed_at IS NULL
    """,
    """
    CREATE INDEX case_persons_follow_up ON case_persons (follow_up_due)
    WHERE follow_up_due IS NOT NULL AND follow_up_missed_at IS NULL
    """,
    """
    CREATE TABLE person_steps (
        id uuid PRIMARY KEY,
        case_person_id uuid NOT NULL REFERENCES case_persons (id),
        case_id uuid NOT NULL REFERENCES cases (id),
        kind text NOT NULL,
        code text NOT NULL,
        at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL,
        agency text NOT NULL,
        unit text,
        officers integer CHECK (officers > 0),
        basis text,
        deadline_id uuid REFERENCES deadlines (id),
        facts jsonb NOT NULL,
        actor text NOT NULL
    )
    """,
    "CREATE INDEX person_steps_of_person ON person_steps (case_person_id, at)",
    """
    CREATE TABLE case_entries (
        case_id uuid PRIMARY KEY REFERENCES cases (id),
        due timestamptz NOT NULL,
        rule text NOT NULL,
        number text,
        entered_at timestamptz,
        entered_by text,
        missed_at timestamptz
    )
    """,
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
