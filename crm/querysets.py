"""Named queries on the records of contacts and companies."""

from datetime import date, datetime, timedelta
from typing import Any, Self

from django.apps import apps
from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import (
    Case,
    DateTimeField,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Replace
from django.utils import timezone

from crm.choices import (
    CLOSED_LEADS,
    POOL_STATUSES,
    ActivityType,
    DuplicateState,
    FlagType,
    InvoiceStatus,
    TaskState,
)
from crm.query_slots import call_activity_ids_of_rep, contact_ids_of_rep, unread_messages

AWAITING_PAYMENT = (InvoiceStatus.SENT, InvoiceStatus.PARTIAL)
UNPAID = (*AWAITING_PAYMENT, InvoiceStatus.OVERDUE)
_IN_POOL = Q(assignee__isnull=True, status__in=POOL_STATUSES)


class PhoneLineQuerySet(QuerySet):
    def unnamed(self) -> Self:
        """Return lines that a webhook event created and that have no name yet."""
        return self.filter(name="")

    def pause(self, *, until: datetime, reason: str, ended_after: datetime | None = None) -> int:
        """Pause these lines until then.

        Args:
            ended_after: a pause that ended after this time goes on, as one does that hasn't ended.
        """
        now = timezone.now()
        goes_on = Q(paused_until__gt=ended_after or now, paused_at__isnull=False)
        paused_at = Case(When(goes_on, then=F("paused_at")), default=Value(now, output_field=DateTimeField()))
        return self.update(paused_until=until, paused_at=paused_at, pause_reason=reason[:200])


class OfContactQuerySet(QuerySet):
    """Rows that belong to a contact."""

    def assigned_to(self, rep: AbstractBaseUser) -> Self:
        """Return the rows of the rep's contacts."""
        return self.filter(contact__in=contact_ids_of_rep(rep))


class LeadQuerySet(OfContactQuerySet):
    def pool(self) -> Self:
        """Return the leads that nobody works on: neither assigned nor booked, won or lost."""
        return self.filter(_IN_POOL)

    def outside_pool(self) -> Self:
        return self.exclude(_IN_POOL)

    def open(self) -> Self:
        """Return the leads that are neither won nor lost."""
        return self.exclude(status__in=CLOSED_LEADS)


class ActivityQuerySet(OfContactQuerySet):
    def assigned_to(self, rep: AbstractBaseUser) -> Self:
        """Return the activities of the rep's contacts. Calls and voicemails are of the rep's own calls."""
        own = call_activity_ids_of_rep(rep)
        call_id = Replace(OuterRef("openphone_id"), Value(":voicemail"))  # how a voicemail's ID is made from its call's
        is_visible = (
            ~Q(activity_type__in=[ActivityType.CALL, ActivityType.VOICEMAIL])
            | Q(pk__in=own)
            | Q(Exists(own.filter(activity__openphone_id=call_id)), activity_type=ActivityType.VOICEMAIL)
        )
        return super().assigned_to(rep).filter(is_visible)


class ContactFieldQuerySet(QuerySet):
    def live(self) -> Self:
        """Return the fields that aren't deleted, in their order."""
        return self.filter(deleted_at__isnull=True).order_by("position", "id")

    def deleted(self) -> Self:
        return self.filter(deleted_at__isnull=False)


class ConversationQuerySet(OfContactQuerySet):
    def with_latest_message(self) -> Self:
        """Annotate each conversation with `latest_message`: the id of its latest activity that is a message."""
        # The conversation is the company's. By a condition on that, SQLite would walk through all its activities.
        activities = apps.get_model("crm", "Activity")._base_manager
        messages = activities.filter(conversation=OuterRef("pk"), activity_type=ActivityType.MESSAGE)
        # A query for each conversation, which its index answers: it ends at the first message from the end.
        latest = messages.order_by("-created_at", "-id").values("pk")[:1]
        return self.annotate(latest_message=Subquery(latest))

    def due_to_wake(self, now: datetime) -> Self:
        """Return snoozed conversations whose time has come, the earliest first."""
        return self.filter(snoozed_until__lte=now).order_by("snoozed_until", "id")

    def unread(self) -> Self:
        return self.filter(Exists(self._unread_messages()))

    def read(self) -> Self:
        return self.exclude(Exists(self._unread_messages()))

    def _unread_messages(self) -> QuerySet:
        return unread_messages().filter(contact=OuterRef("contact"), phone_line=OuterRef("phone_line"))


def flag_in_force(prefix: str = "", *, at: Any = None) -> Q:
    """Return the condition that a contact flag is in force, by default now. Its lookups begin with `prefix`."""
    return Q(**{f"{prefix}expires_at__isnull": True}) | Q(**{f"{prefix}expires_at__gt": at or timezone.now()})


class ContactFlagQuerySet(OfContactQuerySet):
    def in_force(self) -> Self:
        return self.filter(flag_in_force())

    def opted_out(self) -> Self:
        """Return opt-outs in force, through the partial index `idx_contact_flag_type_phone`."""
        return self.in_force().filter(flag_type=FlagType.OPTED_OUT)


class OfNumberQuerySet(QuerySet):
    """Rows that belong to a number, also while no contact has it."""

    def with_contact(self, numbers: QuerySet) -> Self:
        """Annotate each with `contact`, the id of the number's present owner, from rows of `contact_phones`."""
        return self.annotate(contact=Subquery(numbers.filter(phone=OuterRef("phone")).values("contact")[:1]))


class OptOutQuerySet(OfNumberQuerySet):
    def decided(self) -> Self:
        """Return opt-outs with an entry. One that is about to be recorded has a row without any, as a lock."""
        return self.filter(decided_at__isnull=False)


class MarketingConsentQuerySet(OfNumberQuerySet):
    def valid(self) -> Self:
        """Return consents that are not withdrawn."""
        return self.filter(withdrawn_at__isnull=True)

    def withdraw(self, *, number_hash: str, at: datetime) -> int:
        """Withdraw the consent of a number, unless it was given after `at`. Returns how many were valid at that time.

        Opt-outs arrive in any order, and the first one after the consent is its end.
        """
        valid = Q(withdrawn_at__isnull=True) | Q(withdrawn_at__gt=at)
        return self.filter(valid, number_hash=number_hash, given_at__lte=at).update(withdrawn_at=at)


class ContactMergeQuerySet(QuerySet):
    def in_force(self) -> Self:
        """Return merges that aren't undone."""
        return self.filter(undone_at__isnull=True)


class DuplicateCandidateQuerySet(QuerySet):
    def open(self) -> Self:
        """Return candidates that nobody has decided about."""
        return self.filter(state=DuplicateState.OPEN)


class InvoiceQuerySet(OfContactQuerySet):
    def past_due(self, today: date) -> Self:
        """Return invoices that await their payment although their due date is before `today`."""
        return self.filter(status__in=AWAITING_PAYMENT, due_date__lt=today)

    def unpaid(self) -> Self:
        """Return invoices that were sent and aren't wholly paid."""
        return self.filter(status__in=UNPAID)


class BackgroundTaskQuerySet(QuerySet):
    def assigned_to(self, user: Any) -> Self:
        """Return the tasks that the user asked for; for an API token, those of tokens with its role."""
        by_token = getattr(user, "api_token", None)
        return self.filter(requested_by=user, **({"parameters__role": user.role} if by_token else {}))

    def open(self) -> Self:
        """Return tasks that have not ended."""
        return self.filter(state__in=TaskState.open())

    def claimable(self, at: datetime) -> Self:
        """Return tasks that wait for a worker, or whose worker has not renewed its lease."""
        return self.open().filter(Q(lease_until__isnull=True) | Q(lease_until__lt=at))


class ChangeQuerySet(QuerySet):
    def oldest(self, n: int) -> Self:
        """Return the first `n` changes over all companies, nearly in the order of their times."""
        return self.order_by("pk")[:n]


class IdempotencyKeyQuerySet(QuerySet):
    def expired(self, at: datetime) -> Self:
        """Return keys that are more than a day old at `at`; by then the client has stopped retrying."""
        return self.filter(created_at__lt=at - timedelta(days=1))


class StoredObjectQuerySet(QuerySet):
    def unfinished(self) -> Self:
        """Objects that must still be copied or deleted, the one that has waited longest first."""
        return self.filter(Q(file__isnull=True) | Q(copied_at__isnull=True)).order_by("run_at")

    def due(self, moment: datetime) -> Self:
        return self.unfinished().filter(run_at__lte=moment)

    def failing(self) -> Self:
        return self.unfinished().exclude(error="")
