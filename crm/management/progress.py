"""Progress bars of the commands."""

from collections.abc import Iterable
from typing import Any

from tqdm import tqdm

from crm.models import BackgroundTask


class ProgressBar(tqdm):
    """A bar on stderr where that is a terminal, else nothing: cron would mail it, and a log keep its every step."""

    def __init__(self, iterable: Iterable[Any] | None = None, *, disable: bool = False, **options: Any) -> None:
        super().__init__(iterable, disable=disable or None, **options)


class TaskBar(ProgressBar):
    """The progress of a background task that a command does."""

    def show(self, task: BackgroundTask) -> None:
        """Show how much is done."""
        self.total, self.n = task.total, task.done
        self.refresh()
