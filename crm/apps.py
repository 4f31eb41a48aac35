from django.apps import AppConfig


class CrmConfig(AppConfig):
    name = "crm"
    verbose_name = "Customers"

    def ready(self) -> None:
        from crm import checks  # noqa: F401  # registers them; models can be imported from here on
