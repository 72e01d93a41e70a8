"""Sums of the ledger by day, ten days, month and year, kept by the ledger itself; indexes for long ledgers."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_STANDING = "public.standing_key(plan, rulebook, agency, unit, subject_kind, subject)"
_SIGN = "CASE WHEN corrects IS NULL THEN 1 ELSE -1 END"
_COUNTED = (
    "sum(points), count(*)::int, count(corrects)::int, "
    f"coalesce(sum({_SIGN}) FILTER (WHERE outcome = 'met'), 0)::int, "
    f"coalesce(sum({_SIGN}) FILTER (WHERE outcome IN ('met_late', 'missed')), 0)::int, min(recorded_at), max(recorded_at)"
)
_SUM = "points, entries, corrections, in_time, late, first_known, last_known"
_ADDED = (
    "points = s.points + excluded.points, entries = s.entries + excluded.entries, "
    "corrections = s.corrections + excluded.corrections, in_time = s.in_time + excluded.in_time, "
    "late = s.late + excluded.late, first_known = least(s.first_known, excluded.first_known), "
    "last_known = greatest(s.last_known, excluded.last_known)"
)
_WORDS = "clause, assumed, newest"
_SAID = "max(clause), bool_or(assumed), max(occurred_on)"
_HEARD = (
    "clause = greatest(s.clause, excluded.clause), assumed = s.assumed OR excluded.assumed, "
    "newest = greatest(s.newest, excluded.newest)"
)
_UP = (
    "sum(points), sum(entries)::int, sum(corrections)::int, sum(in_time)::int, sum(late)::int, min(first_known), "
    "max(last_known)"
)

_STATEMENTS: tuple[str, ...] = (
    """
    CREATE FUNCTION standing_key(plan text, rulebook text, agency text, unit text, subject_kind text, subject text)
        RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
        ('x' || substr(md5(plan || chr(31) || rulebook || chr(31) || agency || chr(31) || coalesce(chr(30) || unit, '')
            || chr(31) || subject_kind || chr(31) || subject), 1, 16))::bit(64)::bigint
    """,
    """
    CREATE FUNCTION sums_day(level integer, day date) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
        CASE level
            WHEN 0 THEN day
            WHEN 1 THEN day - (extract(day FROM day)::int - 1)
                + least((extract(day FROM day)::int - 1) / 10, 2) * 10
            WHEN 2 THEN day - (extract(day FROM day)::int - 1)
            ELSE make_date(extract(year FROM day)::int, 1, 1)
        END
    """,
    """
    CREATE FUNCTION sums_until(level integer, day date) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
        CASE level
            WHEN 0 THEN day + 1
            WHEN 1 THEN CASE WHEN extract(day FROM day) < 21 THEN day + 10
                ELSE (day - (extract(day FROM day)::int - 1) + interval '1 month')::date END
            WHEN 2 THEN (day + interval '1 month')::date
            ELSE (day + interval '1 year')::date
        END
    """,
    """
    ALTER TABLE standings ADD COLUMN key bigint
        GENERATED ALWAYS AS (standing_key(plan, rulebook, agency, unit, subject_kind, subject)) STORED
    """,
    "CREATE UNIQUE INDEX standings_by_key ON standings (key)",
    """
    CREATE TABLE sums (
        standing bigint NOT NULL,
        level smallint NOT NULL CHECK (level BETWEEN 0 AND 3),
        day date NOT NULL,
        points numeric NOT NULL,
        entries integer NOT NULL,
        corrections integer NOT NULL,
        in_time integer NOT NULL,
        late integer NOT NULL,
        first_known timestamptz NOT NULL,
        last_known timestamptz NOT NULL,
        PRIMARY KEY (standing, level, day)
    ) WITH (fillfactor = 80)
    """,
    "CREATE INDEX sums_of_day ON sums (level, day)",
    """
    CREATE TABLE line_sums (
        standing bigint NOT NULL,
        level smallint NOT NULL CHECK (level BETWEEN 0 AND 3),
        day date NOT NULL,
        line text NOT NULL,
        area text NOT NULL,
        points numeric NOT NULL,
        entries integer NOT NULL,
        corrections integer NOT NULL,
        in_time integer NOT NULL,
        late integer NOT NULL,
        first_known timestamptz NOT NULL,
        last_known timestamptz NOT NULL,
        clause text,
        assumed boolean NOT NULL,
        newest date NOT NULL,
        PRIMARY KEY (standing, level, day, line, area)
    ) WITH (fillfactor = 80)
    """,
    "CREATE INDEX line_sums_of_area ON line_sums (area, level, day)",
    f"""
    CREATE FUNCTION ledger_sum_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO public.sums AS s (standing, level, day, {_SUM})
            SELECT {_STANDING} AS standing, l.level, public.sums_day(l.level, occurred_on) AS day, {_COUNTED}
            FROM added CROSS JOIN generate_series(0, 3) AS l (level) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
            ON CONFLICT (standing, level, day) DO UPDATE SET {_ADDED};
        INSERT INTO public.line_sums AS s (standing, level, day, line, area, {_SUM}, {_WORDS})
            SELECT {_STANDING} AS standing, l.level, public.sums_day(l.level, occurred_on) AS day, line, coalesce(area, ''),
                {_COUNTED}, {_SAID}
            FROM added CROSS JOIN generate_series(0, 3) AS l (level) GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
            ON CONFLICT (standing, level, day, line, area) DO UPDATE SET {_ADDED}, {_HEARD};
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER ledger_sum_up AFTER INSERT ON ledger REFERENCING NEW TABLE AS added FOR EACH STATEMENT
        EXECUTE FUNCTION ledger_sum_up()
    """,
    f"""
    CREATE FUNCTION ledger_sum_up_anew() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
        DELETE FROM public.line_sums;
        DELETE FROM public.sums;
        INSERT INTO public.line_sums (standing, level, day, line, area, {_SUM}, {_WORDS})
            SELECT {_STANDING}, 0, occurred_on, line, coalesce(area, ''), {_COUNTED}, {_SAID} FROM public.ledger
            GROUP BY plan, rulebook, agency, unit, subject_kind, subject, occurred_on, line, coalesce(area, '')
            ORDER BY occurred_on;
        INSERT INTO public.line_sums (standing, level, day, line, area, {_SUM}, {_WORDS})
            SELECT standing, l.level, public.sums_day(l.level, day), line, area, {_UP}, max(clause), bool_or(assumed),
                max(newest)
            FROM public.line_sums CROSS JOIN generate_series(1, 3) AS l (level) GROUP BY 1, 2, 3, 4, 5 ORDER BY 2, 3;
        INSERT INTO public.sums (standing, level, day, {_SUM})
            SELECT standing, level, day, {_UP} FROM public.line_sums GROUP BY 1, 2, 3 ORDER BY 2, 3;
    END $$
    """,
    """
    CREATE FUNCTION ledger_emptied() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN DELETE FROM public.sums; DELETE FROM public.line_sums; RETURN NULL; END $$
    """,
    """
    CREATE TRIGGER ledger_emptied AFTER TRUNCATE ON ledger FOR EACH STATEMENT EXECUTE FUNCTION ledger_emptied()
    """,
    "SELECT ledger_sum_up_anew()",
    "CREATE INDEX ledger_of_agency ON ledger (plan, agency, seq)",
    "CREATE INDEX ledger_of_agency_day ON ledger (plan, agency, occurred_on)",
    """
    CREATE INDEX ledger_foretold ON ledger (occurred_on)
        WHERE (recorded_at AT TIME ZONE 'Asia/Shanghai')::date < occurred_on
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
