"""Django's admin, with our own site in place of the default one."""

from django.apps import apps
from django.contrib.admin.apps import AdminConfig


class StaffAdminConfig(AdminConfig):
    default_site = "ops.admin_site.Site"

    def ready(self) -> None:
        super().ready()
        from django.contrib.admin import site

        # The package registers its refresh tokens, text and all: whoever reads one can sign in as its user.
        for model in apps.get_app_config("token_blacklist").get_models():
            site.unregister(model)
