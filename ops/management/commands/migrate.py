"""`manage.py migrate`: Django's, one at a time on PostgreSQL and on a direct connection."""

from typing import Any

from django.core.management.commands import migrate

from ops.safe_migrations.autodetector import Autodetector
from ops.safe_migrations.sessions import direct_connection, migration_lock, require_owner


class Command(migrate.Command):
    autodetector = Autodetector

    def handle(self, *args: Any, **options: Any) -> None:
        with direct_connection(options["database"]):
            if options["plan"] or options["check_unapplied"]:
                super().handle(*args, **options)
                return
            require_owner(options["database"])
            with migration_lock(options["database"], self.stdout.write):
                super().handle(*args, **options)
