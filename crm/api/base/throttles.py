"""How often somebody may ask, counted over all processes. The limits are settings; 0 takes one off."""

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from crm.client_ip import client_address
from crm.db.rate_counters import count_up, seconds_left
from crm.services.login_throttling import may_try_to_sign_in

if TYPE_CHECKING:  # the settings name this module, so DRF's views import it before they exist
    from rest_framework.views import APIView


class UserThrottle(BaseThrottle):
    """Requests of one user in a minute; of one address where nobody is signed in."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        who = f"user {request.user.pk}" if request.user.is_authenticated else f"address {client_address(request)}"
        limit: int = settings.THROTTLE_USER_PER_MIN
        return not limit or count_up(who) <= limit

    def wait(self) -> float:
        return seconds_left()


class SignInThrottle(UserThrottle):
    """Tries to sign in from one address in a minute, by the API and by the admin together."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        return may_try_to_sign_in(client_address(request))
