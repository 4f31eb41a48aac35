"""Rows of a provider's list, put into our words."""

from collections.abc import Callable
from typing import Any, TypeVar

from messaging.providers.events import NotHandled, Unreadable

T = TypeVar("T")


def read_or_say(read: Callable[[dict[str, Any]], T], row: dict[str, Any]) -> T | Unreadable:
    """The row as `read` takes it, or why it can't be read: one bad row must not hide those behind it."""
    try:
        return read(row)
    except Unreadable as error:
        return error
    except NotHandled as reason:
        return Unreadable(str(reason))
