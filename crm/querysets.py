"""Named queries on contacts and their records."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any, NamedTuple, Self

from django.apps import apps
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import NotSupportedError, transaction
from django.db.models import (
    BooleanField,
    Case,
    CharField,
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Concat, Left, Replace
from django.db.models.lookups import Exact
from django.dispatch import Signal
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
from crm.db.bulk import among, insert_rows
from crm.phones import InvalidPhone, digits_of, normalize_phone
from crm.query_slots import call_activity_ids_of_rep, contact_ids_of_rep, unread_messages
from crm.search_keys import keys_of, prefixes_of

SEARCHED_FIELDS = frozenset({"first_name", "last_name", "email"})
_EMAIL = ExpressionWrapper(F("email"), output_field=CharField())  # all parts must be of one type
SEARCHED_TEXT = Concat("first_name", Value("|"), "last_name", Value("|"), _EMAIL)
MIN_LAST_DIGITS = 3
MAX_UPDATED = 1000  # rows in one statement
KEY_COLUMNS, NUMBER_COLUMNS = ("company", "contact", "key"), ("company", "contact", "phone", "label")
AWAITING_PAYMENT = (InvoiceStatus.SENT, InvoiceStatus.PARTIAL)
UNPAID = (*AWAITING_PAYMENT, InvoiceStatus.OVERDUE)
_IN_POOL = Q(assignee__isnull=True, status__in=POOL_STATUSES)
# Queries on contact_phones, for whose rows Django sends no signals. Sent in the query's transaction.
numbers_added = Signal()  # argument: `rows`, some of which may have been ignored
number_moved = Signal()  # arguments: the row `before`, and `instance`, the row afterwards
LAST_CHARACTER = "\U0010ffff"  # sorts after every other character: [prefix, prefix + this) holds every match


def begins_with(field: str, prefix: str) -> Q:
    """Return the condition that a search key begins with `prefix`, as a range that an index can answer."""
    return Q(**{f"{field}__gte": prefix, f"{field}__lt": prefix + LAST_CHARACTER})


def number_begins_with(code: str) -> Q:
    """Return the condition that a phone begins with `code`. Columns of numbers may have a linguistic collation."""
    return Q(Exact(Left("phone", len(code)), code))


def begins_with_one_of(field: str, prefixes: set[str]) -> Q:
    return reduce(or_, (begins_with(field, prefix) for prefix in sorted(prefixes)))


def _numbers_meant_by(term: str, phones: Any) -> list[Any]:
    """Return the rows of `phones` that a term may mean: a whole number in any spelling, or last digits."""
    found, digits = [], digits_of(term)
    with suppress(InvalidPhone):
        found.append(phones.filter(phone=normalize_phone(term)))
    # Letters may be a name, and an extension's digits aren't the number's.
    if len(digits) >= MIN_LAST_DIGITS and not any(map(str.isalpha, term)):
        found.append(phones.ending_in(digits))
    return found


def search_keys() -> Any:
    """Return the keys of all contacts, without asking for an active tenant: saving a contact doesn't either."""
    return ContactSearchKeyQuerySet(apps.get_model("crm", "ContactSearchKey"))


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


class ContactQuerySet(QuerySet):
    def assigned_to(self, rep: AbstractBaseUser) -> Self:
        """Return contacts with a call or an appointment that is assigned to the rep."""
        return self.filter(pk__in=contact_ids_of_rep(rep))

    def search(self, term: str, *, companies: QuerySet | None = None) -> Self:
        """Return contacts by the beginnings of their names or email address, a phone number, or its last digits.

        The keys and the numbers are found in their own indexes, which begin with the company.

        Args:
            companies: searched one by one; by default the active tenant's.
        """
        keys, phones = (apps.get_model("crm", name).objects.all() for name in ("ContactSearchKey", "ContactPhone"))
        if companies is not None:
            keys, phones = keys.filter(company__in=companies), phones.filter(company__in=companies)
        found = _numbers_meant_by(term, phones)
        if prefixes := prefixes_of(term):
            matches, *others = (keys.filter(begins_with_one_of("key", each)) for each in prefixes)
            for other in others:
                matches = matches.filter(contact__in=other.values("contact"))
            found.append(matches)
        if not found:
            return self.none()
        ids, *more = (rows.values("contact") for rows in found)
        return self.filter(pk__in=ids.union(*more, all=True) if more else ids)

    def bulk_create(self, objs: Iterable[Any], *args: Any, **options: Any) -> list[Any]:
        contacts = list(objs)
        for contact in contacts:
            contact.keyed_text = contact.searched_text
        with transaction.atomic():
            created = super().bulk_create(contacts, *args, **options)
            if options.get("ignore_conflicts") or options.get("update_conflicts"):
                # Their ids are unknown, so the worker writes their keys.
                stored = self.filter(phone__in=[contact.phone for contact in contacts])
                QuerySet.update(stored, keyed_text="")
            else:
                search_keys().insert(created)
        return created

    def insert(self, cards: Sequence[Any], columns: Sequence[str], *, with_keys: bool = True) -> None:
        """Write new contacts by three statements, however many they are, and give them their ids.

        Args:
            cards: objects with a contact's company, number and searched text, and the attributes `columns`.
            with_keys: whether to write their search keys. Without them, the transaction must be rolled back.
        """
        at = timezone.now()
        rows = [
            (each.company_id, each.phone, *(getattr(each, name) for name in columns), each.searched_text, at)
            for each in cards
        ]
        insert_rows(self.model, ("company", "phone", *columns, "keyed_text", "created_at"), rows)
        stored = self.filter(among("phone", [each.phone for each in cards]))
        ids = dict(stored.values_list("phone", "pk"))
        for each in cards:
            each.pk = ids[each.phone]
        if with_keys:
            search_keys().insert(cards)

    def update(self, **values: Any) -> int:
        if not SEARCHED_FIELDS.intersection(values):
            return super().update(**values)
        with transaction.atomic():
            changed = list(self.values_list("pk", flat=True))  # afterwards, the conditions may find others
            count = super().update(**values)
            for start in range(0, len(changed), MAX_UPDATED):
                contacts = self.model._base_manager.filter(pk__in=changed[start : start + MAX_UPDATED])
                search_keys().write(list(contacts))
                QuerySet.update(contacts, keyed_text=SEARCHED_TEXT)
        return count


