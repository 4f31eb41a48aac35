"""The run of one background task in this process, step by step."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError, connection
from django.db.models import Q
from django.utils import timezone

from crm.choices import TaskState
from crm.db.advisory_locks import try_advisory_xact_lock
from crm.db.audit_context import acting_as, program_transaction
from crm.db.tenancy import tenant
from crm.error_codes import ErrorCode
from crm.models import BackgroundTask
from crm.refusals import Refusal
from crm.refused_writes import explain
from crm.services.background_tasks.kinds import end_of, find_kind

PROGRAM = "background tasks"
INTERNAL_ERROR = "An internal error ended it. Please tell the operator the number of this task."

logger = logging.getLogger(__name__)


class TaskEnded(Exception):
    """The task was cancelled, or another process does it."""


class Run:
    """A task in this process. `task` is as the last step has left it."""

    def __init__(self, task: BackgroundTask) -> None:
        self.task = task
        self._steps = find_kind(task.kind).steps(self)

    @contextmanager
    def step(self) -> Iterator[BackgroundTask]:
        """Do one step in a transaction of the task's company. Changes of the task inside are its progress.

        Changes of rows are recorded as made by the user who asked for the task.

        Raises:
            TaskEnded: the task was cancelled, or another process does it.
        """
        task = self.task
        with ExitStack() as stack:
            stack.enter_context(program_transaction(PROGRAM, company_id=task.company_id))
            user = task.requested_by
            if user is not None:
                stack.enter_context(acting_as(user.pk, user.username))
            # Not a lock of the row: a request to cancel would wait for the step.
            if not try_advisory_xact_lock("background task", task.pk):
                raise TaskEnded
            stored = BackgroundTask.objects.filter(pk=task.pk, state=TaskState.RUNNING).first()
            if stored is None or stored.cancel_requested:
                raise TaskEnded
            task.done, task.total, task.parameters = stored.done, stored.total, stored.parameters
            yield task
            update_open(
                task, done=task.done, total=task.total, parameters=task.parameters, result_file=task.result_file,
                lease_until=lease_end(),
            )  # fmt: skip

    def advance(self) -> bool:
        """Do the next step. Returns False once the task has ended, in whatever way.

        Raises:
            OperationalError, InterfaceError: of the database's connection. The next worker goes on.
        """
        try:
            next(self._steps)
            return True
        except StopIteration:
            finish(self.task)
        except TaskEnded:
            end_cancelled(self.task)
        except Refusal as refusal:
            fail(self.task, code=refusal.code, error=str(refusal))
        except IntegrityError as error:
            if refused := explain(error):
                fail(self.task, code=refused.code, error=refused.sentence)
            else:
                self._record(error)
        except (OperationalError, InterfaceError) as error:
            if not connection.is_usable():
                raise
            self._record(error)
        except Exception as error:
            self._record(error)
        return False

    def _record(self, error: Exception) -> None:
        logger.error("Background task %d (%s) failed.", self.task.pk, self.task.kind, exc_info=error)
        fail(self.task, code=ErrorCode.ERROR, error=INTERNAL_ERROR)


def lease_end() -> Any:
    return timezone.now() + timedelta(seconds=settings.WORKER_LEASE_S)


def update_open(task: BackgroundTask, **values: Any) -> bool:
    """Write columns of a task that has not ended. Returns False if it has: a state only moves forward."""
    return bool(BackgroundTask.objects.open().filter(pk=task.pk).update(**values))


def finish(task: BackgroundTask) -> None:
    """Record that the task is done."""
    with tenant(task.company_id):
        total = task.done if task.total is None else task.total
        update_open(
            task, state=TaskState.DONE, done=total, total=total, lease_until=None, ended_at=timezone.now()
        )  # fmt: skip


def fail(task: BackgroundTask, *, code: str, error: str) -> None:
    """Record that the task has failed, and why."""
    with program_transaction(PROGRAM, company_id=task.company_id):
        if update_open(
            task, state=TaskState.FAILED, error_code=code, error=error, lease_until=None, started_at=task.started_at,
            ended_at=timezone.now(),
        ):  # fmt: skip
            end_of(task.kind)(task)


def end_cancelled(task: BackgroundTask) -> None:
    """Record that the task has ended because a user asked for it. One that another process does is left to it."""
    with program_transaction(PROGRAM, company_id=task.company_id):
        cancelled = BackgroundTask.objects.open().filter(Q(pk=task.pk), cancel_requested=True)
        if cancelled.update(state=TaskState.CANCELLED, lease_until=None, ended_at=timezone.now()):
            end_of(task.kind)(task)
