"""Documents (执法文书) and their numbers."""

from alembic import op

from shared.kit import schema

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TABLES: tuple[str, ...] = (
    """
    CREATE TABLE documents (
        id uuid PRIMARY KEY,
        case_id uuid NOT NULL REFERENCES cases (id),
        proceeding_id uuid,
        plan text NOT NULL,
        kind text NOT NULL,
        issuer text NOT NULL,
        agency text NOT NULL,
        unit text,
        confidential text CHECK (confidential IN ('criminal', 'operation')),
        personal boolean NOT NULL,
        approval text,
        state text NOT NULL CHECK (state IN ('draft', 'approved', 'issued', 'served', 'withdrawn', 'discarded')),
        contents bytea NOT NULL,
        lacking integer NOT NULL CHECK (lacking >= 0),
        series text NOT NULL,
        year integer,
        serial integer CHECK (serial > 0),
        number text,
        digest text,
        template text,
        layout text,
        deadline_id uuid REFERENCES deadlines (id),
        written_at timestamptz NOT NULL,
        written_by text NOT NULL,
        approved_at timestamptz,
        approved_by text,
        approved_post text,
        issued_at timestamptz,
        issued_by text,
        served_at timestamptz,
        withdrawn_at timestamptz,
        version integer NOT NULL,
        history jsonb NOT NULL,
        CHECK ((state IN ('issued', 'served', 'withdrawn')) = (number IS NOT NULL)),
        CHECK ((number IS NULL) = (digest IS NULL) AND (number IS NULL) = (serial IS NULL)),
        CHECK (approved_by IS NULL OR approved_by <> written_by)
    )
    """,
    "CREATE INDEX documents_of_case ON documents (case_id, id)",
    "CREATE INDEX documents_of_proceeding ON documents (proceeding_id, kind) WHERE proceeding_id IS NOT NULL",
    "CREATE UNIQUE INDEX documents_in_register ON documents (plan, issuer, series, year, serial)",
    "CREATE INDEX documents_by_issue ON documents (plan, issuer, issued_at DESC, id DESC) WHERE serial IS NOT NULL",
    "CREATE UNIQUE INDEX documents_number ON documents (plan, number)",
    "CREATE INDEX documents_to_approve ON documents (plan, approval, id) WHERE state = 'draft'",
    """
    CREATE TABLE document_services (
        id uuid PRIMARY KEY,
        document_id uuid NOT NULL REFERENCES documents (id),
        served_at timestamptz NOT NULL,
        way text NOT NULL,
        receiver text NOT NULL,
        in_time boolean,
        recorded_at timestamptz NOT NULL,
        recorded_by text NOT NULL
    )
    """,
    "CREATE INDEX document_services_of_document ON document_services (document_id)",
    """
    CREATE TABLE document_numbers (
        plan text NOT NULL,
        issuer text NOT NULL,
        series text NOT NULL,
        year integer NOT NULL,
        last integer NOT NULL CHECK (last >= 0),
        first integer NOT NULL CHECK (first > 0),
        PRIMARY KEY (plan, issuer, series, year)
    )
    """,
    """
    CREATE TABLE document_styles (
        plan text NOT NULL,
        issuer text NOT NULL,
        series text NOT NULL,
        style text NOT NULL,
        version integer NOT NULL,
        set_at timestamptz NOT NULL,
        set_by text NOT NULL,
        PRIMARY KEY (plan, issuer, series)
    )
    """,
    """
    CREATE TABLE document_files (
        sha256 text PRIMARY KEY,
        content bytea NOT NULL,
        size bigint NOT NULL
    )
    """,
    """
    CREATE TABLE document_templates (
        plan text NOT NULL,
        issuer text NOT NULL,
        kind text NOT NULL,
        version integer NOT NULL,
        sha256 text REFERENCES document_files (sha256),
        set_at timestamptz NOT NULL,
        set_by text NOT NULL,
        PRIMARY KEY (plan, issuer, kind, version)
    )
    """,
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
    # what was served, and what a document was issued with, is never changed
    schema.append_only("casework", "document_services", "document_files", "document_templates")
