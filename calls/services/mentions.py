"""Tasks of colleagues whom a note names."""

from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from calls.models import Task
from calls.models.tasks import MAX_TITLE
from crm.models import Activity, User


def add_tasks_of_mentions(*, note: Activity, colleagues: Sequence[User], **_signal: Any) -> None:
    """Leave each colleague a task that is due at once, so that the notices show it."""
    author = note.user.get_full_name() or note.user.username if note.user else ""
    words = " ".join(f"{author}: {note.body}".split())
    title = words if len(words) <= MAX_TITLE else f"{words[: MAX_TITLE - 1]}…"
    for colleague in colleagues:
        Task.objects.create(
            company_id=note.company_id,
            title=title,
            contact_id=note.contact_id,
            assignee=colleague,
            created_by_id=note.user_id,
            due_at=timezone.now(),
        )
