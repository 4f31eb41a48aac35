"""Refresh tokens: single use; reuse revokes the token's family."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils.timezone import now
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import BlacklistMixin, RefreshToken
from rest_framework_simplejwt.utils import datetime_from_epoch

# Two tabs of one browser may send the same token at once: the later one is rejected, without further consequences.
# A token that is sent long after its exchange was probably stolen.
REUSE_GRACE = timedelta(seconds=30)
USED = "Token is blacklisted"


class SessionToken(RefreshToken):
    """A refresh token. It and the tokens that it is exchanged for are a family: their ids share a prefix.

    The table stores ids and never the tokens themselves: a reader of the table could sign in with them.
    """

    @classmethod
    def for_user(cls, user: Any) -> "SessionToken":
        token = super(BlacklistMixin, cls).for_user(user)  # the mixin's method would store the token
        token.outstand()
        return token

    def set_jti(self) -> None:
        family = str(self.payload.get("jti") or uuid4().hex).partition(".")[0]
        self.payload["jti"] = f"{family}.{uuid4().hex}"

    def outstand(self) -> OutstandingToken:
        return OutstandingToken.objects.create(
            user_id=int(self["user_id"]),
            jti=self["jti"],
            created_at=self.current_time,
            expires_at=datetime_from_epoch(self["exp"]),
        )

    def check_blacklist(self) -> None:
        """Raise TokenError for a used token. Revoke its family if it was used longer than REUSE_GRACE ago."""
        used = BlacklistedToken.objects.filter(token__jti=self["jti"]).first()
        if used is None:
            return
        if used.blacklisted_at < now() - REUSE_GRACE:
            family = OutstandingToken.objects.filter(jti__startswith=self["jti"].partition(".")[0] + ".")
            for token in family.filter(blacklistedtoken=None):
                BlacklistedToken.objects.get_or_create(token=token)
        raise TokenError(USED)

    def blacklist(self) -> BlacklistedToken:
        """Mark the token as used. Raises TokenError if a concurrent request did, or if the user is gone."""
        token = OutstandingToken.objects.filter(jti=self["jti"]).first()
        used, created = BlacklistedToken.objects.get_or_create(token=token) if token else (None, False)
        if used is None or not created:
            raise TokenError(USED)
        return used

    def exchange(self) -> None:
        """Mark the token as used and turn into the next one of its family. Raises TokenError as `blacklist` does."""
        with transaction.atomic():
            self.blacklist()
            self.set_jti()
            self.set_exp()
            self.set_iat()
            self.outstand()
