"""Triggers on `calls` and `leads` that record stale hours.

On PostgreSQL they run once a statement, except for INSERT. For INSERT, and on SQLite, they run once a row.
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

# A day is counted when it has been over for this long. Changes of younger rows record nothing, so the usual INSERT of
# a ringing call stays cheap. The clock is the wall clock at the moment of the write, not the transaction's.
FRESH = timedelta(hours=1)

# Settings of a transaction. The hour last recorded by its INSERTs, in seconds since 1970, with the companies; and
# whether its INSERTs record nothing, see `without_stale_marks` in analytics.rollups.update.
RECORDED_SETTING = "crm.recorded_stale_hours"
SKIP_SETTING = "crm.skip_stale_hours"

# Rows are compared as multisets, by the columns {compared}: two calls of the same hour that swap their values change no
# total. The setting of an hour is for both tables, since the hour is stale for both.
_POSTGRESQL = f"""
DECLARE
    fresh timestamptz;
BEGIN
    IF TG_OP = 'INSERT' THEN
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
        RETURN NULL;
    END IF;
    fresh := clock_timestamp() - interval '1 hour';
    IF TG_OP = 'UPDATE' THEN
        IF EXISTS (SELECT FROM before WHERE created_at < fresh)
            OR EXISTS (SELECT FROM after WHERE created_at < fresh)
        THEN
            INSERT INTO stale_call_hours (company_id, hour)
            WITH old AS (SELECT {{compared}} FROM before WHERE created_at < fresh),
                 new AS (SELECT {{compared}} FROM after WHERE created_at < fresh)
            SELECT company_id, hour FROM (SELECT * FROM old EXCEPT ALL SELECT * FROM new) AS removed
            UNION
            SELECT company_id, hour FROM (SELECT * FROM new EXCEPT ALL SELECT * FROM old) AS added;
        END IF;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO stale_call_hours (company_id, hour)
        SELECT DISTINCT company_id, date_trunc('hour', created_at, 'UTC') FROM before WHERE created_at < fresh;
    ELSE
        -- TRUNCATE shows no rows and ignores policies: record an hour of each counted day of each company.
        DECLARE
            outer_setting text := current_setting('crm.all_companies', true);
        BEGIN
            PERFORM set_config('crm.all_companies', 'on', true);
            INSERT INTO stale_call_hours (company_id, hour)
            SELECT company_id, date_trunc('hour', (day + time '12:00') AT TIME ZONE timezone, 'UTC')
            FROM call_days JOIN call_rollups USING (company_id) WHERE timezone <> '';
            PERFORM set_config('crm.all_companies', coalesce(outer_setting, ''), true);
        END;
    END IF;
    RETURN NULL;
END
"""  # noqa: S608  # the columns are constants of this module


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


_OLD = "SELECT OLD.company_id AS company_id, OLD.created_at AS created_at"
_NEW = "SELECT NEW.company_id AS company_id, NEW.created_at AS created_at"


def _triggers(table: str, name: str, inputs: Mapping[str, str], *, sqlite: Mapping[str, str]) -> Triggers:
    """Return the triggers of a table. On PostgreSQL they compare what the columns `inputs` say of a row."""
    compared = ["company_id", "date_trunc('hour', created_at, 'UTC') AS hour"]
    compared += [f"{expression.format(row='')} AS {column}" for column, expression in inputs.items()]
    differ = " OR ".join(
        f"({expression.format(row='OLD.')}) IS NOT ({expression.format(row='NEW.')})"
        for expression in ("{row}company_id", "{row}created_at", *inputs.values())
    )
    return Triggers(
        on=table,
        name=name,
        postgresql=_POSTGRESQL.format(compared=", ".join(compared)),
        # Nearly all INSERTs of single rows are of ringing calls and new leads, each in a transaction of its own. The
        # function knows that sooner than PostgreSQL compiles a condition.
        each_row={"INSERT": "true"},
        sqlite={
            "insert": f"AFTER INSERT ON {table} {_sqlite(_NEW)}",
            "update": f"AFTER UPDATE ON {table} WHEN {differ} {_sqlite(f'{_OLD} UNION {_NEW}')}",
            "delete": f"AFTER DELETE ON {table} {_sqlite(_OLD)}",
            **sqlite,
        },
    )


TRIGGERS = _triggers(
    "calls",
    "mark_call_hours",
    MEASURE_INPUTS,
    # `flush` empties the tables in any order: stale hours of deleted calls must not outlive their company.
    sqlite={"company": "AFTER DELETE ON companies BEGIN DELETE FROM stale_call_hours WHERE company_id = OLD.id; END"},
)
LEAD_TRIGGERS = _triggers("leads", "mark_lead_hours", LEAD_INPUTS, sqlite={})
