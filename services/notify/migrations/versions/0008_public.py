"""Campaigns, publicity, media exposure, warnings (宣传、曝光、警示), and files kept as their proof."""

from alembic import op

from shared.kit import schema

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TABLES: tuple[str, ...] = (
    """
    CREATE TABLE kept_files (
        id uuid PRIMARY KEY,
        owner_kind text NOT NULL,
        owner_id uuid NOT NULL,
        sha256 bytea NOT NULL,
        kind text NOT NULL,
        media_type text NOT NULL,
        size bigint NOT NULL,
        scan text NOT NULL,
        data_key bytea NOT NULL,
        received_at timestamptz NOT NULL,
        received_by text NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX kept_files_of_owner ON kept_files (owner_id, sha256)",
    "CREATE TABLE campaign_schedules (plan text PRIMARY KEY, since date NOT NULL, made_at timestamptz NOT NULL)",
    """
    CREATE TABLE publicity_places (
        id uuid PRIMARY KEY,
        plan text NOT NULL,
        kind text NOT NULL,
        name text NOT NULL,
        area text NOT NULL,
        active boolean NOT NULL,
        created_at timestamptz NOT NULL,
        created_by text NOT NULL,
        changed_at timestamptz NOT NULL,
        version integer NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX publicity_places_once ON publicity_places (plan, area, kind, name)",
    """
    CREATE TABLE campaign_items (
        id uuid PRIMARY KEY,
        plan text NOT NULL,
        campaign text NOT NULL,
        kind text NOT NULL,
        clause text NOT NULL,
        agency text NOT NULL,
        unit text,
        area text,
        target text NOT NULL,
        period text NOT NULL,
        first_day date NOT NULL,
        last_day date NOT NULL,
        due timestamptz NOT NULL,
        counts boolean NOT NULL,
        state text NOT NULL,
        late boolean,
        done_on date,
        reached bigint,
        record_id uuid,
        reason text,
        missed_at timestamptz,
        created_at timestamptz NOT NULL,
        changed_at timestamptz NOT NULL,
        version integer NOT NULL
    )
    """,
    "CREATE INDEX campaign_items_of_plan ON campaign_items (plan, state, due, id)",
    "CREATE INDEX campaign_items_of_agency ON campaign_items (plan, agency, state, due, id)",
    "CREATE INDEX campaign_items_of_target ON campaign_items (plan, campaign, target, first_day)",
    "CREATE INDEX campaign_items_running ON campaign_items (due) WHERE state = 'open'",
    """
    CREATE TABLE publicity_materials (
        id uuid PRIMARY KEY,
        plan text NOT NULL,
        agency text NOT NULL,
        kind text NOT NULL,
        title text NOT NULL,
        body text NOT NULL,
        areas jsonb NOT NULL,
        state text NOT NULL,
        current integer NOT NULL,
        drafted_by text NOT NULL,
        created_at timestamptz NOT NULL,
        changed_at timestamptz NOT NULL,
        version integer NOT NULL
    )
    """,
    "CREATE INDEX publicity_materials_of_plan ON publicity_materials (plan, changed_at, id)",
    """
    CREATE TABLE publicity_material_versions (
        material_id uuid NOT NULL REFERENCES publicity_materials (id),
        number integer NOT NULL,
        title text NOT NULL,
        body text NOT NULL,
        areas jsonb NOT NULL,
        drafted_by text NOT NULL,
        issued_by text NOT NULL,
        issued_at timestamptz NOT NULL,
        PRIMARY KEY (material_id, number)
    )
    """,
    """
    CREATE TABLE campaign_records (
        id uuid PRIMARY KEY,
        item_id uuid NOT NULL REFERENCES campaign_items (id),
        done_on date NOT NULL,
        reached bigint,
        figures jsonb NOT NULL,
        groups jsonb NOT NULL,
        link text NOT NULL,
        note text NOT NULL,
        material_id uuid REFERENCES publicity_materials (id),
        material_version integer,
        late boolean NOT NULL,
        state text NOT NULL,
        reason text,
        recorded_at timestamptz NOT NULL,
        recorded_by text NOT NULL,
        returned_at timestamptz,
        returned_by text
    )
    """,
    "CREATE INDEX campaign_records_of_item ON campaign_records (item_id, recorded_at)",
    "CREATE INDEX campaign_records_of_material ON campaign_records (material_id) WHERE material_id IS NOT NULL",
    """
    CREATE TABLE publicity_log (
        id uuid PRIMARY KEY,
        plan text NOT NULL,
        agency text NOT NULL,
        area text,
        kind text NOT NULL,
        medium text NOT NULL,
        outlet text NOT NULL,
        title text NOT NULL,
        link text NOT NULL,
        published_on date NOT NULL,
        reached bigint,
        state text NOT NULL,
        reason text,
        created_at timestamptz NOT NULL,
        created_by text NOT NULL,
        changed_at timestamptz NOT NULL,
        version integer NOT NULL
    )
    """,
    "CREATE INDEX publicity_log_of_plan ON publicity_log (plan, published_on, id)",
    """
    CREATE TABLE exposures (
        id uuid PRIMARY KEY,
        plan text NOT NULL,
        area text NOT NULL,
        agency text NOT NULL,
        source text NOT NULL,
        medium text,
        level text NOT NULL,
        outlet text NOT NULL,
        link text NOT NULL,
        summary bytea NOT NULL,
        grounds jsonb NOT NULL,
        found_before boolean NOT NULL,
        own_found_at timestamptz,
        lead_id uuid,
        case_id uuid,
        proceeding_id uuid,
        happened_at timestamptz NOT NULL,
        state text NOT NULL,
        reason text,
        created_at timestamptz NOT NULL,
        created_by text NOT NULL,
        changed_at timestamptz NOT NULL,
        version integer NOT NULL
    )
    """,
    "CREATE INDEX exposures_of_plan ON exposures (plan, happened_at, id)",
    """
    CREATE TABLE warnings (
        id uuid PRIMARY KEY,
        plan text NOT NULL,
        agency text NOT NULL,
        area text,
        kind text NOT NULL,
        number text,
        title text NOT NULL,
        body text NOT NULL,
        areas jsonb NOT NULL,
        case_id uuid,
        state text NOT NULL,
        public_state text NOT NULL,
        current integer NOT NULL,
        drafted_by text NOT NULL,
        checked_by text,
        checks jsonb NOT NULL,
        approved_by text,
        approved_at timestamptz,
        released_by text,
        refusal text,
        published_at timestamptz,
        created_at timestamptz NOT NULL,
        changed_at timestamptz NOT NULL,
        version integer NOT NULL
    )
    """,
    "CREATE INDEX warnings_of_plan ON warnings (plan, changed_at, id)",
    "CREATE INDEX warnings_out ON warnings (published_at, id) WHERE public_state <> 'unpublished'",
    """
    CREATE TABLE warning_versions (
        warning_id uuid NOT NULL REFERENCES warnings (id),
        number integer NOT NULL,
        title text NOT NULL,
        body text NOT NULL,
        areas jsonb NOT NULL,
        drafted_by text NOT NULL,
        checked_by text NOT NULL,
        approved_by text NOT NULL,
        approved_at timestamptz NOT NULL,
        released_by text NOT NULL,
        confirmed_by text NOT NULL,
        published_at timestamptz NOT NULL,
        PRIMARY KEY (warning_id, number)
    )
    """,
    """
    CREATE TABLE warning_recalls (
        warning_id uuid NOT NULL REFERENCES warnings (id),
        number integer NOT NULL,
        reason text NOT NULL,
        statement text NOT NULL,
        recalled_by text NOT NULL,
        recalled_at timestamptz NOT NULL,
        PRIMARY KEY (warning_id, number)
    )
    """,
    """
    CREATE TABLE warning_steps (
        id uuid PRIMARY KEY,
        warning_id uuid NOT NULL REFERENCES warnings (id),
        version integer NOT NULL,
        action text NOT NULL,
        state text NOT NULL,
        public_state text NOT NULL,
        agency text,
        actor text NOT NULL,
        note text NOT NULL,
        at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX warning_steps_of_warning ON warning_steps (warning_id, version)",
    "CREATE TABLE warning_numbers (plan text NOT NULL, year integer NOT NULL, last integer NOT NULL, PRIMARY KEY (plan, year))",
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
    schema.append_only("notify", "publicity_material_versions", "warning_versions", "warning_recalls", "warning_steps")
