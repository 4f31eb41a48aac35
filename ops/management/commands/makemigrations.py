"""`manage.py makemigrations`: Django's, with the product's autodetector."""

from django.core.management.commands import makemigrations

from ops.safe_migrations.autodetector import Autodetector


class Command(makemigrations.Command):
    autodetector = Autodetector
