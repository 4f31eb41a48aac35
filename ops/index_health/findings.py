"""What a check says. Every surface (command, JSON, admin page, metrics) shows findings and nothing else."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What was found. `--fail-on` takes these, and the groups below."""

    MISSING = "missing"  # declared, and not in the database
    EXTRA = "extra"  # in the database, and declared nowhere
    CHANGED = "changed"  # of one name, with another definition
    INVALID = "invalid"  # what a concurrent build left behind when it broke
    DUPLICATE = "duplicate"  # the same keys, method and condition twice
    PREFIX = "prefix"  # its keys are the first ones of another
    SUBSUMED = "subsumed"  # a partial one, contained in one without, or with a wider, condition
    FOREIGN_KEY = "foreign_key"  # rows are looked up by it when what they point to goes, and no index helps
    UNUSED = "unused"
    BLOAT = "bloat"
    DEAD_ROWS = "dead_rows"
    STALE_STATISTICS = "stale_statistics"
    COLD_UPDATES = "cold_updates"  # few updates are HOT: each writes every index of the table
    UNANSWERED = "unanswered"  # its question is not answered through it
    SLOW_STATEMENT = "slow_statement"  # that no index serves
    LARGE = "large"


GROUPS = {
    "drift": (Kind.MISSING, Kind.EXTRA, Kind.CHANGED, Kind.INVALID),
    "redundant": (Kind.DUPLICATE, Kind.PREFIX, Kind.SUBSUMED, Kind.FOREIGN_KEY),
    "use": (Kind.UNUSED,),
    "bloat": (Kind.BLOAT, Kind.DEAD_ROWS, Kind.STALE_STATISTICS, Kind.COLD_UPDATES),
    "questions": (Kind.UNANSWERED, Kind.SLOW_STATEMENT),
    "size": (Kind.LARGE,),
}


@dataclass(frozen=True)
class Finding:
    """One thing that a person should know, in one sentence, with the command or statement that heals it.

    `index` is empty where it is the table that ails. `saves` is in bytes. `expected`: known and kept on purpose (the
    documents name it, or Django made it), so it is shown and fails nothing.
    """

    kind: Kind
    table: str
    index: str
    says: str
    heals: str = ""
    saves: int = 0
    expected: bool = False


@dataclass(frozen=True)
class Unasked:
    """What could not be asked, and why, in one sentence. A check yields it beside its findings."""

    says: str
