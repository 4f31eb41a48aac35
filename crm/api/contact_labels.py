"""The tags and custom fields of a contact, as fields of its row and as filters of the list."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import django_filters
from django import forms
from django.core.exceptions import ValidationError as FormError
from django.db.models import Q, QuerySet
from django.http import QueryDict
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ErrorDetail, ValidationError

from crm.api.base.companions import Companion
from crm.api.base.errors import invalid
from crm.api.base.filters import OF_FIELD, RowFilter
from crm.choices import FieldType
from crm.contact_labels import MAX_TAG_LENGTH, InvalidValue, Value, label_key, text_key
from crm.error_codes import ErrorCode
from crm.models import ContactField, ContactListEntry, ContactTag, Tag, User
from crm.services.contact_fields import contacts_with, fields_by_key, parse_value
from crm.services.contact_labels import Labels, labels_of
from crm.services.tags import parse_tag

MAX_TAGS = 100  # of a contact
LABEL_CODES = (
    ErrorCode.NOT_A_LIST, ErrorCode.WRONG_TYPE, ErrorCode.MAX_LENGTH, ErrorCode.UNKNOWN_FIELD, ErrorCode.INVALID,
    ErrorCode.LIMIT_REACHED,
)  # fmt: skip
RANGES = {"gte": "gte", "lte": "lte"}
RANGED = (FieldType.NUMBER, FieldType.DATE)
# A client that sends 5 for a text, or "yes" for true, has mixed up two fields.
JSON_TYPES: Mapping[str, tuple[tuple[type, ...], str]] = {
    FieldType.TEXT: ((str,), "Must be a string."),
    FieldType.CHOICE: ((str,), "Must be a string."),
    FieldType.NUMBER: ((int, float), "Must be a number."),
    FieldType.DATE: ((str,), "Must be a day such as 2026-03-02."),
    FieldType.YES_NO: ((bool,), "Must be true or false."),
}


class LabelsCompanion(Companion):
    """Base class of the tags and of the custom fields, which share a statement."""

    is_own = True

    def load(self, keys: set[int], user: User) -> dict[int, Labels]:
        return labels_of(keys)


@extend_schema_field(
    {
        "type": "array",
        "items": {"type": "string", "maxLength": MAX_TAG_LENGTH},
        "maxItems": MAX_TAGS,
        "description": "Names of the contact's tags, sorted. A change replaces all of them. New names make new tags.",
    }
)
class TagsField(LabelsCompanion):
    """The tags of a contact, by name."""

    missing: ClassVar[list[str]] = []

    def value_of(self, loaded: Labels) -> list[str]:
        return loaded.tags

    def to_internal_value(self, data: Any) -> list[str]:
        if not isinstance(data, list):
            raise ValidationError([ErrorDetail("Must be a list of names.", ErrorCode.NOT_A_LIST)])
        if len(data) > MAX_TAGS:
            raise ValidationError([ErrorDetail(f"At most {MAX_TAGS} tags are allowed.", ErrorCode.MAX_LENGTH)])
        if not all(isinstance(name, str) for name in data):
            raise ValidationError([ErrorDetail("Must be a string.", ErrorCode.WRONG_TYPE)])
        try:
            return list({label_key(name): name for name in map(parse_tag, data)}.values())
        except InvalidValue as error:
            raise ValidationError([ErrorDetail(str(error), ErrorCode.INVALID)]) from error


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
        "description": "Values of custom fields by the field's key: see `contact-fields`. Keys that aren't sent keep "
        "their value; null removes it.",
    }
)
class FieldsField(LabelsCompanion):
    """The values of a contact's custom fields, by key."""

    missing: ClassVar[dict[str, Any]] = {}

    def value_of(self, loaded: Labels) -> dict[str, Any]:
        return loaded.values

    def to_internal_value(self, data: Any) -> dict[str, Value | None]:
        if not isinstance(data, dict):
            raise ValidationError([ErrorDetail("Must be an object.", ErrorCode.WRONG_TYPE)])
        fields, values, errors = fields_by_key() if data else {}, {}, {}
        for key, value in data.items():
            try:
                values[key] = _parse_json(fields.get(key), value)
            except ValidationError as error:
                errors[str(key)] = error.detail
        if errors:
            raise ValidationError(errors)
        return values


