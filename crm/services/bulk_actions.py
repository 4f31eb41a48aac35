"""Actions of staff on many rows of a company, each as a background task that does some of the rows at a step."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from crm.db.tenancy import tenant
from crm.models import BackgroundTask, User
from crm.services.background_tasks.kinds import Kind
from crm.services.background_tasks.requests import begin_task
from crm.services.background_tasks.runs import Run

STEP_ROWS = 200  # each is locked, checked and audited alone: about a second
TASK_ROWS = 10_000  # their IDs are written anew with each step
# What the task remembers: the rows that were confirmed, and how many of them were changed.
IDS, CHANGED = "ids", "changed"

Act = Callable[[Sequence[int], User], int]
"""Act on these rows of the active company, and return how many were changed. Others have another state meanwhile."""


def bulk_kind(name: str, label: str, act: Act) -> Kind:
    """Return the kind of task that acts on rows."""
    return Kind(name=name, label=label, steps=partial(_steps, act=act), end=_forget_rows)


def begin_bulk_action(*, company_id: int, kind: str, ids: Sequence[int], user: User) -> list[BackgroundTask]:
    """Queue the tasks that act on these rows of the company."""
    ids = sorted(ids)  # locks are taken in this order, as merges and recalls take them
    parts = [list(ids[start : start + TASK_ROWS]) for start in range(0, len(ids), TASK_ROWS)]
    with tenant(company_id):
        return [
            begin_task(company_id=company_id, kind=kind, user=user, parameters={IDS: part}, total=len(part))
            for part in parts
        ]


def _steps(run: Run, *, act: Act) -> Iterator[None]:
    while run.task.total is None or run.task.done < run.task.total:
        with run.step() as task:
            some = task.parameters[IDS][task.done : task.done + STEP_ROWS]
            if task.requested_by is None:
                raise ValueError("An action needs the user who asked for it.")
            changed = task.parameters.get(CHANGED, 0) + act(some, task.requested_by)
            task.parameters = {**task.parameters, CHANGED: changed}
            task.done += len(some)
        yield
    with run.step() as task:
        task.parameters = _without_rows(task)


def _forget_rows(task: BackgroundTask) -> None:
    BackgroundTask.objects.filter(pk=task.pk).update(parameters=_without_rows(task))


def _without_rows(task: BackgroundTask) -> dict[str, int]:
    return {CHANGED: task.parameters.get(CHANGED, 0)}
