"""System checks of tenant isolation and of the database driver."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, cast

from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage, staticfiles_storage
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections
from django.db.migrations import RunPython, RunSQL
from django.db.migrations.loader import MigrationLoader

from crm.db.data_operations import ForAllTenants
from crm.db.tenancy import TenantModel, all_tenants
from crm.models import StoredObject

ROLE_PROBLEM = "The database role {role} bypasses row-level security: it is {why}."
ROLE_HINT = "ALTER ROLE {role} NOSUPERUSER NOBYPASSRLS; or connect as another role."


@register(Tags.database)
def role_is_bound_by_policies(databases: Sequence[str] | None = None, **_options: Any) -> list[CheckMessage]:
    """Warn if policies don't bind the database role, so that it always sees every company's rows."""
    return [
        Warning(ROLE_PROBLEM.format(**found), hint=ROLE_HINT.format(**found), id="crm.W001")
        for found in _unbound_roles(databases)
    ]


@register(Tags.database, deploy=True)
def role_is_bound_by_policies_in_production(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Report a role that policies don't bind as an error, under `check --deploy --database default`."""
    return [
        Error(ROLE_PROBLEM.format(**found), hint=ROLE_HINT.format(**found), id="crm.E001")
        for found in _unbound_roles(databases)
    ]


@register(Tags.models)
def data_migrations_enter_every_company(**_options: Any) -> list[CheckMessage]:
    """Refuse plain RunPython and RunSQL, which would silently find no row of a tenant model."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    labels = {model._meta.app_label for model in apps.get_models() if issubclass(model, TenantModel)}
    return [
        Error(
            f"{label}.{name} has a plain {type(operation).__name__}.",
            hint="Row-level security hides all rows from it; use …ForAllTenants from crm.db.data_operations.",
            id="crm.E002",
        )
        for (label, name), migration in sorted(loader.disk_migrations.items())
        if label in labels
        for operation in migration.operations
        if isinstance(operation, RunPython | RunSQL) and not isinstance(operation, ForAllTenants)
    ]


@register(Tags.database)
def driver_is_psycopg2(databases: Sequence[str] | None = None, **_options: Any) -> list[CheckMessage]:
    """Refuse psycopg 3, which Django silently prefers. It fetches more slowly, and its COPY differs."""
    drivers = [cast(Any, connections[alias]).Database.__name__ for alias in databases or () if _is_postgresql(alias)]
    return [
        Error(
            f"The database driver must be psycopg2, not {driver}.",
            hint="Remove psycopg 3 from the environment: pip uninstall psycopg",
            id="crm.E003",
        )
        for driver in drivers
        if driver != "psycopg2"
    ]


@register(Tags.database)
def moved_files_can_be_read(databases: Sequence[str] | None = None, **_options: Any) -> list[CheckMessage]:
    """Refuse to run without a file storage if one has files."""
    if "files" in settings.STORAGES or StoredObject._meta.db_table not in _tables(databases):
        return []
    with all_tenants():
        if not StoredObject.objects.exists():
            return []
    return [
        Error(
            "The file storage has files, but FILE_STORAGE_URL is empty.",
            hint="Set it to the storage with these files. They don't return to the database: docs/attachments.md",
            id="crm.E005",
        )
    ]


@register(Tags.security, deploy=True)
def staff_have_a_second_factor(**_options: Any) -> list[CheckMessage]:
    """Warn if a password alone opens the admin, which sees every company's rows."""
    if settings.REQUIRE_SECOND_FACTOR:
        return []
    return [
        Warning(
            "Staff may use the admin without a second factor.",
            hint="Set REQUIRE_SECOND_FACTOR=true: staff set one up at their next sign-in.",
            id="crm.W003",
        )
    ]


@register(Tags.database, deploy=True)
def static_files_are_collected(databases: Sequence[str] | None = None, **_options: Any) -> list[CheckMessage]:
    """Warn of a server that is about to start without the files that its pages name."""
    if not databases or not isinstance(staticfiles_storage, ManifestStaticFilesStorage):
        return []
    if staticfiles_storage.hashed_files:
        return []
    return [
        Warning(
            "Static files are missing, so the admin's pages fail.",
            hint="Run manage.py collectstatic --noinput before the web server starts.",
            id="crm.W005",
        )
    ]


def _unbound_roles(databases: Sequence[str] | None) -> list[dict[str, str]]:
    found = []
    for alias in databases or ():
        if not _is_postgresql(alias):
            continue
        with suppress(OperationalError), connections[alias].cursor() as cursor:  # the self-check reports it
            cursor.execute("SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
            role, superuser, bypass = cursor.fetchone()
            if superuser or bypass:
                found.append({"role": role, "why": "a superuser" if superuser else "allowed to (BYPASSRLS)"})
    return found


def _tables(databases: Sequence[str] | None) -> list[str]:
    """Return the tables of the default database if it is checked. None exist before the first migration."""
    with suppress(OperationalError):  # the self-check reports it
        return connection.introspection.table_names() if DEFAULT_DB_ALIAS in (databases or ()) else []
    return []


def _is_postgresql(alias: str) -> bool:
    return connections[alias].vendor == "postgresql"
