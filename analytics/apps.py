from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AnalyticsConfig(AppConfig):
    name = "analytics"

    def ready(self) -> None:
        from analytics.rollups.jobs import rollups_are_left, run_next_rollup  # models can be imported from here on
        from crm.db.triggers import make_sqlite_triggers
        from crm.worker import Job, register

        post_migrate.connect(make_sqlite_triggers, sender=self, dispatch_uid="analytics.make_sqlite_triggers")
        register(Job(name="rollups", do_next=run_next_rollup, is_left=rollups_are_left))
