from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class OpsConfig(AppConfig):
    name = "ops"

    def ready(self) -> None:
        from ops.staff_groups import create_staff_groups

        # Sent after the product's apps, so that their permissions exist. Django sends none for an app without models.
        sender = apps.get_app_config("auth")
        post_migrate.connect(create_staff_groups, sender=sender, dispatch_uid="ops.create_staff_groups")
