"""Optional reports of errors to Sentry, without personal data."""

from importlib.util import find_spec
from typing import Any

from config.logs import REQUEST_ID, first_line, mask_values

MISSING = (
    "SENTRY_DSN needs the package sentry-sdk: install it with pip install 'sentry-sdk>=2,<3', or unset SENTRY_DSN."
)
KEPT = frozenset({  # all else may contain personal data: bodies, URLs, headers, cookies, users, local variables
    "event_id", "timestamp", "platform", "level", "logger", "logentry", "message", "exception", "transaction",
    "transaction_info", "tags", "extra", "release", "environment", "server_name", "sdk", "fingerprint",
})  # fmt: skip


def is_sentry_installed() -> bool:
    return find_spec("sentry_sdk") is not None


def start_sentry(*, dsn: str, environment: str) -> None:
    """Report errors that are logged or that end a request. Collect nothing else."""
    import sentry_sdk

    sentry_sdk.init(
        dsn=dsn,
        environment=environment,
        before_send=mask_event,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,  # they contain statements and log lines
        auto_session_tracking=False,
    )


def mask_event(event: dict[str, Any], _hint: object = None) -> dict[str, Any]:
    """Return what may be sent of an event: errors' first lines, frames without variables, all texts masked."""
    kept = {name: value for name, value in event.items() if name in KEPT}
    for error in (kept.get("exception") or {}).get("values") or []:
        error["value"] = first_line(error.get("value") or "")
        for frame in (error.get("stacktrace") or {}).get("frames") or []:
            frame.pop("vars", None)
    masked: dict[str, Any] = mask_values(kept)
    masked["tags"] = dict(masked.get("tags") or {}) | {"request_id": mask_values(REQUEST_ID.get())}
    return masked
