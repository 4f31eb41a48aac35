"""The JSON schema of definitions, and the check of one against it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from crm.choices import FieldType
from crm.contact_labels import text_key
from crm.error_codes import ErrorCode
from crm.models import Campaign, Contact, ContactField, ContactList, Tag
from messaging.services.segments.nodes import NODES
from messaging.services.segments.nodes.of_labels import PARTS
from messaging.services.segments.sentence import references, values_of_kind

MAX_GROUPS = 6  # nested in each other
MAX_PARTS = 20  # of a group
MAX_CONDITIONS = 50
MAX_OBJECTS = 5 * MAX_CONDITIONS  # a condition has two, and may have a `not` and a group of its own
MAX_FAULTS = 20
MAX_DEPTH = 2 * MAX_GROUPS + 4  # a group is an object with a list; a condition, two objects with a list of texts

# The codes of faults.
FAULT_CODES = (
    ErrorCode.WRONG_TYPE,
    ErrorCode.UNKNOWN_FIELD,
    ErrorCode.REQUIRED,
    ErrorCode.INVALID_CHOICE,
    ErrorCode.INVALID,
    ErrorCode.MIN_VALUE,
    ErrorCode.MAX_VALUE,
    ErrorCode.MIN_LENGTH,
    ErrorCode.MAX_LENGTH,
    ErrorCode.DOES_NOT_EXIST,
)

_PART = {"$ref": "#/$defs/condition"}
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Definition of a segment",
    "description": f"A tree of conditions: at most {MAX_CONDITIONS}, in at most {MAX_GROUPS} nested groups.",
    "$ref": "#/$defs/condition",
    "$defs": {
        "condition": {
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
            "properties": {
                "all": {
                    "title": "All of",
                    "description": "Every condition applies. Without conditions: all contacts.",
                    "type": "array",
                    "items": _PART,
                    "maxItems": MAX_PARTS,
                },
                "any": {
                    "title": "Any of",
                    "description": "At least one condition applies.",
                    "type": "array",
                    "items": _PART,
                    "minItems": 1,
                    "maxItems": MAX_PARTS,
                },
                "not": {"title": "Not", "description": "The condition doesn't apply.", **_PART},
                **{
                    name: {"title": node.title, "description": node.description, **node.schema}
                    for name, node in NODES.items()
                },
            },
        }
    },
}
REFERENCES = {"campaign_ids": Campaign, "contact_ids": Contact, "tag_ids": Tag, "list_ids": ContactList}


@cache
def _validator() -> Any:
    # Two MB, which few processes need.
    from jsonschema import Draft202012Validator, FormatChecker

    return Draft202012Validator(SCHEMA, format_checker=FormatChecker(["date"]))


@dataclass(frozen=True)
class Fault:
    """A part of a definition that isn't valid. The place is the path to it, such as `all.1.call.status`."""

    place: str
    code: ErrorCode
    sentence: str


class InvalidDefinition(Exception):
    """The definition isn't valid."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(" ".join(f"{fault.place}: {fault.sentence}".removeprefix(": ") for fault in faults))
        self.faults = faults


def check_definition(definition: Any) -> None:
    """Check a definition, and that the active tenant has the campaigns, contacts, tags, lists and fields that it names.

    Raises:
        InvalidDefinition: names each place that isn't valid.
    """
    too_deep = InvalidDefinition([Fault("", ErrorCode.INVALID, f"At most {MAX_GROUPS} groups can be nested.")])
    depth, objects = _measure(definition)
    if depth > MAX_DEPTH:
        raise too_deep
    if objects > MAX_OBJECTS:  # before the schema reads each of them
        raise InvalidDefinition([Fault("", ErrorCode.INVALID, f"At most {MAX_CONDITIONS} conditions are allowed.")])
    errors = sorted(_validator().iter_errors(definition), key=lambda error: [str(step) for step in error.absolute_path])
    if errors:
        raise InvalidDefinition([_fault(error) for error in errors[:MAX_FAULTS]])
    if _nested_groups(definition) > MAX_GROUPS:
        raise too_deep
    if _count(definition) > MAX_CONDITIONS:
        raise InvalidDefinition([Fault("", ErrorCode.INVALID, f"At most {MAX_CONDITIONS} conditions are allowed.")])
    faults = [fault for kind, model in REFERENCES.items() for fault in _missing(definition, model, kind)]
    if faults := [*faults, *_faults_of_fields(definition)]:
        raise InvalidDefinition(faults[:MAX_FAULTS])


def _missing(definition: Any, model: Any, kind: str) -> Iterator[Fault]:
    """Yield a fault for each row that isn't there."""
    named = list(references(definition, kind))
    if not named:
        return
    found = set(model.objects.filter(pk__in={row for _, row in named}).values_list("pk", flat=True))
    for place, row in named:
        if row not in found:
            sentence = f"There is no {model._meta.verbose_name} with the ID {row}."
            yield Fault(".".join(map(str, place)), ErrorCode.DOES_NOT_EXIST, sentence)


