"""JSON request bodies, bounded in depth and size."""

import re
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from crm.api.base.errors import WHOLE_BODY, invalid
from crm.error_codes import ErrorCode

MAX_DEPTH, MAX_VALUES = 20, 10_000
# PostgreSQL can't store NUL, and UTF-8 can't encode lone surrogates.
UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class BoundedJSONParser(JSONParser):
    """JSON parser with limits on depth and number of values.

    Raises:
        ParseError: the body isn't JSON or exceeds a limit.
        ValidationError: names each field with text that can't be stored.
    """

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            data = super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError(f"The JSON must be at most {MAX_DEPTH} levels deep.") from error
        fields = data.items() if isinstance(data, dict) else [(WHOLE_BODY, data)]
        if names := _unstorable(fields):
            raise invalid(names, code=ErrorCode.UNSTORABLE)
        return data


def _unstorable(fields: Any) -> list[str]:
    """Return the fields with text that can't be stored. Level by level, since recursion would exhaust the stack."""
    found: dict[str, None] = {}
    level = list(fields)
    if any(UNSTORABLE.search(name) for name, _ in level):
        raise ParseError("Field names must not contain null characters or lone surrogates.")
    seen = 0
    for _ in range(MAX_DEPTH):
        seen += len(level)
        if seen > MAX_VALUES:
            raise ParseError(f"The JSON must have at most {MAX_VALUES:,} values.")
        deeper = []
        for name, value in level:
            if isinstance(value, str) and UNSTORABLE.search(value):
                found[name] = None
            elif isinstance(value, dict):
                deeper += [(name, item) for pair in value.items() for item in pair]
            elif isinstance(value, list):
                deeper += [(name, item) for item in value]
        if not deeper:
            return list(found)
        level = deeper
    raise ParseError(f"The JSON must be at most {MAX_DEPTH} levels deep.")
