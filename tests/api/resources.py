"""Resources of the API, as test parameters."""

from dataclasses import dataclass

from tests import factories
from tests.factories import RowFactory


@dataclass(frozen=True)
class Resource:
    route: str
    factory: type[RowFactory]
    has_contact: bool = True
    detail: bool = True

    def __str__(self) -> str:
        return self.route

    @property
    def url(self) -> str:
        return f"/api/v1/{self.route}"


RESOURCES = [
    Resource("contacts", factories.ContactFactory, has_contact=False),
    Resource("contact-flags", factories.ContactFlagFactory),
    Resource("opt-outs", factories.OptOutFactory, has_contact=False),
    Resource("leads", factories.LeadFactory),
    Resource("conversations", factories.ConversationFactory),
    Resource("activities", factories.ActivityFactory),
    Resource("campaigns", factories.CampaignFactory, has_contact=False),
    Resource("campaign-memberships", factories.CampaignMembershipFactory),
    Resource("invoices", factories.InvoiceFactory),
    Resource("phone-lines", factories.PhoneLineFactory, has_contact=False),
    Resource("users", factories.UserFactory, has_contact=False),
    Resource("calls", factories.CallFactory),
    Resource("dashboard/calls", factories.CallFactory, detail=False),
    Resource("missed-calls", factories.MissedCallerFactory),
    Resource("appointments", factories.AppointmentFactory),
    Resource("webhook-events", factories.WebhookEventFactory, has_contact=False),
    Resource("call-analyses", factories.CallAnalysisFactory),
]
