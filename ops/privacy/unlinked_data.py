"""Personal data without a foreign key to the contact: webhook events, opt-outs, audit entries, the admin's log."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q

from crm.db.audit import Audit
from crm.models import Activity, AuditEntry, Contact, IdempotencyKey, OptOut, OptOutEntry
from crm.phones import spellings_of
from crm.services.opt_outs import opt_outs_of
from messaging.choices import EventStatus
from messaging.models import WebhookEvent
from ops.privacy.personal_data_map import ERASED, PERSONAL_DATA

CHUNK = 200  # webhook events in memory at once: one may have 10 MB

_ESCAPED_PLUS = re.compile(rb"\\u002[bB]|%2[bB]")
_NUMBER = re.compile(rb"\d{8,15}")
_TEXT = re.compile(rb'"([^"\\]{1,100})"')


def names_contact(contact: Contact, provider_ids: frozenset[str] = frozenset()) -> Callable[[bytes], bool]:
    """Return a predicate for webhook bodies: it holds if a body has a number, call id or message id of the contact.

    Args:
        provider_ids: the provider's ids of calls and messages that are no longer in the database.
    """
    phones = contact.phones.values_list("phone", flat=True)
    known = {spelling.encode() for phone in phones for spelling in spellings_of(phone)}
    activities = Activity.objects.filter(contact=contact, openphone_id__isnull=False)
    ids = {str(openphone_id).encode() for openphone_id in activities.values_list("openphone_id", flat=True)}
    ids |= {provider_id.encode() for provider_id in provider_ids}

    def names(body: bytes) -> bool:
        text = _ESCAPED_PLUS.sub(b" ", body)
        return not known.isdisjoint(_NUMBER.findall(text)) or not ids.isdisjoint(_TEXT.findall(text))

    return names


def find_webhook_events(contact: Contact, provider_ids: frozenset[str] = frozenset()) -> Iterator[WebhookEvent]:
    """Yield the company's webhook events that name the contact, as `names_contact` decides.

    No index serves this: it reads every webhook event of the company, in chunks.
    """
    names = names_contact(contact, provider_ids)
    events = WebhookEvent.objects.filter(company=contact.company_id).order_by("created_at", "id")
    for event in events.iterator(chunk_size=CHUNK):
        if names(bytes(event.body)):
            yield event


def erase_webhook_events(contact: Contact, provider_ids: frozenset[str] = frozenset()) -> int:
    """Empty the webhook events that name the contact, and ignore pending ones. Returns their number."""
    found = [event.pk for event in find_webhook_events(contact, provider_ids)]
    for start in range(0, len(found), CHUNK):
        events = WebhookEvent.objects.filter(pk__in=found[start : start + CHUNK])
        events.update(body=b"", headers={}, error="")
        events.filter(processed=False).update(
            status=EventStatus.IGNORED, processed=True, error="The contact was erased."
        )
    return len(found)


def audited_rows(contact: Contact) -> dict[type[Any], set[int]]:
    """Return the ids of the contact's rows in each audited table, deleted rows included."""
    rows = {
        data.model: set(data.rows(contact).values_list("pk", flat=True))
        for data in PERSONAL_DATA
        if isinstance(getattr(data.model, "audit", None), Audit)
    }
    for model, ids in rows.items():
        if model is not Contact:
            referenced_contact = Q(changes__contact_id__0=contact.pk) | Q(changes__contact_id__1=contact.pk)
            deleted = AuditEntry.objects.filter(
                referenced_contact, company=contact.company_id, table_name=model._meta.db_table
            )
            ids.update(deleted.values_list("row_id", flat=True))
    return rows


def find_audit_entries(rows: dict[type[Any], set[int]]) -> Any:
    """Return the audit entries of these rows, oldest first."""
    matching = Q(pk__in=[])
    for model, ids in rows.items():
        matching |= Q(table_name=model._meta.db_table, row_id__in=ids)
    return AuditEntry.objects.filter(matching).order_by("at", "id")


def erase_audit_entries(rows: dict[type[Any], set[int]]) -> int:
    """Erase personal values in the audit entries of these rows. The column, time and user of a change stay."""
    personal = {data.model._meta.db_table: data.personal for data in PERSONAL_DATA}
    entries = list(find_audit_entries(rows))
    for entry in entries:
        entry.changes = {
            column: [ERASED if value else value for value in values] if column in personal[entry.table_name] else values
            for column, values in entry.changes.items()
        }
    AuditEntry.objects.bulk_update(entries, ["changes"], batch_size=CHUNK)
    return len(entries)


def export_opt_outs(contact: Contact) -> dict[str, list[dict[str, Any]]]:
    """Return the opt-outs of the contact's numbers, without hashes and without the users who recorded them."""
    opt_outs = opt_outs_of(contact).order_by("pk")
    columns = ("id", "phone", "channel", "state", "decided_at", "confirmed_at", "created_at")
    entry_columns = ("opt_out_id", "action", "words", "source", "activity_id", "occurred_at", "created_at")
    entries = OptOutEntry.objects.filter(opt_out__in=opt_outs).order_by("pk")
    return {"opt_outs": list(opt_outs.values(*columns)), "opt_out_entries": list(entries.values(*entry_columns))}


def erase_opt_outs(contact: Contact) -> int:
    """Erase the numbers and words of the contact's opt-outs. Returns the number of opt-outs.

    The opt-out, its time and the id of its message, itself erased, stay for good.
    """
    opt_outs = list(opt_outs_of(contact).order_by("number_hash").select_for_update())
    OptOutEntry.objects.filter(opt_out__in=opt_outs).exclude(words="").update(words=ERASED)
    return OptOut.objects.filter(pk__in=[row.pk for row in opt_outs]).update(phone="")


def erase_idempotency_keys(contact: Contact) -> None:
    """Delete stored API responses, kept for repeated requests, that contain the contact."""
    keys = IdempotencyKey.objects.filter(company=contact.company_id, response__contains=f'"contact":{contact.pk},')
    keys.delete()


def erase_admin_log(contact: Contact) -> None:
    """Erase the contact's name in the admin's log."""
    LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(Contact), object_id=str(contact.pk)).update(
        object_repr=ERASED, change_message=""
    )
