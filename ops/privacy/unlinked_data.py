"""Where a person is named without a foreign key: raw deliveries, opt-outs, evidence of changes, the admin's log."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q

from crm.db.audit import Audit
from crm.models import Activity, AuditEntry, Contact, IdempotencyKey, OptOut, OptOutEntry
from crm.phones import digits_of
from crm.services.opt_outs import opt_outs_of
from messaging.choices import EventStatus
from messaging.models import WebhookEvent
from ops.privacy.personal_data_map import ERASED, RECORDS

CHUNK = 200  # deliveries in memory at once: one may have 10 MB
COUNTRY_CODE = "1"

_ESCAPED_PLUS = re.compile(rb"\\u002[bB]|%2[bB]")
_NUMBER = re.compile(rb"\d{8,15}")
_TEXT = re.compile(rb'"([^"\\]{1,100})"')


def names_contact(contact: Contact, provider_ids: frozenset[str] = frozenset()) -> Callable[[bytes], bool]:
    """Tells of a delivery's body whether it names one of the contact's numbers, or a call or text with them by its id.

    Args:
        provider_ids: ids of their calls and texts that are no longer in the database.
    """
    numbers = {digits_of(phone) for phone in contact.phones.values_list("phone", flat=True)}
    numbers |= {number.removeprefix(COUNTRY_CODE) for number in numbers}
    known = {number.encode() for number in numbers}
    activities = Activity.objects.filter(contact=contact, openphone_id__isnull=False)
    ids = {str(openphone_id).encode() for openphone_id in activities.values_list("openphone_id", flat=True)}
    ids |= {provider_id.encode() for provider_id in provider_ids}

    def names(body: bytes) -> bool:
        text = _ESCAPED_PLUS.sub(b" ", body)
        return not known.isdisjoint(_NUMBER.findall(text)) or not ids.isdisjoint(_TEXT.findall(text))

    return names


def find_deliveries(contact: Contact, provider_ids: frozenset[str] = frozenset()) -> Iterator[WebhookEvent]:
    """The company's deliveries that name the contact, as `names_contact` tells.

    No index leads there: it reads every delivery of the company, in chunks.
    """
    names = names_contact(contact, provider_ids)
    events = WebhookEvent.objects.filter(company=contact.company_id).order_by("created_at", "id")
    for event in events.iterator(chunk_size=CHUNK):
        if names(bytes(event.body)):
            yield event


def erase_deliveries(contact: Contact, provider_ids: frozenset[str] = frozenset()) -> int:
    """Empty these deliveries; one that was still to be worked on is ignored. Returns how many they were."""
    found = [event.pk for event in find_deliveries(contact, provider_ids)]
    for start in range(0, len(found), CHUNK):
        events = WebhookEvent.objects.filter(pk__in=found[start : start + CHUNK])
        events.update(body=b"", headers={}, error="")
        events.filter(processed=False).update(
            status=EventStatus.IGNORED, processed=True, error="The person it was about was erased."
        )
    return len(found)


def rows_with_entries(contact: Contact) -> dict[type[Any], set[int]]:
    """The ids of the contact's rows in every table whose changes are recorded, also of rows that are gone."""
    rows = {
        record.model: set(record.rows(contact).values_list("pk", flat=True))
        for record in RECORDS
        if isinstance(getattr(record.model, "audit", None), Audit)
    }
    for model, ids in rows.items():
        if model is not Contact:
            was_theirs = Q(changes__contact_id__0=contact.pk) | Q(changes__contact_id__1=contact.pk)
            gone = AuditEntry.objects.filter(was_theirs, company=contact.company_id, table_name=model._meta.db_table)
            ids.update(gone.values_list("row_id", flat=True))
    return rows


def find_entries(rows: dict[type[Any], set[int]]) -> Any:
    """What was recorded of changes of these rows, oldest first."""
    matching = Q(pk__in=[])
    for model, ids in rows.items():
        matching |= Q(table_name=model._meta.db_table, row_id__in=ids)
    return AuditEntry.objects.filter(matching).order_by("at", "id")


def erase_entries(rows: dict[type[Any], set[int]]) -> int:
    """Take the person's data out of what was recorded; that something changed, when and by whom, stays."""
    personal = {record.model._meta.db_table: record.personal for record in RECORDS}
    entries = list(find_entries(rows))
    for entry in entries:
        entry.changes = {
            column: [_without(value) for value in values] if column in personal[entry.table_name] else values
            for column, values in entry.changes.items()
        }
    AuditEntry.objects.bulk_update(entries, ["changes"], batch_size=CHUNK)
    return len(entries)


def export_opt_outs(contact: Contact) -> dict[str, list[dict[str, Any]]]:
    """What the ledger holds of the contact's numbers, without their hashes and without who of the company wrote it."""
    opt_outs = opt_outs_of(contact).order_by("pk")
    columns = ("id", "phone", "channel", "state", "decided_at", "confirmed_at", "created_at")
    said = ("opt_out_id", "action", "words", "source", "activity_id", "occurred_at", "created_at")
    entries = OptOutEntry.objects.filter(opt_out__in=opt_outs).order_by("pk")
    return {"opt_outs": list(opt_outs.values(*columns)), "opt_out_entries": list(entries.values(*said))}


def erase_opt_outs(contact: Contact) -> int:
    """Take the numbers and the words out of the ledger. That it was said, when, and by which message, itself erased,
    stays for good. Returns how many numbers they were."""
    opt_outs = list(opt_outs_of(contact).order_by("number_hash").select_for_update())
    OptOutEntry.objects.filter(opt_out__in=opt_outs).exclude(words="").update(words=ERASED)
    return OptOut.objects.filter(pk__in=[row.pk for row in opt_outs]).update(phone="")


def erase_answers(contact: Contact) -> int:
    """Forget the answers of the last day, kept in case a request comes again, that name the contact."""
    answers = IdempotencyKey.objects.filter(company=contact.company_id, response__contains=f'"contact":{contact.pk},')
    return answers.delete()[0]


def erase_admin_log(contact: Contact) -> None:
    """The admin's own log calls a contact by its name."""
    LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(Contact), object_id=str(contact.pk)).update(
        object_repr=ERASED, change_message=""
    )


def _without(value: Any) -> Any:
    return ERASED if value else value
