"""Whose a table is: ours, the framework's, or nobody's."""

from functools import cache
from typing import cast

from django.apps import apps
from django.db import models
from django.db.migrations.recorder import MigrationRecorder

from crm.db import rate_counters

OUR_APPS = {"crm", "calls", "messaging", "analytics"}
MADE_BY_OPERATIONS = {rate_counters.TABLE}
"""Tables of no model."""


@cache
def models_by_table() -> dict[str, type[models.Model]]:
    """Every model, those that Django makes for many-to-many fields included."""
    migrations = cast(type[models.Model], MigrationRecorder.Migration)
    return {model._meta.db_table: model for model in (*apps.get_models(include_auto_created=True), migrations)}


def is_ours(table: str) -> bool:
    model = models_by_table().get(table)
    if model is None:
        return table in MADE_BY_OPERATIONS
    return model._meta.app_label in OUR_APPS and not model._meta.auto_created


def is_framework(table: str) -> bool:
    """Django's, or a library's: what is found there is known, and not ours to mend."""
    return table in models_by_table() and not is_ours(table)


@cache
def named_declarations() -> dict[str, models.Index | models.BaseConstraint]:
    """What stands in a Meta under a name of its own."""
    return {
        declaration.name: declaration
        for model in apps.get_models()
        for declaration in [*model._meta.indexes, *model._meta.constraints]
    }


def kept_because(name: str) -> str:
    """Why an index stands beside another that could answer for it, or empty."""
    return getattr(named_declarations().get(name), "kept_because", "")
