"""Local date and time functions for generated columns, in a time zone from another column."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import DateField, Field, Func, TimeField
from django.db.models.sql.compiler import SQLCompiler


class WallDate(Func):
    """The date of an instant in a time zone. Frozen in migrations."""

    arity = 2
    output_field: Field = DateField()
    template = "(%(expressions)s)::date"
    arg_joiner = " AT TIME ZONE "
    sqlite_function = "django_datetime_cast_date"

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        # Django's own function, registered as deterministic: (text in UTC, target zone, stored zone).
        return self.as_sql(
            compiler,
            connection,
            template=f"{self.sqlite_function}(%(expressions)s, 'UTC')",
            arg_joiner=", ",
            **context,
        )


class WallTime(WallDate):
    """The time of day of an instant in a time zone. Frozen in migrations."""

    output_field: Field = TimeField()
    template = "(%(expressions)s)::time"
    sqlite_function = "django_datetime_cast_time"
