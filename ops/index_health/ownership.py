"""Ownership of tables and indexes: the product's, or those of Django; and what models declare of indexes."""

from functools import cache
from typing import cast

from django.apps import apps
from django.db import models
from django.db.migrations.recorder import MigrationRecorder

from crm.db import rate_counters, replicas
from crm.db.indexes import Index
from ops.index_health.catalog import Database

PRODUCT_APPS = {"crm", "calls", "messaging", "analytics"}
TABLES_WITHOUT_MODEL = {rate_counters.TABLE, replicas.TABLE}


@cache
def models_by_table() -> dict[str, type[models.Model]]:
    """Return all models by table, including many-to-many tables and that of the migrations."""
    migrations = cast(type[models.Model], MigrationRecorder.Migration)
    return {model._meta.db_table: model for model in (*apps.get_models(include_auto_created=True), migrations)}


def is_product_table(table: str) -> bool:
    """Return whether the table belongs to the product's own apps."""
    model = models_by_table().get(table)
    if model is None:
        return table in TABLES_WITHOUT_MODEL
    return model._meta.app_label in PRODUCT_APPS and not model._meta.auto_created


def is_framework(table: str) -> bool:
    """Return whether Django or a library made the table. Its findings are known: the product can't change them."""
    return table in models_by_table() and not is_product_table(table)


def other_maker(database: Database, table: str) -> str:
    """Return who made a table that isn't the product's, such as an extension, or an empty string."""
    found = database.tables.get(table)
    if found and found.extension:
        return f"Extension {found.extension}"
    return "Django or a library" if is_framework(table) else ""


def is_made_by_field(database: Database, name: str) -> bool:
    """Return whether a field makes the index, such as that for LIKE on a unique text, so that it can't be removed."""
    return name in (database.declared or {}) and name not in named_declarations()


@cache
def named_declarations() -> dict[str, models.Index | models.BaseConstraint]:
    """Return the indexes and constraints that models declare in Meta, by name."""
    return {
        declaration.name: declaration
        for model in apps.get_models()
        for declaration in [*model._meta.indexes, *model._meta.constraints]
    }


def kept_because(name: str) -> str:
    """Return the declared reason to keep a redundant index, or an empty string."""
    return getattr(named_declarations().get(name), "kept_because", "")


def question_of(name: str) -> tuple[str, str]:
    """Return the declared question of an index and who asks it; both are empty for other indexes."""
    index = named_declarations().get(name)
    return (index.question, index.asked_by) if isinstance(index, Index) else ("", "")
