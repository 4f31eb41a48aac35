"""Custom fields of contacts: their definitions and their values."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from crm.choices import FieldType
from crm.contact_labels import (
    Value,
    choose_option,
    parse_date,
    parse_number,
    parse_text,
    parse_yes_no,
    text_key,
)
from crm.error_codes import ErrorCode
from crm.models import ContactField, ContactFieldValue, User
from crm.models.contact_fields import COLUMNS
from crm.refusals import Refusal
from crm.services.label_deletion import check_confirmed, check_no_segment_names

RESTORABLE = timedelta(days=30)
CHUNK = 5000  # contacts in one statement
MAX_REMOVED = 20_000  # values in one run of the worker
PARSERS: Mapping[FieldType, Callable[[Any], Value]] = {
    FieldType.TEXT: parse_text,
    FieldType.NUMBER: parse_number,
    FieldType.DATE: parse_date,
    FieldType.YES_NO: parse_yes_no,
}


class OptionInUse(Refusal):
    """Contacts have an option that would be removed."""

    code, attr = ErrorCode.OPTION_IN_USE, "options"

    def __init__(self, option: str, contacts: int) -> None:
        self.contacts = contacts
        who = "One contact has" if contacts == 1 else f"{contacts:,} contacts have"
        super().__init__(f"{who} the option {option}.")

    def facts(self) -> dict[str, Any]:
        return {"contacts": self.contacts}


@dataclass(frozen=True)
class ValueChange:
    """One value of a contact that was written; None stands for no value."""

    contact_id: int
    key: str
    before: Value | None
    after: Value | None


def fields_by_key() -> dict[str, ContactField]:
    """Return the active tenant's custom fields in their order, without deleted ones."""
    return {field.key: field for field in ContactField.objects.live()}


def parse_value(field: ContactField, value: Any) -> Value:
    """Return the value that a text or a JSON value stands for in this field. Raises InvalidValue."""
    if field.field_type == FieldType.CHOICE:
        return choose_option(value, field.options)
    return PARSERS[FieldType(field.field_type)](value)


def shown_value(value: Any) -> Any:
    """Return a stored value as JSON has it: a day as `YYYY-MM-DD`, a whole number without `.0`."""
    if isinstance(value, date):
        return value.isoformat()
    return int(value) if isinstance(value, float) and value.is_integer() else value


def set_field_values(
    *,
    company_id: int,
    values: Mapping[int, Mapping[str, Value | None]],
    user: User | None = None,
    overwrite: bool = True,
) -> list[ValueChange]:
    """Write values of contacts, and return what has changed.

    Args:
        values: parsed values by the contact's id and the field's key. None removes the value.
        overwrite: whether a value that is there already is replaced; else only missing ones are written.
    """
    fields = fields_by_key()
    contacts = sorted(contact for contact, its_values in values.items() if its_values)
    changes: list[ValueChange] = []
    with transaction.atomic():
        for start in range(0, len(contacts), CHUNK):
            chunk = contacts[start : start + CHUNK]
            changes += _write({contact: values[contact] for contact in chunk}, fields, company_id, user, overwrite)
    return changes


def _write(
    values: Mapping[int, Mapping[str, Value | None]],
    fields: Mapping[str, ContactField],
    company_id: int,
    user: User | None,
    overwrite: bool,
) -> list[ValueChange]:
    used = [fields[key] for key in {key for its_values in values.values() for key in its_values}]
    rows = ContactFieldValue.objects.filter(contact__in=list(values), field__in=used)
    stored = {(row.contact_id, row.field_id): row for row in rows}
    written, removed, changes = [], [], []
    for contact, its_values in values.items():
        for key, value in its_values.items():
            field = fields[key]
            row = stored.get((contact, field.pk))
            before = row.value if row else None
            if value == before or (row and not overwrite):
                continue
            changes.append(ValueChange(contact, key, before, value))
            if value is None and row:
                removed.append(row.pk)
            elif value is not None:
                about = {"company_id": company_id, "contact_id": contact, "field": field, "created_by": user}
                written.append(ContactFieldValue(**about, **columns_of(field, value)))
    ContactFieldValue.objects.filter(pk__in=removed).delete()
    ContactFieldValue.objects.bulk_create(
        written,
        update_conflicts=True,
        unique_fields=["contact", "field"],
        update_fields=["text", "text_key", "number", "date", "yes"],
    )
    return changes


def columns_of(field: ContactField, value: Value) -> dict[str, Any]:
    """Return the columns of a value's row: its type, and the column that holds the value."""
    column = COLUMNS[FieldType(field.field_type)]
    columns: dict[str, Any] = {"field_type": field.field_type, column: value}
    return columns | ({"text_key": text_key(str(value))} if column == "text" else {})


def check_options(*, field: ContactField, options: Sequence[str]) -> None:
    """Raise OptionInUse if an option that contacts have isn't among the new ones."""
    kept = {text_key(option) for option in options}
    for option in field.options:
        if text_key(option) not in kept:
            rows = ContactFieldValue.objects.filter(field=field, text_key=text_key(option))
            if contacts := rows.count():
                raise OptionInUse(option, contacts)


def change_field(*, field: ContactField, **changes: Any) -> ContactField:
    """Change the label, the options or the position of a field. Raises OptionInUse."""
    with transaction.atomic():
        if "options" in changes:
            check_options(field=field, options=changes["options"])
            _respell(field, changes["options"])
        for name, value in changes.items():
            setattr(field, name, value)
        field.save(update_fields=[*changes])
    return field


def _respell(field: ContactField, options: Sequence[str]) -> None:
    """Write the new spelling of options into the values: `gold` has become `Gold`."""
    for option in set(options) - set(field.options):
        rows = ContactFieldValue.objects.filter(field=field, text_key=text_key(option))
        rows.exclude(text=option).update(text=option)


def delete_field(*, field: ContactField, confirmed: bool) -> None:
    """Delete a field. It can be restored with its values for 30 days.

    Raises:
        ConfirmNeeded: contacts have a value, and the person wasn't asked.
        NamedBySegment: a segment chooses contacts by it.
    """
    with transaction.atomic():
        check_no_segment_names(field, node="custom_field", part="key", value=field.key)
        check_confirmed(field, contacts=ContactFieldValue.objects.filter(field=field).count(), confirmed=confirmed)
        field.deleted_at = timezone.now()
        field.save(update_fields=["deleted_at"])


def restore_field(*, field: ContactField) -> ContactField:
    """Restore a deleted field with its values. One that isn't deleted stays as it is.

    Raises:
        IntegrityError: another field has its key or label by now.
    """
    if field.deleted_at is not None:
        field.deleted_at = None
        field.save(update_fields=["deleted_at"])
    return field


def remove_expired_fields() -> None:
    """Remove fields that were deleted 30 days ago, with their values: some of them each time."""
    expired = ContactField.objects.deleted().filter(deleted_at__lt=timezone.now() - RESTORABLE)
    left = MAX_REMOVED
    for field in expired.order_by("deleted_at"):
        some = list(ContactFieldValue.objects.filter(field=field).values_list("pk", flat=True)[:left])
        ContactFieldValue.objects.filter(pk__in=some).delete()
        left -= len(some)
        if left <= 0:
            return
        field.delete()


def contacts_with(field: ContactField, condition: Q) -> Any:
    """Return the ids of the contacts whose value of the field meets a condition on its row."""
    return ContactFieldValue.objects.filter(condition, field=field).values("contact")
