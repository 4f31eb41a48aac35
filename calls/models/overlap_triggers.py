"""Triggers on `appointments` that keep a rep from being in two places at a time.

See docs/decisions/0016-one-place-at-a-time-by-trigger.md.
"""

from calls.querysets import MAX_APPOINTMENT_LENGTH
from crm.db.triggers import Triggers

REP_IS_FREE = "appointments_rep_is_free"  # reported like a constraint's name
_DAYS = MAX_APPOINTMENT_LENGTH.days

# Other columns may change: an overlap that was once allowed stays allowed.
_BOOKED = "NEW.assigned_rep_id IS NOT NULL AND NEW.status <> 'cancelled' AND NOT NEW.allow_overlap"
_MOVED = f"""{_BOOKED} AND (
    OLD.status = 'cancelled' OR OLD.assigned_rep_id {{differs}} NEW.assigned_rep_id
    OR OLD.scheduled_start <> NEW.scheduled_start OR OLD.scheduled_end <> NEW.scheduled_end
    OR OLD.allow_overlap <> NEW.allow_overlap
)"""

_OTHERS = """
    FROM appointments
    WHERE assigned_rep_id = NEW.assigned_rep_id AND id <> NEW.id AND status <> 'cancelled'
        AND scheduled_start > {earliest} AND scheduled_start < NEW.scheduled_end
        AND scheduled_end > NEW.scheduled_start
"""

_POSTGRESQL = f"""
BEGIN
    -- Concurrent bookings of one rep wait here, so that each sees the rows of those before it.
    PERFORM pg_advisory_xact_lock(hashtextextended('{REP_IS_FREE}', NEW.assigned_rep_id));
    IF EXISTS (SELECT {_OTHERS.format(earliest=f"NEW.scheduled_start - interval '{_DAYS} days'")}) THEN
        RAISE EXCEPTION '{REP_IS_FREE}' USING ERRCODE = 'exclusion_violation', CONSTRAINT = '{REP_IS_FREE}';
    END IF;
    RETURN NULL;
END
"""

_SQLITE = f"""
    BEGIN
        SELECT RAISE(ABORT, '{REP_IS_FREE}') WHERE EXISTS (
            SELECT 1 {_OTHERS.format(earliest=f"datetime(NEW.scheduled_start, '-{_DAYS} days')")}
        );
    END
"""

ONE_PLACE_AT_A_TIME = Triggers(
    on="appointments",
    name="keep_rep_in_one_place",
    postgresql=_POSTGRESQL,
    each_row={"INSERT": _BOOKED, "UPDATE": _MOVED.format(differs="IS DISTINCT FROM")},
    each_statement=(),  # DELETE and TRUNCATE free a slot
    sqlite={
        "insert": f"AFTER INSERT ON appointments WHEN {_BOOKED} {_SQLITE}",
        "update": f"AFTER UPDATE ON appointments WHEN {_MOVED.format(differs='IS NOT')} {_SQLITE}",
    },
)
