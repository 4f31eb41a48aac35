"""Factories of activities, calls, messages, campaigns and what follows from them."""

import zlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import factory
from django.utils.timezone import now

from calls.choices import BOOKED
from calls.models import Appointment, AppointmentProposal, Attachment, Call, CallDetail, MissedCaller, Task, TimeOff
from crm.models import (
    Activity,
    ApiToken,
    ArchivedId,
    AuditEntry,
    BackgroundTask,
    CalendarFeed,
    Campaign,
    CampaignCount,
    CampaignMembership,
    CampaignStep,
    Change,
    Conversation,
    IdempotencyKey,
    Import,
    ImportRow,
    Invoice,
    Lead,
    OutgoingEvent,
    OutgoingWebhook,
    Segment,
    StoredFile,
    StoredFileChunk,
    StoredObject,
)
from crm.services.imports.reading.headers import fingerprint_of
from messaging.models import AppointmentReminder, Message, Snippet
from tests.factories.people import OfCompanyFactory, OfContactFactory, PhoneLineFactory, RowFactory, UserFactory


class ArchivedIdFactory(OfCompanyFactory):
    class Meta:
        model = ArchivedId

    id_hash = factory.Sequence(lambda n: n)


class ApiTokenFactory(OfCompanyFactory):
    class Meta:
        model = ApiToken

    name = factory.Sequence(lambda n: f"Website {n}")
    scopes = factory.LazyFunction(lambda: ["read"])
    beginning = "k3Vq"
    secret_hash = "0" * 64
    created_by = factory.SubFactory(UserFactory, company=factory.SelfAttribute("..company"), role="manager")


class CalendarFeedFactory(OfCompanyFactory):
    class Meta:
        model = CalendarFeed

    user = factory.SubFactory(UserFactory, company=factory.SelfAttribute("..company"), role="rep")
    beginning = "k3Vq"
    secret_hash = "0" * 64
    created_by = factory.SelfAttribute("user")


class AuditEntryFactory(OfCompanyFactory):
    class Meta:
        model = AuditEntry

    table_name = "contacts"
    row_id = factory.Sequence(lambda n: n)
    action = "update"
    changes = {"first_name": ["Casey", "Kacey"]}


class ChangeFactory(OfCompanyFactory):
    class Meta:
        model = Change

    xid = 0
    resource = "contacts"
    object_id = factory.Sequence(lambda n: n)
    change = "updated"
    at = factory.LazyFunction(now)


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

    class Params:
        is_ready = factory.LazyAttribute(lambda campaign: campaign.status not in ("draft", "cancelled"))

    name = factory.Sequence(lambda n: f"Spring check {n}")
    status = "draft"
    body = "Is your roof ready for spring?"
    phone_line = factory.Maybe(
        "is_ready", factory.SubFactory(PhoneLineFactory, company=factory.SelfAttribute("..company"))
    )
    started_at = factory.LazyAttribute(
        lambda campaign: now() if campaign.status in ("running", "paused", "completed") else None
    )


class CampaignStepFactory(OfCompanyFactory):
    class Meta:
        model = CampaignStep

    campaign = factory.SubFactory(CampaignFactory, company=factory.SelfAttribute("..company"))
    step = 2
    delay_minutes = 60
    body = "Still interested?"


class CampaignCountFactory(OfCompanyFactory):
    class Meta:
        model = CampaignCount

    campaign = factory.SubFactory(CampaignFactory, company=factory.SelfAttribute("..company"))
    step = 1
    variant = "a"
    status = "pending"
    booked = False
    members = 1
    sms_segments = 0


class OutgoingWebhookFactory(OfCompanyFactory):
    class Meta:
        model = OutgoingWebhook

    name = factory.Sequence(lambda n: f"Shop {n}")
    url = "https://hooks.example.com/crm"
    resources = factory.LazyFunction(lambda: ["contacts"])
    secret = "whsec_c2l4IHRpbWVzIHNldmVuIGlzIGZvcnR5IHR3byE="


class OutgoingEventFactory(OfCompanyFactory):
    class Meta:
        model = OutgoingEvent

    webhook = factory.SubFactory(OutgoingWebhookFactory, company=factory.SelfAttribute("..company"))
    resource = "contacts"
    object_id = factory.Sequence(lambda n: n)
    change = "updated"
    occurred_at = factory.LazyFunction(now)


class StoredFileFactory(OfCompanyFactory):
    class Meta:
        model = StoredFile

    name = factory.Sequence(lambda n: f"customers {n}.csv")
    content_type = "text/csv"
    expires_at = factory.LazyFunction(lambda: now() + timedelta(days=30))


class StoredFileChunkFactory(OfCompanyFactory):
    class Meta:
        model = StoredFileChunk

    file = factory.SubFactory(StoredFileFactory, company=factory.SelfAttribute("..company"))
    position = 0
    data = factory.LazyFunction(lambda: zlib.compress(b"Phone"))


