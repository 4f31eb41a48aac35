"""Archived rows of contacts that were merged since: they belong to the contact that stayed."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from django.db import models

from crm.models import Contact, ContactMerge
from crm.services.merging.tombstones import find_kept


def follow_merges(model: type[models.Model], table: pa.Table) -> pa.Table:
    """Return the rows of a file, with what they refer to as merges in force have left it."""
    for field in model._meta.concrete_fields:
        if not field.is_relation or field.column not in table.column_names:
            continue
        values = table.column(field.column).to_pylist()
        target: Any = field.related_model
        missing = set(values) - {None}
        missing -= set(target._base_manager.filter(pk__in=missing).values_list("pk", flat=True)) if missing else set()
        stand_ins = _stand_ins(target, missing) if missing else {}
        if stand_ins:
            column = pa.array([stand_ins.get(value, value) for value in values], table.schema.field(field.column).type)
            table = table.set_column(table.column_names.index(field.column), table.schema.field(field.column), column)
    return table


def _stand_ins(model: type[models.Model], missing: set[int]) -> Mapping[int, int]:
    """Return the rows that stand for deleted ones, also after several merges."""
    if model is Contact:
        return find_kept(missing)
    replaced: dict[int, int] = {}
    for merge in ContactMerge.objects.in_force().exclude(replaced={}).order_by("pk").values_list("replaced", flat=True):
        pairs = {int(old): new for old, new in merge.get(model._meta.db_table, {}).items()}
        replaced = {old: pairs.get(new, new) for old, new in replaced.items()} | pairs
    return {pk: replaced[pk] for pk in missing & replaced.keys()}
