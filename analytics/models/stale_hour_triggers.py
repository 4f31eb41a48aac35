"""Triggers on `calls`, `leads` and `call_objections` that record stale hours.

On PostgreSQL they run once a statement, except for INSERT of calls and leads. For these, and on SQLite, they run once a
row.
"""

from collections.abc import Mapping
from datetime import timedelta

from crm.db.triggers import Triggers

# Every expression over a call that a measure of analytics.rollups.measures reads. A change of one makes the hour stale.
MEASURE_INPUTS = {
    "status": "{row}status",
    "booked": "{row}booked",
    "qualified": "{row}lead_id IS NOT NULL",
    "lost_value": "CASE {row}status WHEN 'lost' THEN {row}quoted_price END",
}
# The same for leads, with the columns by which they are grouped.
LEAD_INPUTS = {
    "status": "{row}status",
    "source": "{row}source",
    "assignee_id": "{row}assignee_id",
    "won_value": "CASE {row}status WHEN 'won' THEN {row}value END",
}

# And for objections. Their hour is that of the analysis, which all labels of a call share.
OBJECTION_INPUTS = {"call_id": "{row}call_id", "label": "{row}label"}

# A day is counted when it has been over for this long. Changes of younger rows record nothing, so the usual INSERT of
# a ringing call stays cheap. The clock is the wall clock at the moment of the write, not the transaction's.
FRESH = timedelta(hours=1)

# Settings of a transaction. The hour last recorded by its INSERTs, in seconds since 1970, with the companies; and
# whether its INSERTs record nothing, see `without_stale_marks` in analytics.rollups.update.
RECORDED_SETTING = "crm.recorded_stale_hours"
SKIP_SETTING = "crm.skip_stale_hours"

# For an INSERT of single rows. The setting of an hour is for both tables, since the hour is stale for both.
_EACH_INSERTED = f"""
        IF NEW.created_at >= clock_timestamp() - interval '1 hour'
            OR current_setting('{SKIP_SETTING}', true) IS NOT DISTINCT FROM 'on'
        THEN
            RETURN NULL;
        END IF;
        -- A load in the order of time records an hour once a company. The setting remembers the companies; a rollback,
        -- also one to a savepoint, reverts it together with the rows.
        DECLARE
            hour timestamptz := date_trunc('hour', NEW.created_at, 'UTC');
            prefix text := extract(epoch FROM hour)::bigint || ' ';
            recorded text := current_setting('{RECORDED_SETTING}', true);
        BEGIN
            IF recorded IS NULL OR NOT starts_with(recorded, prefix) THEN
                recorded := prefix;
            END IF;
            IF position(' ' || NEW.company_id || ' ' IN recorded) = 0 THEN
                INSERT INTO stale_call_hours (company_id, hour) VALUES (NEW.company_id, hour);
                PERFORM set_config('{RECORDED_SETTING}', recorded || NEW.company_id || ' ', true);
            END IF;
        END;
"""  # noqa: S608  # constants
# For an INSERT of the labels of one call, or of many.
_ALL_INSERTED = f"""
        IF current_setting('{SKIP_SETTING}', true) IS DISTINCT FROM 'on' THEN
            INSERT INTO stale_call_hours (company_id, hour)
            SELECT DISTINCT company_id, date_trunc('hour', {{time}}, 'UTC')
            FROM after WHERE {{time}} < clock_timestamp() - interval '1 hour';
        END IF;
"""  # noqa: S608  # constants

