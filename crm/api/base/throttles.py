"""Rate limits, counted over all processes. A limit of 0 in the settings disables it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from crm.api.base.token_users import counter_of
from crm.client_ip import client_address
from crm.db.rate_counters import count_up, seconds_left
from crm.services.login_throttling import allow_sign_in_attempt

if TYPE_CHECKING:  # the settings name this module, so DRF's views import it before they exist
    from rest_framework.views import APIView


@dataclass(frozen=True)
class RateUsage:
    """Use of a limit of requests a minute, for the response's headers (config.middleware.RateLimitHeaders)."""

    name: str
    limit: int
    remaining: int


class UserThrottle(BaseThrottle):
    """Limit of requests per minute and user, or per address without a sign-in."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        limit: int = settings.THROTTLE_USER_PER_MIN
        if not limit:
            return True
        if request.user.is_authenticated:
            name, used = "user", self._count_of(request.user)
        else:
            name, used = "address", count_up(f"address {client_address(request)}")
        usage = RateUsage(name, limit, remaining=max(limit - used, 0))
        request._request.rate_usage = usage  # type: ignore[attr-defined]  # for the middleware
        return used <= limit

    @staticmethod
    def _count_of(user: Any) -> int:
        """Return the user's requests in this minute, this one included: authentication may have counted it."""
        count: int | None = getattr(user, "request_count", None)
        if token := getattr(user, "api_token", None):  # it doesn't use up the requests of its creator
            return count_up(f"API token {token.pk}")
        return count_up(counter_of(user.pk)) if count is None else count

    def wait(self) -> float:
        return seconds_left()


class SignInThrottle(UserThrottle):
    """Limit of sign-in attempts per minute and address, over the API and the admin."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        return allow_sign_in_attempt(client_address(request))
