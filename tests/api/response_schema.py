"""Comparison of answers with the published OpenAPI document."""

from functools import cache

from jsonschema import Draft202012Validator, FormatChecker

from crm.api.base.schema import TenantSchemaGenerator


@cache
def document():
    return TenantSchemaGenerator().get_schema(public=True)


def as_json_schema(schema):
    """Translate OpenAPI 3.0: `nullable`, and an object has the documented fields only."""
    if isinstance(schema, list):
        return [as_json_schema(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    translated = {name: as_json_schema(value) for name, value in schema.items() if name != "nullable"}
    if "properties" in schema and isinstance(schema["properties"], dict) and "type" in schema:
        translated.setdefault("additionalProperties", False)
    return {"anyOf": [translated, {"type": "null"}]} if schema.get("nullable") is True else translated


@cache
def components():
    return as_json_schema(document()["components"])


def differences(path, answer):
    """Return where the answer to a GET differs from the schema of its route."""
    schema = document()["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    validator = Draft202012Validator(
        {"components": components(), **as_json_schema(schema)}, format_checker=FormatChecker(["email"])
    )
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(answer)]
