from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "analytics"

    def ready(self) -> None:
        from analytics.models import CallRollup  # importable once the apps are loaded
        from analytics.rollups.jobs import has_pending_rollups, is_rollup_due, run_next_rollup
        from crm.query_slots import failing_rollups
        from crm.worker import RARELY_S, Job, register

        register(
            Job(
                name="rollups",
                do_next=run_next_rollup,
                has_pending=has_pending_rollups,
                is_due=is_rollup_due,
                poll_s=RARELY_S,
                own_thread=True,  # a company's first count takes long
            )
        )
        failing_rollups.register(lambda tries: CallRollup.objects.failing(tries=tries))
