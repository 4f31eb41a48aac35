"""OpenAPI document, with every error response."""

from typing import Any, cast

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.plumbing import force_instance, is_serializer
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from drf_standardized_errors.openapi import AutoSchema
from rest_framework import serializers

from crm.api.base.companions import Companion
from crm.api.base.document import complete
from crm.api.base.error_responses import (
    BODY_CODES,
    COMMON_CODES,
    ETAG,
    SIGN_IN_CODES,
    error_components,
    error_responses,
)
from crm.api.base.etags import IF_MATCH, IF_NONE_MATCH, TAGS
from crm.api.base.exports import CSV, CSV_TYPE, XLSX, XLSX_TYPE
from crm.api.base.idempotency import HEADER, PARAMETER
from crm.api.base.operations import NamedOperation
from crm.api.base.roles import CHANGE, CREATE, PERMISSIONS
from crm.api.base.serializers import BodySerializer, ContactField, TenantSerializer
from crm.api.base.views import CONTACT_PARAMETERS, TenantView, TenantViewSet
from crm.db.tenancy import all_tenants
from crm.error_codes import ErrorCode
from crm.refused_writes import refusals_of

CODES_OF_HEADER = {HEADER: {ErrorCode.KEY_REUSED, ErrorCode.KEY_IN_USE}, IF_MATCH: {ErrorCode.STALE}}
CODES_OF_PARAMETER = {
    "cursor": {ErrorCode.INVALID_CURSOR},
    "search": {ErrorCode.MIN_LENGTH, ErrorCode.MAX_LENGTH},
    "start_date": {ErrorCode.END_BEFORE_START},
    "contact": {ErrorCode.MIN_VALUE, ErrorCode.MAX_VALUE},
}
PRECONDITIONS = {
    IF_MATCH: "The ETag of the row that the client has read. If the row has changed since, this is a 412. "
    "Without it, a PATCH changes the fields that it sends, even if the row has changed.",
    IF_NONE_MATCH: "The ETag of the row that the client has. If the row is still the same, this is a 304 without body.",
}
NOT_MODIFIED = {"description": "The client has the row already, by If-None-Match."}
WALL_CLOCK = r"^[0-2]\d:[0-5]\d:[0-5]\d(\.\d+)?$"


