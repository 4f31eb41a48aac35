"""Migrations after an app's last one, in a copy of its package for one test."""

import importlib
import shutil
import sys
from pathlib import Path

from django.apps import apps
from django.conf import settings

SOURCE = """
from django.contrib.postgres.functions import RandomUUID
from django.db import migrations, models
from django.db.models.functions import Now

import crm.db.indexes
import crm.db.policies
from crm.db.constraint_operations import *
from crm.db.data_operations import *
from crm.db.index_operations import *


class Migration(migrations.Migration):
    atomic = {atomic}
    dependencies = [("{app}", "{after}")]
    operations = [{operations}]
"""


def last_migration(app):
    """Return the name of the app's last migration in the repository."""
    return max(path.stem for path in Path(apps.get_app_config(app).path, "migrations").glob("[0-9]*.py"))


def operations_of(source):
    """Return the operations, for tests that need no file."""
    namespace = {}
    exec(SOURCE.format(app="calls", after="", atomic=True, operations=source), namespace)  # noqa: S102  # the tests' own source
    return namespace["Migration"].operations


def plant(folder, app, *migrations, atomic=True):
    """Write migrations from 1003 on, each given by the source of its operations.

    Returns:
        The value of `settings.MIGRATION_MODULES` that uses them.
    """
    package = f"planted_{folder.name}"
    shutil.copytree(Path(apps.get_app_config(app).path, "migrations"), folder / package)
    after = last_migration(app)
    for number, operations in enumerate(migrations, start=1003):  # behind the app's own numbers
        name = f"{number:04}_planted"
        source = SOURCE.format(app=app, after=after, atomic=atomic, operations=operations)
        (folder / package / f"{name}.py").write_text(source)
        after = name
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    return {**getattr(settings, "MIGRATION_MODULES", {}), app: package}
