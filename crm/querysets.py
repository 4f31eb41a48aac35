"""The business's words for contacts and what surrounds them. A query has a name, and it lives here."""

from datetime import date, datetime, timedelta
from typing import Any, Self, cast

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Lower
from django.utils import timezone

from crm.choices import FlagType, InvoiceStatus
from crm.phones import InvalidPhone, digits_of, normalize_phone

MIN_SEARCH_LENGTH = 3
LAST_CHARACTER = "\U0010ffff"  # sorts behind every character, so [prefix, prefix + this) holds all that begin so


def begins_with(field: str, prefix: str) -> Q:
    """`field` begins with `prefix` in any case: a range on a search key. Folded by the database, as the key was."""
    return Q(**{f"{field}__gte": Lower(Value(prefix)), f"{field}__lt": Lower(Value(prefix + LAST_CHARACTER))})


class PhoneLineQuerySet(QuerySet):
    def unnamed(self) -> Self:
        """Lines that a delivery told us of and nobody has named yet."""
        return self.filter(name="")


class OfContactQuerySet(QuerySet):
    """Rows that belong to a contact."""

    def assigned_to(self, rep: AbstractBaseUser) -> Self:
        """Those of the rep's contacts."""
        contacts: Any = cast(Any, self.model._meta.get_field("contact").related_model).objects
        return self.filter(contact__in=contacts.assigned_to(rep))


class ConversationQuerySet(OfContactQuerySet):
    def with_unread(self) -> Self:
        """Each with `unread`: how many texts came in that nobody of us has read."""
        unread = self._unread_texts().order_by().values("contact").annotate(n=Count("pk")).values("n")
        return self.annotate(unread=Coalesce(Subquery(unread), 0))

    def unread(self) -> Self:
        """Those with texts that nobody of us has read."""
        return self.filter(Exists(self._unread_texts()))

    def read(self) -> Self:
        return self.exclude(Exists(self._unread_texts()))

    def _unread_texts(self) -> Any:
        # The app above that has texts hangs them on contacts.
        contacts = cast(Any, self.model._meta.get_field("contact").related_model)
        texts: Any = contacts._meta.get_field("messages").related_model.objects
        return texts.unread().filter(contact=OuterRef("contact"), phone_line=OuterRef("phone_line"))


class ContactQuerySet(QuerySet):
    def assigned_to(self, rep: AbstractBaseUser) -> Self:
        """Contacts with a call or a visit that is assigned to this rep."""
        # Found from the rep's calls and visits, in an index each; the app above that has them hangs them on contacts.
        calls, visits = (
            cast(Any, self.model._meta.get_field(name).related_model).objects.assigned_to(rep).values("contact")
            for name in ("calls", "appointments")
        )
        return self.filter(pk__in=calls.union(visits))

    def search(self, term: str) -> Self:
        """By the beginning of names (either order) or e-mail, any spelling of a number, or a number's last digits.

        The term's shape decides what is looked at, so that each form is answered by one index.
        """
        words = term.split()
        digits = digits_of(term)
        if "@" in term:
            return self.filter(begins_with("email_key", term.strip()))
        if len(digits) >= MIN_SEARCH_LENGTH and not any(character.isalpha() for character in term):
            return self.with_number(term)
        if len(words) >= 2:
            first, rest = words[0], " ".join(words[1:])
            return self.filter(
                begins_with("first_name_key", first) & begins_with("last_name_key", rest)
                | begins_with("last_name_key", first) & begins_with("first_name_key", rest)
            )
        name = term.strip()
        return self.filter(
            begins_with("first_name_key", name) | begins_with("last_name_key", name) | begins_with("email_key", name)
        )

    def with_number(self, text: str) -> Self:
        """Contacts one of whose numbers is `text`, in any spelling, or ends in its digits."""
        numbers: Any = cast(Any, self.model._meta.get_field("phones").related_model).objects
        try:
            found = numbers.filter(phone=normalize_phone(text))
        except InvalidPhone:
            found = numbers.ending_in(digits_of(text))
        return self.filter(pk__in=found.values("contact"))


class ContactPhoneQuerySet(QuerySet):
    def ending_in(self, digits: str) -> Self:
        """Numbers that end in these digits."""
        return self.filter(begins_with("phone_reversed", digits[::-1]))


class ContactFlagQuerySet(OfContactQuerySet):
    def in_force(self) -> Self:
        return self.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now()))

    def opted_out(self) -> Self:
        """Answered through the partial index `idx_contact_flag_type_phone`."""
        return self.in_force().filter(flag_type=FlagType.OPTED_OUT)


class OptOutQuerySet(QuerySet):
    def decided(self) -> Self:
        """Those about which something was said; whoever sends makes a row for every other number as well."""
        return self.filter(decided_at__isnull=False)

    def with_contact(self, numbers: QuerySet) -> Self:
        """With the `contact` who has the number now; `numbers` are the rows of contact_phones."""
        return self.annotate(contact=Subquery(numbers.filter(phone=OuterRef("phone")).values("contact")[:1]))


class IdempotencyKeyQuerySet(QuerySet):
    def expired(self, at: datetime) -> Self:
        """Older than a day: the client has stopped asking."""
        return self.filter(created_at__lt=at - timedelta(days=1))


class InvoiceQuerySet(QuerySet):
    def past_due(self, *, today: date) -> Self:
        """Sent and not paid in full by their due date."""
        return self.filter(status__in=[InvoiceStatus.SENT, InvoiceStatus.PARTIAL], due_date__lt=today)
