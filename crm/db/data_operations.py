"""Data migrations that see the rows of every company."""

from typing import Any

from django.db.migrations import RunPython, RunSQL

from crm.db.tenancy import all_tenants


class ForAllTenants:
    """Mixin that runs a migration operation with every company active.

    FORCEd policies bind even the tables' owner, so a plain data migration would find no row and still succeed.
    """

    def database_forwards(self, *args: Any) -> None:
        with all_tenants():
            super().database_forwards(*args)  # type: ignore[misc]

    def database_backwards(self, *args: Any) -> None:
        with all_tenants():
            super().database_backwards(*args)  # type: ignore[misc]


class RunPythonForAllTenants(ForAllTenants, RunPython):
    """A data migration in Python. A system check refuses the plain RunPython."""


class RunSQLForAllTenants(ForAllTenants, RunSQL):
    """A data migration in SQL. A system check refuses the plain RunSQL."""
