"""Triggers on `users`. A change of a user's access by any program ends the user's sessions and calendar feed.

An ended session stays ended: a role that is changed back revives no token.
"""

from crm.db.triggers import Triggers

_CHANGED = (
    "OLD.password <> NEW.password OR OLD.role <> NEW.role OR OLD.is_active <> NEW.is_active"
    " OR OLD.company_id {differs} NEW.company_id"
)
_END_SESSIONS = (
    "UPDATE token_blacklist_outstandingtoken SET user_id = NULL WHERE user_id = NEW.id;"
    " DELETE FROM user_sessions WHERE user_id = NEW.id;"
    " UPDATE calendar_feeds SET revoked_at = CURRENT_TIMESTAMP WHERE user_id = NEW.id AND revoked_at IS NULL;"
)

SESSIONS_END = Triggers(
    on="users",
    name="end_sessions",
    postgresql=f"""
BEGIN
    {_END_SESSIONS}
    RETURN NULL;
END
""",
    each_row={"UPDATE": _CHANGED.format(differs="IS DISTINCT FROM")},
    each_statement=(),
    sqlite={
        "update": f"AFTER UPDATE ON users WHEN {_CHANGED.format(differs='IS NOT')} BEGIN {_END_SESSIONS} END",
    },
)
