"""Admin for missed callers, with what staff do about one: call back, and say that the caller was reached."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.timezone import now
from django.views.decorators.http import require_POST

from calls.choices import Recovery
from calls.models import MissedCaller
from calls.services.claims import claim_caller, release_caller
from calls.services.missed_calls import mark_recovered_manually, undo_recovery
from crm.admin.base.columns import badge, local_moment, show_local
from crm.admin.base.model_admin import ReadOnlyAdmin
from crm.admin.base.search import ExactSearch
from crm.admin.base.work_filters import WorkFilter
from crm.choices import ActivityType
from crm.db.tenancy import tenant
from crm.form_fields import is_id
from crm.models import Activity, User
from crm.refusals import Refusal
from crm.services.audited_actions import record_staff_action

# By the button's name, what is done with a caller for a user, and what is said then.
ACTIONS: dict[str, tuple[Callable[..., object], str]] = {
    "claim": (claim_caller, "You are calling back: colleagues see it for 15 minutes."),
    "release": (release_caller, "Nobody is calling back now."),
    "reached": (mark_recovered_manually, "Reached. The caller waits no more."),
    "not_reached": (lambda *, caller, user: undo_recovery(caller=caller), "The caller waits again."),  # noqa: ARG005
}

VERBS = {ActivityType.MESSAGE: "Texted", ActivityType.CALL: "Called"}


class QueueFilter(WorkFilter):
    """The missed queue: the latest caller first, who may still be reached."""

    title = "queue"
    label = "Not reached yet"
    order = "-last_missed_at"

    def waiting(self, rows: Any) -> QuerySet:
        return cast(QuerySet, rows.waiting())


@admin.register(MissedCaller)
class MissedCallerAdmin(ExactSearch, ReadOnlyAdmin):
    change_form_template = "admin/calls/missedcaller/change_form.html"
    list_display = (
        local_moment("last_missed_at"),
        "contact",
        "missed_calls",
        badge("text_back"),
        "calling_back",
        local_moment("recovered_at"),
        "recovered_by",
        "company",
    )
    list_select_related = ("contact", "company", "claimed_by")
    list_filter = (QueueFilter, "last_missed_at", "company", "contact")
    time_field = "last_missed_at"
    search_help_text = "The contact's name or phone number, or # and the row's ID, such as #12."
    fieldsets = (
        (None, {"fields": ("company", "contact", "phone_line", "missed_calls", "first_missed_at", "last_missed_at")}),
        ("Text back", {"fields": ("text_back", "text_back_reason")}),
        ("Recovery", {"fields": ("calling_back", "recovered_at", "recovered_by", "recovered_user")}),
    )
    readonly_fields = ("calling_back",)

    @admin.display(description="calling back")
    def calling_back(self, caller: MissedCaller) -> str:
        return str(caller.claimed_by) if _is_claimed(caller) else ""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.act_view))
        return [path("<path:object_id>/act", view, name="calls_missedcaller_act"), *super().get_urls()]

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("calls.change_missedcaller")

    def act_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Do one of ACTIONS with the caller."""
        if not self.has_act_permission(request):
            raise PermissionDenied
        caller = MissedCaller.objects.filter(pk=object_id).first() if is_id(object_id) else None
        name = next((name for name in ACTIONS if name in request.POST), None)
        if caller is None or name is None:
            raise Http404
        (act, done), user = ACTIONS[name], cast(User, request.user)
        try:
            with tenant(caller.company_id), transaction.atomic():
                act(caller=caller, user=user)
                changes = {"action": (None, name)}
                record_staff_action(user=user, table="missed_callers", row_id=caller.pk, changes=changes)
        except Refusal as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, done)
        return HttpResponseRedirect(reverse("admin:calls_missedcaller_change", args=[caller.pk]))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **options: Any) -> Any:
        caller = options.get("obj")
        if caller is not None:
            is_waiting = caller.recovered_at is None
            is_mine = _is_claimed(caller) and caller.claimed_by_id == request.user.pk
            context |= {
                "caller": caller,
                "is_waiting": is_waiting,
                "is_claimed": _is_claimed(caller),
                "is_mine": is_mine,
                "missed_at": show_local(caller.last_missed_at, caller.company.zone),
                "claimed_until": show_local(caller.claimed_until, caller.company.zone),
                "recovered_at": show_local(caller.recovered_at, caller.company.zone),
                "responses": self.responses_to(caller),
                "may_act": self.has_act_permission(request),
                "may_undo": caller.recovered_by == Recovery.MANUAL,
            }
        return super().render_change_form(request, context, *args, **options)

    def responses_to(self, caller: MissedCaller) -> list[str]:
        """Say who has texted and called the caller last, and when."""
        rows: Any = MissedCaller.objects.filter(pk=caller.pk)
        ids = rows.with_responses().values_list("latest_message", "latest_call").get()
        found = Activity.objects.select_related("user").filter(pk__in=filter(None, ids)).order_by("created_at")
        zone = caller.company.zone
        return [
            f"{VERBS[ActivityType(each.activity_type)]} at {show_local(each.created_at, zone)}"
            + (f" by {each.user}." if each.user else ".")
            for each in found
        ]


def _is_claimed(caller: MissedCaller) -> bool:
    return caller.claimed_until is not None and caller.claimed_until > now()
