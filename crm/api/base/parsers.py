"""Request bodies: JSON alone, and none that is made to hurt."""

import re
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.parsers import JSONParser

MAX_DEPTH, MAX_VALUES = 20, 10_000
# A NUL, which no text of PostgreSQL holds, and halves of a character, which can't be written in UTF-8.
UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class BoundedJSONParser(JSONParser):
    """JSON of a depth and number of values that forms have.

    Raises:
        ParseError: it is deeper or longer than that, or no JSON.
        ValidationError: naming each field with text that can't be stored.
    """

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            data = super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError(f"The JSON is more than {MAX_DEPTH} levels deep.") from error
        fields = data.items() if isinstance(data, dict) else [("detail", data)]
        if errors := {name: ["It has characters that can't be stored."] for name in _unstorable(fields)}:
            raise ValidationError(errors)
        return data


def _unstorable(fields: Any) -> list[str]:
    """The names of fields with text that can't be stored. Level by level, so that depth takes no stack."""
    found: dict[str, None] = {}
    level = list(fields)
    if any(UNSTORABLE.search(name) for name, _ in level):
        raise ParseError("A field's name has characters that can't be stored.")
    seen = 0
    for _ in range(MAX_DEPTH):
        deeper = []
        for name, value in level:
            if isinstance(value, str) and UNSTORABLE.search(value):
                found[name] = None
            elif isinstance(value, dict):
                deeper += [(name, item) for pair in value.items() for item in pair]
            elif isinstance(value, list):
                deeper += [(name, item) for item in value]
        seen += len(level)
        if seen > MAX_VALUES:
            raise ParseError(f"The JSON has more than {MAX_VALUES:,} values.")
        if not deeper:
            return list(found)
        level = deeper
    raise ParseError(f"The JSON is more than {MAX_DEPTH} levels deep.")
