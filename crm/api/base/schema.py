"""OpenAPI document, with every error response."""

from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

from crm.api.base.companions import Companion
from crm.api.base.etags import IF_MATCH, IF_NONE_MATCH, TAGS
from crm.api.base.serializers import TenantSerializer
from crm.db.tenancy import all_tenants

ERROR_SCHEMA = {
    "type": "object",
    "description": "Either `detail`, or error messages by the name of the field or parameter.",
    "properties": {
        "detail": {"type": "string"},
        "code": {
            "type": "string",
            "description": "With a rejected token: token_not_valid, user_inactive, … With 412: stale.",
        },
        "type": {"type": "string", "description": "With `errors`: client_error."},
        "errors": {"type": "array", "items": {"type": "object"}, "description": "Refusals, each with its code."},
        "appointment": {"type": "object", "nullable": True, "description": "With slot_taken: the other appointment."},
        "contact": {"type": "integer", "nullable": True, "description": "With number_taken: the contact that has it."},
        "current": {"type": "object", "description": "With 412: the row as it is now."},
        "retry_at": {
            "type": "string",
            "format": "date-time",
            "nullable": True,
            "description": "With a blocked message: the earliest time to retry; null if waiting doesn't help.",
        },
        "messages": {"type": "array", "items": {"type": "object"}, "description": "Details of a rejected token."},
    },
    "additionalProperties": {
        "oneOf": [
            {"type": "array", "items": {"type": "string"}},
            {"type": "object", "description": "In a list: error messages by the item's position."},
        ]
    },
}
ERROR_RESPONSES = {
    "304": ("NotModified", "The client has the row already, by If-None-Match."),
    "400": ("BadRequest", "A field or parameter isn't valid, or the body isn't JSON."),
    "401": ("Unauthorized", "Not signed in, or the token is no longer valid."),
    "403": ("Forbidden", "The user has no company, or the role lacks the permission."),
    "404": ("NotFound", "The row doesn't exist or belongs to another company."),
    "409": ("Conflict", "The request conflicts with the current data."),
    "412": ("Stale", "The row has changed since it was read, by If-Match. `current` is the row as it is now."),
    "413": ("TooLarge", "The body is too large."),
    "415": ("UnsupportedMediaType", "The body must be application/json."),
    "422": ("Unprocessable", "The Idempotency-Key was used with another body."),
    "429": ("TooManyRequests", "Too many requests."),
}
IDEMPOTENCY_KEY = "Idempotency-Key"
ETAG = {"description": "Names this state of the row.", "schema": {"type": "string"}}
PRECONDITIONS = {
    IF_MATCH: "The ETag of the row that the client has read. If the row has changed since, this is a 412. "
    "Without it, a PATCH changes the fields that it sends, even if the row has changed.",
    IF_NONE_MATCH: "The ETag of the row that the client has. If the row is still the same, this is a 304 without body.",
}
RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}}
WALL_CLOCK = r"^[0-2]\d:[0-5]\d:[0-5]\d(\.\d+)?$"


class ErrorDocumentingAutoSchema(AutoSchema):
    """One operation, with its error responses."""

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation = super().get_operation(*args, **kwargs)
        if operation:
            codes = {"400", "401", "403", "429"}
            if "{" in self.path:
                codes.add("404")
            if self.method != "GET":
                codes.add("409")
            if "requestBody" in operation:
                codes |= {"413", "415"}
            if any(parameter["name"] == IDEMPOTENCY_KEY for parameter in operation.get("parameters", ())):
                codes.add("422")
            if getattr(self.view, "has_etag", False):
                codes.add(self._add_etag(operation))
            for code in sorted(codes):
                operation["responses"].setdefault(code, {"$ref": f"#/components/responses/{ERROR_RESPONSES[code][0]}"})
        return operation

    def _add_etag(self, operation: dict[str, Any]) -> str:
        """Document the tag of a single row. Return the status of the refused precondition."""
        if "200" in operation["responses"]:
            operation["responses"]["200"]["headers"] = {"ETag": ETAG}
        header, code = (IF_NONE_MATCH, "304") if self.method == "GET" else (IF_MATCH, "412")
        parameter = {"name": header, "in": "header", "schema": {"type": "string", "pattern": TAGS, "maxLength": 1000}}
        operation.setdefault("parameters", []).append(parameter | {"description": PRECONDITIONS[header]})
        return code

    def _map_basic_serializer(self, serializer: Any, direction: str) -> dict[str, Any]:
        schema = super()._map_basic_serializer(serializer, direction)
        if direction == "request" and isinstance(serializer, TenantSerializer):
            schema["additionalProperties"] = False
        return schema

    def _map_serializer_field(self, field: Any, direction: str, bypass_extensions: bool = False) -> Any:
        if isinstance(field, Companion) and direction == "request":
            return None  # it is read-only; its schema would stay in the document, unused
        schema = super()._map_serializer_field(field, direction, bypass_extensions)
        if not schema:
            return schema
        if isinstance(field, serializers.TimeField):
            schema.pop("format", None)  # OpenAPI's time has a UTC offset; wall clock time has none
            schema["pattern"] = WALL_CLOCK
        elif isinstance(field, serializers.DecimalField) and direction == "request":
            meta = {name: schema.pop(name) for name in ("nullable", "description") if name in schema}
            schema = {"oneOf": [schema, {"type": "number"}], **meta}
        elif isinstance(field, serializers.ChoiceField) and field.read_only and _allows_blank(field):
            schema["enum"] = [*schema["enum"], ""]
        return schema

    def _insert_field_validators(self, field: Any, schema: dict[str, Any]) -> None:
        super()._insert_field_validators(field, schema)
        if isinstance(field, serializers.EmailField | serializers.URLField) and (field.read_only or field.allow_blank):
            schema.pop("format", None)  # an empty string is neither an email address nor a URL


class TenantSchemaGenerator(SchemaGenerator):
    """Generator of the document. It builds empty querysets, and so needs an active tenant."""

    def get_schema(self, *args: Any, **kwargs: Any) -> Any:
        with all_tenants():
            document = super().get_schema(*args, **kwargs)
        document["components"]["schemas"]["Refusal"] = ERROR_SCHEMA
        document["components"]["responses"] = {
            name: _response(code, text) for code, (name, text) in ERROR_RESPONSES.items()
        }
        return document


def _response(code: str, description: str) -> dict[str, Any]:
    if code == "304":
        return {"description": description}
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
    headers = {"429": RETRY_AFTER, "412": {"ETag": ETAG}}.get(code)
    return {"description": description, "content": content, **({"headers": headers} if headers else {})}


def _allows_blank(field: Any) -> bool:
    """Return whether the model allows a blank: DRF drops this from read-only fields."""
    return field.parent.Meta.model._meta.get_field(field.source).blank
