"""Export and erasure of a person's data in the database."""

from collections import Counter
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from calls.choices import TextBack
from calls.models import Attachment, MissedCaller
from crm.choices import MembershipStatus
from crm.db.audit_context import acting_as
from crm.models import CampaignMembership, Contact, ContactPhone, MarketingConsent, StoredFile, StoredObject, User
from crm.services.contacts import suppress_numbers
from messaging.choices import MessageStatus
from messaging.models import Message
from messaging.providers.payloads import decode_json
from ops.privacy.mentions import erase_mentions, find_mentions
from ops.privacy.people import Person
from ops.privacy.personal_data_map import PERSONAL_DATA, PersonalData
from ops.privacy.unlinked_data import (
    audited_rows,
    erase_admin_log,
    erase_audit_entries,
    erase_opt_outs,
    erase_webhook_events,
    export_opt_outs,
    find_audit_entries,
    find_idempotency_keys,
    find_webhook_events,
)
from ops.privacy.uploads import erase_import_rows, find_files, find_import_rows

WHY = "The contact was erased."


def export_person(*, person: Person) -> dict[str, list[dict[str, Any]]]:
    """Return a person's data, by table, as Python values.

    Webhook events come with their body, and audit entries without the user who made the change. `mentions` are texts
    in other rows that contain a number of the person.
    """
    exported = {data.model._meta.db_table: _exported(data, person) for data in PERSONAL_DATA}
    exported["webhook_events"] = [
        {"id": event.pk, "created_at": event.created_at, "body": decode_json(bytes(event.body))[0]}
        for event in find_webhook_events(person)
    ]
    exported |= export_opt_outs(person)
    exported["stored_files"] = [
        {"id": file.pk, "name": file.name, "created_at": file.created_at} for file in find_files(person)
    ]
    audit = find_audit_entries(person, audited_rows(person))
    exported["audit_entries"] = [dict(row) for row in audit.values("table_name", "row_id", "action", "changes", "at")]
    keys = find_idempotency_keys(person).order_by("pk")
    exported["idempotency_keys"] = [dict(row) for row in keys.values("id", "request", "response", "created_at")]
    own = {(table, row["id"]) for table, rows in exported.items() for row in rows if "id" in row}
    exported["mentions"] = [
        {"table_name": row._meta.db_table, "id": row.pk, "texts": texts}
        for row, texts in find_mentions(person)
        if (row._meta.db_table, row.pk) not in own
    ]
    return exported


def count_personal_data(*, person: Person) -> dict[str, int]:
    """Return the number of rows that an erasure would change, by table."""
    counts = Counter({data.model._meta.db_table: data.rows(person).count() for data in PERSONAL_DATA if data.is_erased})
    own = _own_rows(person)
    events = {event.pk for event in find_webhook_events(person)}
    counts["webhook_events"] = len(events)
    counts["opt_outs"] = person.opt_outs().count()
    counts["stored_files"] = sum(1 for _ in find_files(person))
    counts["stored_objects"] = _objects(person).count()
    counts["idempotency_keys"] = find_idempotency_keys(person).count()
    counts["audit_entries"] = find_audit_entries(person, audited_rows(person)).count()
    own |= {("import_rows", pk) for pk in _other_import_rows(person, own, counts)}
    own |= {("webhook_events", pk) for pk in events} | {
        ("opt_outs", pk) for pk in person.opt_outs().values_list("pk", flat=True)
    }
    for row, _ in find_mentions(person):
        counts[row._meta.db_table] += (row._meta.db_table, row.pk) not in own
    return dict(counts)


