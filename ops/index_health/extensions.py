"""Which extensions of PostgreSQL may be used: they are installed by a superuser, and some must be granted."""

from django.db.backends.base.base import BaseDatabaseWrapper


def find_extension(connection: BaseDatabaseWrapper, name: str) -> str | None:
    """The schema of an installed extension, quoted; None where it is not installed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = %s", [name])
        row = cursor.fetchone()
    return row[0] if row else None