def _parse_json(field: ContactField | None, value: Any) -> Value | None:
    if field is None:
        raise ValidationError([ErrorDetail("There is no custom field with this key.", ErrorCode.UNKNOWN_FIELD)])
    if value is None:
        return None
    types, message = JSON_TYPES[field.field_type]
    if type(value) not in types:
        raise ValidationError([ErrorDetail(message, ErrorCode.WRONG_TYPE)])
    try:
        return parse_value(field, value)
    except InvalidValue as error:
        raise ValidationError([ErrorDetail(str(error), ErrorCode.INVALID)]) from error


class TagsFormField(forms.Field):
    """Names of tags."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[str]:
        try:
            return [parse_tag(name) for name in value or ()]
        except InvalidValue as error:
            raise FormError(str(error), "invalid") from error


@extend_schema_field(
    {
        "type": "array",
        "items": {"type": "string"},
        "description": "Contacts with this tag. Repeat it for any of several.",
    }
)
class TagFilter(django_filters.Filter):
    """Contacts with one of these tags."""

    field_class = TagsFormField
    takes_several = True

    def filter(self, queryset: QuerySet, value: list[str]) -> QuerySet:
        if not value:
            return queryset
        # Ids first: the planner then knows how many contacts have these tags.
        tags = list(Tag.objects.filter(name_key__in=map(label_key, value)).values_list("pk", flat=True))
        return queryset.filter(pk__in=ContactTag.objects.filter(tag__in=tags).values("contact"))


class ListFilter(RowFilter):
    """Contacts on one of these static lists."""

    def filter(self, queryset: QuerySet, value: Any) -> QuerySet:
        if not value:
            return queryset
        return queryset.filter(pk__in=ContactListEntry.objects.filter(list__in=value).values("contact"))


class FieldParameters:
    """The parameters `field.KEY`, `field.KEY.gte` and `field.KEY.lte` of a request."""

    def __init__(self, parameters: QueryDict) -> None:
        self.parameters = {name: values for name, values in parameters.lists() if name.startswith(OF_FIELD)}

    @cached_property
    def fields(self) -> dict[str, ContactField]:
        return fields_by_key() if self.parameters else {}

    @property
    def known(self) -> set[str]:
        """The names that the company's custom fields allow."""
        names = {f"{OF_FIELD}{key}" for key in self.fields}
        ranged = [field.key for field in self.fields.values() if field.field_type in RANGED]
        return names | {f"{OF_FIELD}{key}.{end}" for key in ranged for end in RANGES}

    @property
    def repeatable(self) -> set[str]:
        return {f"{OF_FIELD}{key}" for key in self.fields}

    def filter(self, contacts: QuerySet) -> QuerySet:
        """Return the contacts that meet all parameters. Raises ValidationError for a value of another type."""
        conditions: dict[str, Q] = {}
        for name, texts in self.parameters.items():
            key, _, end = name.removeprefix(OF_FIELD).partition(".")
            field = self.fields[key]
            try:
                values = [parse_value(field, text) for text in texts]
            except InvalidValue as error:
                raise invalid(name, str(error)) from error
            column = field.searched_column
            if column == "text_key":
                values = [text_key(str(value)) for value in values]
            lookup = {f"{column}__{RANGES[end]}": values[0]} if end else {f"{column}__in": values}
            conditions[key] = conditions.get(key, Q()) & Q(**lookup)
        for key, condition in conditions.items():
            contacts = contacts.filter(pk__in=contacts_with(self.fields[key], condition))
        return contacts
