"""Evidence and its custody (证据保管链)."""

from alembic import op

from shared.kit import schema

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TABLES: tuple[str, ...] = (
    """
    CREATE TABLE evidence_items (
        id uuid PRIMARY KEY,
        case_id uuid NOT NULL REFERENCES cases (id),
        proceeding_id uuid,
        number integer NOT NULL CHECK (number > 0),
        kind text NOT NULL,
        track text NOT NULL CHECK (track IN ('administrative', 'criminal')),
        basis text NOT NULL,
        collected_at timestamptz NOT NULL,
        received_at timestamptz NOT NULL,
        officers smallint NOT NULL CHECK (officers > 0),
        particulars bytea NOT NULL,
        person_id uuid,
        place_id uuid,
        agency text NOT NULL,
        unit text,
        holder_agency text NOT NULL,
        holder_unit text,
        holder_external boolean NOT NULL,
        offered_agency text,
        offered_unit text,
        state text NOT NULL CHECK (state IN ('held', 'offered', 'to_destroy', 'returned', 'destroyed')),
        proposed_by text,
        files integer NOT NULL CHECK (files >= 0),
        custody_length integer NOT NULL CHECK (custody_length > 0),
        custody_head bytea NOT NULL CHECK (length(custody_head) = 32),
        version integer NOT NULL,
        UNIQUE (case_id, number),
        CHECK ((state = 'offered') = (offered_agency IS NOT NULL)),
        CHECK ((state = 'to_destroy') = (proposed_by IS NOT NULL))
    )
    """,
    "CREATE INDEX evidence_of_proceeding ON evidence_items (proceeding_id) WHERE proceeding_id IS NOT NULL",
    "CREATE INDEX evidence_of_person ON evidence_items (person_id) WHERE person_id IS NOT NULL",
    "CREATE INDEX evidence_of_place ON evidence_items (place_id) WHERE place_id IS NOT NULL",
    """
    CREATE TABLE evidence_files (
        id uuid PRIMARY KEY,
        item_id uuid NOT NULL REFERENCES evidence_items (id),
        case_id uuid NOT NULL REFERENCES cases (id),
        number integer NOT NULL CHECK (number > 0),
        sha256 bytea NOT NULL CHECK (length(sha256) = 32),
        sm3 bytea NOT NULL CHECK (length(sm3) = 32),
        size bigint NOT NULL CHECK (size > 0),
        media_type text NOT NULL,
        kind text NOT NULL,
        scan text NOT NULL CHECK (scan IN ('not_scanned', 'clean', 'found', 'failed')),
        data_key bytea,
        received_at timestamptz NOT NULL,
        received_by text NOT NULL,
        state text NOT NULL CHECK (state IN ('whole', 'damaged', 'destroyed')),
        checked_at timestamptz NOT NULL,
        UNIQUE (item_id, number),
        CHECK ((state = 'destroyed') = (data_key IS NULL))
    )
    """,
    "CREATE UNIQUE INDEX evidence_files_same ON evidence_files (case_id, sha256) WHERE state <> 'destroyed'",
    "CREATE INDEX evidence_files_to_check ON evidence_files (checked_at) WHERE state = 'whole'",
    "CREATE INDEX evidence_files_damaged ON evidence_files (id) WHERE state = 'damaged'",
    "CREATE INDEX evidence_files_unscanned ON evidence_files (received_at)"
    " WHERE scan IN ('not_scanned', 'failed') AND state = 'whole'",
    """
    CREATE TABLE evidence_copies (
        id uuid PRIMARY KEY,
        file_id uuid NOT NULL REFERENCES evidence_files (id),
        item_id uuid NOT NULL REFERENCES evidence_items (id),
        mark text NOT NULL UNIQUE,
        marked boolean NOT NULL,
        sha256 bytea NOT NULL CHECK (length(sha256) = 32),
        size bigint NOT NULL,
        media_type text NOT NULL,
        data_key bytea,
        made_at timestamptz NOT NULL,
        made_by text NOT NULL,
        agency text
    )
    """,
    "CREATE INDEX evidence_copies_of_item ON evidence_copies (item_id)",
    """
    CREATE TABLE evidence_custody (
        item_id uuid NOT NULL REFERENCES evidence_items (id),
        seq integer NOT NULL CHECK (seq > 0),
        at timestamptz NOT NULL,
        action text NOT NULL,
        actor text NOT NULL,
        agency text,
        unit text,
        facts jsonb NOT NULL,
        words bytea,
        words_sha256 bytea,
        previous bytea NOT NULL,
        hash bytea NOT NULL,
        PRIMARY KEY (item_id, seq),
        CHECK ((words IS NULL) = (words_sha256 IS NULL))
    )
    """,
    """
    CREATE TABLE evidence_handovers (
        id uuid PRIMARY KEY,
        case_id uuid NOT NULL REFERENCES cases (id),
        purpose text NOT NULL,
        items jsonb NOT NULL,
        from_agency text NOT NULL,
        from_unit text,
        to_agency text NOT NULL,
        to_unit text,
        external boolean NOT NULL,
        offered_by text NOT NULL,
        offered_at timestamptz NOT NULL,
        rule text,
        due timestamptz,
        provisional boolean NOT NULL,
        state text NOT NULL CHECK (state IN ('offered', 'accepted', 'refused', 'withdrawn')),
        answered_by text,
        answered_at timestamptz,
        words bytea NOT NULL,
        version integer NOT NULL,
        CHECK ((state = 'offered') = (answered_at IS NULL))
    )
    """,
    "CREATE INDEX evidence_handovers_of_case ON evidence_handovers (case_id, id)",
    "CREATE INDEX evidence_handovers_waiting ON evidence_handovers (to_agency, offered_at) WHERE state = 'offered'",
    """
    CREATE TABLE evidence_exports (
        id uuid PRIMARY KEY,
        case_id uuid NOT NULL REFERENCES cases (id),
        items jsonb NOT NULL,
        reason text NOT NULL,
        criminal boolean NOT NULL,
        agency text,
        made_by text NOT NULL,
        made_at timestamptz NOT NULL,
        files integer NOT NULL,
        bytes bigint NOT NULL,
        manifest_sha256 bytea NOT NULL CHECK (length(manifest_sha256) = 32),
        key_id text NOT NULL,
        papers bytea NOT NULL
    )
    """,
    "CREATE INDEX evidence_exports_of_case ON evidence_exports (case_id, id)",
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
    schema.append_only("casework", "evidence_custody", "evidence_exports")
