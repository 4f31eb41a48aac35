"""Lookup of a contact, and export and erasure of the personal data in the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction

from crm.choices import MembershipStatus
from crm.db.audit_context import acting_as
from crm.db.tenancy import tenant
from crm.models import CampaignMembership, Contact, ContactPhone, User
from crm.phones import InvalidPhone, normalize_phone
from crm.services.companies import UnknownCompany, find_company
from crm.services.contacts import suppress_numbers
from crm.services.opt_outs import opt_outs_of
from ops.privacy.personal_data_map import PERSONAL_DATA
from ops.privacy.unlinked_data import (
    audited_rows,
    erase_admin_log,
    erase_audit_entries,
    erase_idempotency_keys,
    erase_opt_outs,
    erase_webhook_events,
    export_opt_outs,
    find_audit_entries,
    find_webhook_events,
)


class ContactNotFound(Exception):
    """The company does not exist, or none of its contacts has the number."""


@contextmanager
def contact_with_number(*, slug: str, phone: str) -> Iterator[Contact]:
    """Activate the company's tenant and find the contact by number, in any spelling. Raises ContactNotFound."""
    try:
        company = find_company(slug=slug)
        number = normalize_phone(phone)
    except UnknownCompany as error:
        raise ContactNotFound(str(error)) from error
    except InvalidPhone as error:
        raise ContactNotFound(f"PHONE: {error}") from error
    with tenant(company.pk):
        contact = Contact.objects.filter(phones__phone=number).first()
        if contact is None:
            raise ContactNotFound(f"PHONE: no contact of {company} has the number {number}.")
        yield contact


def export_contact(*, contact: Contact) -> dict[str, list[dict[str, Any]]]:
    """Return the personal data of a contact of the active tenant, by table, as Python values.

    Webhook events come with their body, and audit entries without the user who made the change.
    """
    exported = {data.model._meta.db_table: list(data.rows(contact).order_by("pk").values()) for data in PERSONAL_DATA}
    exported["webhook_events"] = [
        {"id": event.pk, "created_at": event.created_at, "body": bytes(event.body).decode(errors="replace")}
        for event in find_webhook_events(contact)
    ]
    exported |= export_opt_outs(contact)
    exported["audit_entries"] = list(
        find_audit_entries(audited_rows(contact)).values("table_name", "row_id", "action", "changes", "at")
    )
    return exported


def count_personal_data(*, contact: Contact) -> dict[str, int]:
    """Return the number of rows that an erasure would change, by table."""
    counts = {data.model._meta.db_table: data.rows(contact).count() for data in PERSONAL_DATA if data.personal}
    counts["webhook_events"] = sum(1 for _ in find_webhook_events(contact))
    counts["opt_outs"] = opt_outs_of(contact).count()
    counts["audit_entries"] = find_audit_entries(audited_rows(contact)).count()
    return counts


def erase_contact(*, contact: Contact, by: User | str, provider_ids: frozenset[str] = frozenset()) -> dict[str, int]:
    """Erase the personal data of a contact of the active tenant. Returns the number of changed rows by table.

    The rows stay, so that calls, appointments and invoices still add up. Personal data is emptied, also in webhook
    events and audit entries. Opt-outs are kept under a keyed hash of the number. It can't be undone. Erase the
    contact at the provider first, or a late webhook event restores the data.

    Args:
        by: the user or the program to record in the audit entries.
        provider_ids: the provider's ids of calls and messages that are no longer in the database.
    """
    actor = (by.pk, by.username) if isinstance(by, User) else (None, by)
    with transaction.atomic(), acting_as(*actor):
        # Lock webhook events before the contact, as workers do: an event in progress is completed first, then erased.
        counts = {"webhook_events": erase_webhook_events(contact, provider_ids)}
        # Lock opt-outs before the contact, as the handler of opt-out keywords does.
        counts["opt_outs"] = erase_opt_outs(contact)
        Contact.objects.select_for_update().get(pk=contact.pk)
        suppress_numbers(contact=contact)
        CampaignMembership.objects.filter(contact=contact, status=MembershipStatus.PENDING).update(
            status=MembershipStatus.SKIPPED, reason="The contact was erased."
        )
        audited = audited_rows(contact)
        ContactPhone.objects.filter(contact=contact).exclude(phone=contact.phone).delete()
        for data in PERSONAL_DATA:
            if data.personal:
                counts[data.model._meta.db_table] = data.rows(contact).update(**data.personal)
        erase_admin_log(contact)
        erase_idempotency_keys(contact)
        counts["audit_entries"] = erase_audit_entries(audited)  # last: the erasure itself added entries
    return counts
