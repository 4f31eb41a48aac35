"""Phrases that may revoke consent, by language, as patterns for normalized clauses.

Each language composes its patterns from parts: a wish to stop, what is to stop, and for whom. Clauses are separated by
` . `, which no word pattern matches, so that a pattern stays within its clause.
"""

import re

START, END = r"(?:^|(?<=\. ))", r"(?= \.|$)"  # of a clause


def any_of(*patterns: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern) for pattern in patterns)
