"""When a case was first accepted and first acted on, kept with the case: figures of years count cases, not all that hangs on them."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_FIRST = """
    CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE cases SET {column} = NEW.{at}
        WHERE id = NEW.case_id AND ({column} IS NULL OR {column} > NEW.{at});
        RETURN NULL;
    END $$
"""
_STEPS: tuple[str, ...] = (
    "ALTER TABLE cases ADD COLUMN accepted_at timestamptz, ADD COLUMN acted_at timestamptz",
    """
    UPDATE cases SET accepted_at = first.at
    FROM (SELECT case_id, min(met_at) AS at FROM deadlines WHERE kind = 'acceptance' GROUP BY case_id) AS first
    WHERE first.case_id = cases.id AND first.at IS NOT NULL
    """,
    """
    UPDATE cases SET acted_at = first.at
    FROM (
        SELECT case_id, min(at) AS at
        FROM (
            SELECT case_id, opened_at AS at FROM proceedings WHERE category IN ('track', 'measure', 'operation')
            UNION ALL SELECT case_id, found_at FROM dens
        ) AS acts
        GROUP BY case_id
    ) AS first
    WHERE first.case_id = cases.id
    """,
    _FIRST.format(name="case_accepted", column="accepted_at", at="met_at"),
    """
    CREATE TRIGGER deadlines_accepted AFTER INSERT OR UPDATE OF met_at ON deadlines FOR EACH ROW
    WHEN (NEW.kind = 'acceptance' AND NEW.met_at IS NOT NULL) EXECUTE FUNCTION case_accepted()
    """,
    _FIRST.format(name="case_acted_formally", column="acted_at", at="opened_at"),
    """
    CREATE TRIGGER proceedings_acted AFTER INSERT ON proceedings FOR EACH ROW
    WHEN (NEW.category IN ('track', 'measure', 'operation') AND NEW.case_id IS NOT NULL)
    EXECUTE FUNCTION case_acted_formally()
    """,
    _FIRST.format(name="case_acted_on_site", column="acted_at", at="found_at"),
    "CREATE TRIGGER dens_acted AFTER INSERT ON dens FOR EACH ROW EXECUTE FUNCTION case_acted_on_site()",
    "CREATE INDEX cases_by_time ON cases (plan, received_at)",
)


def upgrade() -> None:
    for statement in _STEPS:
        op.execute(statement)
