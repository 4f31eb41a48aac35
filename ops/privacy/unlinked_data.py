"""Personal data without a foreign key to the contact: webhook events, opt-outs, audit entries, the admin's log."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import F, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.db.models.lookups import Regex

from crm.db.audit import Audit
from crm.db.tenancy import TenantModel
from crm.models import AuditEntry, Contact, IdempotencyKey, OptOut, OptOutEntry
from messaging.choices import EventStatus
from messaging.models import WebhookEvent
from messaging.providers.payloads import decode_json
from messaging.providers.registry import PROVIDERS
from ops.privacy.mentions import ERASED, replace_numbers
from ops.privacy.people import Person
from ops.privacy.personal_data_map import PERSONAL_DATA
from ops.privacy.spellings import is_e164

CHUNK = 200  # webhook events in memory at once: one may have 10 MB

_TEXT = re.compile(r'"([^"\\]{1,100})"')
_FORM_VALUE = re.compile(r"=([^&=]{1,100})(?=&|$)")  # ids need no escapes there


def names_person(person: Person) -> Callable[[bytes], bool]:
    """Return a predicate for webhook bodies: it holds if a body has a number, call id or message id of the person.

    A sender without a number may be any text, such as a postal code, so it must be the sender of a message.
    """
    ids = set(person.provider_ids)
    senders = {number for number in person.numbers if not is_e164(number)}

    def names(body: bytes) -> bool:
        text, _ = decode_json(body)
        if person.spellings.search(text):
            return True
        if not ids.isdisjoint(_TEXT.findall(text)) or not ids.isdisjoint(_FORM_VALUE.findall(text)):
            return True
        return bool(senders) and not senders.isdisjoint(_senders_in(body))

    return names


def _senders_in(body: bytes) -> Iterator[str]:
    """Yield the sender of an incoming message, if the body is one of any provider."""
    for spec in PROVIDERS.values():
        if text := spec.webhook.find_incoming_text(body, {}):
            yield text.from_number


def find_webhook_events(person: Person) -> Iterator[WebhookEvent]:
    """Yield the company's webhook events that name the person, as `names_person` decides.

    No index serves this: it reads every webhook event of the company, in chunks.
    """
    names = names_person(person)
    events = WebhookEvent.objects.filter(company=person.company_id).order_by("created_at", "id")
    for event in events.iterator(chunk_size=CHUNK):
        if names(bytes(event.body)):
            yield event


def erase_webhook_events(person: Person) -> set[int]:
    """Empty the webhook events that name the person, and ignore pending ones. Returns their ids."""
    found = [event.pk for event in find_webhook_events(person)]
    for start in range(0, len(found), CHUNK):
        events = WebhookEvent.objects.filter(pk__in=found[start : start + CHUNK])
        events.update(body=b"", headers={}, error="")
        events.filter(processed=False).update(
            status=EventStatus.IGNORED, processed=True, error="The contact was erased."
        )
    return set(found)


def audited_rows(person: Person) -> dict[type[Any], set[int]]:
    """Return the ids of the person's rows in each audited table, deleted rows included."""
    rows = {
        data.model: set(data.rows(person).values_list("pk", flat=True))
        for data in PERSONAL_DATA
        if isinstance(getattr(data.model, "audit", None), Audit)
    }
    for model, ids in rows.items():
        if model is Contact:
            ids.update(person.contact_ids)
            continue
        contacts = person.contact_ids
        referenced_contact = Q(changes__contact_id__0__in=contacts) | Q(changes__contact_id__1__in=contacts)
        deleted = AuditEntry.objects.filter(
            referenced_contact, company=person.company_id, table_name=model._meta.db_table
        )
        ids.update(deleted.values_list("row_id", flat=True))
    return rows


