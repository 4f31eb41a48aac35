"""Factories of rows."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import factory
from django.contrib.auth.hashers import make_password
from django.utils.timezone import now
from factory.django import DjangoModelFactory

from analytics.models import (
    ArchivedCalls,
    ArchivedChunk,
    ArchivedObjections,
    CallAnalysis,
    CallDay,
    CallObjection,
    CallRollup,
    StaleCallHour,
)
from calls.choices import BOOKED
from calls.models import Appointment, Call, CallDetail, MissedCaller
from crm.db.tenancy import all_tenants
from crm.models import (
    Activity,
    ArchivedId,
    AuditEntry,
    Campaign,
    CampaignMembership,
    Company,
    Contact,
    ContactFlag,
    ContactPhone,
    ContactSearchKey,
    Conversation,
    IdempotencyKey,
    Invoice,
    KeyFingerprint,
    Lead,
    OptOut,
    OptOutEntry,
    PhoneLine,
    SuppressedNumber,
    User,
    WorkerHeartbeat,
)
from crm.models.audit import hash_number
from messaging.models import Message, ProviderAccount, ProviderHealth, WebhookEvent, WebhookSecret
from tests.fictional_numbers import fictional_number, numbers_between

PASSWORD = "rain-gutter-42"


class RowFactory(DjangoModelFactory):
    """Base class that writes rows of any company, whether or not the test has an active tenant."""

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


class OfCompanyFactory(RowFactory):
    class Meta:
        abstract = True

    company = factory.SubFactory(CompanyFactory)


class UserFactory(OfCompanyFactory):
    class Meta:
        model = User

    role = "csr"
    username = factory.Sequence(lambda n: f"user{n}")
    password = factory.LazyFunction(lambda: make_password(PASSWORD))


class PhoneLineFactory(OfCompanyFactory):
    class Meta:
        model = PhoneLine

    name = "Front desk"
    number = numbers_between(23_000, 25_000)
    provider_id = factory.Sequence(lambda n: f"PNtest{n}")


class ContactFactory(OfCompanyFactory):
    """A contact with its main number among its phones."""

    class Meta:
        model = Contact

    first_name = "Casey"
    last_name = factory.Sequence(lambda n: f"Customer{n}")
    phone = numbers_between(3_000, 23_000)

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        contact = super()._create(model_class, *args, **kwargs)
        ContactPhoneFactory(contact=contact, phone=contact.phone)
        return contact


class OfContactFactory(RowFactory):
    """Base class of rows that belong to a contact and its company."""

    class Meta:
        abstract = True

    contact = factory.SubFactory(ContactFactory)
    company = factory.LazyAttribute(lambda row: row.contact.company)


class ContactPhoneFactory(OfContactFactory):
    class Meta:
        model = ContactPhone

    phone = numbers_between(25_000, 32_000)


class ContactSearchKeyFactory(OfContactFactory):
    class Meta:
        model = ContactSearchKey

    key = factory.Sequence(lambda n: f"nickname{n}")


class ContactFlagFactory(OfContactFactory):
    class Meta:
        model = ContactFlag

    flag_type = "do_not_contact"


class SuppressedNumberFactory(OfCompanyFactory):
    class Meta:
        model = SuppressedNumber

    number_hash = factory.Sequence(lambda n: hash_number(fictional_number(32_000 + n % 2_000)))


class ArchivedIdFactory(OfCompanyFactory):
    class Meta:
        model = ArchivedId

    id_hash = factory.Sequence(lambda n: n)


class AuditEntryFactory(OfCompanyFactory):
    class Meta:
        model = AuditEntry

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


class CampaignFactory(OfCompanyFactory):
    class Meta:
        model = Campaign

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


class CallDetailFactory(RowFactory):
    class Meta:
        model = CallDetail

    call = factory.SubFactory(CallFactory)
    company = factory.LazyAttribute(lambda detail: detail.call.company)
    openphone_id = factory.Sequence(lambda n: f"ACcall{n}")


class MissedCallerFactory(OfContactFactory):
    class Meta:
        model = MissedCaller

    first_missed_at = datetime(2026, 3, 2, 16, tzinfo=UTC)
    last_missed_at = factory.SelfAttribute("first_missed_at")


class OptOutFactory(OfCompanyFactory):
    class Meta:
        model = OptOut

    phone = numbers_between(34_000, 36_000)
    number_hash = factory.LazyAttribute(lambda row: hash_number(row.phone))
    state = "opted_out"
    decided_at = datetime(2026, 3, 2, 16, tzinfo=UTC)


class OptOutEntryFactory(RowFactory):
    class Meta:
        model = OptOutEntry

    opt_out = factory.SubFactory(OptOutFactory)
    company = factory.LazyAttribute(lambda entry: entry.opt_out.company)
    action = "opted_out"
    words = "STOP"
    source = "sms"
    occurred_at = datetime(2026, 3, 2, 16, tzinfo=UTC)


class ProviderHealthFactory(RowFactory):
    class Meta:
        model = ProviderHealth
        django_get_or_create = ("provider",)

    provider = "openphone"


class WorkerHeartbeatFactory(RowFactory):
    class Meta:
        model = WorkerHeartbeat

    host = "crm-1"
    pid = factory.Sequence(lambda n: n + 1)
    version = "1"
    jobs = factory.LazyFunction(lambda: ["deliveries", "texts"])
    seen_at = factory.LazyFunction(now)


class ProviderAccountFactory(OfCompanyFactory):
    class Meta:
        model = ProviderAccount

    provider = "openphone"
    api_key = "test-key-1"


class AppointmentFactory(OfContactFactory):
    class Meta:
        model = Appointment

    timezone = factory.LazyAttribute(lambda appointment: appointment.company.timezone)
    scheduled_start = datetime(2026, 3, 2, 16, tzinfo=UTC)
    scheduled_end = factory.LazyAttribute(lambda appointment: appointment.scheduled_start + timedelta(hours=1))


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


class HeldMessageFactory(MessageFactory):
    class Meta:
        model = Message

    direction = "outgoing"
    kind = "reply"
    status = "held"


class WebhookEventFactory(OfCompanyFactory):
    class Meta:
        model = WebhookEvent

    provider = "openphone"
    event_id = factory.Sequence(lambda n: f"EVtest{n}")
    event_type = "message.received"
    body = b"{}"


class WebhookSecretFactory(OfCompanyFactory):
    class Meta:
        model = WebhookSecret

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


class CallDayFactory(OfCompanyFactory):
    class Meta:
        model = CallDay

    day = factory.Sequence(lambda n: date(2026, 3, 1) + timedelta(days=n))
    total = qualified = booked = qualified_booked = 0
    in_progress = missed = unbooked = awaiting_quote = still_deciding = purchased = lost = cancelled = lost_value = 0


class CallRollupFactory(OfCompanyFactory):
    class Meta:
        model = CallRollup


class StaleCallHourFactory(OfCompanyFactory):
    class Meta:
        model = StaleCallHour

    hour = datetime(2026, 3, 1, 12, tzinfo=UTC)


class CallObjectionFactory(RowFactory):
    class Meta:
        model = CallObjection

    call = factory.SubFactory(CallFactory)
    company = factory.LazyAttribute(lambda objection: objection.call.company)
    label = "price"
    analyzed_at = datetime(2026, 3, 1, 12, tzinfo=UTC)


class ArchivedCallsFactory(OfCompanyFactory):
    class Meta:
        model = ArchivedCalls

    quarter_hour = datetime(2024, 3, 1, 12, tzinfo=UTC)
    total = 1
    qualified = booked = qualified_booked = 0
    in_progress = missed = unbooked = awaiting_quote = still_deciding = purchased = lost = cancelled = lost_value = 0


class ArchivedObjectionsFactory(OfCompanyFactory):
    class Meta:
        model = ArchivedObjections

    quarter_hour = datetime(2024, 3, 1, 12, tzinfo=UTC)
    label = "price"
    calls = 1


class ArchivedChunkFactory(OfCompanyFactory):
    class Meta:
        model = ArchivedChunk

    folder = "/archive/acme/20260301T120000000000Z"
    archive = "20260301T120000000000Z"
    number = factory.Sequence(lambda n: n)
    bundle = "calls"
    cut_off = datetime(2024, 3, 1, 12, tzinfo=UTC)
    files = factory.LazyFunction(list)


class KeyFingerprintFactory(RowFactory):
    class Meta:
        model = KeyFingerprint

    name = factory.Sequence(lambda n: f"KEY_{n}")
    fingerprint = "0" * 64
