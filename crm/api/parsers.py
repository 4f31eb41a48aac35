"""What is taken for a body."""

import json
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class UnicodeJSONParser(JSONParser):
    r"""JSON whose texts are Unicode. Half a surrogate pair (`"\ud800"`) can neither be stored nor be answered with."""

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        body = super().parse(*args, **kwargs)
        try:
            json.dumps(body, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise ParseError("JSON parse error - a text is not Unicode.") from error
        return body
