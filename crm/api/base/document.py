"""Completion of the OpenAPI document: what follows from the document as a whole."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crm.api.base.descriptions import ANY_OF, FIELDS, NULLS, PARAMETERS, TAGS

Document = dict[str, Any]
EXAMPLES_FILE = Path(__file__).with_name("examples.json")  # written by tests/api/test_examples.py
SUCCESS = {
    "200": "Done.",
    "201": "The row was created.",
    "202": "Accepted. The worker does it soon.",
    "204": "Done. There is nothing to show.",
}
METHODS = ("get", "post", "patch", "delete")


def complete(document: Document) -> None:
    """Complete a document, in place."""
    document["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
    schemas = document["components"]["schemas"]
    describe_fields(schemas)
    names = {frozenset(schema["enum"]): name for name, schema in schemas.items() if "enum" in schema}
    examples = json.loads(EXAMPLES_FILE.read_text())
    for _, _, operation in operations_of(document):
        operation.setdefault("security", [])  # of signing in: none, and not unknown
        describe_success(operation)
        add_examples(operation, examples.get(operation["operationId"], {}))
        for parameter in operation.get("parameters", ()):
            complete_parameter(parameter, names)


def operations_of(document: Document) -> Iterator[tuple[str, str, Document]]:
    """Yield path, method and operation."""
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                yield path, method, methods[method]


def describe_fields(schemas: Document) -> None:
    """Describe the fields that have the same meaning in every schema."""
    for schema in schemas.values():
        for name, field in schema.get("properties", {}).items():
            if name in FIELDS and "description" not in field:
                field["description"] = FIELDS[name]
            if name in NULLS and may_be_null(field) and "null" not in field.get("description", "").lower():
                field["description"] = f"{field.get('description', '')} {NULLS[name]}".strip()


def may_be_null(schema: Any) -> bool:
    kinds = schema.get("type", ())
    parts = [*schema.get("oneOf", ()), *schema.get("anyOf", ())]
    return "null" in kinds or None in schema.get("enum", ()) or any(map(may_be_null, parts))


def describe_success(operation: Document) -> None:
    for status, text in SUCCESS.items():
        if status in operation["responses"]:
            operation["responses"][status]["description"] = text


def add_examples(operation: Document, example: Document) -> None:
    """Add the example of an operation: its request, and the answer to it."""
    if "requestBody" in operation and example.get("request") is not None:
        operation["requestBody"]["content"]["application/json"]["example"] = example["request"]
    content = operation["responses"].get(str(example.get("status")), {}).get("content")
    if "application/json" in (content or {}):
        content["application/json"]["example"] = without_references(example["answer"])


def without_references(part: Any) -> Any:
    """Return an example without `$ref`, as a JSON schema has it: readers of the document would look for its target."""
    if isinstance(part, dict):
        return {name: without_references(value) for name, value in part.items() if name != "$ref"}
    return [without_references(each) for each in part] if isinstance(part, list) else part


def complete_parameter(parameter: Document, names: dict[frozenset[str], str]) -> None:
    """Describe a parameter, and refer to the choices that fields have, too, by their name."""
    schema = parameter["schema"]
    repeatable = schema.get("type") == "array"
    parameter.setdefault("description", ANY_OF if repeatable else PARAMETERS.get(parameter["name"], ""))
    if name := names.get(frozenset(schema.get("items", schema).get("enum", ()))):
        parameter["schema"] = _with_named_enum(schema, name)


def _with_named_enum(schema: Document, name: str) -> Document:
    if "items" in schema:
        return {**schema, "items": _with_named_enum(schema["items"], name)}
    rest = {key: value for key, value in schema.items() if key not in ("type", "enum")}
    return {**rest, "$ref": f"#/components/schemas/{name}"}
