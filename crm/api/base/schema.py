"""The OpenAPI document, which tells every answer that a route may give, refusals included."""

from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

from crm.api.base.serializers import TenantSerializer
from crm.db.tenancy import all_tenants

REFUSAL = {
    "type": "object",
    "description": "Either `detail`, or each bad field or parameter by name with what is wrong with it.",
    "properties": {
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "Of a token that is refused: token_not_valid, user_inactive, …"},
        "retry_at": {
            "type": "string",
            "format": "date-time",
            "nullable": True,
            "description": "Of a text that is refused: when it may go; null where waiting doesn't help.",
        },
        "messages": {"type": "array", "items": {"type": "object"}, "description": "More on a token that is refused."},
    },
    "additionalProperties": {
        "oneOf": [
            {"type": "array", "items": {"type": "string"}},
            {"type": "object", "description": "Of a list: each bad item by its place."},
        ]
    },
}
REFUSALS = {
    "400": ("BadRequest", "Something in it is not allowed, by name; or it is no JSON."),
    "401": ("Unauthorized", "Not signed in, or the token is not valid any more."),
    "403": ("Forbidden", "This is for users of a company, in another role."),
    "404": ("NotFound", "It is not there, or it is another company's."),
    "409": ("Conflict", "What stands in the database does not allow it."),
    "413": ("TooLarge", "The body is too large."),
    "415": ("UnsupportedMediaType", "The body is not application/json."),
    "422": ("Unprocessable", "The Idempotency-Key was used with another body."),
    "429": ("TooManyRequests", "Too many requests."),
}
IDEMPOTENCY_KEY = "Idempotency-Key"
RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}}
WALL_CLOCK = r"^[0-2]\d:[0-5]\d:[0-5]\d(\.\d+)?$"


class ErrorDocumentingAutoSchema(AutoSchema):
    """One operation of the document."""

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
            for code in sorted(codes):
                operation["responses"].setdefault(code, {"$ref": f"#/components/responses/{REFUSALS[code][0]}"})
        return operation

    def _map_basic_serializer(self, serializer: Any, direction: str) -> dict[str, Any]:
        schema = super()._map_basic_serializer(serializer, direction)
        if direction == "request" and isinstance(serializer, TenantSerializer):
            schema["additionalProperties"] = False
        return schema

    def _map_serializer_field(self, field: Any, direction: str, bypass_extensions: bool = False) -> Any:
        schema = super()._map_serializer_field(field, direction, bypass_extensions)
        if not schema:
            return schema
        if isinstance(field, serializers.TimeField):
            schema.pop("format", None)  # that of OpenAPI has an offset from UTC; a wall clock has none
            schema["pattern"] = WALL_CLOCK
        elif isinstance(field, serializers.DecimalField) and direction == "request":
            meta = {name: schema.pop(name) for name in ("nullable", "description") if name in schema}
            schema = {"oneOf": [schema, {"type": "number"}], **meta}
        elif isinstance(field, serializers.ChoiceField) and field.read_only and _may_be_blank(field):
            schema["enum"] = [*schema["enum"], ""]
        return schema

    def _insert_field_validators(self, field: Any, schema: dict[str, Any]) -> None:
        super()._insert_field_validators(field, schema)
        if isinstance(field, serializers.EmailField | serializers.URLField) and (field.read_only or field.allow_blank):
            schema.pop("format", None)  # an empty text is neither an address nor a URL


class TenantSchemaGenerator(SchemaGenerator):
    """Draws the document of every route. It asks models for empty querysets, and so needs a tenant like anybody."""

    def get_schema(self, *args: Any, **kwargs: Any) -> Any:
        with all_tenants():
            document = super().get_schema(*args, **kwargs)
        document["components"]["schemas"]["Refusal"] = REFUSAL
        document["components"]["responses"] = {name: _answer(code, text) for code, (name, text) in REFUSALS.items()}
        return document


def _answer(code: str, description: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
    headers = {"headers": RETRY_AFTER} if code == "429" else {}
    return {"description": description, "content": content, **headers}


def _may_be_blank(field: Any) -> bool:
    """DRF forgets this of a read-only field; the model knows."""
    return field.parent.Meta.model._meta.get_field(field.source).blank
