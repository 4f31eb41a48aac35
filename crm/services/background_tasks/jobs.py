"""The worker's job `tasks`: several tasks in turn, a step of each."""

import time
from collections import deque
from collections.abc import Callable
from threading import local

from django.utils import timezone

from crm.choices import TaskState
from crm.db.tenancy import all_tenants, all_tenants_autocommit
from crm.models import BackgroundTask
from crm.services.background_tasks.kinds import find_kind, nothing
from crm.services.background_tasks.runs import Run, fail, lease_end

POLL_S = 0.5
MAX_RUNS = 4  # tasks that one worker does in turn: a short one doesn't wait for the end of a long one


class _Runs(local):
    """The runs of this thread. Its connection is that of their steps."""

    def __init__(self) -> None:
        self.queue: deque[Run] = deque()


_runs = _Runs()


def do_next_step() -> bool:
    """Do a step of one task. Returns False if there is none."""
    if len(_runs.queue) < MAX_RUNS and (task := claim_task()):
        _runs.queue.append(Run(task))
    if not _runs.queue:
        return False
    run = _runs.queue.popleft()
    if run.advance():
        _runs.queue.append(run)
    return True


def is_task_due() -> bool:
    """Return whether there is a task that no worker does."""
    with all_tenants_autocommit():
        return BackgroundTask.objects.claimable(timezone.now()).exists()


def has_pending_tasks() -> bool:
    """Return whether a task has not ended."""
    with all_tenants():
        return BackgroundTask.objects.open().exists()


def claim_task(pk: int | None = None) -> BackgroundTask | None:
    """Lease the task that waits for the longest time, or the one with this ID. Returns None if there is none."""
    with all_tenants():
        now = timezone.now()
        claimable = BackgroundTask.objects.claimable(now).select_for_update(skip_locked=True, no_key=True, of=("self",))
        mine = claimable.filter(pk=pk) if pk else claimable
        task: BackgroundTask | None = mine.select_related("company").order_by("pk").first()
        if task is None:
            return None
        task.state, task.started_at, task.lease_until = TaskState.RUNNING, task.started_at or now, lease_end()
        task.save(update_fields=["state", "started_at", "lease_until"])
    try:
        find_kind(task.kind)
    except KeyError:
        fail(task, code="unknown_kind", error="This version of the product doesn't know this kind of task.")
        return None
    return task


def run_task(*, task: BackgroundTask, progress: Callable[[BackgroundTask], None] = nothing) -> BackgroundTask:
    """Do a whole task in this process, as a command does. Returns it as it has ended.

    A task that a worker has claimed already is left to it, and waited for.
    """
    claimed = claim_task(task.pk)
    if claimed is not None:
        run = Run(claimed)
        while run.advance():
            progress(run.task)
    while not _has_ended(task):
        progress(task)
        time.sleep(POLL_S)
    progress(task)
    return task


def _has_ended(task: BackgroundTask) -> bool:
    with all_tenants():
        task.refresh_from_db()
    return task.state in TaskState.ended()
