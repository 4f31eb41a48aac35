"""App configuration of the admin, with the staff site as default."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.contrib import admin
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_dependencies
from django.core import checks


class StaffAdminConfig(SimpleAdminConfig):
    """Leaves it to the site to load its pages."""

    default_site = "ops.admin_site.Site"

    def ready(self) -> None:
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(check_pages, checks.Tags.admin)


def check_pages(app_configs: Sequence[AppConfig] | None, **_options: Any) -> list[checks.CheckMessage]:
    """Check the pages, which are loaded for it."""
    return list(admin.site.check(app_configs))
