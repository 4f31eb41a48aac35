from django.apps import AppConfig


class CallsConfig(AppConfig):
    name = "calls"

    def ready(self) -> None:
        from calls.services.timezone_change import rezone_visits  # models can be imported from here on
        from crm.signals import company_rezoned

        company_rezoned.connect(rezone_visits, dispatch_uid="calls.rezone_visits")
