"""Pages of people's own accounts: sign-in with a code, the second factor, sessions, and passwords by mailed links."""

import logging
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.safestring import mark_safe

from crm.choices import SessionKind
from crm.client_ip import client_address
from crm.encryption import SecretUnreadable
from crm.error_codes import ErrorCode
from crm.form_fields import is_id
from crm.models import User
from crm.qr_codes import ISSUER, draw_qr
from crm.refusals import Refusal
from crm.services import second_factors
from crm.services.links import LinkRefused, user_of_token
from crm.services.login_throttling import allow_sign_in_attempt
from crm.services.passwords import ask_for_reset, set_password_by_link
from crm.services.second_factors import MAX_LENGTH, CodesLocked, WrongCode, check_code
from crm.services.user_sessions import MAX_LISTED, end_session, end_sessions, lasting_sessions_of
from crm.totp import provisioning_uri

MAX_PASSWORD = 128
LOCKED = "Too many wrong codes. Try again in a quarter of an hour."
UNREADABLE = (
    "The service can't check codes, since a key of the server is missing. Tell its operators, or use a recovery code."
)
TOO_MANY = "Too many attempts from this address. Try again in a minute."

logger = logging.getLogger(__name__)


class SignInForm(AdminAuthenticationForm):
    """Django's form with the code of a second factor."""

    code = forms.CharField(
        required=False, max_length=MAX_LENGTH, widget=forms.TextInput(attrs={"autocomplete": "one-time-code"})
    )

    def confirm_login_allowed(self, user: Any) -> None:
        super().confirm_login_allowed(user)
        person = cast(User, user)
        if person.second_factor_since is None:
            return
        code = self.data.get("code", "")[:MAX_LENGTH]
        if not code:
            raise ValidationError("Enter your password again, and the code of your authenticator app.")
        try:
            check_code(user=person, code=code)
        except CodesLocked as error:
            raise ValidationError(LOCKED) from error
        except SecretUnreadable as error:
            logger.error("%s", error)  # its trace says nothing more
            raise ValidationError(UNREADABLE) from error
        except Refusal as error:
            credentials = {"username": person.get_username()}
            user_login_failed.send(sender=__name__, credentials=credentials, request=self.request)
            raise ValidationError(str(error)) from error


class NewPasswordForm(forms.Form):
    password = forms.CharField(
        max_length=MAX_PASSWORD, strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 8 characters, and hard to guess.",
    )  # fmt: skip


class ForgottenPasswordForm(forms.Form):
    email = forms.EmailField(max_length=254, label="Email address")


def set_password_page(request: HttpRequest, token: str) -> HttpResponse:
    """Choose a password by a mailed link."""
    form = NewPasswordForm(request.POST or None)
    context: dict[str, Any] = {"title": "Choose a password", "form": form}
    try:
        user_of_token(token)
        if request.method == "POST" and form.is_valid():
            set_password_by_link(token=token, password=form.cleaned_data["password"])
            context["done"] = "Your password is set. You can sign in with it now."
    except LinkRefused as error:
        context["problem"] = str(error)
    except ValidationError as error:
        form.add_error("password", error)
    return _page(request, context, status=400 if "problem" in context else 200)


def forgotten_password_page(request: HttpRequest) -> HttpResponse:
    """Ask for a mailed link. The answer is the same for any address."""
    form = ForgottenPasswordForm(request.POST or None)
    context: dict[str, Any] = {"title": "Forgotten password", "form": form}
    if request.method == "POST" and not allow_sign_in_attempt(client_address(request)):
        return _page(request, context | {"problem": TOO_MANY}, status=429)
    if request.method == "POST" and form.is_valid():
        ask_for_reset(email=form.cleaned_data["email"])
        context["done"] = "If a user has this address, a mail with a link is on its way. It works for one hour."
    return _page(request, context)


def second_factor_page(request: HttpRequest) -> HttpResponse:
    """Set up or remove the own second factor, or get new recovery codes."""
    user = cast(User, request.user)
    context: dict[str, Any] = {"title": "Second factor"}
    action, code = request.POST.get("action", ""), request.POST.get("code", "")[:MAX_LENGTH]
    try:
        if action == "begin":
            _check_password(request)
            context |= _drawn(user, second_factors.begin_second_factor(user=user))
        elif action == "confirm":
            context["recovery_codes"] = second_factors.confirm_second_factor(user=user, code=code)
        elif action == "renew":
            context["recovery_codes"] = second_factors.renew_recovery_codes(user=user, code=code)
        elif action == "remove":
            second_factors.remove_second_factor(user=user, code=code)
            messages.success(request, "The second factor is removed.")
    except CodesLocked:
        messages.error(request, LOCKED)
    except SecretUnreadable as error:
        logger.error("%s", error)  # its trace says nothing more
        messages.error(request, UNREADABLE)
    except Refusal as error:
        messages.error(request, str(error))
        context["begun"] = isinstance(error, WrongCode)  # without the key, which only the password shows
    context["left"] = second_factors.count_recovery_codes(user=user)
    return TemplateResponse(request, "admin/account/second_factor.html", admin.site.each_context(request) | context)


def sessions_page(request: HttpRequest) -> HttpResponse:
    """List where the user is signed in, and end another session or all others."""
    user = cast(User, request.user)
    current = (SessionKind.ADMIN, str(request.session.session_key))
    if request.method == "POST":
        chosen = request.POST.get("session", "")
        others = lasting_sessions_of(user).exclude(kind=current[0], key=current[1])  # logging out ends this one
        if request.POST.get("action") == "end-others":
            end_sessions(user=user, but=current)
            messages.success(request, "All other sessions have ended.")
        elif is_id(chosen) and (session := others.filter(pk=chosen).first()):
            end_session(session=session)
            messages.success(request, "The session has ended.")
        return HttpResponseRedirect(request.path)
    found = [(session, (session.kind, session.key) == current) for session in lasting_sessions_of(user)[:MAX_LISTED]]
    context = {"title": "Sessions", "sessions": found, "others": any(not own for _, own in found)}
    return TemplateResponse(request, "admin/account/sessions.html", admin.site.each_context(request) | context)


def _check_password(request: HttpRequest) -> None:
    """Raise Refusal unless it is the user's. Wrong ones count as failed sign-ins, and lock further ones (429)."""
    password = request.POST.get("password", "")[:MAX_PASSWORD]
    if authenticate(request, username=cast(User, request.user).get_username(), password=password) is None:
        raise Refusal(code=ErrorCode.WRONG_PASSWORD)


def _drawn(user: User, key: str) -> dict[str, str]:
    uri = provisioning_uri(key, account=user.get_username(), issuer=ISSUER)
    return {"key": key, "qr": mark_safe(draw_qr(uri))}  # noqa: S308  # drawn by us


def _page(request: HttpRequest, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    everywhere = admin.site.each_context(request) | {"is_nav_sidebar_enabled": False}
    return TemplateResponse(request, "admin/account/password.html", everywhere | context, status=status)
