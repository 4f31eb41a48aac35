"""Two companies: the caller's, and a foreign one whose rows must never appear in a response."""

from datetime import UTC, datetime, timedelta
from itertools import count

from django.apps import apps
from django.db.models import F, ForeignKey

from crm.db.tenancy import TenantModel, all_tenants
from crm.models import User
from tests import factories

MARKER = "quetzal"  # in every row of the foreign company only
AREA_CODE = "989"  # of the foreign company's numbers only
FOREIGN_TEXTS = (MARKER, f"+1{AREA_CODE}555")
FOREIGN_IDS = range(777_000_001, 777_000_041)  # ids of the foreign company's rows only
REFERENCES = {
    "id", "contact", "call", "lead", "campaign", "conversation", "phone_line", "user", "assigned_rep", "created_by",
    "assignee", "rep",
}  # fmt: skip


def make_company_rows(company, *, rows, **of_rep):
    """Create rows in every table that the API shows."""
    line = factories.PhoneLineFactory(company=company)
    for number in range(rows):
        contact = factories.ContactFactory(company=company)
        factories.ContactFlagFactory(contact=contact)
        factories.ContactTagFactory(contact=contact)
        factories.ContactFieldValueFactory(contact=contact)
        factories.ContactListEntryFactory(contact=contact)
        lead = factories.LeadFactory(contact=contact)
        conversation = factories.ConversationFactory(contact=contact, phone_line=line)
        factories.ActivityFactory(contact=contact, conversation=conversation)
        factories.CampaignMembershipFactory(contact=contact, campaign__company=company)
        factories.InvoiceFactory(contact=contact)
        call = factories.CallFactory(contact=contact, lead=lead, phone_line=line, **of_rep)
        start = datetime(2026, 3, 2, 16, tzinfo=UTC) + timedelta(hours=number)
        appointment = factories.AppointmentFactory(
            contact=contact, call=call, lead=lead, scheduled_start=start, **of_rep
        )
        factories.AppointmentReminderFactory(appointment=appointment)
        factories.AppointmentProposalFactory(appointment=appointment)
        factories.TaskFactory(contact=contact, call=call, lead=lead)
        factories.AttachmentFactory(contact=contact)
        factories.AttachmentFactory(contact=None, company=company, call=call, kind="recording")
        factories.MarketingConsentFactory(company=company, phone=contact.phone)
        factories.SegmentFactory(company=company)
        factories.SnippetFactory(company=company)
        factories.TimeOffFactory(company=company)
        factories.ImportRowFactory(company=company)
        factories.BackgroundTaskFactory(company=company, result_file=factories.StoredFileFactory(company=company))
        factories.ContactMergeFactory(company=company, kept=contact)
        factories.DuplicateCandidateFactory(company=company)
        factories.MessageFactory(contact=contact, phone_line=line)
        factories.MissedCallerFactory(contact=contact, phone_line=line)
        factories.CallAnalysisFactory(call=call)
        factories.WebhookEventFactory(company=company)


def make_foreign_rows(company):
    """Create the foreign company's rows, each with the marker, an id of FOREIGN_IDS and numbers of AREA_CODE."""
    ids, numbers = iter(FOREIGN_IDS), count()

    def number():
        return f"+1{AREA_CODE}55501{next(numbers):02d}"

    def make(row_factory, **values):
        return row_factory(pk=next(ids), company=company, **values)

    rep = make(factories.UserFactory, username=f"{MARKER}-rep", role="rep", last_name=MARKER)
    line = make(factories.PhoneLineFactory, name=MARKER, number=number(), provider_id=f"PN{MARKER}")
    names = {"first_name": MARKER, "last_name": MARKER, "email": f"{MARKER}@example.com", "address": MARKER}
    contact = make(factories.ContactFactory, phone=number(), **names)
    of_contact = {"contact": contact}
    make(factories.ContactPhoneFactory, phone=number(), **of_contact)
    make(factories.ContactFlagFactory, reason=MARKER, created_by=rep, **of_contact)
    lead = make(factories.LeadFactory, notes=MARKER, **of_contact)
    conversation = make(factories.ConversationFactory, phone_line=line, **of_contact)
    make(factories.ActivityFactory, conversation=conversation, user=rep, body=MARKER, **of_contact)
    campaign = make(factories.CampaignFactory, name=MARKER, body=MARKER, phone_line=line, created_by=rep)
    make(factories.CampaignMembershipFactory, campaign=campaign, reason=MARKER, **of_contact)
    make(factories.InvoiceFactory, number=MARKER, **of_contact)
    on_call = {"lead": lead, "phone_line": line, "assigned_rep": rep, "status": "lost", "reason_for_lost_sale": MARKER}
    call = make(factories.CallFactory, to_number=line.number, **on_call, **of_contact)
    appointment = make(factories.AppointmentFactory, call=call, lead=lead, assigned_rep=rep, notes=MARKER, **of_contact)
    make(factories.AppointmentProposalFactory, appointment=appointment, created_by=rep, note=MARKER)
    make(factories.AppointmentReminderFactory, appointment=appointment, reason=MARKER)
    make(factories.SnippetFactory, body=MARKER)
    make(factories.TimeOffFactory, rep=rep, reason=MARKER)
    make(factories.TaskFactory, call=call, lead=lead, assignee=rep, title=MARKER, **of_contact)
    make(factories.AttachmentFactory, contact=None, call=call, kind="recording", error=MARKER)
    make(factories.MarketingConsentFactory, wording=MARKER, phone=number())
    text = make(factories.ActivityFactory, activity_type="message", direction="incoming", body=MARKER, **of_contact)
    make(factories.MessageFactory, activity=text, phone_line=line, body=MARKER, to_numbers=[line.number], **of_contact)
    twin = make(factories.ContactFactory, phone=number(), **names)
    make(factories.DuplicateCandidateFactory, first=contact, second=twin)
    make(factories.ContactMergeFactory, kept=contact, fields={"city": MARKER})
    make(factories.MissedCallerFactory, phone_line=line, text_back_reason=MARKER, **of_contact)
    make(factories.CallAnalysisFactory, call=call, summary=MARKER, objections=[MARKER])
    make(factories.WebhookEventFactory, event_id=MARKER, error=MARKER)


def foreign_ids_in(response):
    """Return the foreign ids in a response at any depth."""
    if isinstance(response, list):
        return {found for item in response for found in foreign_ids_in(item)}
    if not isinstance(response, dict):
        return set()
    found = {response[name] for name in REFERENCES & response.keys() if response[name] in FOREIGN_IDS}
    return found | foreign_ids_in(list(response.values()))


def tenant_models():
    return [User, *(model for model in apps.get_models() if issubclass(model, TenantModel))]


def ids_of(company):
    """Return the ids of a company's rows over all tables."""
    return sorted({row["id"] for rows in rows_of(company).values() for row in rows})


def rows_of(company):
    """Return every row of a company with every column."""
    with all_tenants():
        return {
            model.__name__: list(model.objects.filter(company=company).order_by("pk").values())
            for model in tenant_models()
        }


def references_across_companies():
    """Return references into another company as (model, field, ids)."""
    with all_tenants():
        return [
            (model.__name__, field.name, found)
            for model in tenant_models()
            for field in model._meta.fields
            if isinstance(field, ForeignKey) and field.related_model in tenant_models()
            if (
                found := list(
                    model.objects.filter(**{f"{field.name}__isnull": False})
                    .exclude(**{f"{field.name}__company": F("company")})
                    .values_list("pk", flat=True)
                )
            )
        ]
