"""Requests of users: beginning a task, and cancelling it."""

from typing import Any

from django.utils import timezone

from crm.choices import TaskState
from crm.error_codes import ErrorCode
from crm.models import BackgroundTask, User
from crm.refusals import Refusal
from crm.services.background_tasks.kinds import end_of, find_kind


class TaskHasEnded(Refusal):
    """A task that has ended can't be cancelled."""

    code = ErrorCode.TASK_ENDED


def begin_task(
    *, company_id: int, kind: str, user: User | None, parameters: dict[str, Any] | None = None, total: int | None = None
) -> BackgroundTask:
    """Queue a task for the worker."""
    return BackgroundTask.objects.create(
        company_id=company_id, kind=find_kind(kind).name, requested_by=user, parameters=parameters or {}, total=total
    )


def cancel_task(*, task: BackgroundTask) -> BackgroundTask:
    """Cancel a task: at once if it waits, else after its present step. Raises TaskHasEnded."""
    mine = BackgroundTask.objects.filter(pk=task.pk)
    queued = mine.filter(state=TaskState.QUEUED)
    if queued.update(state=TaskState.CANCELLED, cancel_requested=True, ended_at=timezone.now()):
        task.refresh_from_db()
        end_of(task.kind)(task)
        return task
    if not mine.filter(state=TaskState.RUNNING).update(cancel_requested=True):
        raise TaskHasEnded
    task.refresh_from_db()
    return task
