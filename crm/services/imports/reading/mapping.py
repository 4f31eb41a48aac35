"""Mappings: which column of a file goes to which place in a contact."""

import json
import re
from collections.abc import Mapping as Dict
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

from crm.choices import FieldType
from crm.contact_labels import KEY, MAX_KEY_LENGTH, MAX_OPTION_LENGTH, MAX_OPTIONS, clean_label, text_key
from crm.services.imports.reading.headers import key_of
from crm.services.imports.reading.targets import FIELD, InvalidTarget, Target

OWN_EXPORT = "own_export"  # name of the preset


class InvalidMapping(ValueError):
    """The mapping can't be used. `errors` has a sentence for each wrong column, by its name; "" is for the whole."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(" ".join(f"{column}: {error}" if column else error for column, error in errors.items()))
        self.errors = errors


@dataclass(frozen=True)
class CustomField:
    """A custom field to which a column goes. One that the company doesn't have yet will be made."""

    label: str
    type: str = FieldType.TEXT.value
    options: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Mapping:
    """Targets of a file's columns, by the columns' names. Columns without a target aren't imported.

    Attributes:
        header: the file's columns in their order.
        columns: the text of a `Target` by column.
        fields: the custom fields of the targets, by key.
        preset: the preset from which it comes; empty: chosen by a person.
        fixes_capitals: names in capital letters are written in capital and small ones.
        tag_separators: characters between several tags of a cell.
    """

    header: tuple[str, ...]
    columns: dict[str, str]
    fields: dict[str, CustomField] = field(default_factory=dict)
    preset: str = ""
    fixes_capitals: bool = False
    tag_separators: str = ",;|"

    @property
    def is_own_export(self) -> bool:
        """Return whether the product itself has written the file, so that each text is as it was saved."""
        return self.preset == OWN_EXPORT

    @cached_property
    def targets(self) -> dict[str, Target]:
        """Targets by column. Raises InvalidMapping."""
        targets, errors = {}, {}
        for column, text in self.columns.items():
            try:
                targets[column] = Target.parse(text)
            except InvalidTarget as error:
                errors[column] = str(error)
        if errors:
            raise InvalidMapping(errors)
        return targets

    def for_header(self, header: list[str]) -> "Mapping":
        """Return the mapping for a file with the same columns, in another order or spelling."""
        names = {key_of(name): name for name in header}
        columns = {names[key]: target for column, target in self.columns.items() if (key := key_of(column)) in names}
        return replace(self, header=tuple(header), columns=columns)

    def to_json(self) -> dict[str, Any]:
        """Return the mapping as JSON objects and lists."""
        return {**asdict(self), "header": list(self.header)}

    @classmethod
    def from_json(cls, value: Any) -> "Mapping":
        """Return the mapping of `to_json`, or one that a person wrote: `{"columns": {"Cell": "phone"}}`.

        Raises:
            InvalidMapping: it has another shape.
        """
        _check_storable(value)
        try:
            fields = {
                key: CustomField(
                    clean_label(spec["label"]), spec.get("type", FieldType.TEXT.value),
                    tuple(map(clean_label, spec.get("options", ()))),
                )
                for key, spec in value.get("fields", {}).items()
            }  # fmt: skip
            columns = {str(column): str(target) for column, target in value["columns"].items() if target}
            return cls(
                header=tuple(map(str, value.get("header", ()))),
                columns=columns,
                fields=fields,
                preset=str(value.get("preset", "")),
                fixes_capitals=bool(value.get("fixes_capitals", False)),
                tag_separators=str(value.get("tag_separators", cls.tag_separators)),
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise InvalidMapping({"": 'Must be an object such as {"columns": {"Cell": "phone"}}.'}) from error


def validate_mapping(mapping: Mapping, known: Dict[str, CustomField] | None = None) -> Mapping:
    """Return the mapping with the custom fields that the company has, which `known` gives by key.

    Raises:
        InvalidMapping: with a sentence for each wrong column.
    """
    errors: dict[str, str] = {}
    fields = {**mapping.fields, **(known or {})}
    used: dict[Target, str] = {}
    header = set(mapping.header)
    for column, target in mapping.targets.items():
        if column not in header:
            errors[column] = "The file has no such column."
        elif (other := used.setdefault(target, column)) != column and target.name != "tag":
            errors[column] = f"{other} goes to {target.label} already."
        elif target.name == FIELD and target.key not in fields:
            errors[column] = f"There is no custom field {target.key}."
        elif target.name == FIELD and target.key not in (known or {}):
            errors |= {column: fault} if (fault := _fault_of_new(target.key, fields[target.key])) else {}
    _check_owners(used, errors)
    if not any(target.name == "phone" for target in used):
        errors.setdefault("", "No column goes to the phone. A contact needs a number.")
    if errors:
        raise InvalidMapping(errors)
    return replace(mapping, fields={target.key: fields[target.key] for target in used if target.name == FIELD})


def _fault_of_new(key: str, spec: CustomField) -> str:
    """Return what is wrong with a custom field that the import would make, in a sentence; empty: nothing."""
    if not KEY.fullmatch(key):
        return f"{key[:MAX_KEY_LENGTH]}: a key has small letters, digits and _, up to {MAX_KEY_LENGTH} of them."
    if not spec.label:
        return f"The custom field {key} needs a label."
    if spec.type not in FieldType.values:
        return f"The type of {key} must be one of: {', '.join(FieldType.values)}."
    if spec.type != FieldType.CHOICE:
        return f"Only a choice has options; {key} is none." if spec.options else ""
    if not all(0 < len(option) <= MAX_OPTION_LENGTH for option in spec.options):
        return f"An option of {key} has from 1 to {MAX_OPTION_LENGTH} characters."
    if not 0 < len({text_key(option) for option in spec.options}) == len(spec.options) <= MAX_OPTIONS:
        return f"The choice {key} needs from 1 to {MAX_OPTIONS} options, none of them twice."
    return ""


def _check_storable(value: Any) -> None:
    """Raise InvalidMapping for a text that the database doesn't store."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    if "\\u0000" in text or re.search("[\ud800-\udfff]", text):
        raise InvalidMapping({"": "Must not contain null characters or lone surrogates."})


def leave_out_unusable(columns: dict[str, str]) -> dict[str, str]:
    """Return the columns without those that a mapping would be refused for.

    These are marks of a number that no column has, and a full name beside its parts.
    """
    targets = {column: Target.parse(text) for column, text in columns.items()}
    used = {target: column for column, target in targets.items()}
    return {
        column: str(target)
        for column, target in targets.items()
        if ((owner := owner_of(target)) is None or owner in used) and not _part_of_name(target, used)
    }


def owner_of(target: Target) -> Target | None:
    """Return the target that this one says something about: the phone of a phone's type."""
    if target.name.startswith(("phone_", "email_", "consent_")):
        return replace(target, name=target.name.partition("_")[0])
    return None


def _part_of_name(target: Target, used: Dict[Target, str]) -> Target | None:
    """Return the part of a full name that has a column of its own."""
    if target.name != "full_name":
        return None
    parts = (replace(target, name=name) for name in ("first_name", "last_name"))
    return next((part for part in parts if part in used), None)


def _check_owners(used: dict[Target, str], errors: dict[str, str]) -> None:
    for target, column in used.items():
        if (owner := owner_of(target)) is not None and owner not in used:
            errors[column] = f"No column goes to {owner.label}."
        elif (part := _part_of_name(target, used)) is not None:
            errors[column] = f"{used[part]} goes to {part.label} already."
    if any(target.person for target in used):
        for target, column in used.items():
            if target.name == "phone" and not target.person:
                errors[column] = "Other columns are about the first or second person. Whose phone is it?"
