"""Choices of columns, stored as lower-case text and guarded by a CHECK."""

from typing import Self

from django.db.models import TextChoices


class Role(TextChoices):
    MANAGER = "manager"
    CSR = "csr", "CSR"
    REP = "rep"


# Roles of the users that a row may be assigned to, by the name of the foreign key.
ASSIGNABLE_ROLES = {
    "assigned_rep": (Role.REP,), "rep": (Role.REP,), "assignee": (Role.MANAGER, Role.CSR), "task.assignee": tuple(Role),
}  # fmt: skip


def assignable_roles(model_name: str, field: str) -> tuple[Role, ...]:
    """Return the roles of the users whom a field of a model, or else every field of this name, may name."""
    return ASSIGNABLE_ROLES.get(f"{model_name}.{field}") or ASSIGNABLE_ROLES[field]


class Provider(TextChoices):
    OPENPHONE = "openphone", "OpenPhone / Quo"
    CALLRAIL = "callrail", "CallRail"
    TWILIO = "twilio"


PROVIDERS_WITHOUT_ACCOUNT_ID = (Provider.OPENPHONE,)


class Direction(TextChoices):
    INCOMING = "incoming"
    OUTGOING = "outgoing"


class ActivityType(TextChoices):
    MESSAGE = "message"
    CALL = "call"
    VOICEMAIL = "voicemail"
    EMAIL = "email"
    NOTE = "note"


class FlagType(TextChoices):
    OPTED_OUT = "opted_out"
    DO_NOT_CONTACT = "do_not_contact"
    OFFICE_NUMBER = "office_number"
    INVALID_NUMBER = "invalid_number"


class FieldType(TextChoices):
    """Type of a custom field's values."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    YES_NO = "yes_no", "Yes or no"
    CHOICE = "choice"


class ReviewState(TextChoices):
    """State of a flag's review."""

    PENDING = "pending"
    CONFIRMED = "confirmed"


class Channel(TextChoices):
    SMS = "sms", "SMS"


class OptOutState(TextChoices):
    """State of a number. Messages are blocked under review, too."""

    CLEAR = "clear"
    UNDER_REVIEW = "under_review"
    OPTED_OUT = "opted_out"


class OptOutAction(TextChoices):
    """Action that an opt-out entry records."""

    OPTED_OUT = "opted_out"
    SUSPECTED = "suspected", "Possible opt-out"
    DISMISSED = "dismissed"
    OPTED_IN = "opted_in"


class ConversationStatus(TextChoices):
    OPEN = "open"
    WAITING = "waiting", "Waiting for reply"
    SNOOZED = "snoozed"  # until a time, or a message or call from the contact; then it waits again
    CLOSED = "closed"


class DuplicateState(TextChoices):
    """State of two contacts that may be the same person."""

    OPEN = "open"
    MERGED = "merged"
    NOT_THE_SAME = "not_the_same", "Not the same"


class AuditAction(TextChoices):
    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"
    EXPORT = "export"
    REPLAY = "replay"

    @classmethod
    def not_of_a_row(cls) -> list["AuditAction"]:
        """Return the actions that no trigger records: what users did, without a change of an audited row."""
        return [cls.EXPORT, cls.REPLAY]


class LeadStatus(TextChoices):
    NEW = "new"
    CONTACTED = "contacted"
    QUALIFIED = "qualified"
    BOOKED = "booked"
    WON = "won"
    LOST = "lost"


CLOSED_LEADS = (LeadStatus.WON, LeadStatus.LOST)
POOL_STATUSES = [LeadStatus.NEW.value, LeadStatus.CONTACTED.value, LeadStatus.QUALIFIED.value]  # of leads in the pool


class CampaignStatus(TextChoices):
    """A campaign's status. `color` is the badge's colour in the admin, a class in crm/admin.css."""

    color: str

    def __new__(cls, value: str, *row: str) -> Self:
        status = str.__new__(cls, value)
        status._value_ = value
        (status.color,) = row
        return status

    DRAFT = "draft", "plain", "Draft"
    SCHEDULED = "scheduled", "waiting", "Scheduled"
    RUNNING = "running", "waiting", "Running"
    PAUSED = "paused", "waiting", "Paused"
    COMPLETED = "completed", "good", "Completed"
    CANCELLED = "cancelled", "plain", "Cancelled"


class CampaignPurpose(TextChoices):
    """Purpose of a campaign's messages. Marketing asks for consent."""

    MARKETING = "marketing"
    SERVICE = "service"


class MembershipStatus(TextChoices):
    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNDELIVERED = "undelivered"
    REPLIED = "replied"
    OPTED_OUT = "opted_out"
    SKIPPED = "skipped"


class Variant(TextChoices):
    """Variants of a campaign's message in an A/B test."""

    A = "a", "A"
    B = "b", "B"


class SessionKind(TextChoices):
    API = "api", "API"
    ADMIN = "admin", "Admin"


class MailKind(TextChoices):
    INVITATION = "invitation"
    PASSWORD_RESET = "password_reset", "Forgotten password"


class MailState(TextChoices):
    """State of a mail. A failed one has used up its attempts; of a skipped one there was nobody to send it to."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    SKIPPED = "skipped"


class TaskState(TextChoices):
    """State of a background task. It only moves forward."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @classmethod
    def open(cls) -> list["TaskState"]:
        return [cls.QUEUED, cls.RUNNING]

    @classmethod
    def ended(cls) -> list["TaskState"]:
        return [cls.DONE, cls.FAILED, cls.CANCELLED]


class OutgoingStatus(TextChoices):
    """Status of an outgoing event."""

    PENDING = "pending"
    SENT = "sent"
    DEAD = "dead"


class ImportState(TextChoices):
    """State of an import, and of its undo."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNDOING = "undoing"
    UNDONE = "undone"


class RowVerdict(TextChoices):
    """Outcome of one person of an imported file."""

    WAITING = "waiting"
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    MERGED_IN_FILE = "merged_in_file", "Merged in the file"
    REJECTED = "rejected"

    @classmethod
    def decided(cls) -> list["RowVerdict"]:
        return [verdict for verdict in cls if verdict != cls.WAITING]


class RowUndo(TextChoices):
    """Outcome of an undo for one contact."""

    REVERSED = "reversed"
    KEPT = "kept"
    ERRORED = "errored"


class ConsentSource(TextChoices):
    """Source of a consent to marketing messages."""

    FORM = "form"
    MESSAGE = "message", "Text message"
    IMPORT = "import"
    PERSON = "person", "Recorded by a user"


class InvoiceStatus(TextChoices):
    DRAFT = "draft"
    SENT = "sent"
    PARTIAL = "partial"
    PAID = "paid"
    OVERDUE = "overdue"
    VOID = "void"
