"""API tokens: `crm_<id>_<secret>`, with 256 random bits, of which the hash is stored."""

import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from secrets import token_urlsafe

from django.db.models import Q
from django.utils import timezone

from crm.choices import Role
from crm.db.tenancy import all_tenants_autocommit, current_company_id
from crm.error_codes import ErrorCode
from crm.models import ApiToken, User
from crm.refusals import Refusal
from crm.services.outgoing_webhooks.tokens import end_webhooks_of

PREFIX = "crm_"
TOKEN = re.compile(rf"{PREFIX}([0-9]{{1,18}})_([\w-]{{43}})", re.ASCII)
BEGINNING = 4
USE_RECORDED_EVERY = timedelta(minutes=1)


class AlreadyExpired(Refusal):
    """A token must end in the future."""

    code, attr = ErrorCode.OUT_OF_RANGE, "expires_at"


class InvalidApiToken(Exception):
    """The text isn't a token in force."""


class InactiveCreator(Exception):
    """The token's creator is deactivated, or no manager of the company any more."""


def create_api_token(
    *, user: User, name: str, role: str, scopes: Iterable[str], expires_at: datetime | None
) -> tuple[ApiToken, str]:
    """Return a new token of the active company, and its text, which is never shown again."""
    if expires_at is not None and expires_at <= timezone.now():
        raise AlreadyExpired("Must be in the future.")
    secret = token_urlsafe(32)
    row = ApiToken.objects.create(
        company_id=current_company_id(), name=name, role=role, scopes=sorted(set(scopes)), expires_at=expires_at,
        beginning=secret[:BEGINNING], secret_hash=hash_secret(secret), created_by=user,
    )  # fmt: skip
    return row, f"{PREFIX}{row.pk}_{secret}"


def revoke_api_token(*, token: ApiToken) -> None:
    """End a token at once, with its outgoing webhooks. One that has ended before stays as it is."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
    end_webhooks_of(token)


def find_user_of_api_token(text: str) -> User:
    """Return the token's creator, with the company, the token's role, and the token as `api_token`.

    Raises:
        InvalidApiToken: it is unknown, expired or revoked.
        InactiveCreator: its creator may not create it any more.
    """
    parts = TOKEN.fullmatch(text)
    if not parts:
        raise InvalidApiToken
    now = timezone.now()
    with all_tenants_autocommit():  # the company is unknown until the token is read
        token = ApiToken.objects.select_related("created_by__company").filter(pk=int(parts[1])).first()
        if token is None or not hmac.compare_digest(token.secret_hash, hash_secret(parts[2])):
            raise InvalidApiToken
        if token.revoked_at is not None or (token.expires_at is not None and token.expires_at <= now):
            raise InvalidApiToken
        user = token.created_by
        if not user.is_active or user.role != Role.MANAGER or user.company_id != token.company_id:
            raise InactiveCreator
        _record_use(token, now)
    user.role = token.role
    user.api_token = token  # type: ignore[attr-defined]  # of this request
    return user


def hash_secret(secret: str) -> str:
    """Return the hash of a secret, in hex. It needs no salt or slowness: nobody can guess 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _record_use(token: ApiToken, now: datetime) -> None:
    """Record the use once a minute: each request would write the same row."""
    if token.last_used_at is not None and token.last_used_at > now - USE_RECORDED_EVERY:
        return
    stale = Q(last_used_at=None) | Q(last_used_at__lte=now - USE_RECORDED_EVERY)
    ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
