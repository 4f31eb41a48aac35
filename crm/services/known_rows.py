"""Rows that events are about, each read once in a transaction."""

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

from django.db.models import Q

from crm.db.advisory_locks import Name, advisory_xact_locks
from crm.db.tenancy import current_company_id
from crm.models import Activity, Contact, ContactPhone, Conversation, PhoneLine
from crm.services.archived_ids import find_archived

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
LineKey = tuple[str, str]  # provider and its id of the line, or ANY_PROVIDER and the number
Pair = tuple[int, int]  # ids of contact and line

ANY_PROVIDER = ""


class KnownRows:
    """Phone lines, contacts, conversations and activities, as this transaction has read or created them.

    Each method reads what isn't known yet, with one statement: the rows of one event when they are needed, those of
    many events in advance. Locks are held until the transaction ends.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Forget the rows, after other code has changed them or a savepoint was rolled back."""
        self._locked_names: set[Name] = set()
        self._locked_contacts: set[int] = set()
        self._lines: dict[LineKey, PhoneLine | None] = {}
        self._contacts: dict[str, Contact | None] = {}
        self._conversations: dict[Pair, Conversation | None] = {}
        self._activities: dict[str, Activity | None] = {}
        self._archived: dict[str, bool | None] = {}

    def lock_names(self, kind: str, names: Iterable[str]) -> None:
        """Lock names of one kind in the active company, for rows that may not exist yet."""
        wanted = {(kind, current_company_id(), name) for name in names} - self._locked_names
        if wanted:
            advisory_xact_locks(wanted)
            self._locked_names |= wanted

    def lock_contacts(self, ids: Iterable[int]) -> None:
        """Lock contacts, for changes of the rows that belong to them."""
        wanted = set(ids) - self._locked_contacts
        if wanted:
            rows = Contact.objects.select_for_update(no_key=True).filter(pk__in=wanted)
            list(rows.order_by("pk").values_list("pk"))
            self._locked_contacts |= wanted

    def lines(self, keys: Iterable[LineKey]) -> list[PhoneLine]:
        """Return the lines with these keys. A line that has two of them is returned once."""
        return list({line.pk: line for line in _find(self._lines, keys, _read_lines).values()}.values())

    def add_line(self, line: PhoneLine) -> None:
        """Know a line that was created or completed."""
        self._lines |= dict.fromkeys(keys_of_line(line), line)

    def contacts(self, phones: Iterable[str]) -> dict[str, Contact]:
        """Return the contacts with these numbers, E.164."""
        return _find(self._contacts, phones, _read_contacts)

    def add_contact(self, phone: str, contact: Contact) -> None:
        """Know a contact that was created."""
        self._contacts[phone] = contact

    def conversations(self, pairs: Iterable[Pair]) -> dict[Pair, Conversation]:
        """Return the conversations between these contacts and lines, and lock them."""
        return _find(self._conversations, pairs, _lock_conversations)

    def add_conversation(self, conversation: Conversation) -> None:
        """Know a conversation that was created."""
        self._conversations[conversation.contact_id, conversation.phone_line_id] = conversation

    def activities(self, openphone_ids: Iterable[str]) -> dict[str, Activity]:
        """Return the activities with these provider's ids, and lock them."""
        return _find(self._activities, openphone_ids, _lock_activities)

    def add_activity(self, activity: Activity) -> None:
        """Know an activity that was created, or that has got its id."""
        self._activities[str(activity.openphone_id)] = activity

    def forget_activity(self, openphone_id: str) -> None:
        """Read the activity again when it is needed: another worker may have created it."""
        del self._activities[openphone_id]

    def archived(self, openphone_ids: Iterable[str]) -> set[str]:
        """Return those of the provider's ids that were archived. They may have been restored since."""
        return set(_find(self._archived, openphone_ids, find_archived))


def keys_of_line(line: PhoneLine) -> set[LineKey]:
    return line_keys(line.provider, line.provider_id, {line.number})


def line_keys(provider: str, provider_id: str, numbers: Iterable[str]) -> set[LineKey]:
    """Return the keys of lines with the provider's id or one of the numbers."""
    return {key for key in ((provider, provider_id), *((ANY_PROVIDER, number) for number in numbers)) if key[1]}


def _find(known: dict[K, V | None], keys: Iterable[K], read: Callable[[set[K]], dict[K, V]]) -> dict[K, V]:
    """Return the rows with these keys. `read` reads those that aren't known."""
    keys = set(keys)
    unknown = keys - known.keys()
    if unknown:
        known |= dict.fromkeys(unknown) | read(unknown)
    return {key: row for key in keys if (row := known[key]) is not None}


def _read_lines(keys: set[LineKey]) -> dict[LineKey, PhoneLine]:
    wanted = Q(number__in=[number for provider, number in keys if provider == ANY_PROVIDER])
    for provider, provider_id in keys:
        if provider != ANY_PROVIDER:
            wanted |= Q(provider=provider, provider_id=provider_id)
    return {key: line for line in PhoneLine.objects.filter(wanted) for key in keys_of_line(line)}


def _read_contacts(phones: set[str]) -> dict[str, Contact]:
    numbers = ContactPhone.objects.filter(phone__in=phones).select_related("contact")
    return {number.phone: number.contact for number in numbers}


def _lock_conversations(pairs: set[Pair]) -> dict[Pair, Conversation]:
    contacts, lines = (set(ids) for ids in zip(*pairs, strict=True))
    rows = Conversation.objects.select_for_update(no_key=True).filter(contact__in=contacts, phone_line__in=lines)
    return {(row.contact_id, row.phone_line_id): row for row in rows.order_by("pk")}


def _lock_activities(openphone_ids: set[str]) -> dict[str, Activity]:
    rows = Activity.objects.select_for_update().filter(openphone_id__in=openphone_ids)
    return {str(row.openphone_id): row for row in rows.order_by("pk")}
