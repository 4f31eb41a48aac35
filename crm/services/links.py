"""Mailed links to choose a password: signed, for one use and a limited time. Nothing about them is stored."""

from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.utils.crypto import constant_time_compare

from crm.choices import MailKind
from crm.encryption import keyed_hash
from crm.error_codes import ErrorCode
from crm.models import User
from crm.refusals import Refusal

SALT = "crm.services.links"
MAX_LENGTH = 500  # of a token
LIFETIMES = {MailKind.PASSWORD_RESET: timedelta(hours=1), MailKind.INVITATION: timedelta(days=7)}


class LinkRefused(Refusal):
    """The link leads nowhere, or not any more."""

    code = ErrorCode.LINK_NOT_VALID
    attr = "token"


def make_link(*, user: User, kind: str) -> str:
    """Return the URL at which the user chooses a password."""
    return f"{settings.PUBLIC_URL}/set-password/{make_token(user=user, kind=kind)}"


def make_token(*, user: User, kind: str) -> str:
    return signing.dumps([user.pk, kind, _state_of(user)], salt=SALT)


def user_of_token(token: str, *, lock: bool = False) -> User:
    """Return the user of a link. Raises LinkRefused."""
    try:
        pk, kind, state = signing.loads(token[:MAX_LENGTH], salt=SALT)
        signing.loads(token, salt=SALT, max_age=LIFETIMES[kind])
    except signing.SignatureExpired as error:
        raise LinkRefused(code=ErrorCode.LINK_EXPIRED) from error
    except (signing.BadSignature, ValueError) as error:
        raise LinkRefused from error
    users = User.accounts.select_for_update(of=("self",)) if lock else User.accounts.all()
    user = users.filter(pk=pk, is_active=True).first()
    if user is None:
        raise LinkRefused
    if not constant_time_compare(state, _state_of(user)):
        raise LinkRefused(code=ErrorCode.LINK_USED)
    return user


def _state_of(user: User) -> str:
    """Return what a new password, a sign-in or another email address changes, and so ends the user's links."""
    state = f"{user.pk} {user.password} {user.last_login and user.last_login.timestamp()} {user.email}"
    return keyed_hash("link", state)[:32]
