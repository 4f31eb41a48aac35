"""Holding up those who guess passwords: how often an address may try, and for how long a guesser is locked out."""

from datetime import timedelta

from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Max
from django.utils.timezone import now

from crm.db.rate_counters import count_up


def may_try_to_sign_in(address: str | None) -> bool:
    """Count a try to sign in from this address, by the API or the admin. False above THROTTLE_SIGN_IN_PER_MIN."""
    limit: int = settings.THROTTLE_SIGN_IN_PER_MIN
    return not limit or count_up(f"sign-in {address}") <= limit


def seconds_locked_out(*, username: str, address: str | None) -> int:
    """How long this name can't be signed in with from this address after too many wrong passwords; at least 1."""
    tries = AccessAttempt.objects.filter(username=username, ip_address=address)
    latest = tries.aggregate(latest=Max("attempt_time"))["latest"] or now()
    left: timedelta = latest + settings.AXES_COOLOFF_TIME - now()
    return max(1, int(left.total_seconds()))
