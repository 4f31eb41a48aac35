"""Actions on selected rows, with a page before that says how many rows and which."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import model_format_dict
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from crm.form_fields import is_id

Act = Callable[[Any, HttpRequest, QuerySet], HttpResponse | None]
MAX_LISTED = 10
HAS_ITS_OWN_PAGE = ("delete_selected",)


class ConfirmedActions(admin.ModelAdmin):
    """A list whose actions change nothing before their rows are counted, shown and confirmed.

    The confirmation carries the IDs: rows that begin to match meanwhile aren't touched.
    """

    max_acted = 1000
    """Rows of one action: each is locked, checked and audited alone, within the time of a request."""

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: Any = super().get_actions(request)
        return {
            name: (act if name in HAS_ITS_OWN_PAGE else _ask_first(act, label), name, label)
            for name, (act, _, label) in actions.items()
        }


def _ask_first(act: Act, label: str) -> Act:
    def ask_or_act(model_admin: Any, request: HttpRequest, rows: QuerySet) -> HttpResponse | None:
        confirmed = request.POST.get("confirmed", "").split(",")
        if confirmed != [""]:
            ids = [each for each in confirmed[: model_admin.max_acted] if is_id(each)]
            return act(model_admin, request, rows.filter(pk__in=ids))
        ids = list(rows.values_list("pk", flat=True)[: model_admin.max_acted + 1])
        if len(ids) > model_admin.max_acted:
            limit = f"{model_admin.max_acted:,} {model_admin.opts.verbose_name_plural}"
            text = f"More than {limit} match, and an action takes at most so many. Filter the list further."
            model_admin.message_user(request, text, messages.WARNING)
            return None
        if not ids:
            model_admin.message_user(request, "None of these rows is in the list any more.", messages.WARNING)
            return None
        names = model_format_dict(model_admin.opts)
        context = model_admin.admin_site.each_context(request) | {
            "title": label % names,
            "opts": model_admin.opts,
            "count": len(ids),
            "noun": names["verbose_name"] if len(ids) == 1 else names["verbose_name_plural"],
            "rows": [str(row) for row in rows.filter(pk__in=ids[:MAX_LISTED])],
            "more": max(len(ids) - MAX_LISTED, 0),
            "action": request.POST.getlist("action"),
            "index": request.POST.get("index", "0"),
            "selected": ids[0],  # Django does nothing without one
            "confirmed": ",".join(str(each) for each in ids),
            "query": request.GET.urlencode(),
        }
        return TemplateResponse(request, "admin/confirm_action.html", context)

    return ask_or_act
