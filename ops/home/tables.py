"""The admin's tables in groups, by what staff do with them."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.text import slugify

UNDER_THE_HOOD = "Under the hood"
GROUPS: Mapping[str, tuple[str, ...]] = {
    "Work": (
        "contact", "conversation", "message", "call", "missedcaller", "appointment", "appointmentproposal", "timeoff",
        "task", "appointmentreminder", "lead", "campaign", "campaignmembership", "contactflag", "optout",
        "marketingconsent", "duplicatecandidate", "activity", "callanalysis",
    ),
    "Money": ("invoice",),
    "Set-up": (
        "company", "user", "group", "phoneline", "provideraccount", "webhooksecret", "segment", "snippet", "tag",
        "contactfield", "contactlist", "import", "apitoken", "calendarfeed", "outgoingwebhook",
    ),
}  # fmt: skip
"""The models of each group, in their order. All others are under the hood, by name."""


def group_tables(apps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the models of Django's list of apps in groups, in the form of that list."""
    models = {model["object_name"].lower(): model for app in apps for model in app["models"]}
    groups = {title: [models.pop(name) for name in names if name in models] for title, names in GROUPS.items()}
    groups[UNDER_THE_HOOD] = sorted(models.values(), key=lambda model: model["name"])
    return [
        {
            "name": title,
            "app_label": slugify(title),
            "app_url": f"{reverse('admin:index')}#{slugify(title)}",
            "has_module_perms": True,
            "models": members,
        }
        for title, members in groups.items()
        if members
    ]
