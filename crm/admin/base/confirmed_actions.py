"""Actions on selected rows, with a page before that says how many rows and which."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, cast

from django.contrib import admin, messages
from django.contrib.admin.utils import model_format_dict
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from crm.admin.base.pagination import count_up_to
from crm.form_fields import is_id
from crm.models import BackgroundTask, User
from crm.services.bulk_actions import begin_bulk_action

Act = Callable[[Any, HttpRequest, QuerySet], HttpResponse | None]
MAX_LISTED = 10
HAS_ITS_OWN_PAGE = ("delete_selected",)
MAX_IN_BACKGROUND = 50_000  # rows, whose IDs the confirmation carries
READ_AT_ONCE = 1_000


class ConfirmedActions(admin.ModelAdmin):
    """A list whose actions change nothing before their rows are counted, shown and confirmed.

    The confirmation carries the IDs: rows that begin to match meanwhile aren't touched.
    """

    max_acted = 1000
    """Rows of one request: each is locked, checked and audited alone, within the time of a request."""
    in_background: ClassVar[Mapping[str, str]] = {}
    """The kind of background task that does an action with more rows, by the action's name."""

    @property
    def most_selected(self) -> int:
        return MAX_IN_BACKGROUND if self.in_background else self.max_acted

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: Any = super().get_actions(request)
        return {name: (self._confirmed(name, act, label), name, label) for name, (act, _, label) in actions.items()}

    def _confirmed(self, name: str, act: Act, label: str) -> Act:
        return _limit(act) if name in HAS_ITS_OWN_PAGE else _ask_first(act, label, self.in_background.get(name, ""))

    def refuse_more_than(self, limit: int, request: HttpRequest) -> None:
        rows = f"{limit:,} {self.opts.verbose_name_plural}"
        text = f"More than {rows} match, and an action takes at most so many. Filter the list further."
        self.message_user(request, text, messages.WARNING)


def _limit(act: Act) -> Act:
    def refuse_or_act(model_admin: Any, request: HttpRequest, rows: QuerySet) -> HttpResponse | None:
        if count_up_to(rows, model_admin.max_acted + 1) > model_admin.max_acted:
            model_admin.refuse_more_than(model_admin.max_acted, request)
            return None
        return act(model_admin, request, rows)

    return refuse_or_act


def _ask_first(act: Act, label: str, kind: str) -> Act:
    def ask_or_act(model_admin: Any, request: HttpRequest, rows: QuerySet) -> HttpResponse | None:
        most = MAX_IN_BACKGROUND if kind else model_admin.max_acted
        confirmed = request.POST.get("confirmed", "").split(",")
        if confirmed != [""]:
            ids = [each for each in confirmed[:most] if is_id(each)]
            if len(ids) > model_admin.max_acted:
                return _begin(model_admin, request, rows, ids, kind)
            return act(model_admin, request, rows.filter(pk__in=ids))
        ids = list(rows.values_list("pk", flat=True)[: most + 1])
        if len(ids) > most:
            model_admin.refuse_more_than(most, request)
            return None
        if not ids:
            model_admin.message_user(request, "None of these rows is in the list any more.", messages.WARNING)
            return None
        names = model_format_dict(model_admin.opts)
        context = model_admin.admin_site.each_context(request) | {
            "title": label % names,
            "opts": model_admin.opts,
            "count": len(ids),
            "in_background": len(ids) > model_admin.max_acted,
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


def _begin(model_admin: Any, request: HttpRequest, rows: QuerySet, ids: list[str], kind: str) -> HttpResponse | None:
    """Begin the tasks of each company, and show the progress to those who may see it."""
    of_company: dict[int, list[int]] = defaultdict(list)
    for start in range(0, len(ids), READ_AT_ONCE):
        found = rows.filter(pk__in=ids[start : start + READ_AT_ONCE]).order_by("pk")
        for pk, company_id in found.values_list("pk", "company_id"):
            of_company[company_id].append(pk)
    user = cast(User, request.user)
    tasks: list[BackgroundTask] = []
    for company_id, own in sorted(of_company.items()):
        tasks += begin_bulk_action(company_id=company_id, kind=kind, ids=own, user=user)
    if not tasks:
        model_admin.message_user(request, "None of these rows is in the list any more.", messages.WARNING)
        return None
    number = sum(len(own) for own in of_company.values())
    do = "A background task does" if len(tasks) == 1 else f"{len(tasks)} background tasks do"
    text = f"{do} it with {number:,} {model_admin.opts.verbose_name_plural}."
    model_admin.message_user(request, text)
    if not request.user.has_perm("crm.view_backgroundtask"):
        return None
    if len(tasks) == 1:
        return HttpResponseRedirect(reverse("admin:crm_backgroundtask_change", args=[tasks[0].pk]))
    return HttpResponseRedirect(reverse("admin:crm_backgroundtask_changelist"))