class ErrorDocumentingAutoSchema(NamedOperation, AutoSchema):
    """One operation, with its error responses."""

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation = super().get_operation(*args, **kwargs)
        if operation:
            has_etag = getattr(self.view, "has_etag", False)
            if has_etag:
                self._add_etag(operation)
            if self.method == "POST" and isinstance(self.view, TenantView) and not self.view.gives_secret:
                operation.setdefault("parameters", []).append(PARAMETER)
            operation["responses"] |= error_responses(self._error_codes(operation))
        return operation

    def get_filter_backends(self) -> Any:
        return cast(TenantViewSet, self.view).filter_backends if self._is_export else super().get_filter_backends()

    def get_override_parameters(self) -> Any:
        if not self._is_export:
            return super().get_override_parameters()
        orders = list(cast(TenantViewSet, self.view).orders)
        return [
            OpenApiParameter("format", str, enum=[CSV, XLSX], default=CSV, description="The kind of file."),
            OpenApiParameter("order", str, enum=orders, default=orders[0], description="The order of the rows."),
        ]

    def get_response_serializers(self) -> Any:
        if not self._is_export:
            return super().get_response_serializers()
        from crm.api.background_tasks import BackgroundTaskSerializer  # it is a view of this base

        return {
            (200, CSV_TYPE): OpenApiTypes.STR,
            (200, XLSX_TYPE): OpenApiTypes.BINARY,
            (202, "application/json"): BackgroundTaskSerializer,
        }

    @property
    def _is_export(self) -> bool:
        return getattr(self.view, "action", None) == "export"

    def _error_codes(self, operation: dict[str, Any]) -> set[ErrorCode]:
        """Return the codes that the operation can answer."""
        codes = COMMON_CODES | self._codes_of_parameters(operation) | self._codes_of_body()
        if any(self.get_auth()):
            codes |= SIGN_IN_CODES
        if isinstance(self.view, TenantView):
            codes |= {ErrorCode.PERMISSION_DENIED, ErrorCode.SCOPE_MISSING}
        if getattr(self.view, "refuses_api_tokens", False):
            codes.add(ErrorCode.SCOPE_MISSING)
        if "{" in self.path:
            codes.add(ErrorCode.NOT_FOUND)
        if self._names_contact():
            codes.add(ErrorCode.MERGED)
        if self.method == "DELETE":
            codes.add(ErrorCode.IN_USE)
        if self._is_export:
            codes.add(ErrorCode.TOO_MANY_EXPORTS)
        refusals = getattr(self.view, "refusals", {})
        return codes | set(refusals.get(getattr(self.view, "action", self.method.lower()), ()))

    def _names_contact(self) -> bool:
        of_contacts = "{" in self.path and getattr(self.view, "resource", "") == "contacts"
        return of_contacts or any(f"{{{name}}}" in self.path for name in CONTACT_PARAMETERS)

    def _codes_of_parameters(self, operation: dict[str, Any]) -> set[ErrorCode]:
        codes = {ErrorCode.UNKNOWN_PARAMETER}
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "query":
                codes |= {ErrorCode.INVALID, ErrorCode.BLANK}
            elif parameter["in"] == "header":
                codes |= {ErrorCode.INVALID, *CODES_OF_HEADER.get(parameter["name"], ())}
            codes |= CODES_OF_PARAMETER.get(parameter["name"], set())
            if "enum" in parameter["schema"]:
                codes.add(ErrorCode.INVALID_CHOICE)
        return codes

    def _codes_of_body(self) -> set[ErrorCode]:
        if self.method not in ("POST", "PATCH"):
            return set()
        codes = set(BODY_CODES)
        serializer = self.get_request_serializer()
        if not is_serializer(serializer):
            return codes
        serializer = force_instance(serializer)
        found = {code for field in self._determine_fields_with_error_codes() for code in field.error_codes}
        codes |= {ErrorCode.WRONG_TYPE, *(code for code in ErrorCode if code in found)}
        if self.method == "PATCH":
            codes.discard(ErrorCode.REQUIRED)
        if any(field.read_only for field in serializer.fields.values()):
            codes.add(ErrorCode.READ_ONLY)
        if any(isinstance(field, ContactField) and not field.read_only for field in serializer.fields.values()):
            codes.add(ErrorCode.MERGED)
        if isinstance(serializer, TenantSerializer):
            codes |= self._codes_of_row(serializer)
        return codes

    def _codes_of_row(self, serializer: TenantSerializer) -> set[ErrorCode]:
        codes = {refused.code for refused in refusals_of(serializer.Meta.model)}
        if self.method == "PATCH" and hasattr(serializer.Meta, "fixed_fields"):
            codes.add(ErrorCode.FIXED)
        verb = CREATE if self.method == "POST" else CHANGE
        grants = PERMISSIONS[cast(TenantView, self.view).resource].values()
        if any(verb in grant.verbs and grant.fields is not None for grant in grants):
            codes.add(ErrorCode.FIELD_FORBIDDEN)
        return codes

    def _add_etag(self, operation: dict[str, Any]) -> None:
        """Document the tag of a single row."""
        for status, response in operation["responses"].items():
            if status.startswith("2") and "content" in response:
                response["headers"] = ETAG
        if self.method == "POST":
            return
        if self.method == "GET":
            operation["responses"]["304"] = NOT_MODIFIED
        header = IF_NONE_MATCH if self.method == "GET" else IF_MATCH
        parameter = {"name": header, "in": "header", "schema": {"type": "string", "pattern": TAGS, "maxLength": 1000}}
        operation.setdefault("parameters", []).append(parameter | {"description": PRECONDITIONS[header]})

    def _map_basic_serializer(self, serializer: Any, direction: str) -> dict[str, Any]:
        schema = super()._map_basic_serializer(serializer, direction)
        if direction == "request" and isinstance(serializer, BodySerializer):
            schema["additionalProperties"] = False
        if type(serializer).__doc__ is None:
            schema.pop("description", None)  # that of the base class is about Python
        if direction == "response" and "properties" in schema:
            schema["required"] = sorted(schema["properties"])  # an answer leaves no field out
        return schema

    def _map_serializer_field(self, field: Any, direction: str, bypass_extensions: bool = False) -> Any:
        if isinstance(field, Companion) and not field.is_own and direction == "request":
            return None  # it is read-only; its schema would stay in the document, unused
        schema = super()._map_serializer_field(field, direction, bypass_extensions)
        if not schema:
            return schema
        if isinstance(field, serializers.TimeField):
            schema.pop("format", None)  # OpenAPI's time has a UTC offset; wall clock time has none
            schema["pattern"] = WALL_CLOCK
        elif isinstance(field, serializers.DecimalField) and direction == "request":
            description = {"description": schema.pop("description")} if "description" in schema else {}
            schema = {"oneOf": [schema, {"type": "number"}], **description}
        elif isinstance(field, serializers.ChoiceField) and field.read_only and _allows_blank(field):
            schema["enum"] = [*schema["enum"], ""]
        if direction == "response" and schema.get("type") == "integer" and _has_nullable_column(field):
            schema["type"] = ["integer", "null"]  # also if a request must not send null
        return schema

    def _insert_field_validators(self, field: Any, schema: dict[str, Any]) -> None:
        super()._insert_field_validators(field, schema)
        if isinstance(field, serializers.EmailField | serializers.URLField) and (field.read_only or field.allow_blank):
            schema.pop("format", None)  # an empty string is neither an email address nor a URL
            if "oneOf" in schema:  # an email address or "": readers that don't check the format find both in ""
                schema["anyOf"] = schema.pop("oneOf")


class TenantSchemaGenerator(SchemaGenerator):
    """Generator of the document. It builds empty querysets, and so needs an active tenant."""

    def get_schema(self, *args: Any, **kwargs: Any) -> Any:
        with all_tenants():
            document = super().get_schema(*args, **kwargs)
        for kind, components in error_components().items():
            document["components"].setdefault(kind, {}).update(components)
        complete(document)
        return document


def _has_nullable_column(field: Any) -> bool:
    """Return whether rows may have no value, as old ones or those that a webhook event wrote."""
    model = getattr(getattr(field.parent, "Meta", None), "model", None)
    columns = {each.name: each for each in model._meta.concrete_fields} if model else {}
    return field.source in columns and columns[field.source].null


def _allows_blank(field: Any) -> bool:
    """Return whether the model allows a blank: DRF drops this from read-only fields."""
    return field.parent.Meta.model._meta.get_field(field.source).blank
