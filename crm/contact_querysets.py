"""Named queries on contacts, their numbers and their search keys."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import reduce
from operator import or_
from typing import Any, NamedTuple, Self

from django.apps import apps
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import NotSupportedError, transaction
from django.db.models import BooleanField, CharField, ExpressionWrapper, F, Q, QuerySet, Value
from django.db.models.functions import Concat, Left
from django.db.models.lookups import Exact
from django.dispatch import Signal
from django.utils import timezone

from crm.db.audit_context import audit_disabled
from crm.db.bulk import among, insert_rows
from crm.phones import InvalidPhone, digits_of, normalize_phone
from crm.query_slots import contact_ids_of_rep
from crm.querysets import OfContactQuerySet
from crm.search_keys import keys_of, prefixes_of

SEARCHED_FIELDS = frozenset({"first_name", "last_name", "email"})
_EMAIL = ExpressionWrapper(F("email"), output_field=CharField())  # all parts must be of one type
SEARCHED_TEXT = Concat("first_name", Value("|"), "last_name", Value("|"), _EMAIL)
MIN_LAST_DIGITS = 3
MAX_UPDATED = 1000  # rows in one statement
KEY_COLUMNS, NUMBER_COLUMNS = ("company", "contact", "key"), ("company", "contact", "phone", "label")
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

    def insert(self, numbers: Iterable[AddedNumber], *, mains: Iterable[AddedNumber] = ()) -> None:
        """Create numbers by two statements, and let flags follow them, as `bulk_create` does.

        Args:
            mains: the main numbers of contacts that the open transaction has inserted, whose entries name them.
        """
        others, repeated, at = list(numbers), list(mains), timezone.now()
        columns = (*NUMBER_COLUMNS, "created_at")
        if repeated:
            with audit_disabled():
                insert_rows(self.model, columns, [(*row, at) for row in repeated])
        insert_rows(self.model, columns, [(*row, at) for row in others])
        numbers_added.send(sender=self.model, rows=[*repeated, *others])

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
