"""Groups of staff with their permissions in the admin. `migrate` creates them and sets their permissions."""

from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db import connections

APPS = ("crm", "calls", "messaging", "analytics")
CREDENTIALS = frozenset({"webhooksecret", "provideraccount"})
ALL_MODELS = frozenset(
    str(model._meta.model_name) for label in APPS for model in apps.get_app_config(label).get_models()
)
_CUSTOMER_ROWS = frozenset(
    {
        "contact", "contactphone", "contactflag", "contactfield", "contactlist", "tag", "lead", "appointment", "task",
        "timeoff", "invoice",
    }
)  # fmt: skip
_CAMPAIGN_ROWS = frozenset({"campaign", "campaignmembership", "segment", "snippet"})

# By group and verb, the models. An admin class may allow less: nobody can change an activity.
STAFF_GROUPS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "Support": {
        "view": ALL_MODELS - CREDENTIALS,
        "add": _CUSTOMER_ROWS | _CAMPAIGN_ROWS | {"callanalysis", "import"},
        "change": _CUSTOMER_ROWS
        | _CAMPAIGN_ROWS
        | {
            "attachment",
            "backgroundtask",
            "call",
            "callanalysis",
            "conversation",
            "mail",
            "message",
            "missedcaller",
            "optout",
            "outgoingevent",
            "webhookevent",
        },
        "delete": (_CUSTOMER_ROWS - {"invoice"}) | _CAMPAIGN_ROWS | {"call", "callanalysis"},
    },
    "Set-up": {
        "view": CREDENTIALS
        | {"apitoken", "calendarfeed", "company", "user", "phoneline", "webhookevent", "auditentry"},
        "add": CREDENTIALS | {"company", "user", "phoneline"},
        "change": frozenset(
            {"apitoken", "calendarfeed", "company", "user", "phoneline", "provideraccount", "webhookevent"}
        ),
        "delete": CREDENTIALS,
    },
    "Read-only": {"view": ALL_MODELS},
}


def codenames_of(group: str) -> set[str]:
    return {f"{verb}_{model}" for verb, models in STAFF_GROUPS[group].items() for model in models}


def create_staff_groups(using: str = "default", **signal: Any) -> None:  # noqa: ARG001  # the signal's arguments
    """Create the groups, and set their permissions to the declared ones. Runs after each `migrate`."""
    if Group._meta.db_table not in connections[using].introspection.table_names():
        return  # `migrate auth zero`
    found = Permission.objects.using(using).filter(content_type__app_label__in=APPS)
    by_codename = {permission.codename: permission for permission in found}
    for name in STAFF_GROUPS:
        group, _ = Group.objects.using(using).get_or_create(name=name)
        # Some are missing while only a part of the apps is migrated.
        group.permissions.set(by_codename[code] for code in codenames_of(name) & by_codename.keys())
