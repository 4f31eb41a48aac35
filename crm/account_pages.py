"""Pages of people's own accounts: sign-in with a code, the second factor, and passwords by mailed links."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import mark_safe

from crm.client_ip import client_address
from crm.models import User
from crm.qr_codes import ISSUER, draw_qr
from crm.refusals import Refusal
from crm.services import second_factors
from crm.services.links import LinkRefused, user_of_token
from crm.services.login_throttling import allow_sign_in_attempt
from crm.services.passwords import ask_for_reset, set_password_by_link
from crm.services.second_factors import MAX_LENGTH, CodesLocked, check_code
from crm.totp import provisioning_uri

LOCKED = "Too many wrong codes. Try again in a quarter of an hour."
TOO_MANY = "Too many attempts from this address. Try again in a minute."


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
        except Refusal as error:
            credentials = {"username": person.get_username()}
            user_login_failed.send(sender=__name__, credentials=credentials, request=self.request)
            raise ValidationError(str(error)) from error


class NewPasswordForm(forms.Form):
    password = forms.CharField(
        max_length=128, strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
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
    """Set up or remove the own second factor."""
    user = cast(User, request.user)
    context: dict[str, Any] = {"title": "Second factor"}
    action, code = request.POST.get("action", ""), request.POST.get("code", "")[:MAX_LENGTH]
    try:
        if action == "begin":
            second_factors.begin_second_factor(user=user)
        elif action == "confirm":
            context["recovery_codes"] = second_factors.confirm_second_factor(user=user, code=code)
        elif action == "remove":
            second_factors.remove_second_factor(user=user, code=code)
            messages.success(request, "The second factor is removed.")
    except CodesLocked:
        messages.error(request, LOCKED)
    except Refusal as error:
        messages.error(request, str(error))
    if key := second_factors.pending_key(user=user):
        uri = provisioning_uri(key, account=user.get_username(), issuer=ISSUER)
        context |= {"key": key, "qr": mark_safe(draw_qr(uri))}  # noqa: S308  # drawn by us
    context["left"] = second_factors.count_recovery_codes(user=user)
    return TemplateResponse(request, "admin/account/second_factor.html", admin.site.each_context(request) | context)


def _page(request: HttpRequest, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    everywhere = admin.site.each_context(request) | {"is_nav_sidebar_enabled": False}
    return TemplateResponse(request, "admin/account/password.html", everywhere | context, status=status)
