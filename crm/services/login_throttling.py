"""Limits on sign-in attempts: per minute for an address, and lockouts after wrong passwords."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Max
from django.utils.timezone import now

from crm.db.rate_counters import count_up
from crm.models import User


def allow_sign_in_attempt(address: str | None) -> bool:
    """Count a sign-in attempt from this address. Return False above THROTTLE_SIGN_IN_PER_MIN."""
    limit: int = settings.THROTTLE_SIGN_IN_PER_MIN
    return not limit or count_up(f"sign-in {address}") <= limit


def attempted_username(_request: Any, credentials: Mapping[str, Any] | None) -> str:
    """Return the name under which attempts are counted (AXES_USERNAME_CALLABLE)."""
    return one_spelling(str((credentials or {}).get("username", "")))


def seconds_locked_out(*, username: str, address: str | None) -> int:
    """Return the seconds until this user name can sign in from this address again, at least 1."""
    attempts = AccessAttempt.objects.filter(username=one_spelling(username), ip_address=address)
    latest = attempts.aggregate(latest=Max("attempt_time"))["latest"] or now()
    left: timedelta = latest + settings.AXES_COOLOFF_TIME - now()
    return max(1, int(left.total_seconds()))


def one_spelling(username: str) -> str:
    """Return the name as the accounts compare it: each spelling of a name with a count of its own is more guesses."""
    return User.normalize_username(username).lower()
