"""Named queries on contacts and their records."""

from datetime import datetime, timedelta
from typing import Self

from django.apps import apps
from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Lower
from django.utils import timezone

from crm.choices import FlagType
from crm.phones import InvalidPhone, digits_of, normalize_phone
from crm.query_slots import contact_ids_of_rep, unread_messages

MIN_SEARCH_LENGTH = 3
LAST_CHARACTER = "\U0010ffff"  # sorts after every other character: [prefix, prefix + this) holds every match


def begins_with(field: str, prefix: str) -> Q:
    """Return the condition that a search key begins with `prefix` in any case, as a range that an index can answer.

    The database lowers the prefix, as it lowered the key.
    """
    return Q(**{f"{field}__gte": Lower(Value(prefix)), f"{field}__lt": Lower(Value(prefix + LAST_CHARACTER))})


class PhoneLineQuerySet(QuerySet):
    def unnamed(self) -> Self:
        """Return lines that a webhook event created and that have no name yet."""
        return self.filter(name="")


class OfContactQuerySet(QuerySet):
    """Rows that belong to a contact."""

    def assigned_to(self, rep: AbstractBaseUser) -> Self:
        """Return the rows of the rep's contacts."""
        return self.filter(contact__in=contact_ids_of_rep(rep))


class ConversationQuerySet(OfContactQuerySet):
    def with_unread(self) -> Self:
        """Annotate each conversation with `unread`, its number of unread messages."""
        unread = self._unread_messages().order_by().values("contact").annotate(n=Count("pk")).values("n")
        return self.annotate(unread=Coalesce(Subquery(unread), 0))

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

    def search(self, term: str) -> Self:
        """Return contacts by a prefix of their names (in either order) or email, or by a phone number or its end.

        The term's shape decides which columns are compared, so that one index answers each shape.
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
        """Return contacts with a phone number that is `text`, in any spelling, or ends in its digits."""
        phones = apps.get_model("crm", "ContactPhone").objects
        try:
            matches = phones.filter(phone=normalize_phone(text))
        except InvalidPhone:
            matches = phones.ending_in(digits_of(text))
        return self.filter(pk__in=matches.values("contact"))


class ContactPhoneQuerySet(QuerySet):
    def ending_in(self, digits: str) -> Self:
        return self.filter(begins_with("phone_reversed", digits[::-1]))


class ContactFlagQuerySet(OfContactQuerySet):
    def in_force(self) -> Self:
        return self.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now()))

    def opted_out(self) -> Self:
        """Return opt-outs in force, through the partial index `idx_contact_flag_type_phone`."""
        return self.in_force().filter(flag_type=FlagType.OPTED_OUT)


class OptOutQuerySet(QuerySet):
    def decided(self) -> Self:
        """Return opt-outs with an entry. Sending creates a row for every other number, as a lock."""
        return self.filter(decided_at__isnull=False)

    def with_contact(self, numbers: QuerySet) -> Self:
        """Annotate each with `contact`, the id of the number's present owner, from rows of `contact_phones`."""
        return self.annotate(contact=Subquery(numbers.filter(phone=OuterRef("phone")).values("contact")[:1]))


class IdempotencyKeyQuerySet(QuerySet):
    def expired(self, at: datetime) -> Self:
        """Return keys that are more than a day old at `at`; by then the client has stopped retrying."""
        return self.filter(created_at__lt=at - timedelta(days=1))
