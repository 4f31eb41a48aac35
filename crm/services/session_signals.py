"""Rows of the admin's sessions, written as they begin and end."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest

from crm.choices import SessionKind
from crm.models import User
from crm.services.user_sessions import forget_session, record_admin_session


@receiver(user_logged_in)
def record_sign_in(request: HttpRequest, user: User, **_signal: Any) -> None:
    if hasattr(request, "session"):  # requests of the API have none
        record_admin_session(user=user, request=request)


@receiver(user_logged_out)
def record_sign_out(request: HttpRequest, **_signal: Any) -> None:
    if getattr(request, "session", None) is not None:
        forget_session(kind=SessionKind.ADMIN, key=str(request.session.session_key))