class ContactSearchKeyQuerySet(QuerySet):
    def write(self, contacts: Sequence[Any]) -> None:
        """Write the keys of these contacts, whose rows the transaction has locked."""
        wanted = {(contact, key): company for company, contact, key in self._keys(contacts)}
        rows = self.filter(among("contact", [contact.pk for contact in contacts]))
        stored = {(contact, key): pk for pk, contact, key in rows.values_list("pk", "contact", "key")}
        if gone := [pk for row, pk in stored.items() if row not in wanted]:
            self.filter(among("pk", gone)).delete()
        new = [(company, contact, key) for (contact, key), company in wanted.items() if (contact, key) not in stored]
        insert_rows(self.model, KEY_COLUMNS, new)

    def insert(self, contacts: Iterable[Any]) -> None:
        """Write the keys of contacts that have none yet."""
        insert_rows(self.model, KEY_COLUMNS, self._keys(contacts))

    def _keys(self, contacts: Iterable[Any]) -> list[tuple[int, int, str]]:
        return [
            (contact.company_id, contact.pk, key)
            for contact in contacts
            for key in keys_of(first_name=contact.first_name, last_name=contact.last_name, email=contact.email)
        ]


class AddedNumber(NamedTuple):
    """A new row of `contact_phones`."""

    company_id: int
    contact_id: int
    phone: str
    label: str


class ContactPhoneQuerySet(OfContactQuerySet):
    def with_is_main(self) -> Self:
        """Annotate each number with `is_main`: whether the contact repeats it as its main number."""
        return self.annotate(is_main=ExpressionWrapper(Q(phone=F("contact__phone")), output_field=BooleanField()))

    def ending_in(self, digits: str) -> Self:
        return self.filter(begins_with("phone_reversed", digits[::-1]))

    def bulk_create(self, objs: Iterable[Any], *args: Any, **options: Any) -> list[Any]:
        """Create numbers; a do-not-contact flag or an opt-out of one applies to its owner, as after saving it."""
        if options.get("update_conflicts"):
            raise NotSupportedError("A number that gets another contact must be saved, so that its flags follow it.")
        with transaction.atomic():
            created = super().bulk_create(objs, *args, **options)
            numbers_added.send(sender=self.model, rows=created)
        return created

    def insert(self, numbers: Iterable[AddedNumber]) -> None:
        """Create numbers by one statement, and let flags follow them, as `bulk_create` does."""
        rows, at = list(numbers), timezone.now()
        insert_rows(self.model, (*NUMBER_COLUMNS, "created_at"), [(*row, at) for row in rows])
        numbers_added.send(sender=self.model, rows=rows)

    def update(self, **values: Any) -> int:
        """Update; a do-not-contact flag follows each number that its contact loses, as after saving its row."""
        if values.keys().isdisjoint({"contact", "contact_id", "phone"}):
            return super().update(**values)
        with transaction.atomic():
            rows: Any = self.select_for_update(of=("self",))
            before = {row.pk: row for row in rows}
            count = super().update(**values)
            for row in self.model._base_manager.filter(pk__in=before).order_by("pk"):
                number_moved.send(sender=self.model, before=before[row.pk], instance=row)
        return count


def flag_in_force(prefix: str = "") -> Q:
    """Return the condition that a contact flag is in force, whose lookups begin with `prefix`."""
    return Q(**{f"{prefix}expires_at__isnull": True}) | Q(**{f"{prefix}expires_at__gt": timezone.now()})


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
    def assigned_to(self, user: AbstractBaseUser) -> Self:
        """Return the tasks that the user asked for; for an API token, those of tokens with its role."""
        token = getattr(user, "api_token", None)
        return self.filter(requested_by=user, **({"parameters__role": token.role} if token else {}))

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
