"""Triggers on `users`. A change of a user's access by any program ends the user's sessions and calendar feed.

An ended session stays ended: a role that is changed back revives no token. Managers make feeds for others and know
their URLs: these end when the manager has another role, company, or none. A new password keeps them.
"""

from crm.db.triggers import Triggers

_DIFFERS = {"postgresql": "IS DISTINCT FROM", "sqlite": "IS NOT"}
_LOST_ROLE = "OLD.role <> NEW.role OR OLD.is_active <> NEW.is_active OR OLD.company_id {differs} NEW.company_id"
_CHANGED = f"OLD.password <> NEW.password OR {_LOST_ROLE}"
_END_SESSIONS = (
    "UPDATE token_blacklist_outstandingtoken SET user_id = NULL WHERE user_id = NEW.id;"  # noqa: S608  # constants
    " DELETE FROM user_sessions WHERE user_id = NEW.id;"
    " UPDATE calendar_feeds SET revoked_at = CURRENT_TIMESTAMP WHERE revoked_at IS NULL"
    " AND (user_id = NEW.id OR created_by_id = NEW.id AND (" + _LOST_ROLE + "));"
)

SESSIONS_END = Triggers(
    on="users",
    name="end_sessions",
    postgresql=f"""
BEGIN
    {_END_SESSIONS.format(differs=_DIFFERS["postgresql"])}
    RETURN NULL;
END
""",
    each_row={"UPDATE": _CHANGED.format(differs=_DIFFERS["postgresql"])},
    each_statement=(),
    sqlite={
        "update": f"AFTER UPDATE ON users WHEN {_CHANGED} BEGIN {_END_SESSIONS} END".format(differs=_DIFFERS["sqlite"]),
    },
)