def find_audit_entries(person: Person, rows: dict[type[Any], set[int]]) -> QuerySet[AuditEntry]:
    """Return the audit entries of these rows, and those that mention a number of the person, oldest first."""
    matching = Q(Regex(Cast(F("changes"), TextField()), person.spellings.pattern), company=person.company_id)
    for model, ids in rows.items():
        matching |= Q(table_name=model._meta.db_table, row_id__in=ids)
    return AuditEntry.objects.filter(matching).order_by("at", "id")


def erase_audit_entries(person: Person, rows: dict[type[Any], set[int]]) -> int:
    """Erase personal values in the audit entries of these rows. The column, time and user of a change stay.

    In entries of other rows only the person's numbers are erased.
    """
    personal = {data.model._meta.db_table: data.personal for data in PERSONAL_DATA}
    own = {model._meta.db_table: ids for model, ids in rows.items()}
    entries = list(find_audit_entries(person, rows))
    for entry in entries:
        erased = personal[entry.table_name] if entry.row_id in own.get(entry.table_name, ()) else ()
        entry.changes = {
            column: [ERASED if value else value for value in values]
            if column in erased
            else replace_numbers(values, person.spellings)
            for column, values in entry.changes.items()
        }
    AuditEntry.objects.bulk_update(entries, ["changes"], batch_size=CHUNK)
    return len(entries)


def export_opt_outs(person: Person) -> dict[str, list[dict[str, Any]]]:
    """Return the opt-outs of the person's numbers, without hashes and without the users who recorded them."""
    opt_outs = person.opt_outs().order_by("pk")
    columns = ("id", "phone", "channel", "state", "decided_at", "confirmed_at", "created_at")
    entry_columns = ("opt_out_id", "action", "words", "source", "activity_id", "occurred_at", "created_at")
    entries = OptOutEntry.objects.filter(opt_out__in=opt_outs).order_by("pk")
    return {"opt_outs": list(opt_outs.values(*columns)), "opt_out_entries": list(entries.values(*entry_columns))}


def erase_opt_outs(person: Person) -> int:
    """Erase the numbers and words of the person's opt-outs. Returns the number of opt-outs.

    The opt-out, its time and the id of its erased message are kept.
    """
    opt_outs = list(person.opt_outs().order_by("number_hash").select_for_update())
    OptOutEntry.objects.filter(opt_out__in=opt_outs).exclude(words="").update(words=ERASED)
    return OptOut.objects.filter(pk__in=[row.pk for row in opt_outs]).update(phone="")


def find_idempotency_keys(person: Person) -> QuerySet[IdempotencyKey]:
    """Return the stored API responses, kept for repeated requests, that contain the contact or a number."""
    matching = Q(response__regex=person.spellings.pattern)
    for contact in person.contact_ids:
        named = Q(response__regex=rf'"contact": ?{contact}[,}}]')
        matching |= named | Q(request__endswith=f"/message-threads/{contact}")
    return IdempotencyKey.objects.filter(matching, company=person.company_id)


def erase_admin_log(person: Person) -> None:
    """Erase the names of the person's contacts in the admin's log, and the texts that mention a number."""
    contacts = ContentType.objects.get_for_model(Contact)
    pattern = person.spellings.pattern
    entries = LogEntry.objects.filter(
        Q(content_type=contacts, object_id__in=[str(pk) for pk in person.contact_ids])
        | Q(object_repr__regex=pattern)
        | Q(change_message__regex=pattern)
    )
    erased = [entry.pk for entry in entries.select_related("content_type") if _is_of_company(entry, person.company_id)]
    LogEntry.objects.filter(pk__in=erased).update(object_repr=ERASED, change_message="")


def _is_of_company(entry: LogEntry, company_id: int) -> bool:
    """Return whether the entry is about a row of the company; a deleted row is known from the audit."""
    model = entry.content_type.model_class() if entry.content_type else None
    if model is None or not issubclass(model, TenantModel) or entry.object_id is None:
        return False
    audited = AuditEntry.objects.filter(company=company_id, table_name=model._meta.db_table, row_id=entry.object_id)
    return model._default_manager.filter(company=company_id, pk=entry.object_id).exists() or audited.exists()
