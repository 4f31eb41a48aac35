"""The triggers on `calls` that mark hours as stale: on PostgreSQL once a statement, but for calls inserted;
for those, and on SQLite, once a row."""

from datetime import timedelta

from crm.db.triggers import Triggers

# A day is folded when it has been over for this long, so changes of younger calls need no mark: the ordinary INSERT of
# a call that rings now stays cheap. The clock is the wall's at the moment of the write, not the transaction's.
FRESH = timedelta(hours=1)

# The hour last marked by calls inserted in this transaction, in seconds since 1970, and its companies.
MARKED = "crm.marked_calls"

# Says that no call inserted in this transaction needs a mark, as `without_stale_marks` in analytics.rollups.update explains.
UNMARKED = "crm.unmarked_calls"

# What is compared, and what of a row counts. Two rows that changed places in the same hour change no count.
_COUNTED = """
    company_id, date_trunc('hour', created_at, 'UTC') AS hour, status, booked, lead_id IS NOT NULL AS qualified,
    CASE status WHEN 'lost' THEN quoted_price END AS lost_value
"""

_POSTGRESQL = f"""
DECLARE
    fresh timestamptz := clock_timestamp() - interval '1 hour';
BEGIN
    IF TG_OP = 'INSERT' THEN
        -- A load in the order of time marks an hour once a company: those marked stand in a setting, which a rollback,
        -- also one to a savepoint, takes back with the marks.
        DECLARE
            hour timestamptz := date_trunc('hour', NEW.created_at, 'UTC');
            beginning text := extract(epoch FROM hour)::bigint || ' ';
            marked text := current_setting('{MARKED}', true);
        BEGIN
            IF marked IS NULL OR NOT starts_with(marked, beginning) THEN
                marked := beginning;
            END IF;
            IF position(' ' || NEW.company_id || ' ' IN marked) = 0 THEN
                INSERT INTO stale_call_hours (company_id, hour) VALUES (NEW.company_id, hour);
                PERFORM set_config('{MARKED}', marked || NEW.company_id || ' ', true);
            END IF;
        END;
    ELSIF TG_OP = 'UPDATE' THEN
        IF EXISTS (SELECT FROM before WHERE created_at < fresh)
            OR EXISTS (SELECT FROM after WHERE created_at < fresh)
        THEN
            INSERT INTO stale_call_hours (company_id, hour)
            WITH old AS (SELECT {_COUNTED} FROM before WHERE created_at < fresh),
                 new AS (SELECT {_COUNTED} FROM after WHERE created_at < fresh)
            SELECT company_id, hour FROM (SELECT * FROM old EXCEPT ALL SELECT * FROM new) AS gone
            UNION
            SELECT company_id, hour FROM (SELECT * FROM new EXCEPT ALL SELECT * FROM old) AS come;
        END IF;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO stale_call_hours (company_id, hour)
        SELECT DISTINCT company_id, date_trunc('hour', created_at, 'UTC') FROM before WHERE created_at < fresh;
    ELSE
        -- No row is shown, and no policy holds: an hour of every day that has been counted, of every company.
        DECLARE
            everybody text := current_setting('crm.all_companies', true);
        BEGIN
            PERFORM set_config('crm.all_companies', 'on', true);
            INSERT INTO stale_call_hours (company_id, hour)
            SELECT company_id, date_trunc('hour', (day + time '12:00') AT TIME ZONE timezone, 'UTC')
            FROM call_days JOIN call_rollups USING (company_id) WHERE timezone <> '';
            PERFORM set_config('crm.all_companies', coalesce(everybody, ''), true);
        END;
    END IF;
    RETURN NULL;
END
"""  # noqa: S608  # the columns are constants of this module


def _sqlite(rows: str) -> str:
    """Mark the hours of `rows`, each once: there is one writer, whom nobody can wait for."""
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
_COLUMNS = ("company_id", "created_at", "status", "booked", "lead_id", "quoted_price")
_DIFFER = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in _COLUMNS)

TRIGGERS = Triggers(
    on="calls",
    name="mark_call_hours",
    postgresql=_POSTGRESQL,
    # Calls that ring now, each in a transaction of its own, are nearly all that is ever inserted one by one.
    each_row={
        "INSERT": "NEW.created_at < clock_timestamp() - interval '1 hour'"
        f" AND current_setting('{UNMARKED}', true) IS DISTINCT FROM 'on'"
    },
    sqlite={
        "insert": f"AFTER INSERT ON calls {_sqlite(_NEW)}",
        "update": f"AFTER UPDATE OF {', '.join(_COLUMNS)} ON calls WHEN {_DIFFER} {_sqlite(f'{_OLD} UNION {_NEW}')}",
        "delete": f"AFTER DELETE ON calls {_sqlite(_OLD)}",
        # `flush` empties the tables in any order: marks that the calls leave must not outlive their company.
        "company": "AFTER DELETE ON companies BEGIN DELETE FROM stale_call_hours WHERE company_id = OLD.id; END",
    },
)