def _faults_of_fields(definition: Any) -> Iterator[Fault]:
    """Yield a fault for each custom field that isn't there, and for each comparison that doesn't fit its type."""
    named = list(values_of_kind(definition, "custom_field"))
    if not named:
        return
    fields = {field.key: field for field in ContactField.objects.live()}
    for place, value in named:
        path, field = [str(step) for step in place], fields.get(value["key"])
        if field is None:
            sentence = f"There is no custom field with the key {value['key']}."
            yield _at([*path, "key"], ErrorCode.DOES_NOT_EXIST, sentence)
            continue
        [part] = [name for name in value if name != "key"]
        parts = (*PARTS[FieldType(field.field_type)], "is_empty")
        if part not in parts:
            yield _at([*path, part], ErrorCode.INVALID, f"{field.label} can be compared with: {', '.join(parts)}.")
        elif field.field_type == FieldType.CHOICE and part == "is":
            options = {text_key(option) for option in field.options}
            for number, option in enumerate(value["is"]):
                if text_key(option) not in options:
                    sentence = f"Must be one of: {', '.join(field.options)}."
                    yield _at([*path, part, str(number)], ErrorCode.INVALID_CHOICE, sentence)


def _measure(value: Any) -> tuple[int, int]:
    """Return the depth of nested lists and objects, and the number of objects.

    Level by level: recursion could exhaust the stack.
    """
    depth, objects, level = 0, 0, [value]
    while level:
        objects += sum(isinstance(each, dict) for each in level)
        level = [
            item
            for each in level
            if isinstance(each, dict | list)
            for item in (each.values() if isinstance(each, dict) else each)
        ]
        depth += 1
    return depth, objects


def _parts(definition: Any) -> list[Any] | None:
    """Return the parts of a group; None for a condition."""
    [(name, value)] = definition.items()
    return [value] if name == "not" else value if name in ("all", "any") else None


def _count(definition: Any) -> int:
    parts = _parts(definition)
    return 1 if parts is None else sum(map(_count, parts))


def _nested_groups(definition: Any) -> int:
    parts = _parts(definition)
    return 0 if parts is None else 1 + max(map(_nested_groups, parts), default=0)


def _fault(error: Any) -> Fault:
    """Return a violation of the schema in plain words."""
    place = [str(step) for step in error.absolute_path]
    limit: Any = error.validator_value
    match error.validator:
        case "type":
            return _at(place, ErrorCode.WRONG_TYPE, f"Must be {_with_article(limit)}.")
        case "additionalProperties":
            known = error.schema["properties"]
            unknown = sorted(set(error.instance) - set(known))
            return _at(place, ErrorCode.UNKNOWN_FIELD, f"Unknown: {', '.join(unknown)}. Known: {', '.join(known)}.")
        case "required":
            missing = [name for name in limit if name not in error.instance]
            return _at([*place, missing[0]], ErrorCode.REQUIRED, ErrorCode.REQUIRED.detail)
        case "enum":
            return _at(place, ErrorCode.INVALID_CHOICE, f"Must be one of: {', '.join(limit)}.")
        case "minProperties" | "maxProperties":
            others = [name for name in error.schema["properties"] if name not in error.schema.get("required", ())]
            return _at(place, ErrorCode.INVALID, f"Must have exactly one of: {', '.join(others)}.")
        case "not":
            return _at(place, ErrorCode.INVALID, f"{' and '.join(limit['required'])} can't be used together.")
        case "minimum":
            return _at(place, ErrorCode.MIN_VALUE, f"Must be at least {limit:,}.")
        case "maximum":
            return _at(place, ErrorCode.MAX_VALUE, f"Must be at most {limit:,}.")
        case "minLength" | "minItems":
            return _at(place, ErrorCode.MIN_LENGTH, "Must not be empty.")
        case "maxLength":
            return _at(place, ErrorCode.MAX_LENGTH, f"Must have at most {limit:,} characters.")
        case "maxItems":
            return _at(place, ErrorCode.MAX_LENGTH, f"Must have at most {limit:,} items.")
        case "uniqueItems":
            return _at(place, ErrorCode.INVALID, "Must not repeat a value.")
    if "format" in error.schema:
        return _at(place, ErrorCode.INVALID, "Must be a day from 1970 to 2099, YYYY-MM-DD.")
    return _at(place, ErrorCode.INVALID, "Has a character that can't be stored.")


def _at(place: list[str], code: ErrorCode, sentence: str) -> Fault:
    return Fault(".".join(place), code, sentence)


def _with_article(kind: str) -> str:
    return {"integer": "a whole number", "boolean": "true or false", "array": "a list"}.get(
        kind, f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
    )
