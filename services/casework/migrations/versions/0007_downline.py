"""Who recruited whom (上下线), and the facts that carry it."""

from alembic import op

from shared.kit import schema

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TABLES: tuple[str, ...] = (
    """
    CREATE TABLE downlines (
        case_id uuid PRIMARY KEY REFERENCES cases (id),
        version integer NOT NULL CHECK (version > 0),
        members integer NOT NULL CHECK (members >= 0),
        edges integer NOT NULL CHECK (edges >= 0),
        facts integer NOT NULL CHECK (facts >= 0),
        changed_at timestamptz NOT NULL,
        evaluated_version integer,
        evaluated_at timestamptz,
        evaluation jsonb,
        picture jsonb,
        reached jsonb NOT NULL
    )
    """,
    "CREATE INDEX downlines_due ON downlines (changed_at) WHERE evaluated_version IS DISTINCT FROM version",
    """
    CREATE TABLE downline_members (
        case_id uuid NOT NULL REFERENCES downlines (case_id),
        no integer NOT NULL CHECK (no > 0),
        code_token bytea NOT NULL,
        name_token bytea,
        identity_token bytea,
        account_token bytea,
        person_id uuid,
        sealed bytea NOT NULL,
        organisation text,
        roles jsonb NOT NULL,
        convicted boolean NOT NULL,
        penalised_on date,
        left_on date,
        still_paid boolean NOT NULL,
        collected bigint NOT NULL CHECK (collected >= 0),
        grave jsonb NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        version integer NOT NULL,
        PRIMARY KEY (case_id, no),
        UNIQUE (case_id, code_token)
    )
    """,
    "CREATE INDEX downline_members_by_name ON downline_members (name_token) WHERE name_token IS NOT NULL",
    "CREATE INDEX downline_members_by_identity ON downline_members (identity_token) WHERE identity_token IS NOT NULL",
    "CREATE INDEX downline_members_by_account ON downline_members (account_token) WHERE account_token IS NOT NULL",
    "CREATE INDEX downline_members_by_person ON downline_members (person_id) WHERE person_id IS NOT NULL",
    """
    CREATE TABLE downline_edges (
        case_id uuid NOT NULL,
        upline integer NOT NULL,
        downline integer NOT NULL,
        kinds smallint NOT NULL,
        denied boolean NOT NULL,
        first_on date,
        paid bigint NOT NULL CHECK (paid >= 0),
        facts integer NOT NULL CHECK (facts > 0),
        PRIMARY KEY (case_id, upline, downline),
        FOREIGN KEY (case_id, upline) REFERENCES downline_members (case_id, no),
        FOREIGN KEY (case_id, downline) REFERENCES downline_members (case_id, no),
        CHECK (upline <> downline)
    )
    """,
    "CREATE INDEX downline_edges_of_downline ON downline_edges (case_id, downline)",
    """
    CREATE TABLE downline_facts (
        id uuid PRIMARY KEY,
        case_id uuid NOT NULL REFERENCES downlines (case_id),
        upline integer,
        downline integer NOT NULL,
        kind text NOT NULL CHECK (kind IN ('statement', 'payment', 'rebate', 'bank', 'chart', 'edata')),
        denies boolean NOT NULL,
        role text,
        happened_on date,
        amount bigint CHECK (amount >= 0),
        evidence_id uuid,
        source bytea,
        import_id uuid,
        line integer,
        key bytea NOT NULL,
        recorded_by text NOT NULL,
        recorded_at timestamptz NOT NULL,
        UNIQUE (case_id, key)
    )
    """,
    "CREATE INDEX downline_facts_of_edge ON downline_facts (case_id, downline, upline)",
    """
    CREATE TABLE downline_imports (
        id uuid PRIMARY KEY,
        case_id uuid NOT NULL REFERENCES downlines (case_id),
        content_hash bytea NOT NULL,
        evidence_id uuid,
        told jsonb NOT NULL,
        imported_by text NOT NULL,
        imported_at timestamptz NOT NULL,
        UNIQUE (case_id, content_hash)
    )
    """,
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
    schema.append_only("casework", "downline_facts")
