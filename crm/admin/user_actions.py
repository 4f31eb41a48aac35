"""Actions of staff on a user's page: an invitation, and the reset of a lost second factor."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from crm.form_fields import is_id
from crm.models import User
from crm.refusals import Refusal
from crm.services.passwords import invite
from crm.services.second_factors import reset_second_factor


@dataclass(frozen=True)
class UserAction:
    """Something that staff do for a user, once they have confirmed it.

    Attributes:
        fits: whether the user's page offers it. The service decides.
    """

    name: str
    label: str
    consequences: str
    done: str
    act: Callable[..., None]
    fits: Callable[[User], bool]


USER_ACTIONS = (
    UserAction(
        "invite",
        "Send an invitation",
        "{user.email} gets a mail with a link to choose a password. It works once, within 7 days. Links of earlier "
        "invitations are worthless then.",
        "Queued an invitation.",
        invite,
        lambda user: user.is_active and bool(user.email) and not user.has_usable_password(),
    ),
    UserAction(
        "reset-second-factor",
        "Reset the second factor",
        "{user} signs in with the password alone then, until another second factor is set up. All sessions of this "
        "user end. Make sure first who asks for it: call back at a number that you know.",
        "Reset the second factor.",
        reset_second_factor,
        lambda user: user.second_factor_since is not None,
    ),
)


class UserActions(admin.ModelAdmin):
    """A user's page with buttons for USER_ACTIONS, each with a page that asks first."""

    def get_urls(self) -> list[URLPattern]:
        return [
            path(
                f"<int:pk>/{action.name}/",
                self.admin_site.admin_view(partial(self.ask_or_act, action=action)),
                name=_url_name(action),
            )
            for action in USER_ACTIONS
        ] + super().get_urls()

    def has_access_permission(self, request: HttpRequest, user: User) -> bool:
        """Return whether the member of staff may decide how this user signs in. The own factor needs a code."""
        return self.has_change_permission(request, user) and user.pk != request.user.pk

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **options: Any) -> Any:
        user = options.get("obj")
        if user is not None and self.has_access_permission(request, user):
            context["user_actions"] = [
                {"label": action.label, "url": reverse(f"admin:{_url_name(action)}", args=[user.pk])}
                for action in USER_ACTIONS
                if action.fits(user)
            ]
        return super().render_change_form(request, context, *args, **options)

    def ask_or_act(self, request: HttpRequest, pk: int, *, action: UserAction) -> HttpResponse:
        with transaction.atomic():
            user = self.get_object(request, str(pk)) if is_id(str(pk)) else None  # locked in a POST
            if user is None:
                raise Http404
            if not self.has_access_permission(request, user):
                raise PermissionDenied
            if request.method != "POST":
                return self._ask(request, user, action)
            try:
                action.act(user=user)
            except Refusal as refusal:
                self.message_user(request, str(refusal), messages.ERROR)
            else:
                self.log_change(request, user, action.done)
                self.message_user(request, action.done)
        return HttpResponseRedirect(reverse("admin:crm_user_change", args=[pk]))

    def _ask(self, request: HttpRequest, user: User, action: UserAction) -> HttpResponse:
        context = self.admin_site.each_context(request) | {
            "title": action.label,
            "consequences": action.consequences.format(user=user),
            "person": user,
        }
        return TemplateResponse(request, "admin/crm/user/ask.html", context)


def _url_name(action: UserAction) -> str:
    return f"crm_user_{action.name.replace('-', '_')}"
