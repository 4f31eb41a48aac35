"""Tasks that people finish, and take up again."""

from django.utils import timezone

from calls.models import Task


def finish_task(*, task: Task) -> Task:
    """Mark a task as done. One that is done keeps its time."""
    if Task.objects.open().filter(pk=task.pk).update(done_at=timezone.now()):
        task.refresh_from_db()
    return task


def reopen_task(*, task: Task) -> Task:
    """Mark a task as not done. An open one stays unchanged."""
    if Task.objects.filter(pk=task.pk, done_at__isnull=False).update(done_at=None):
        task.refresh_from_db()
    return task
