"""App configuration of the admin, with the staff site as default."""

from django.apps import apps
from django.contrib.admin.apps import AdminConfig


class StaffAdminConfig(AdminConfig):
    default_site = "ops.admin_site.Site"

    def ready(self) -> None:
        super().ready()
        from django.contrib.admin import site

        # The package registers its refresh tokens with their text; a reader could sign in with one.
        for model in apps.get_app_config("token_blacklist").get_models():
            site.unregister(model)
