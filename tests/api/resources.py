"""Resources of the API, as test parameters."""

from dataclasses import dataclass

from django.urls import get_resolver

from tests import factories
from tests.factories import RowFactory


@dataclass(frozen=True)
class Resource:
    route: str
    factory: type[RowFactory]
    has_contact: bool = True
    detail: bool = True
    by_time: bool = True  # the order of its list, unless another is asked for

    def __str__(self) -> str:
        return self.route

    @property
    def url(self) -> str:
        return f"/api/v1/{self.route}"


def writing_viewsets():
    """Return the viewsets that take a body of their serializer's fields."""
    below = [part for part in get_resolver().url_patterns if str(part.pattern) == "api/v1/"]
    routes = [entry.callback for part in below for entry in part.url_patterns if hasattr(entry.callback, "actions")]
    views = {route.cls for route in routes if {"create", "partial_update"} & set(route.actions.values())}
    return sorted(views, key=lambda view: view.resource)


def read_only_fields(route):
    """Return the names of a resource's fields that no client can send."""
    [view] = [view for view in writing_viewsets() if view.resource == route]
    return {name for name, field in view.serializer_class().fields.items() if field.read_only}


RESOURCES = [
    Resource("contacts", factories.ContactFactory, has_contact=False),
    Resource("contact-flags", factories.ContactFlagFactory),
    Resource("contact-fields", factories.ContactFieldFactory, has_contact=False),
    Resource("contact-lists", factories.ContactListFactory, has_contact=False),
    Resource("tags", factories.TagFactory, has_contact=False),
    Resource("snippets", factories.SnippetFactory, has_contact=False),
    Resource("opt-outs", factories.OptOutFactory, has_contact=False),
    Resource("marketing-consents", factories.MarketingConsentFactory, has_contact=False),
    Resource("duplicates", factories.DuplicateCandidateFactory, has_contact=False, by_time=False),
    Resource("merges", factories.ContactMergeFactory, has_contact=False),
    Resource("leads", factories.LeadFactory),
    Resource("conversations", factories.ConversationFactory),
    Resource("activities", factories.ActivityFactory),
    Resource("campaigns", factories.CampaignFactory, has_contact=False),
    Resource("campaign-memberships", factories.CampaignMembershipFactory),
    Resource("invoices", factories.InvoiceFactory),
    Resource("phone-lines", factories.PhoneLineFactory, has_contact=False),
    Resource("segments", factories.SegmentFactory, has_contact=False),
    Resource("outgoing-events", factories.OutgoingEventFactory, has_contact=False),
    Resource("outgoing-webhooks", factories.OutgoingWebhookFactory, has_contact=False),
    Resource("background-tasks", factories.BackgroundTaskFactory, has_contact=False),
    Resource("imports", factories.ImportFactory, has_contact=False),
    Resource("api-tokens", factories.ApiTokenFactory, has_contact=False),
    Resource("calendar-feeds", factories.CalendarFeedFactory, has_contact=False),
    Resource("audit", factories.AuditEntryFactory, has_contact=False),
    Resource("users", factories.UserFactory, has_contact=False),
    Resource("colleagues", factories.UserFactory, has_contact=False, detail=False),
    Resource("calls", factories.CallFactory),
    Resource("dashboard/calls", factories.CallFactory, detail=False),
    Resource("missed-calls", factories.MissedCallerFactory),
    Resource("appointments", factories.AppointmentFactory),
    Resource("tasks", factories.TaskFactory),
    Resource("time-off", factories.TimeOffFactory, has_contact=False),
    Resource("appointment-proposals", factories.AppointmentProposalFactory),
    Resource("appointment-reminders", factories.AppointmentReminderFactory),
    Resource("held-messages", factories.HeldMessageFactory),
    Resource("webhook-events", factories.WebhookEventFactory, has_contact=False),
    Resource("call-analyses", factories.CallAnalysisFactory),
]
