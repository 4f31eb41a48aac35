"""What a person may ask of a company: all that it keeps about them, and to be forgotten."""

from typing import Any

from django.db import transaction

from crm.choices import MembershipStatus
from crm.db.audit_context import acting_as
from crm.models import CampaignMembership, Contact, ContactPhone, User
from crm.services.contacts import suppress_numbers
from crm.services.opt_outs import opt_outs_of
from ops.privacy.personal_data_map import RECORDS
from ops.privacy.unlinked_data import (
    erase_admin_log,
    erase_answers,
    erase_deliveries,
    erase_entries,
    erase_opt_outs,
    export_opt_outs,
    find_deliveries,
    find_entries,
    rows_with_entries,
)


def export_contact(*, contact: Contact) -> dict[str, list[dict[str, Any]]]:
    """All that is kept about a contact of the company entered, by table. Values are as Python has them.

    Deliveries come with their text; what was recorded of changes comes without who of the company made them.
    """
    exported = {record.model._meta.db_table: list(record.rows(contact).order_by("pk").values()) for record in RECORDS}
    exported["webhook_events"] = [
        {"id": event.pk, "created_at": event.created_at, "body": bytes(event.body).decode(errors="replace")}
        for event in find_deliveries(contact)
    ]
    exported |= export_opt_outs(contact)
    exported["audit_entries"] = list(
        find_entries(rows_with_entries(contact)).values("table_name", "row_id", "action", "changes", "at")
    )
    return exported


def count_records(*, contact: Contact) -> dict[str, int]:
    """How many rows of each table an erasure would touch."""
    counts = {record.model._meta.db_table: record.rows(contact).count() for record in RECORDS if record.personal}
    counts["webhook_events"] = sum(1 for _ in find_deliveries(contact))
    counts["opt_outs"] = opt_outs_of(contact).count()
    counts["audit_entries"] = find_entries(rows_with_entries(contact)).count()
    return counts


def erase_contact(*, contact: Contact, by: User | str, provider_ids: frozenset[str] = frozenset()) -> dict[str, int]:
    """Forget who a contact of the company entered was; return how many rows of each table that touched.

    The rows stay, so that calls, visits and money still add up; what the person said, and what would lead to them,
    goes: also from raw deliveries and from the record of changes. Who had opted out, and when, is remembered by a keyed
    hash of the number.
    It can't be undone. What the provider keeps has to be erased there first, or a late delivery brings it back.

    Args:
        by: whose doing it is, in the record of changes: a user, or a program's name.
        provider_ids: the provider's ids of calls and texts with them that are no longer in the database.
    """
    actor = (by.pk, by.username) if isinstance(by, User) else (None, by)
    with transaction.atomic(), acting_as(*actor):
        # Deliveries before the contact, as workers lock them: what is being worked on is finished first, and found.
        counts = {"webhook_events": erase_deliveries(contact, provider_ids)}
        # The ledger before the contact, as whoever hears a STOP locks them.
        counts["opt_outs"] = erase_opt_outs(contact)
        Contact.objects.select_for_update().get(pk=contact.pk)
        suppress_numbers(contact=contact)
        CampaignMembership.objects.filter(contact=contact, status=MembershipStatus.PENDING).update(
            status=MembershipStatus.SKIPPED, reason="The contact was erased."
        )
        recorded = rows_with_entries(contact)
        ContactPhone.objects.filter(contact=contact).exclude(phone=contact.phone).delete()
        for record in RECORDS:
            if record.personal:
                counts[record.model._meta.db_table] = record.rows(contact).update(**record.personal)
        erase_admin_log(contact)
        erase_answers(contact)
        counts["audit_entries"] = erase_entries(recorded)  # last: the erasure itself was recorded with what it erased
    return counts
