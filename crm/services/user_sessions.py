"""Sessions of users, over the API and the admin: listed, and ended at once."""

from datetime import datetime
from importlib import import_module
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import now

from crm.choices import SessionKind
from crm.client_ip import client_address
from crm.models import User, UserSession

MAX_LISTED = 100


def record_session(*, user: User, kind: str, key: str, request: Any, expires_at: datetime) -> None:
    """Record a session that begins with this request."""
    moment = now()
    values = {
        "user": user,
        "client": request.headers.get("User-Agent", "")[:200].replace("\0", ""),
        "address": client_address(request),
        "created_at": moment,
        "last_used_at": moment,
        "expires_at": expires_at,
    }
    UserSession.objects.update_or_create(kind=kind, key=key, defaults=values)


def record_admin_session(*, user: User, request: HttpRequest) -> None:
    session = request.session
    if session.session_key is None:
        session.save()
    record_session(
        user=user, kind=SessionKind.ADMIN, key=str(session.session_key), request=request,
        expires_at=session.get_expiry_date(),
    )  # fmt: skip


def record_use(*, key: str) -> None:
    """Record that the API's session got new tokens."""
    UserSession.objects.filter(kind=SessionKind.API, key=key).update(last_used_at=now())


def forget_session(*, kind: str, key: str) -> None:
    """Delete the row of a session that has ended."""
    UserSession.objects.filter(kind=kind, key=key).delete()


def lasting_sessions_of(user: User) -> QuerySet[UserSession]:
    return UserSession.objects.filter(user=user, expires_at__gt=now()).order_by("-created_at", "-id")


def end_session(*, session: UserSession) -> None:
    """End a session: its tokens or its cookie are worthless from now on."""
    with transaction.atomic():
        if session.kind == SessionKind.API:
            _tokens().filter(jti=session.key).update(user=None)
        else:
            import_module(settings.SESSION_ENGINE).SessionStore().delete(session.key)
        session.delete()


def end_sessions(*, user: User, but: tuple[str, str] | None = None) -> None:
    """End a user's sessions. A program that signs in for each task may have thousands over the API.

    Args:
        but: the kind and the key of the session that goes on.
    """
    with transaction.atomic():
        others = UserSession.objects.filter(user=user)
        if but:
            others = others.exclude(kind=but[0], key=but[1])
        over_api = others.filter(kind=SessionKind.API)
        # Without one that goes on, also those that began before their rows were kept.
        ended = _tokens().filter(user=user)
        (ended if but is None else ended.filter(jti__in=over_api.values("key"))).update(user=None)
        over_api.delete()
        for session in others:  # of the admin, a few
            end_session(session=session)


def remove_expired_user_sessions() -> None:
    UserSession.objects.filter(expires_at__lt=now()).delete()


def _tokens() -> QuerySet:
    """Return the tokens of the API, of a library that services don't import."""
    return apps.get_model("token_blacklist", "OutstandingToken").objects.all()
