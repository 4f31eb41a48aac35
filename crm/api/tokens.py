"""Sessions: a sign-in with its refresh tokens, each of which works once, and its access tokens."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.timezone import now
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import AccessToken, BlacklistMixin, RefreshToken
from rest_framework_simplejwt.utils import datetime_from_epoch, datetime_to_epoch

from crm.choices import SessionKind
from crm.encryption import keyed_hash
from crm.services.user_sessions import forget_session, record_use

# How long a client may repeat a refresh whose answer was lost, or that two tabs of one browser sent at once.
REPEAT_GRACE = timedelta(seconds=30)
REMEMBERED = 1000  # tokens, of which each request sends one
SESSION = "session"  # claim of refresh and access tokens
ENDED = "The session has ended. Sign in again."


def lasting_sessions(session: str | None, *, user: Any) -> QuerySet[OutstandingToken]:
    """Return the row of a session, if it belongs to this user (an id or an outer reference) and has not ended."""
    return OutstandingToken.objects.filter(jti=session or "", user=user, expires_at__gt=now())


def find_lasting_sessions(sessions: Iterable[str]) -> set[str]:
    """Return those of the sessions that have not ended."""
    lasting = OutstandingToken.objects.filter(jti__in=sessions, user__isnull=False, expires_at__gt=now())
    return set(lasting.values_list("jti", flat=True))


class RotatingBackend(TokenBackend):
    """Signs tokens with SECRET_KEY, and reads those that an earlier key signed: the library knows one key only."""

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:
        """Return the claims. Those of a token that was verified before are remembered: `Token` checks their end."""
        return {**self._decode(token, verify)}

    @lru_cache(REMEMBERED)  # noqa: B019  # there is one, for the whole process
    def _decode(self, token: Any, verify: bool) -> dict[str, Any]:
        try:
            return super().decode(token, verify)
        except TokenBackendError:
            for key in settings.SECRET_KEY_FALLBACKS:
                with suppress(TokenBackendError):
                    return TokenBackend(self.algorithm, key).decode(token, verify)
            raise


BACKEND = RotatingBackend(api_settings.ALGORITHM, api_settings.SIGNING_KEY)


class SignedAccessToken(AccessToken):
    _token_backend = BACKEND


class SessionToken(RefreshToken):
    """A refresh token.

    The row of its first token, kept until the session's absolute end, is the session. Once that row has no user, all
    tokens are worthless, access tokens too. A change of the user's access takes the user away: see
    `crm.models.session_triggers`. Rows contain ids, never tokens: a reader could sign in with them.
    """

    _token_backend = BACKEND
    access_token_class = SignedAccessToken

    @classmethod
    def for_user(cls, user: Any) -> "SessionToken":
        token = super(BlacklistMixin, cls).for_user(user)  # the mixin's method would store the token
        token[SESSION] = token["jti"]
        end = token.current_time + settings.SESSION_LIFETIME
        token._store(expires_at=end)
        token._limit_exp(end)
        return token

    def check_blacklist(self) -> None:
        """Raise TokenError unless the session lasts. A used token may be repeated: `exchange` decides."""
        self.payload.setdefault(SESSION, self["jti"])  # older tokens name no session: each is the first of its own
        if not lasting_sessions(self[SESSION], user=self.get("user_id")).exists():
            raise TokenError(ENDED)

    def blacklist(self) -> None:  # type: ignore[override]  # it returns no row
        """End the session. Raises TokenError if the token has been exchanged before, or a concurrent request did it."""
        used = BlacklistedToken.objects.filter(token__jti=self["jti"]).exists()
        if not self.end_session() or used:
            raise TokenError(ENDED)

    def end_session(self) -> bool:
        """End the session. Return whether it lasted until now."""
        forget_session(kind=SessionKind.API, key=self[SESSION])
        return lasting_sessions(self[SESSION], user=self["user_id"]).update(user=None) > 0

    def exchange(self, *, client: str) -> None:
        """Turn into the next token of the session.

        The same client gets the same token again for REPEAT_GRACE, while that one is unused. Any other repetition means
        that the token was stolen, by its first sender or by this one: the session ends.

        Args:
            client: what identifies the sender, beyond the token.

        Raises:
            TokenError: the session has ended.
        """
        # The id follows from the client, so that only the same client finds the token that it was given.
        # Not from SECRET_KEY: while it is replaced, two servers have different ones.
        next_id = keyed_hash("refresh token", f"{self['jti']} {client}")
        with transaction.atomic():
            session = lasting_sessions(self[SESSION], user=self["user_id"]).select_for_update().first()
            token = OutstandingToken.objects.filter(jti=self["jti"]).first()
            if session is None or token is None:
                raise TokenError(ENDED)
            used, unused = BlacklistedToken.objects.get_or_create(token=token)
            if unused:
                self["jti"] = next_id
                self.set_iat()
                self.set_exp()
                self._limit_exp(session.expires_at)
                self._store(expires_at=datetime_from_epoch(self["exp"]))
                record_use(key=self[SESSION])
                return
            given = OutstandingToken.objects.filter(jti=next_id, blacklistedtoken=None).first()
            if given is not None and used.blacklisted_at >= now() - REPEAT_GRACE:
                self["jti"] = next_id
                self.set_iat(at_time=given.created_at)
                self["exp"] = datetime_to_epoch(given.expires_at)
                return
        self.end_session()
        raise TokenError(ENDED)

    def _limit_exp(self, end: Any) -> None:
        self["exp"] = min(self["exp"], datetime_to_epoch(end))

    def _store(self, *, expires_at: Any) -> None:
        OutstandingToken.objects.create(
            user_id=int(self["user_id"]), jti=self["jti"], created_at=self.current_time, expires_at=expires_at
        )
