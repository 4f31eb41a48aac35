"""Rows for tests. Numbers are from the range reserved for fiction: +1 212 555 01xx."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import factory
from django.contrib.auth.hashers import make_password
from factory.django import DjangoModelFactory

from analytics.models import CallAnalysis
from calls.choices import BOOKED
from calls.models import Appointment, Call
from crm.db.tenancy import all_tenants
from crm.models import (
    Activity,
    AuditEntry,
    Campaign,
    CampaignMembership,
    Company,
    Contact,
    ContactFlag,
    ContactPhone,
    Conversation,
    IdempotencyKey,
    Invoice,
    Lead,
    PhoneLine,
    SuppressedNumber,
    User,
)
from crm.models.evidence import hash_number
from messaging.models import Message, WebhookEvent, WebhookSecret


def fictional_number(n: int) -> str:
    """A different area code for each hundred."""
    return f"+1{201 + n // 100}55501{n % 100:02d}"


PASSWORD = "rain-gutter-42"


PASSWORD_HASH = make_password(PASSWORD)  # made once, since a good hash is slow on purpose


class RowFactory(DjangoModelFactory):
    """Writes rows of whichever company they name, whether or not the test has entered one."""

    class Meta:
        abstract = True

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        with all_tenants():
            return super()._create(model_class, *args, **kwargs)


class CompanyFactory(RowFactory):
    class Meta:
        model = Company

    name = factory.Sequence(lambda n: f"Company {n}")
    slug = factory.Sequence(lambda n: f"company-{n}")
    timezone = "America/New_York"


class UserFactory(RowFactory):
    class Meta:
        model = User

    company = factory.SubFactory(CompanyFactory)
    role = "csr"
    username = factory.Sequence(lambda n: f"user{n}")
    password = PASSWORD_HASH


class PhoneLineFactory(RowFactory):
    class Meta:
        model = PhoneLine

    company = factory.SubFactory(CompanyFactory)
    name = "Front desk"
    number = factory.Sequence(lambda n: fictional_number(n + 5000))
    provider_id = factory.Sequence(lambda n: f"PNtest{n}")


class ContactFactory(RowFactory):
    """A contact with its main number among its phones."""

    class Meta:
        model = Contact

    company = factory.SubFactory(CompanyFactory)
    first_name = "Casey"
    last_name = factory.Sequence(lambda n: f"Customer{n}")
    phone = factory.Sequence(fictional_number)

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        contact = super()._create(model_class, *args, **kwargs)
        ContactPhoneFactory(contact=contact, phone=contact.phone)
        return contact


class OfContactFactory(RowFactory):
    """Rows that belong to a contact, and to its company."""

    class Meta:
        abstract = True

    contact = factory.SubFactory(ContactFactory)
    company = factory.LazyAttribute(lambda row: row.contact.company)


class ContactPhoneFactory(OfContactFactory):
    class Meta:
        model = ContactPhone

    phone = factory.Sequence(lambda n: fictional_number(n + 10000))


class ContactFlagFactory(OfContactFactory):
    class Meta:
        model = ContactFlag

    flag_type = "do_not_contact"


class SuppressedNumberFactory(RowFactory):
    class Meta:
        model = SuppressedNumber

    company = factory.SubFactory(CompanyFactory)
    number_hash = factory.Sequence(lambda n: hash_number(fictional_number(n + 15000)))
    flag_type = "opted_out"


class AuditEntryFactory(RowFactory):
    class Meta:
        model = AuditEntry

    company = factory.SubFactory(CompanyFactory)
    table_name = "contacts"
    row_id = factory.Sequence(lambda n: n)
    action = "update"
    changes = {"first_name": ["Casey", "Kacey"]}


class LeadFactory(OfContactFactory):
    class Meta:
        model = Lead


class ConversationFactory(OfContactFactory):
    class Meta:
        model = Conversation

    phone_line = factory.SubFactory(PhoneLineFactory, company=factory.SelfAttribute("..company"))


class ActivityFactory(OfContactFactory):
    class Meta:
        model = Activity

    activity_type = "note"
    body = "Has a dog."


class CampaignFactory(RowFactory):
    class Meta:
        model = Campaign

    company = factory.SubFactory(CompanyFactory)
    name = factory.Sequence(lambda n: f"Spring check {n}")


class CampaignMembershipFactory(OfContactFactory):
    class Meta:
        model = CampaignMembership

    campaign = factory.SubFactory(CampaignFactory, company=factory.SelfAttribute("..company"))


class InvoiceFactory(OfContactFactory):
    class Meta:
        model = Invoice

    number = factory.Sequence(lambda n: f"INV-{n:05d}")
    amount = Decimal("1250.00")
    due_date = datetime(2026, 3, 1, tzinfo=UTC).date()


class CallFactory(OfContactFactory):
    class Meta:
        model = Call

    status = "unbooked"
    booked = factory.LazyAttribute(lambda call: call.status in BOOKED)
    from_number = factory.LazyAttribute(lambda call: call.contact.phone if call.contact else "")


class AppointmentFactory(OfContactFactory):
    class Meta:
        model = Appointment

    timezone = factory.LazyAttribute(lambda visit: visit.company.timezone)
    scheduled_start = datetime(2026, 3, 2, 16, tzinfo=UTC)
    scheduled_end = factory.LazyAttribute(lambda visit: visit.scheduled_start + timedelta(hours=1))


class MessageFactory(OfContactFactory):
    class Meta:
        model = Message

    direction = "incoming"
    status = "received"
    body = "Can you come on Tuesday?"
    activity = factory.SubFactory(
        ActivityFactory,
        contact=factory.SelfAttribute("..contact"),
        activity_type="message",
        direction=factory.SelfAttribute("..direction"),
        body=factory.SelfAttribute("..body"),
    )


class WebhookEventFactory(RowFactory):
    class Meta:
        model = WebhookEvent

    company = factory.SubFactory(CompanyFactory)
    provider = "openphone"
    event_id = factory.Sequence(lambda n: f"EVtest{n}")
    event_type = "message.received"
    body = b"{}"


class WebhookSecretFactory(RowFactory):
    class Meta:
        model = WebhookSecret

    company = factory.SubFactory(CompanyFactory)
    provider = "openphone"
    secret = "R2ZLM2o0bFhBNVpyUnU2NG9mYXQ1MHNyR3pvSUhIVVg="


class CallAnalysisFactory(RowFactory):
    class Meta:
        model = CallAnalysis

    call = factory.SubFactory(CallFactory)
    company = factory.LazyAttribute(lambda analysis: analysis.call.company)
    objections = ["price"]


class IdempotencyKeyFactory(RowFactory):
    class Meta:
        model = IdempotencyKey

    user = factory.SubFactory(UserFactory)
    company = factory.LazyAttribute(lambda row: row.user.company)
    key = factory.Sequence(lambda n: f"key-{n}")
    request = "POST /api/v1/appointments"
    status = 201
    response = "{}"
