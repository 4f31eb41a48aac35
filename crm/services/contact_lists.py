"""Static lists of contacts."""

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from crm.db.bulk import among, insert_rows
from crm.models import Contact, ContactList, ContactListEntry
from crm.services.label_deletion import check_confirmed, check_no_segment_names

CHUNK = 5000  # contacts in one statement


def add_to_list(*, contact_list: ContactList, contact_ids: Iterable[int]) -> int:
    """Add contacts of the list's company to it. Returns how many weren't on it."""
    contacts, added, now = sorted(set(contact_ids)), 0, timezone.now()
    with transaction.atomic():
        for start in range(0, len(contacts), CHUNK):
            chunk = contacts[start : start + CHUNK]
            present = ContactListEntry.objects.filter(among("contact", chunk), list=contact_list)
            missing = sorted(set(chunk) - set(present.values_list("contact", flat=True)))
            insert_rows(
                ContactListEntry,
                ("company", "list", "contact", "created_at"),
                [(contact_list.company_id, contact_list.pk, contact, now) for contact in missing],
                ignore_conflicts=True,  # added at the same moment by somebody else
            )
            added += len(missing)
        _note_change(contact_list, added)
    return added


def remove_from_list(*, contact_list: ContactList, contact_ids: Iterable[int]) -> int:
    """Remove contacts from the list. Returns how many were on it."""
    contacts, removed = sorted(set(contact_ids)), 0
    with transaction.atomic():
        for start in range(0, len(contacts), CHUNK):
            entries = ContactListEntry.objects.filter(list=contact_list, contact__in=contacts[start : start + CHUNK])
            removed += entries.delete()[0]
        _note_change(contact_list, removed)
    return removed


def unknown_contacts(contact_ids: Iterable[int]) -> list[int]:
    """Return those ids that aren't contacts of the active tenant."""
    wanted = set(contact_ids)
    return sorted(wanted.difference(Contact.objects.filter(pk__in=wanted).values_list("pk", flat=True)))


def delete_list(*, contact_list: ContactList, confirmed: bool) -> None:
    """Delete a list with its entries. The contacts stay.

    Raises:
        ConfirmNeeded: contacts are on it, and the person wasn't asked.
        NamedBySegment: a segment chooses contacts by it.
    """
    with transaction.atomic():
        check_no_segment_names(contact_list, node="list", part="id", value=contact_list.pk)
        entries = ContactListEntry.objects.filter(list=contact_list)
        check_confirmed(contact_list, contacts=entries.count(), confirmed=confirmed)
        entries.delete()
        contact_list.delete()


def _note_change(contact_list: ContactList, number: int) -> None:
    """Let clients know by the list's row: a change for each of a million entries would tell them no more."""
    if number:
        ContactList.objects.filter(pk=contact_list.pk).update(entries_changed_at=timezone.now())
