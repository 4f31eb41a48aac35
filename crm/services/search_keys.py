"""Search keys of contacts that another program has written."""

from django.db import transaction

from crm.db.tenancy import all_tenants, all_tenants_autocommit
from crm.models import Contact, ContactSearchKey

BATCH = 500


def is_repair_due() -> bool:
    with all_tenants_autocommit():
        return Contact.objects.filter(keys_stale=True).exists()


def repair_search_keys() -> bool:
    """Write the keys of some contacts whose names don't match them. Return whether there were any.

    The product writes both together. Plain SQL, another program or a restored table writes the names alone, which the
    database notices (`contacts.keys_stale`).
    """
    with all_tenants(), transaction.atomic():
        stale = Contact.objects.filter(keys_stale=True).select_for_update(skip_locked=True, no_key=True)
        contacts = list(stale.order_by("pk")[:BATCH])
        ContactSearchKey.objects.write(contacts)
        for contact in contacts:
            Contact.objects.filter(pk=contact.pk).update(keyed_text=contact.searched_text)
    return bool(contacts)