class StoredObjectFactory(OfCompanyFactory):
    class Meta:
        model = StoredObject

    file = factory.SubFactory(
        StoredFileFactory, company=factory.SelfAttribute("..company"), expires_at=None, has_object=True
    )
    key = factory.Sequence(lambda n: f"1/{n:032x}")


class BackgroundTaskFactory(OfCompanyFactory):
    class Meta:
        model = BackgroundTask

    kind = "import"


class ImportFactory(OfCompanyFactory):
    class Meta:
        model = Import

    name = "customers.csv"
    header = factory.LazyFunction(lambda: ["Name", "Phone"])
    header_key = factory.LazyAttribute(lambda row: fingerprint_of(row.header))
    mapping = factory.LazyAttribute(
        lambda row: {"header": row.header, "columns": {"Name": "full_name", "Phone": "phone"}}
    )
    task = factory.SubFactory(BackgroundTaskFactory, company=factory.SelfAttribute("..company"))


class ImportRowFactory(OfCompanyFactory):
    class Meta:
        model = ImportRow

    source = factory.SubFactory(ImportFactory, company=factory.SelfAttribute("..company"))
    n = factory.Sequence(lambda n: n + 2)
    cells = factory.LazyFunction(lambda: ["Robin Field", "3035550142"])


class SegmentFactory(OfCompanyFactory):
    class Meta:
        model = Segment

    name = factory.Sequence(lambda n: f"Customers in Denver {n}")
    definition = factory.LazyFunction(lambda: {"all": []})


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


class AppointmentFactory(OfContactFactory):
    class Meta:
        model = Appointment

    timezone = factory.LazyAttribute(lambda appointment: appointment.company.timezone)
    scheduled_start = datetime(2026, 3, 2, 16, tzinfo=UTC)
    scheduled_end = factory.LazyAttribute(lambda appointment: appointment.scheduled_start + timedelta(hours=1))


class AppointmentProposalFactory(RowFactory):
    class Meta:
        model = AppointmentProposal

    class Params:
        contact = None

    appointment = factory.Maybe(
        "contact",
        factory.SubFactory(AppointmentFactory, contact=factory.SelfAttribute("..contact")),
        factory.SubFactory(AppointmentFactory),
    )
    company = factory.LazyAttribute(lambda proposal: proposal.appointment.company)
    scheduled_start = factory.LazyAttribute(lambda proposal: proposal.appointment.scheduled_start + timedelta(days=1))
    scheduled_end = factory.LazyAttribute(lambda proposal: proposal.scheduled_start + timedelta(hours=1))
    created_by = factory.SubFactory(UserFactory, company=factory.SelfAttribute("..company"), role="rep")


class AttachmentFactory(OfContactFactory):
    """A stored picture of a contact; with `contact=None`, a company and an owner, a file of a call or a message."""

    class Meta:
        model = Attachment

    kind = "upload"
    status = "stored"
    file = factory.SubFactory(
        StoredFileFactory, company=factory.SelfAttribute("..company"), name="roof.jpg", content_type="image/jpeg",
        expires_at=None,
    )  # fmt: skip


class TaskFactory(OfContactFactory):
    class Meta:
        model = Task

    title = "Send the quote"
    due_at = datetime(2026, 3, 3, 17, tzinfo=UTC)


class TimeOffFactory(OfCompanyFactory):
    class Meta:
        model = TimeOff

    rep = factory.SubFactory(UserFactory, company=factory.SelfAttribute("..company"), role="rep")
    starts_at = datetime(2026, 3, 2, 7, tzinfo=UTC)
    ends_at = factory.LazyAttribute(lambda off: off.starts_at + timedelta(days=1))


class SnippetFactory(OfCompanyFactory):
    class Meta:
        model = Snippet

    shortcut = factory.Sequence(lambda n: f"hours-{n}")
    body = "Hi {first_name|there}, we are open from 8 to 6."


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


class AppointmentReminderFactory(RowFactory):
    class Meta:
        model = AppointmentReminder

    class Params:
        contact = None

    appointment = factory.Maybe(
        "contact",
        factory.SubFactory(AppointmentFactory, contact=factory.SelfAttribute("..contact")),
        factory.SubFactory(AppointmentFactory),
    )
    company = factory.LazyAttribute(lambda reminder: reminder.appointment.company)
    lead_minutes = 1440
    scheduled_start = factory.LazyAttribute(lambda reminder: reminder.appointment.scheduled_start)
    status = "queued"


class HeldMessageFactory(MessageFactory):
    class Meta:
        model = Message

    direction = "outgoing"
    kind = "reply"
    status = "held"


class IdempotencyKeyFactory(RowFactory):
    class Meta:
        model = IdempotencyKey

    user = factory.SubFactory(UserFactory)
    company = factory.LazyAttribute(lambda row: row.user.company)
    key = factory.Sequence(lambda n: f"key-{n}")
    request = "POST /api/v1/appointments"
    status = 201
    response = "{}"