def erase_person(*, person: Person, by: User | str) -> dict[str, int]:
    """Erase a person's data in the active tenant. Returns the number of changed rows by table.

    The rows stay, so that calls, appointments and invoices still add up. Personal data is emptied, also in webhook
    events and audit entries. Opt-outs are kept under a keyed hash of the number. Stored files that name the person,
    such as the file of an import, are deleted whole. A worker deletes the objects of the file storage afterwards. It
    can't be undone. Erase the person at the provider first, or a late webhook event restores the data.

    Args:
        by: the user or the program to record in the audit entries.
    """
    actor = (by.pk, by.username) if isinstance(by, User) else (None, by)
    with transaction.atomic(), acting_as(*actor):
        files = [file.pk for file in find_files(person)]  # before any lock: reading them may take minutes
        # Lock webhook events before the contact, as workers do: an event in progress is completed first, then erased.
        events = erase_webhook_events(person)
        counts = Counter({"webhook_events": len(events)})
        # Lock opt-outs before the contact, as the handler of opt-out keywords does.
        counts["opt_outs"] = erase_opt_outs(person)
        MarketingConsent.objects.valid().filter(phone__in=person.numbers).update(withdrawn_at=timezone.now())
        own = _own_rows(person) | {("webhook_events", pk) for pk in events}
        audited = audited_rows(person)
        if person.contact is not None:
            _end_contact(person.contact)
        counts["stored_objects"] = _objects(person).count()
        for data in PERSONAL_DATA:
            if data.deleted:
                counts[data.model._meta.db_table] = _delete(data, person)
            elif data.personal:
                counts[data.model._meta.db_table] = data.rows(person).update(**data.personal)
        erase_admin_log(person)
        StoredFile.objects.filter(pk__in=files).delete()
        counts["stored_files"] = len(files)
        rows = erase_import_rows(person)
        counts["import_rows"] += len({("import_rows", pk) for pk in rows} - own)
        own |= {("import_rows", pk) for pk in rows}
        counts["idempotency_keys"], _ = find_idempotency_keys(person).delete()
        for row in erase_mentions(person):
            counts[row._meta.db_table] += (row._meta.db_table, row.pk) not in own
        counts["audit_entries"] = erase_audit_entries(person, audited)  # last: the erasure itself added entries
    return dict(counts)


def _objects(person: Person) -> QuerySet[StoredObject]:
    """Return the objects that hold attachments of the person. A worker deletes them once the files are deleted."""
    attachments = next(data for data in PERSONAL_DATA if data.model is Attachment).rows(person)
    return StoredObject.objects.filter(file__attachment__in=attachments.order_by().values("pk"))


def _delete(data: PersonalData, person: Person) -> int:
    """Delete the rows under their locks: a worker may be storing the file of one. Returns their number."""
    locked = data.rows(person).order_by("pk").select_for_update(of=("self",))
    rows = data.model._default_manager.filter(pk__in=list(locked.values_list("pk", flat=True)))
    return rows.delete()[1].get(data.model._meta.label, 0)


def _exported(data: PersonalData, person: Person) -> list[dict[str, Any]]:
    columns = [field.attname for field in data.model._meta.concrete_fields]
    return list(data.rows(person).order_by("pk").values(*columns, *data.names))


def _end_contact(contact: Contact) -> None:
    """Stop what would still be sent to the contact, and delete all its numbers but the main one."""
    Contact.objects.select_for_update().get(pk=contact.pk)
    suppress_numbers(contact=contact)
    CampaignMembership.objects.filter(contact=contact, status=MembershipStatus.PENDING).update(
        status=MembershipStatus.SKIPPED, reason=WHY
    )
    Message.objects.filter(contact=contact, status__in=[MessageStatus.QUEUED, MessageStatus.HELD]).update(
        status=MessageStatus.FAILED, error=WHY, run_at=None
    )
    MissedCaller.objects.filter(contact=contact, text_back=TextBack.DUE).update(
        text_back=TextBack.OFF, text_back_reason=WHY
    )
    ContactPhone.objects.filter(contact=contact).exclude(phone=contact.phone).delete()


def _other_import_rows(person: Person, own: set[tuple[str, int]], counts: Counter[str]) -> set[int]:
    """Return the rows of imports that name the person without being about the contact, and count them."""
    rows = {pk for pk in find_import_rows(person).values_list("pk", flat=True) if ("import_rows", pk) not in own}
    counts["import_rows"] += len(rows)
    return rows


def _own_rows(person: Person) -> set[tuple[str, int]]:
    """Return table and id of the rows that are about the person."""
    return {
        (data.model._meta.db_table, pk)
        for data in PERSONAL_DATA
        for pk in data.rows(person).values_list("pk", flat=True)
    }
