"""Kinds of background tasks, which `AppConfig.ready` registers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crm.models import BackgroundTask
    from crm.services.background_tasks.runs import Run


def nothing(task: "BackgroundTask") -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Kind:
    """One kind of task."""

    name: str
    label: str
    """Its name for people."""
    steps: Callable[["Run"], Iterator[None]]
    """Do the task, each step inside `run.step()`, and yield between two steps. After a crash it is called again."""
    end: Callable[["BackgroundTask"], None] = nothing
    """Called in the transaction in which the task fails or is cancelled."""


_kinds: dict[str, Kind] = {}


def register_kind(kind: Kind) -> None:
    """Add a kind of task, or replace the one of the same name."""
    _kinds[kind.name] = kind


def find_kind(name: str) -> Kind:
    """Return the kind. Raises KeyError for one that this version of the product doesn't have."""
    return _kinds[name]


def end_of(name: str) -> Callable[["BackgroundTask"], None]:
    """Return what the kind does when a task fails or is cancelled."""
    return _kinds[name].end if name in _kinds else nothing


def label_of(name: str) -> str:
    return _kinds[name].label if name in _kinds else name
