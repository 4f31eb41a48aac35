"""Base serializer and fields of the API."""

import copy
import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, ClassVar, NoReturn

from django.db import models
from django.db.models import Q
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.validators import UniqueValidator

from crm.api.base.companions import Companion, add_companions
from crm.api.base.errors import as_error_details
from crm.api.base.roles import grant_for, visible
from crm.choices import Role, assignable_roles
from crm.date_ranges import InvalidDay, parse_day
from crm.db.tenancy import current_company_id
from crm.error_codes import ErrorCode
from crm.form_fields import as_sentence
from crm.instants import InvalidInstant, parse_instant
from crm.models import Contact, User
from crm.phones import InvalidPhone, normalize_phone
from crm.refused_writes import RefusedWrite, same_values, violations
from crm.services.merging.tombstones import AlreadyMerged, find_kept

# DRF would accept 0 as the string "0", "off" as false, and 5.5 as the row 5.
JSON_TYPES: list[tuple[type[serializers.Field], set[type], str]] = [
    (serializers.BooleanField, {bool}, "Must be true or false."),
    (serializers.CharField, {str}, "Must be a string."),
    (serializers.ChoiceField, {str}, "Must be a string."),
    (serializers.DecimalField, {str, int, float}, "Must be a number or a numeric string."),
    (serializers.DictField, {dict}, "Must be an object."),
    (serializers.IntegerField, {int}, "Must be a whole number."),
    (serializers.PrimaryKeyRelatedField, {int}, "Must be an ID."),
]


class DayField(serializers.DateField):
    """A day, `YYYY-MM-DD`, from 1970 to 2100."""

    def to_internal_value(self, value: Any) -> date:
        try:
            return parse_day(str(value))
        except InvalidDay as error:
            raise serializers.ValidationError(as_sentence(error)) from error


class AmountField(serializers.DecimalField):
    """An amount such as `1250.00`. Python would also read `1_000`, `1e3`, and digits of other scripts."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, str) and not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", data):
            self.fail("invalid")
        return super().to_internal_value(data)


class WholeNumberField(serializers.IntegerField):
    """A whole number of a query parameter, in the digits 0 to 9."""

    def to_internal_value(self, data: Any) -> int:
        if not re.fullmatch("-?[0-9]{1,18}", data):
            self.fail("invalid")
        return super().to_internal_value(data)


class InstantField(serializers.DateTimeField):
    """A time with an offset, from 1970 to 2100: near Python's first and last year a time zone conversion would fail."""

    def to_internal_value(self, value: Any) -> datetime:
        try:
            return parse_instant(value)
        except InvalidInstant as error:
            raise serializers.ValidationError(as_sentence(error)) from error


