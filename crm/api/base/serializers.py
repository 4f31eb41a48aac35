"""What serializers of all apps share."""

import copy
from datetime import UTC, date, datetime, time
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import models
from django.db.models import BaseConstraint, CheckConstraint, Q, UniqueConstraint
from rest_framework import serializers

from crm.api.base.roles import grant_for, visible
from crm.date_ranges import FIRST_DAY, LAST_DAY
from crm.db.tenancy import current_company_id
from crm.models import Contact, User
from crm.phones import InvalidPhone, normalize_phone

FIRST_INSTANT, LAST_INSTANT = (datetime.combine(day, time.min, UTC) for day in (FIRST_DAY, LAST_DAY))

# DRF would take 0 for the text "0", "off" for false, and 5.5 for the row 5.
JSON_TYPES: list[tuple[type[serializers.Field], set[type], str]] = [
    (serializers.BooleanField, {bool}, "Must be true or false."),
    (serializers.CharField, {str}, "Must be a text."),
    (serializers.ChoiceField, {str}, "Must be a text."),
    (serializers.DecimalField, {str, int, float}, "Must be a number, or a text that holds one."),
    (serializers.IntegerField, {int}, "Must be a whole number."),
    (serializers.PrimaryKeyRelatedField, {int}, "Must be an id."),
]


class DayField(serializers.DateField):
    """`YYYY-MM-DD`, within the years that calendars agree on."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(input_formats=["%Y-%m-%d"], **kwargs)

    def to_internal_value(self, value: Any) -> date:
        day = super().to_internal_value(value)
        if not FIRST_DAY <= day <= LAST_DAY:
            raise serializers.ValidationError(f"Must be a day from {FIRST_DAY} to {LAST_DAY}.")
        return day


class InstantField(serializers.DateTimeField):
    """A time within the years that calendars agree on: at the ends of time no zone could tell which day it is."""

    def to_internal_value(self, value: Any) -> datetime:
        instant = super().to_internal_value(value)
        if not FIRST_INSTANT <= instant <= LAST_INSTANT:
            raise serializers.ValidationError(f"Must be a time from {FIRST_DAY} to {LAST_DAY}.")
        return instant


class TenantSerializer(serializers.ModelSerializer):
    """A row of the company entered. Unknown fields, and what the database would refuse, are errors by field name."""

    serializer_field_mapping = serializers.ModelSerializer.serializer_field_mapping | {
        models.DateField: DayField,
        models.DateTimeField: InstantField,
    }

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            errors = {str(name): ["There is no such field."] for name in sorted(set(data) - set(self.fields))}
            for name, field in self.fields.items():
                if not field.read_only and (message := _wrong_type(field, data.get(name))):
                    errors[name] = [message]
            if errors := errors or self._not_theirs_to_change(data):
                raise serializers.ValidationError(errors)
        return super().to_internal_value(data)

    def _not_theirs_to_change(self, data: dict[str, Any]) -> dict[str, list[str]]:
        """Fields that the user's role may not change, and that `data` would. Sent back as they were read, they pass.

        Compared as sent, before any id in them is looked up: the answer tells nothing of the row that it names.
        """
        if not self.instance:
            return {}
        fields = grant_for(self.context["request"].user.role, self.context["view"].resource).fields
        if fields is None:
            return {}
        stands = self.to_representation(self.instance)
        theirs = [name for name, field in self.fields.items() if name in fields or field.read_only]
        changed = [name for name in data if name not in theirs and data[name] != stands.get(name)]
        return {name: ["Your role may not change this."] for name in changed}

    def build_relational_field(self, field_name: str, relation_info: Any) -> Any:
        field_class, kwargs = super().build_relational_field(field_name, relation_info)
        return ContactField if relation_info.related_model is Contact else field_class, kwargs

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        model: Any = self.Meta.model
        row = copy.copy(self.instance) if self.instance else model(company_id=current_company_id())
        for name, value in attrs.items():
            setattr(row, name, value)
        self.prepare(row)
        errors: dict[str, list[str]] = {}
        for constraint in model._meta.constraints:
            try:
                constraint.validate(model, row)
            except DjangoValidationError as error:
                errors.setdefault(_field_to_blame(constraint), []).extend(error.messages)
        if errors:
            raise serializers.ValidationError(errors)
        return attrs

    def update(self, instance: Any, validated_data: dict[str, Any]) -> Any:
        """Write the fields that were sent, and no others: what somebody else changes meanwhile stays changed."""
        for name, value in validated_data.items():
            setattr(instance, name, value)
        stamps = [field.name for field in instance._meta.fields if getattr(field, "auto_now", False)]
        instance.save(update_fields=[*validated_data, *stamps])
        return instance

    def get_unique_together_validators(self) -> list[Any]:
        return []  # these would blame no field; validate() asks every constraint

    def prepare(self, row: Any) -> None:
        """Derive what the service will derive, so that the constraints are asked about the row to be written."""


class PhoneField(serializers.CharField):
    """A phone number in any spelling; kept and answered as E.164."""

    def to_internal_value(self, data: Any) -> str:
        try:
            return normalize_phone(super().to_internal_value(data))
        except InvalidPhone as error:
            raise serializers.ValidationError(str(error)) from error


class CompanyUserField(serializers.PrimaryKeyRelatedField):
    """A user of the same company. Django's default manager of users is open to all companies; this one is not."""

    def get_queryset(self) -> Any:
        return User.objects.all()


class ActiveUserField(CompanyUserField):
    """A colleague who still works here."""

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(is_active=True)


class ContactField(serializers.PrimaryKeyRelatedField):
    """A contact that the user may see. Any other is answered like one that does not exist."""

    def get_queryset(self) -> Any:
        return visible(Contact.objects.all(), self.context["request"].user, "contacts")


def _wrong_type(field: serializers.Field, value: Any) -> str:
    """What is wrong with the JSON type of a value, if anything."""
    if isinstance(field, serializers.ListField) and isinstance(value, list):
        return next((message for item in value if (message := _wrong_type(field.child, item))), "")
    for kind, types, message in JSON_TYPES:
        if isinstance(field, kind):
            return "" if value is None or type(value) in types else message
    return ""


def _field_to_blame(constraint: BaseConstraint) -> str:
    """The last field that a constraint names: the one that its declaration is about, by our way of writing them."""
    if isinstance(constraint, UniqueConstraint):
        return constraint.fields[-1]
    if isinstance(constraint, CheckConstraint):
        return _fields_of(constraint.condition)[-1]
    return NON_FIELD_ERRORS


def _fields_of(condition: Any) -> list[str]:
    names: list[str] = []
    for child in condition.children:
        names += _fields_of(child) if isinstance(child, Q) else [child[0].partition("__")[0]]
    return names
