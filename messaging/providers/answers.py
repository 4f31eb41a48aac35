"""Providers' answers, read as warily as webhook events. An unclear answer makes the outcome unknown."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from messaging.providers import fields
from messaging.providers.errors import InvalidPayload, UnknownOutcome
from messaging.providers.interfaces import SentMessage

MAX_PAGES = 1000
MAX_SEARCH_S = 15.0  # of a list, in a worker: with a last request, less than its lease


def read_sent_message(message: dict[str, Any], *, id_field: str) -> SentMessage:
    """Return a message that the provider has. Raises UnknownOutcome without a usable id."""
    try:
        openphone_id = fields.identifier(message, id_field)
    except InvalidPayload as error:
        raise UnknownOutcome(f"The provider's answer has no usable message ID ({error}).") from None
    return SentMessage(
        openphone_id=openphone_id,
        status=fields.sent_status(message.get("status")),
        error_code=read_code(message, "error_code") or read_code(message, "errorCode"),  # Twilio, OpenPhone
    )


def read_code(answer: dict[str, Any], field: str) -> str:
    """Return an error's code; "" if there is none that can be stored, as the rest of the answer still counts."""
    try:
        return fields.code(answer, field)
    except InvalidPayload:
        return ""


def list_rows(
    fetch: Callable[[str], dict[str, Any]],
    *,
    field: str,
    next_page: Callable[[dict[str, Any], int], str],
    within_s: float | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield the rows of all pages of a list.

    An incomplete list must not look complete: a message that isn't listed is sent again.

    Args:
        fetch: requests the page with this token; "" for the first.
        field: the field of the answer that has the rows.
        next_page: returns the token of the next page from an answer and its number; "" after the last.

    Raises:
        UnknownOutcome: an answer is unreadable, the list doesn't end, or reading it takes longer than `within_s`.
    """
    deadline = time.monotonic() + (within_s if within_s is not None else float("inf"))
    token = ""
    for number in range(1, MAX_PAGES + 1):
        answer = fetch(token)
        rows = answer.get(field)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise UnknownOutcome(f"The provider's answer is unreadable ({field}: must be a list of objects).")
        yield from rows
        try:
            token = next_page(answer, number)
        except InvalidPayload as error:
            raise UnknownOutcome(f"The provider's answer is unreadable ({error}).") from None
        if not token:
            return
        if time.monotonic() > deadline:
            break
    raise UnknownOutcome("The provider's list is too long.")
