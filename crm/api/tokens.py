"""Refresh tokens: each is good for one use, and one that is used again takes its whole family along."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils.timezone import now
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import BlacklistMixin, RefreshToken
from rest_framework_simplejwt.utils import datetime_from_epoch

# Two tabs of one browser may send the same token at once: the later one is refused, and that is all. Whoever sends it
# long after it was exchanged has it from somewhere else.
RACE = timedelta(seconds=30)
USED = "Token is blacklisted"


class SessionToken(RefreshToken):
    """A refresh token. It and those that it is exchanged for are one family: their ids begin alike.

    The table has the ids of tokens and never their text, which would sign in whoever reads it there.
    """

    @classmethod
    def for_user(cls, user: Any) -> "SessionToken":
        token = super(BlacklistMixin, cls).for_user(user)  # the mixin's own keeps the text
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
        """Raises TokenError for a token that is used up. If that is not just now, its family is of no use any more."""
        used = BlacklistedToken.objects.filter(token__jti=self["jti"]).first()
        if used is None:
            return
        if used.blacklisted_at < now() - RACE:
            family = OutstandingToken.objects.filter(jti__startswith=self["jti"].partition(".")[0] + ".")
            for token in family.filter(blacklistedtoken=None):
                BlacklistedToken.objects.get_or_create(token=token)
        raise TokenError(USED)

    def blacklist(self) -> BlacklistedToken:
        """Use it up. Raises TokenError where another request has done so in between, or its user is gone."""
        token = OutstandingToken.objects.filter(jti=self["jti"]).first()
        used, only_now = BlacklistedToken.objects.get_or_create(token=token) if token else (None, False)
        if used is None or not only_now:
            raise TokenError(USED)
        return used

    def exchange(self) -> None:
        """Use it up, and become the next one of its family. Raises TokenError as `blacklist` does."""
        with transaction.atomic():
            self.blacklist()
            self.set_jti()
            self.set_exp()
            self.set_iat()
            self.outstand()
