"""Removal of expired keys, tokens, sessions, counters, changes, files, custom fields, merged contacts and mails."""

import time
from collections.abc import Callable
from importlib import import_module

from django.apps import apps
from django.conf import settings
from django.utils.timezone import now

from crm.changes.retention import remove_expired_changes
from crm.db.rate_counters import remove_past_minutes
from crm.db.tenancy import all_tenants
from crm.models import IdempotencyKey
from crm.services.contact_fields import remove_expired_fields
from crm.services.heartbeats import remove_expired_heartbeats
from crm.services.mails import remove_expired_mails
from crm.services.merging.undo import forget_expired_merges
from crm.services.outgoing_webhooks.retention import remove_ended_events
from crm.services.outgoing_webhooks.tokens import end_webhooks_of_ended_tokens
from crm.services.stored_files import remove_expired_files
from crm.services.user_sessions import remove_expired_user_sessions

EVERY_S = 60
_last_s = float("-inf")
# Of rows of higher apps, which register them in `AppConfig.ready`.
also_remove: list[Callable[[], None]] = []


def remove_expired() -> None:
    """Delete all rows that have expired, by kind.

    Raises:
        Exception: the first failure, after all were tried.
    """
    failures = []
    for remove in (
        _remove_keys, _remove_tokens, _remove_sessions, remove_past_minutes, remove_expired_heartbeats,
        remove_expired_changes, remove_expired_files, _remove_fields, _forget_merges, remove_expired_user_sessions,
        remove_expired_mails, remove_ended_events, end_webhooks_of_ended_tokens, *also_remove,
    ):  # fmt: skip
        try:
            remove()
        except Exception as error:
            failures.append(error)
    if failures:
        raise failures[0]


def _remove_keys() -> None:
    with all_tenants():
        IdempotencyKey.objects.expired(now()).delete()


def _remove_fields() -> None:
    with all_tenants():
        remove_expired_fields()


def _forget_merges() -> None:
    with all_tenants():
        forget_expired_merges()


def _remove_tokens() -> None:
    apps.get_model("token_blacklist", "OutstandingToken").objects.filter(expires_at__lt=now()).delete()


def _remove_sessions() -> None:
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()


def remove_expired_each_minute() -> bool:
    """Run `remove_expired` at most once a minute. Always return False: no task is due next."""
    global _last_s
    if time.monotonic() - _last_s >= EVERY_S:
        _last_s = time.monotonic()
        remove_expired()
    return False
