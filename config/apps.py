"""App configuration of the admin, with the staff site as default."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.apps import AppConfig, apps
from django.contrib import admin
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks


class StaffAdminConfig(SimpleAdminConfig):
    """Doesn't load the admin's pages: they take a third of the memory of a worker, which shows none."""

    default_site = "ops.admin_site.Site"

    def ready(self) -> None:
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(check_pages, checks.Tags.admin)


@cache
def load_admin_pages() -> None:
    """Register the admin pages of all apps. The URL configuration does it, and tests."""
    admin.autodiscover()
    # The package registers its refresh tokens with their text; a reader could sign in with one.
    for model in apps.get_app_config("token_blacklist").get_models():
        admin.site.unregister(model)


def check_pages(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[checks.CheckMessage]:
    load_admin_pages()
    return check_admin_app(app_configs, **options)
