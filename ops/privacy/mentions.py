"""Texts anywhere in the company's rows that mention a number of the person: errors, reasons, notes of others."""

from collections.abc import Iterator
from re import Pattern
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import F, Q, TextField
from django.db.models.functions import Cast
from django.db.models.lookups import Regex

from analytics.models import ArchivedChunk
from crm.db.tenancy import TenantModel
from crm.fields import EncryptedTextField
from crm.models import AuditEntry, Change, IdempotencyKey
from ops.privacy.people import Person

ERASED = "[erased]"
# `ops.privacy.unlinked_data` and `ops.archive.erasure` erase these. A change holds ids alone.
ELSEWHERE = (AuditEntry, IdempotencyKey, ArchivedChunk, Change)


def searched_models() -> list[type[TenantModel]]:
    """Return the tables whose texts are searched: those of companies, except ELSEWHERE."""
    return [model for model in apps.get_models() if issubclass(model, TenantModel) and model not in ELSEWHERE]


def searched_fields(model: type[models.Model]) -> list[models.Field]:
    """Return a table's columns with free text or JSON. Ids and other unique texts are nobody's number."""
    unique = {name for constraint in model._meta.constraints for name in getattr(constraint, "fields", ())}
    return [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, models.CharField | models.TextField | models.JSONField)
        and not isinstance(field, EncryptedTextField)
        and not (field.choices or field.generated or field.unique or field.name in unique)
    ]


def find_mentions(person: Person) -> Iterator[tuple[models.Model, dict[str, Any]]]:
    """Yield each row that mentions a number of the person, with the texts that do, by column.

    No index serves this: the database reads every text of the company.
    """
    pattern = person.spellings
    for model in searched_models():
        fields = searched_fields(model)
        if fields:
            rows = model._default_manager.filter(_any_matches(fields, pattern), company=person.company_id)
            for row in rows.order_by("pk"):
                texts = {str(field.column): getattr(row, field.attname) for field in fields}
                yield row, {name: text for name, text in texts.items() if replace_numbers(text, pattern) != text}


def erase_mentions(person: Person) -> Iterator[models.Model]:
    """Replace the person's numbers in the texts that mention them. Yields the changed rows."""
    for row, texts in list(find_mentions(person)):
        changed = {name: replace_numbers(text, person.spellings) for name, text in texts.items()}
        columns = {str(field.column): field.name for field in row._meta.concrete_fields}
        model: Any = type(row)
        model._default_manager.filter(pk=row.pk).update(**{columns[name]: text for name, text in changed.items()})
        yield row


def replace_numbers(value: Any, pattern: Pattern[str]) -> Any:
    """Return the text or JSON value with [erased] for each number that the pattern finds."""
    if isinstance(value, str):
        return pattern.sub(ERASED, value)
    if isinstance(value, list):
        return [replace_numbers(item, pattern) for item in value]
    if isinstance(value, dict):
        return {replace_numbers(key, pattern): replace_numbers(item, pattern) for key, item in value.items()}
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and pattern.search(str(value))
    return ERASED if is_number else value


def _any_matches(fields: list[models.Field], pattern: Pattern[str]) -> Q:
    condition = Q(pk__in=[])
    for field in fields:
        condition |= Q(Regex(Cast(F(field.name), TextField()), pattern.pattern))
    return condition
