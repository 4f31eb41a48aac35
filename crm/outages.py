"""Temporary database failures: outage, failover, restart, deadlock, full disk. Clients should try again."""

from typing import Any

from django.db import Error, InterfaceError, OperationalError

from crm.error_codes import ErrorCode

RETRY_AFTER_S = 5

# https://www.postgresql.org/docs/current/errcodes-appendix.html
TIMEOUTS = {"57014", "55P03"}  # query_canceled, lock_not_available: the limits of config.middleware.DatabaseLimits
CLASSES = {
    "08",  # the connection failed
    "40",  # the transaction was rolled back: deadlock, serialization
    "53",  # no memory, disk full, too many connections
    "57",  # stopped by an operator: shutdown, failover, start
    "58",  # the server's files can't be read or written
}
READ_ONLY = "25006"  # a standby, or a server that was set to read-only
SQLITE = {"SQLITE_BUSY", "SQLITE_CANTOPEN", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_LOCKED", "SQLITE_READONLY"}


def outage_code(error: BaseException | None) -> ErrorCode | None:
    """Return the code of the response if the error is a temporary database failure, else None."""
    if not isinstance(error, Error):
        return None
    cause: Any = error.__cause__ or error
    if name := getattr(cause, "sqlite_errorname", ""):
        return ErrorCode.UNAVAILABLE if any(name.startswith(known) for known in SQLITE) else None
    code = getattr(cause, "pgcode", None)
    if code in TIMEOUTS:
        return ErrorCode.TIMEOUT
    # An error without a code isn't from the server: it couldn't be reached, or the connection broke.
    lost = code is None and isinstance(error, OperationalError | InterfaceError)
    return ErrorCode.UNAVAILABLE if lost or (code and code[:2] in CLASSES) or code == READ_ONLY else None
