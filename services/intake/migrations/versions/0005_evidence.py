"""Files that come with a tip, and tips taken under load without proof of work."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE tip_files (
            id uuid PRIMARY KEY,
            tip_id uuid NOT NULL REFERENCES tips (id),
            number smallint NOT NULL CHECK (number BETWEEN 1 AND 1000),
            sha256 bytea NOT NULL,
            size bigint NOT NULL CHECK (size > 0),
            media_type text NOT NULL,
            kind text NOT NULL CHECK (kind IN ('image', 'audio', 'video', 'document')),
            state text NOT NULL CHECK (state IN ('received', 'cleaned', 'refused', 'quarantined')),
            reason text,
            scan text NOT NULL CHECK (scan IN ('not_scanned', 'clean', 'found', 'failed')),
            data_key bytea NOT NULL,
            copy_type text,
            copy_size bigint,
            source text NOT NULL CHECK (source IN ('reporter', 'agency')),
            attempts smallint NOT NULL,
            received_at timestamptz NOT NULL,
            cleaned_at timestamptz,
            scanned_at timestamptz,
            version integer NOT NULL,
            CHECK ((state = 'cleaned') = (copy_size IS NOT NULL)),
            UNIQUE (tip_id, number),
            UNIQUE (tip_id, sha256)
        )
        """
    )
    op.execute("CREATE INDEX tip_files_waiting ON tip_files (received_at) WHERE state = 'received' AND reason IS NULL")
    op.execute("CREATE INDEX tip_files_unscanned ON tip_files (received_at) WHERE scan IN ('not_scanned', 'failed')")
    op.execute(
        """
        CREATE TABLE tip_flags (
            tip_id uuid NOT NULL REFERENCES tips (id),
            flag text NOT NULL CHECK (flag IN ('unproven')),
            at timestamptz NOT NULL,
            PRIMARY KEY (tip_id, flag)
        )
        """
    )
