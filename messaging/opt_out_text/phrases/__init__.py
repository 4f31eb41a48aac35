"""Phrases that may revoke consent, by language, as patterns for normalized clauses.

Each language composes its patterns from parts: a wish to stop, what is to stop, and for whom. Clauses are separated by
` . `, which no word pattern matches, so that a pattern stays within its clause.
"""

import re
from collections.abc import Callable
from functools import cached_property

START, END = r"(?:^|(?<=\. ))", r"(?= \.|$)"  # of a clause


class Phrase:
    """A pattern that is compiled when a text is first searched: all take a tenth of each process's start."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern

    @cached_property
    def search(self) -> Callable[[str], re.Match[str] | None]:
        return re.compile(self.pattern).search

    @cached_property
    def fullmatch(self) -> Callable[[str], re.Match[str] | None]:
        return re.compile(self.pattern).fullmatch


def any_of(*patterns: str) -> tuple[Phrase, ...]:
    return tuple(map(Phrase, patterns))