# Rows are compared as multisets, by the columns {compared}: two calls of the same hour that swap their values change no
# total.
_POSTGRESQL = """
DECLARE
    fresh timestamptz;
BEGIN
    IF TG_OP = 'INSERT' THEN{inserted}        RETURN NULL;
    END IF;
    fresh := clock_timestamp() - interval '1 hour';
    IF TG_OP = 'UPDATE' THEN
        IF EXISTS (SELECT FROM before WHERE {time} < fresh) OR EXISTS (SELECT FROM after WHERE {time} < fresh) THEN
            INSERT INTO stale_call_hours (company_id, hour)
            WITH old AS (SELECT {compared} FROM before WHERE {time} < fresh),
                 new AS (SELECT {compared} FROM after WHERE {time} < fresh)
            SELECT company_id, hour FROM (SELECT * FROM old EXCEPT ALL SELECT * FROM new) AS removed
            UNION
            SELECT company_id, hour FROM (SELECT * FROM new EXCEPT ALL SELECT * FROM old) AS added;
        END IF;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO stale_call_hours (company_id, hour)
        SELECT DISTINCT company_id, date_trunc('hour', {time}, 'UTC') FROM before WHERE {time} < fresh;
    ELSE
        -- TRUNCATE shows no rows and ignores policies: record an hour of each counted day of each company.
        DECLARE
            outer_setting text := current_setting('crm.all_companies', true);
        BEGIN
            PERFORM set_config('crm.all_companies', 'on', true);
            INSERT INTO stale_call_hours (company_id, hour)
            SELECT company_id, date_trunc('hour', (day + time '12:00') AT TIME ZONE timezone, 'UTC')
            FROM (SELECT DISTINCT company_id, day FROM {days}) AS counted JOIN call_rollups USING (company_id)
            WHERE timezone <> '';
            PERFORM set_config('crm.all_companies', coalesce(outer_setting, ''), true);
        END;
    END IF;
    RETURN NULL;
END
"""


def _sqlite(rows: str) -> str:
    """Return a trigger body that records each hour of `rows` once: SQLite has one writer, so no writer waits."""
    return f"""
        BEGIN
            INSERT INTO stale_call_hours (company_id, hour)
            SELECT company_id, hour
            FROM (SELECT company_id, strftime('%Y-%m-%d %H:00:00', created_at) AS hour, created_at FROM ({rows})) AS row
            WHERE created_at < strftime('%Y-%m-%d %H:%M:%f', 'now', '-1 hour') AND NOT EXISTS (
                SELECT 1 FROM stale_call_hours AS s WHERE s.company_id = row.company_id AND s.hour = row.hour
            ) AND EXISTS (SELECT 1 FROM companies WHERE id = row.company_id);
        END
    """  # noqa: S608  # the rows are constants of this module


def _triggers(
    table: str,
    name: str,
    inputs: Mapping[str, str],
    *,
    days: str,
    time: str = "created_at",
    one_by_one: bool = True,
    sqlite: Mapping[str, str] | None = None,
) -> Triggers:
    """Return the triggers of a table. On PostgreSQL they compare the columns `inputs` of the rows.

    Args:
        days: the table with the counts of each day.
        time: the column by which rows are counted.
        one_by_one: whether nearly all INSERTs are of a single row.
    """
    inserted = (_EACH_INSERTED if one_by_one else _ALL_INSERTED).format(time=time)
    compared = ["company_id", f"date_trunc('hour', {time}, 'UTC') AS hour"]
    old, new = (f"SELECT {row}.company_id AS company_id, {row}.{time} AS created_at" for row in ("OLD", "NEW"))
    compared += [f"{expression.format(row='')} AS {column}" for column, expression in inputs.items()]
    differ = " OR ".join(
        f"({expression.format(row='OLD.')}) IS NOT ({expression.format(row='NEW.')})"
        for expression in ("{row}company_id", f"{{row}}{time}", *inputs.values())
    )
    return Triggers(
        on=table,
        name=name,
        postgresql=_POSTGRESQL.format(inserted=inserted, time=time, compared=", ".join(compared), days=days),
        # Nearly all INSERTs of single rows are of ringing calls and new leads, each in a transaction of its own. The
        # function knows that sooner than PostgreSQL compiles a condition.
        each_row={"INSERT": "true"} if one_by_one else {},
        sqlite={
            "insert": f"AFTER INSERT ON {table} {_sqlite(new)}",
            "update": f"AFTER UPDATE ON {table} WHEN {differ} {_sqlite(f'{old} UNION {new}')}",
            "delete": f"AFTER DELETE ON {table} {_sqlite(old)}",
            **(sqlite or {}),
        },
    )


TRIGGERS = _triggers(
    "calls",
    "mark_call_hours",
    MEASURE_INPUTS,
    days="call_days",
    # `flush` empties the tables in any order: stale hours of deleted calls must not outlive their company.
    sqlite={"company": "AFTER DELETE ON companies BEGIN DELETE FROM stale_call_hours WHERE company_id = OLD.id; END"},
)
LEAD_TRIGGERS = _triggers("leads", "mark_lead_hours", LEAD_INPUTS, days="lead_days")
OBJECTION_TRIGGERS = _triggers(
    "call_objections",
    "mark_objection_hours",
    OBJECTION_INPUTS,
    days="objection_days",
    time="analyzed_at",
    one_by_one=False,
)
