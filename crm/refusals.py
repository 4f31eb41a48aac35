"""Refusals: requests that a service turns down, with a code for programs and a text for people."""

from typing import Any

from crm.error_codes import ErrorCode


class Refusal(Exception):
    """A valid request that the rules or the data don't allow. Nothing was changed.

    Attributes:
        code: the reason. A subclass with one reason sets it; any other gets it when it is raised.
        attr: the field that the refusal is about, if it is a field.
        existing: the row that has the value already, with its resource, if the refusal is about one.
    """

    code: ErrorCode
    attr: str | None = None
    existing: tuple[str, Any] | None = None

    def __init__(self, detail: str = "", *, code: ErrorCode | None = None, attr: str | None = None) -> None:
        self.code = code or self.code
        self.attr = attr or self.attr
        super().__init__(detail or self.code.detail)

    def facts(self) -> dict[str, Any]:
        """Return what a client needs beyond the code and the text, by the name in the response."""
        return {}
