"""Pages of a campaign beside its form: its actions with their effects, its audience, a test send, its progress."""

from datetime import timedelta
from math import ceil
from typing import Any, cast

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from crm.admin.base.wall_clock import describe_moment
from crm.choices import AuditAction, CampaignStatus
from crm.db.tenancy import tenant
from crm.form_fields import is_id
from crm.models import Campaign, User
from crm.models.campaigns import SENT
from crm.refusals import Refusal
from crm.services.audited_actions import record_staff_action
from messaging.admin.campaign_actions import ACTIONS
from messaging.admin.campaign_forms import AudienceForm, TestSendForm
from messaging.admin.campaign_panel import panel_of
from messaging.services.campaigns.audience import Audience, add_audience
from messaging.services.campaigns.audience_checks import LeftOut
from messaging.services.campaigns.count_rows import count_by_status
from messaging.services.campaigns.start_preview import StartPreview, preview_start
from messaging.services.campaigns.test_send import MAX_PER_HOUR, TooManyTestSends, send_test

TEMPLATES = "admin/crm/campaign"
MAX_HOURS = 12  # rows of the table


class CampaignPages:
    """Views of the admin of campaigns. They need the permission to change a campaign; its progress, to view it."""

    def get_urls(self: Any) -> list[URLPattern]:
        pages = {"audience": self.audience_view, "test-send": self.test_send_view, "progress": self.progress_view}
        routes: list[tuple[str, Any, dict[str, str]]] = [(name, self.action_view, {"name": name}) for name in ACTIONS]
        urls = [
            path(
                f"<path:object_id>/{route}",
                self.admin_site.admin_view(view),
                options,
                name=f"crm_campaign_{route.replace('-', '_')}",
            )
            for route, view, options in [*routes, *((route, view, {}) for route, view in pages.items())]
        ]
        return [*urls, *super().get_urls()]  # type: ignore[misc]

    def action_view(self: Any, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Say what an action would do, and do it when that is confirmed."""
        campaign, action = self.campaign_to_change(request, object_id), ACTIONS[name]
        with tenant(campaign.company_id):
            refusal = None
            if request.method == "POST":
                try:
                    changed = action.apply(campaign, cast(User, request.user))
                except Refusal as error:
                    refusal = error
                else:
                    self.message_user(request, f"{campaign}: {CampaignStatus(changed.status).label.lower()}.")
                    return to_page(campaign)
            preview = (
                preview_start(campaign=campaign)
                if name == "start" and campaign.status == CampaignStatus.DRAFT
                else None
            )
            counts = count_by_status([campaign.pk])[campaign.pk]
            context = {
                "action": name,
                "label": action.label(campaign),
                "refusal": refusal or (preview.refusal if preview else action.refusal(campaign)),
                "counts": counts,
                "sent": sum(counts[status] for status in SENT),
                **(show_start(preview, campaign) if preview else {}),
            }
        return self.campaign_page(request, campaign, "action.html", f"{action.label(campaign)}: {campaign}", context)

    def audience_view(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        """Add a segment's contacts, or some contacts, after they have been counted."""
        campaign = self.campaign_to_change(request, object_id)
        with tenant(campaign.company_id):
            form = AudienceForm(posted(request), campaign=campaign, site=self.admin_site)
            context: dict[str, Any] = {"form": form, "media": self.media + form.media}
            if form.is_valid():
                is_counting = "_add" not in request.POST
                contacts = [contact.pk for contact in form.cleaned_data["contacts"]] or None
                segment = form.cleaned_data["segment"]
                try:
                    audience = add_audience(campaign=campaign, contacts=contacts, segment=segment, dry_run=is_counting)
                except Refusal as refusal:
                    context["refusal"] = refusal
                else:
                    if not is_counting:
                        changes = {"added": (None, audience.added)}
                        record_staff_action(
                            user=cast(User, request.user), table="campaigns", row_id=campaign.pk, changes=changes
                        )
                        self.message_user(request, say_audience(audience))
                        return to_page(campaign)
                    context |= {"audience": audience, "left_out": left_out_of(audience)}
        return self.campaign_page(request, campaign, "audience.html", f"Add contacts: {campaign}", context)

    def test_send_view(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        """Send one of the texts to one's own number."""
        campaign = self.campaign_to_change(request, object_id)
        with tenant(campaign.company_id):
            form = TestSendForm(posted(request), campaign=campaign)
            if form.is_valid():
                phone, user = form.cleaned_data["phone"], cast(User, request.user)
                try:
                    message = send_test(campaign=campaign, phone=phone, user=user, **form.chosen())
                except TooManyTestSends:
                    form.add_error(None, f"At most {MAX_PER_HOUR} test sends an hour. Try again later.")
                except Refusal as refusal:
                    form.add_error("phone" if refusal.attr == "phone" else None, str(refusal))
                else:
                    changes = {"campaign": (None, campaign.pk), "kind": (None, message.kind)}
                    record_staff_action(
                        user=user, table="message_threads", row_id=message.pk, changes=changes,
                        action=AuditAction.INSERT,
                    )  # fmt: skip
                    leaves_at = describe_moment(message.run_at, campaign.company.zone)
                    waits = f" It leaves at {leaves_at}: {message.error}" if message.error else ""
                    self.message_user(request, f"The text to {phone} is in the outbox.{waits}")
                    return to_page(campaign)
        context = {"form": form, "per_hour": MAX_PER_HOUR}
        return self.campaign_page(request, campaign, "test_send.html", f"Test send: {campaign}", context)

    def progress_view(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        """Return the top of the campaign's page, which the page asks for again while the campaign runs."""
        campaign = self.find_campaign(request, object_id)
        if not self.has_view_permission(request, campaign):
            raise PermissionDenied
        can_change = self.has_change_permission(request, campaign)
        return HttpResponse(render_to_string(f"{TEMPLATES}/panel.html", {"panel": panel_of(campaign, can_change)}))

    def campaign_page(
        self: Any, request: HttpRequest, campaign: Campaign, template: str, title: str, context: dict[str, Any]
    ) -> HttpResponse:
        site = self.admin_site.each_context(request)
        shared = {"campaign": campaign, "title": title, "opts": self.opts, "media": self.media}
        return TemplateResponse(request, f"{TEMPLATES}/{template}", site | shared | context)

    def campaign_to_change(self: Any, request: HttpRequest, object_id: str) -> Campaign:
        campaign: Campaign = self.find_campaign(request, object_id)
        if not self.has_change_permission(request, campaign):
            raise PermissionDenied
        return campaign

    def find_campaign(self: Any, request: HttpRequest, object_id: str) -> Campaign:
        if not is_id(object_id):
            raise Http404
        return get_object_or_404(Campaign.objects.select_related("company", "phone_line", "segment"), pk=object_id)


def posted(request: HttpRequest) -> Any:
    """Return what a form was sent with; None if the page is only opened."""
    return request.POST if request.method == "POST" else None


def to_page(campaign: Campaign) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:crm_campaign_change", args=[campaign.pk]))


def show_start(preview: StartPreview, campaign: Campaign) -> dict[str, Any]:
    """Return what the template needs beside the preview."""
    zone = campaign.company.zone
    hours = [(f"{hour:%a %Y-%m-%d %H:00}", f"{number:,}") for hour, number in preview.due_hours.items()]
    if len(hours) > MAX_HOURS:
        later = sum(list(preview.due_hours.values())[MAX_HOURS:])
        hours = [*hours[:MAX_HOURS], ("Later", f"{later:,}")]
    return {
        "preview": preview,
        "left_out": [(reason.label, number) for reason, number in preview.left_out.items()],
        "hours": hours,
        "parts": [preview.estimate.parts[key] for key in sorted(preview.estimate.parts)],
        "starts_at": f"{preview.starts_at.astimezone(zone):%a} {describe_moment(preview.starts_at, zone)}",
        "sending_time": say_duration(preview.sending_time),
    }


def say_duration(duration: timedelta) -> str:
    minutes = ceil(duration.total_seconds() / 60)
    if minutes < 2:
        return "a minute" if minutes else ""
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60:,} hours"


def left_out_of(audience: Audience) -> list[tuple[str, int]]:
    return [(LeftOut(reason).label, number) for reason, number in audience.left_out.items() if number]


def say_audience(audience: Audience) -> str:
    noun = "contact was" if audience.added == 1 else "contacts were"
    left_out = ", ".join(f"{number:,} {label[0].lower()}{label[1:]}" for label, number in left_out_of(audience))
    return f"{audience.added:,} {noun} added.{f' Left out: {left_out}.' if left_out else ''}"
