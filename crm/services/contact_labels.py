"""Tags and custom fields of contacts together, as lists and cards show them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import BooleanField, DateField, F, FloatField, QuerySet, SmallIntegerField, Value

from crm.db.bulk import among
from crm.db.prepared import IDS, prepared
from crm.models import ContactFieldValue, ContactTag
from crm.services.contact_fields import shown_value

IS_TAG = -1  # in place of a field's position


@dataclass(frozen=True)
class Labels:
    """The names of a contact's tags, sorted, and its values by the fields' keys, in their order."""

    tags: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)


@prepared
def _labels() -> QuerySet:
    values = ContactFieldValue.objects.filter(among("contact", IDS), field__deleted_at__isnull=True).values_list(
        F("field__position"), F("field_id"), F("field__key"), F("contact_id"), "text", "number", "date", "yes"
    )
    tags = ContactTag.objects.filter(among("contact", IDS)).values_list(
        Value(IS_TAG, SmallIntegerField()), F("tag_id"), F("tag__name_key"), F("contact_id"), F("tag__name"),
        Value(None, FloatField()), Value(None, DateField()), Value(None, BooleanField()),
    )  # fmt: skip
    return values.union(tags, all=True)


def labels_of(contact_ids: Iterable[int]) -> dict[int, Labels]:
    """Return the labels of each contact that has any, by one statement."""
    labels: dict[int, Labels] = {}
    rows = list(_labels(ids=set(contact_ids)))
    # Tags by their names, and values by the order of their fields.
    rows.sort(key=lambda row: (row[0], row[2]) if row[0] == IS_TAG else (row[0], row[1]))
    for position, _, key, contact, *filled in rows:
        its_labels = labels.setdefault(contact, Labels())
        value = next(each for each in filled if each is not None)
        if position == IS_TAG:
            its_labels.tags.append(value)
        else:
            its_labels.values[key] = shown_value(value)
    return labels
