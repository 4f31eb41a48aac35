from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AnalyticsConfig(AppConfig):
    name = "analytics"

    def ready(self) -> None:
        from analytics.rollups.jobs import fold_next, folds_are_left  # models can be imported from here on
        from crm.db.triggers import make_sqlite_triggers
        from crm.worker import Job, register

        post_migrate.connect(make_sqlite_triggers, sender=self, dispatch_uid="analytics.make_sqlite_triggers")
        register(Job(name="rollups", do_next=fold_next, is_left=folds_are_left))
