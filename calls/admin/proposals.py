"""Admin for proposals of another time, with the decision about an open one."""

from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from calls.choices import ProposalStatus
from calls.models import AppointmentProposal
from calls.services.proposals import accept_proposal, decline_proposal
from crm.admin.base.columns import badge, excerpt, moment
from crm.admin.base.model_admin import ReadOnlyAdmin
from crm.admin.base.search import ExactSearch
from crm.admin.base.wall_clock import describe_moment
from crm.db.tenancy import tenant
from crm.form_fields import is_id
from crm.models import User
from crm.refusals import Refusal
from crm.services.audited_actions import record_staff_action


@admin.register(AppointmentProposal)
class AppointmentProposalAdmin(ExactSearch, ReadOnlyAdmin):
    change_form_template = "admin/calls/appointmentproposal/change_form.html"
    list_display = (
        moment("created_at"), "appointment", moment("scheduled_start"), excerpt("note"), badge("status"), "created_by",
        "company",
    )  # fmt: skip
    list_select_related = ("appointment", "created_by", "company")
    list_filter = ("created_at", "company")
    search_contact = "appointment__contact"
    search_help_text = "The contact's name or phone number, or # and the proposal's ID, such as #12."
    fields = (
        "company", "appointment", "scheduled_start", "scheduled_end", "note", "status", "created_by", "created_at",
        "decided_by", "decided_at",
    )  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.decide_view))
        return [path("<path:object_id>/decide", view, name="calls_appointmentproposal_decide"), *super().get_urls()]

    def may_decide(self, request: HttpRequest) -> bool:
        return request.user.has_perm("calls.change_appointment")

    def decide_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Accept the proposal, or decline it."""
        if not self.may_decide(request):
            raise PermissionDenied
        proposal = AppointmentProposal.objects.filter(pk=object_id).first() if is_id(object_id) else None
        if proposal is None:
            raise Http404
        user, accepts = cast(User, request.user), "accept" in request.POST
        decide = accept_proposal if accepts else decline_proposal
        try:
            with tenant(proposal.company_id), transaction.atomic():
                decide(proposal=proposal, user=user)
                changes = {"decision": (None, "accepted" if accepts else "declined")}
                record_staff_action(user=user, table="appointment_proposals", row_id=proposal.pk, changes=changes)
        except Refusal as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, "Accepted. The appointment is moved." if accepts else "Declined.")
        return HttpResponseRedirect(reverse("admin:calls_appointmentproposal_change", args=[proposal.pk]))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **options: Any) -> Any:
        proposal = options.get("obj")
        if proposal is not None:
            zone = proposal.appointment.zone
            context |= {
                "proposal": proposal,
                "is_open": proposal.status == ProposalStatus.OPEN,
                "may_decide": self.may_decide(request),
                "present": describe_moment(proposal.appointment.scheduled_start, zone),
                "proposed": describe_moment(proposal.scheduled_start, zone),
            }
        return super().render_change_form(request, context, *args, **options)
