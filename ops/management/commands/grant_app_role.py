"""`manage.py grant_app_role`: privileges of the role as which the web server and the workers connect."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from ops.app_role import UnsuitableRole, grant_statements
from ops.safe_migrations.sessions import direct_connection


class Command(BaseCommand):
    help = (
        "Print the statements that let a role read and write the product's rows, and nothing else. Run it as the role"
        " that owns the tables; --apply executes them."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("role", help="name of the role, which must exist")
        parser.add_argument("--apply", action="store_true", help="execute the statements in one transaction")

    def handle(self, *, role: str, apply: bool, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("grant_app_role is for PostgreSQL: SQLite has no roles.")
        with direct_connection():
            self._grant(role, apply=apply)

    def _grant(self, role: str, *, apply: bool) -> None:
        try:
            statements = grant_statements(role)
        except UnsuitableRole as error:
            raise CommandError(str(error)) from error
        for statement in statements:
            self.stdout.write(f"{statement};")
        if not apply:
            self.stdout.write("-- Nothing was changed. Add --apply to execute these statements.")
            return
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        self.stdout.write(f"-- Executed. Let the web server and the workers connect as the role {role}: DATABASE_URL.")
