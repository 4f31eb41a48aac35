"""The base of a segment's conditions, and the parts that several of them share."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar

from django.db.models import BooleanField, Model, OuterRef, Q, QuerySet
from django.db.models import Value as Constant
from django.db.models.enums import ChoicesType
from django.utils import timezone

from crm.models import Company, ContactField

MAX_DAYS = 3650
MAX_VALUES = 100

Schema = dict[str, Any]
Value = Mapping[str, Any]
"""The part of a definition about one condition."""

DAYS: Schema = {"type": "integer", "minimum": 1, "maximum": MAX_DAYS}
ROW_ID: Schema = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}
DAY: Schema = {"type": "string", "format": "date", "pattern": "^(19[7-9]|20[0-9])[0-9]-[0-9]{2}-[0-9]{2}$"}
# PostgreSQL can't store null characters, and UTF-8 can't encode lone surrogates.
TEXT: Schema = {"type": "string", "minLength": 1, "maxLength": 100, "pattern": r"^[^\u0000\ud800-\udfff]*$"}

# What a condition on a deleted tag, list or field says of a contact. Its negation is unknown, too, so neither of them
# chooses anybody: “not tagged” must not mean everybody as soon as the tag is deleted.
UNKNOWN = Q(Constant(None, output_field=BooleanField()))


@dataclass(frozen=True)
class Terms:
    """The company and the time that a definition is about."""

    company_id: int
    now: datetime = field(default_factory=timezone.now)

    def days_ago(self, days: int) -> datetime:
        return self.now - timedelta(days=days)

    def start_of(self, day: str) -> datetime:
        """Return the beginning of a day in the company's time zone."""
        return datetime.combine(date.fromisoformat(day), datetime.min.time(), self._company.zone)

    @property
    def today(self) -> date:
        """Today in the company's time zone."""
        return self.now.astimezone(self._company.zone).date()

    def rows_of_contact(self, model: type[Model]) -> QuerySet:
        """Return the rows of each contact, for `Exists`. The company leads the indexes by time."""
        return model.objects.filter(company=self.company_id, contact=OuterRef("pk"))  # type: ignore[attr-defined]

    def days_from_today(self, number: int) -> date:
        return self.today + timedelta(days=number)

    @cached_property
    def custom_fields(self) -> dict[str, ContactField]:
        """The company's custom fields, by key."""
        return {field.key: field for field in ContactField.objects.live().filter(company=self.company_id)}

    def lack(self, model: type[Model], *ids: int) -> bool:
        """Return whether one of the company's rows is gone: deleted while the segment was being saved."""
        rows = model.objects.filter(company=self.company_id, pk__in=ids)  # type: ignore[attr-defined]
        return rows.count() < len(set(ids))

    @cached_property
    def _company(self) -> Company:
        return Company.objects.get(pk=self.company_id)


@dataclass(frozen=True)
class Names:
    """The names of the rows that a definition refers to, for its sentence."""

    campaigns: Mapping[int, str] = field(default_factory=dict)
    tags: Mapping[int, str] = field(default_factory=dict)
    lists: Mapping[int, str] = field(default_factory=dict)
    custom_fields: Mapping[str, str] = field(default_factory=dict)


class Node(ABC):
    """One kind of condition: its JSON schema, its query and its English.

    A new kind is a new class, listed in `nodes/__init__.py`: the schema, the builder and the sentence follow.

    Attributes:
        name: the key in a definition.
        title: the name in the builder.
        description: what it finds, for the schema's readers.
        schema: the JSON schema of its value.
        campaign_ids, contact_ids, list_ids, tag_ids: names of the parts that refer to rows, which must exist.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    description: ClassVar[str]
    schema: ClassVar[Schema]
    campaign_ids: ClassVar[tuple[str, ...]] = ()
    contact_ids: ClassVar[tuple[str, ...]] = ()
    list_ids: ClassVar[tuple[str, ...]] = ()
    tag_ids: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def condition(self, value: Value, terms: Terms) -> Q:
        """Return the condition on contacts. Its comparisons are leakproof, so that indexes serve it under RLS."""

    @abstractmethod
    def clause(self, value: Value, negated: bool, names: Names) -> str:
        """Return the words after “contacts who”."""


def values_of(schema: Schema) -> Schema:
    """Return the schema of a list of alternatives."""
    return {"type": "array", "items": schema, "minItems": 1, "maxItems": MAX_VALUES, "uniqueItems": True}


def choices_of(choices: ChoicesType) -> Schema:
    """Return the schema of a list of a column's choices."""
    return values_of({"type": "string", "enum": list(choices.values)})


def properties(*, required: Iterable[str] = (), **schemas: Schema) -> Schema:
    return {
        "type": "object",
        "properties": schemas,
        "required": list(required),
        "additionalProperties": False,
    }


def exactly_one(**schemas: Schema) -> Schema:
    """Return the schema of an object that has exactly one of these properties."""
    return properties(**schemas) | {"minProperties": 1, "maxProperties": 1}


def either(texts: Iterable[str]) -> str:
    """Return `a, b or c`."""
    *others, last = texts
    return f"{', '.join(others)} or {last}" if others else last


def labels(values: Iterable[str]) -> str:
    """Return choices in words: `missed or still deciding`."""
    return either(value.replace("_", " ") for value in values)


def a(noun: str, *, negated: bool) -> str:
    """Return the noun with its article, or with `no`."""
    if negated:
        return f"no {noun}"
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def days(number: int) -> str:
    return "day" if number == 1 else f"{number:,} days"


def in_the_last(value: Value) -> str:
    return f" in the last {days(value['within_days'])}" if "within_days" in value else ""