class BodySerializer(serializers.Serializer):
    """A request's body. Unknown and read-only fields, and values of another JSON type, are errors by field name."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (errors := self.refused_fields(data)):
            raise serializers.ValidationError({name: [error] for name, error in errors.items()})
        return super().to_internal_value(data)

    def refused_fields(self, data: dict[str, Any]) -> dict[str, ErrorDetail]:
        """Return an error for each field that DRF would ignore, or convert from another JSON type."""
        errors = {}
        for name, value in data.items():
            field = self.fields.get(name)
            if field is None:
                errors[str(name)] = _detail_of(ErrorCode.UNKNOWN_FIELD)
            elif field.read_only:
                errors[name] = _detail_of(ErrorCode.READ_ONLY)
            elif message := _wrong_type(field, value):
                errors[name] = ErrorDetail(message, ErrorCode.WRONG_TYPE)
        return errors


@extend_schema_field({"$ref": "#/components/schemas/ErrorCode"})
class ErrorCodeField(serializers.CharField):
    """An error code beside other results of a response."""


class OneOfField(serializers.ChoiceField):
    """One of some words. The error of any other lists them."""

    default_error_messages: ClassVar = {"invalid_choice": "Must be one of: {choices}."}

    def fail(self, key: str, **values: Any) -> NoReturn:
        super().fail(key, choices=", ".join(map(str, self.choices)), **values)


class TenantSerializer(BodySerializer, serializers.ModelSerializer):
    """A row of the active tenant. Unknown and read-only fields and violated constraints are errors by field name."""

    serializer_field_mapping = serializers.ModelSerializer.serializer_field_mapping | {
        models.DateField: DayField,
        models.DateTimeField: InstantField,
        models.DecimalField: AmountField,
    }

    serializer_choice_field = OneOfField

    @property
    def companions(self) -> list[Companion]:
        return [field for field in self.fields.values() if isinstance(field, Companion)]

    def to_representation(self, instance: Any) -> dict[str, Any]:
        row = self.own_fields(instance)
        if companions := self.companions:
            add_companions([row], companions, self.context["request"].user)
        return row

    def own_fields(self, instance: Any) -> dict[str, Any]:
        """Return the row without its companions."""
        return super().to_representation(instance)

    def refused_fields(self, data: dict[str, Any]) -> dict[str, ErrorDetail]:
        return super().refused_fields(data) or self._forbidden_changes(data) or self._changes_of_fixed_fields(data)

    def _forbidden_changes(self, data: dict[str, Any]) -> dict[str, ErrorDetail]:
        """Return an error for each changed field that the user's role may not change. Unchanged values pass.

        Such a field of a new row may have any value, but of colleagues it names the user or nobody. Values are compared
        as sent, before ids are looked up: the error must not reveal whether a row exists.
        """
        user = self.context["request"].user
        fields = grant_for(user.role, self.context["view"].resource).fields
        if fields is None:
            return {}
        forbidden = [name for name in data if name not in fields]
        if self.instance:
            current = self.own_fields(self.instance)
            changed = [name for name in forbidden if data[name] != current.get(name)]
        else:
            of_users = [name for name in forbidden if isinstance(self.fields[name], AssignableUserField)]
            changed = [name for name in of_users if data[name] not in (None, user.pk)]
        return dict.fromkeys(changed, _detail_of(ErrorCode.FIELD_FORBIDDEN))

    def _changes_of_fixed_fields(self, data: dict[str, Any]) -> dict[str, ErrorDetail]:
        """Return an error for each field of `Meta.fixed_fields` that would change. Unchanged values pass."""
        fixed = getattr(self.Meta, "fixed_fields", ()) if self.instance else ()
        sent = [name for name in fixed if name in data]
        current = self.own_fields(self.instance) if sent else {}
        return {name: _detail_of(ErrorCode.FIXED) for name in sent if data[name] != current[name]}

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        field_class, kwargs = super().build_standard_field(field_name, model_field)
        if validators := kwargs.get("validators"):  # validate() checks every constraint, and names the existing row
            kwargs["validators"] = [each for each in validators if not isinstance(each, UniqueValidator)]
        return field_class, kwargs

    def build_relational_field(self, field_name: str, relation_info: Any) -> Any:
        field_class, kwargs = super().build_relational_field(field_name, relation_info)
        return ContactField if relation_info.related_model is Contact else field_class, kwargs

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        model: Any = self.Meta.model
        row = copy.copy(self.instance) if self.instance else model(company_id=current_company_id())
        for name, value in attrs.items():
            setattr(row, name, value)
        self.prepare(row)
        if refused := violations(row):
            raise serializers.ValidationError(as_error_details(refused, self._existing_rows(row, refused)))
        return attrs

    def _existing_rows(self, row: Any, refused: list[RefusedWrite]) -> dict[str, int]:
        """Return the ids of the rows that have the unique values already, if the user may see them, by constraint."""
        view = self.context["view"]
        if getattr(view, "model", None) is not type(row):
            return {}
        rows = visible(type(row).objects.all(), self.context["request"].user, view.resource)
        found = {}
        for each in refused:
            same = same_values(row, each)
            if same is not None and (pk := rows.filter(same).values_list("pk", flat=True).first()):
                found[each.constraint] = pk
        return found

    def update(self, instance: Any, validated_data: dict[str, Any]) -> Any:
        """Write only the fields that were sent, so that concurrent changes to other fields are kept."""
        for name, value in validated_data.items():
            setattr(instance, name, value)
        instance.save(update_fields=[*validated_data])
        return instance

    def get_unique_together_validators(self) -> list[Any]:
        return []  # these would name no field; validate() checks every constraint

    def prepare(self, row: Any) -> None:
        """Set the fields that the service will derive, so that constraints are checked on the final row."""


class PhoneField(serializers.CharField):
    """A phone number in any format, stored and returned as E.164."""

    default_error_messages: ClassVar = {"invalid_phone": "{reason}"}

    def to_internal_value(self, data: Any) -> str:
        try:
            return normalize_phone(super().to_internal_value(data))
        except InvalidPhone as error:
            self.fail("invalid_phone", reason=error)


class CompanyUserField(serializers.PrimaryKeyRelatedField):
    """A user of the same company. The default manager of users spans all companies."""

    def get_queryset(self) -> Any:
        return User.objects.all()


class AssignableUserField(CompanyUserField):
    """An active user of the same company with a role for this field; also the present one, who may have left."""

    default_error_messages: ClassVar = {"does_not_exist": "Must be an active {roles} of your company."}

    @property
    def roles(self) -> tuple[Role, ...]:
        model: Any = self.parent.Meta.model  # type: ignore[attr-defined]
        return assignable_roles(model._meta.model_name, str(self.source))

    def get_queryset(self) -> Any:
        active = Q(is_active=True, role__in=self.roles)
        present = getattr(self.parent.instance, f"{self.source}_id", None)
        return super().get_queryset().filter(active | Q(pk=present))

    def fail(self, key: str, **values: Any) -> NoReturn:
        roles = " or ".join(role.label for role in self.roles)
        super().fail(key, roles=roles, **values)


class ContactField(serializers.PrimaryKeyRelatedField):
    """A contact that the user may see. Any other is reported as missing, but a merged one with the one that stayed."""

    def get_queryset(self) -> Any:
        return visible(Contact.objects.all(), self.context["request"].user, "contacts")

    def to_internal_value(self, data: Any) -> Any:
        try:
            return super().to_internal_value(data)
        except ValidationError:
            if type(data) is int and (kept := find_kept([data]).get(data)) and self.get_queryset().filter(pk=kept):
                raise AlreadyMerged(gone_id=data, kept_id=kept) from None
            raise


def _detail_of(code: ErrorCode) -> ErrorDetail:
    return ErrorDetail(code.detail, code)


def _wrong_type(field: serializers.Field, value: Any) -> str:
    """Return an error message for a value of the wrong JSON type, else ""."""
    if isinstance(field, serializers.ListField) and isinstance(value, list):
        return _wrong_type_of_items(field.child, value)
    if isinstance(field, serializers.DictField) and isinstance(value, dict):
        return _wrong_type_of_items(field.child, value.values())
    for kind, types, message in JSON_TYPES:
        if isinstance(field, kind):
            return "" if value is None or type(value) in types else message
    return ""


def _wrong_type_of_items(child: serializers.Field, values: Iterable[Any]) -> str:
    return next((message for value in values if (message := _wrong_type(child, value))), "")
