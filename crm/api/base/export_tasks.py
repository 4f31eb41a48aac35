"""The background task `export`: an XLSX file of a list that is too long for one request."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.http import Http404, HttpRequest, QueryDict
from django.urls import resolve, reverse
from rest_framework.exceptions import APIException, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.exports import XLSX_TYPE, Export
from crm.choices import Role
from crm.db.advisory_locks import advisory_xact_locks
from crm.db.audit_context import acting_as
from crm.db.tenancy import tenant
from crm.error_codes import ErrorCode
from crm.models import BackgroundTask, User
from crm.names import name_of_actor
from crm.refusals import Refusal
from crm.services.background_tasks.requests import begin_task
from crm.services.exports.files import sheet_in
from crm.services.stored_files import parts_of, store_file

if TYPE_CHECKING:
    from crm.services.background_tasks.runs import Run

KIND = "export"
KEPT_FOR = timedelta(days=7)  # it can be made anew
MAX_OPEN = 3  # of a user: each keeps a worker busy for minutes
PATH, QUERY = "path", "query"  # parameters of the task: those of the request
ROLE = "role"  # that of the API token, if one asked


class ExportRefused(Refusal):
    """The user may not export the list any more, or what its filters name is gone."""

    code = ErrorCode.PERMISSION_DENIED


class TooManyExports(Refusal):
    """The user has other exports under way."""

    code = ErrorCode.TOO_MANY_EXPORTS


def queued(view: Any) -> Response:
    """Queue the export that the view's request asks for. Returns the answer with the task.

    The user's own task for the same file, if it hasn't ended, is the answer again.

    Raises:
        TooManyExports: the user has MAX_OPEN other tasks that haven't ended.
    """
    from crm.api.background_tasks import BackgroundTaskSerializer  # it is a view of this base

    user: User = view.user
    parameters = {PATH: view.request.path_info, QUERY: view.request.META.get("QUERY_STRING", "")}
    if token := getattr(user, "api_token", None):
        parameters[ROLE] = token.role
    with tenant(view.company_id), acting_as(user.pk, name_of_actor(user)):
        advisory_xact_locks([("exports of", user.pk)])
        mine = list(BackgroundTask.objects.open().filter(kind=KIND, requested_by=user))
        task = next((each for each in mine if each.parameters == parameters), None)
        if task is None and len(mine) >= MAX_OPEN:
            raise TooManyExports
        task = task or begin_task(company_id=view.company_id, kind=KIND, user=user, parameters=parameters)
        row = BackgroundTaskSerializer(task, context=view.get_serializer_context()).data
    location = view.request.build_absolute_uri(reverse("background-task-detail", args=[task.pk]))
    return Response(row, status=202, headers={"Location": location})


def export_steps(run: "Run") -> Iterator[None]:
    """Do an export, a page in each step. A worker that takes it over begins anew: the file was on the other's disk."""
    with run.step() as task, _export_of(task) as export:
        task.done, task.total = 0, export.count_rows()
        export.record()
    yield
    with tempfile.TemporaryFile() as file:
        position: list[Any] | None = None
        with sheet_in(file, export.header) as sheet:
            while True:
                with run.step() as task, _export_of(task) as export:
                    page, position = export.page_after(position)
                    task.done += len(page)
                    task.total = max(task.total or 0, task.done)
                sheet.add(page)
                yield
                if position is None:
                    break
        with run.step() as task, _export_of(task) as export:
            task.result_file = store_file(
                company_id=task.company_id, name=export.file_name, content_type=XLSX_TYPE, parts=parts_of(file),
                user=export.user, kept_for=KEPT_FOR,
            )  # fmt: skip
            task.total = task.done
            export.record(rows=task.done)
    yield


@contextmanager
def _export_of(task: BackgroundTask) -> Iterator[Export]:
    """Ask the list's view again, as the user whom the task is for. Raises ExportRefused if the view wouldn't answer."""
    try:
        yield _ask_view(task)
    except (PermissionDenied, Http404) as error:
        code = ErrorCode.NOT_FOUND if isinstance(error, Http404) else ErrorCode.PERMISSION_DENIED
        raise ExportRefused(code=code) from error
    except APIException as error:
        raise ExportRefused(f"The list can't be exported any more: {error}", code=ErrorCode.INVALID) from error


def _ask_view(task: BackgroundTask) -> Export:
    user = User.objects.select_related("company").filter(pk=task.requested_by_id or 0, company=task.company_id).first()
    if user is None or not user.is_active:
        raise ExportRefused(code=ErrorCode.USER_INACTIVE)
    if ROLE in task.parameters:
        if user.role != Role.MANAGER:  # the token has ended with that
            raise ExportRefused
        user.role = task.parameters[ROLE]
    match = resolve(task.parameters[PATH])
    http = HttpRequest()
    http.method, http.path, http.path_info = "GET", task.parameters[PATH], task.parameters[PATH]
    http.GET = QueryDict(task.parameters[QUERY])
    request = Request(http)
    request.user = user
    view = match.func.cls(**match.func.initkwargs)  # type: ignore[attr-defined]  # a view of DRF
    view.get = view.export
    view.request, view.args, view.kwargs, view.format_kwarg, view.action = request, (), match.kwargs, None, "export"
    view.headers = {}
    view.check_permissions(request)
    export: Export = view.export_class(view, request, view.filter_queryset(view.get_queryset()))
    return export
