"""The lists that the user has saved a view of, with one statement."""

from typing import Any

from django.apps import apps
from django.http import HttpRequest
from django.utils.text import capfirst

from crm.models import SavedView
from ops.home.links import list_of, may_view

MAX_VIEWS = 60


def list_views(request: HttpRequest) -> list[dict[str, Any]]:
    """Return each list that the user may see, with its views."""
    lists: dict[str, dict[str, Any]] = {}
    for view in SavedView.objects.filter(user=request.user.pk).order_by("list", "name")[:MAX_VIEWS]:
        model = apps.get_model(view.list)
        if may_view(request, model):
            found = lists.setdefault(view.list, {"title": capfirst(model._meta.verbose_name_plural), "views": []})
            found["views"].append({"name": view.name, "url": f"{list_of(model)}?{view.query}"})
    return list(lists.values())
