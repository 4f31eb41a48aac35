"""Versions of rows, for two people who change one row: the API's entity tags, and the admin's forms."""

from hashlib import blake2b
from typing import Any

import orjson


def version_of(shown: Any) -> str:
    """Return a hash of a row, as people see it: a change of anything that they see changes the version."""
    return blake2b(orjson.dumps(shown, default=str, option=orjson.OPT_NON_STR_KEYS), digest_size=16).hexdigest()
