from django.apps import AppConfig


class CallsConfig(AppConfig):
    name = "calls"

    def ready(self) -> None:
        from calls.services.timezone_change import update_future_appointments  # models can be imported from here on
        from crm.signals import company_timezone_changed

        company_timezone_changed.connect(update_future_appointments, dispatch_uid="calls.update_future_appointments")
