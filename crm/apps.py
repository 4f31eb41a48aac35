from django.apps import AppConfig


class CrmConfig(AppConfig):
    name = "crm"
    verbose_name = "Customers"

    def ready(self) -> None:
        from crm.services.upkeep import remove_expired_each_minute  # models can be imported from here on
        from crm.worker import Job, register

        register(Job(name="upkeep", do_next=remove_expired_each_minute, is_left=lambda: False))
