"""What a check says. Every surface (command, JSON, admin page, metrics) shows findings and nothing else."""

from dataclasses import dataclass
from enum import StrEnum


class FindingKind(StrEnum):
    """What was found. `--fail-on` takes these, and the groups below."""

    MISSING = "missing"  # declared, and not in the database
    EXTRA = "extra"  # in the database, and declared nowhere
    CHANGED = "changed"  # of one name, with another definition
    INVALID = "invalid"  # what a concurrent build left behind when it broke
    DUPLICATE = "duplicate"  # the same keys, method and condition twice
    PREFIX = "prefix"  # its keys are the first ones of another
    COVERED = "covered"  # a partial one, contained in one without, or with a wider, condition
    FOREIGN_KEY = "foreign_key"  # rows are looked up by it when what they point to goes, and no index helps
    UNUSED = "unused"
    BLOAT = "bloat"
    DEAD_ROWS = "dead_rows"
    STALE_STATISTICS = "stale_statistics"
    LOW_HOT_RATIO = "low_hot_ratio"  # few updates are HOT: each writes every index of the table
    UNANSWERED = "unanswered"  # its question is not answered through it
    SLOW_STATEMENT = "slow_statement"  # that no index serves
    LARGE = "large"


GROUPS = {
    "drift": (FindingKind.MISSING, FindingKind.EXTRA, FindingKind.CHANGED, FindingKind.INVALID),
    "redundant": (FindingKind.DUPLICATE, FindingKind.PREFIX, FindingKind.COVERED, FindingKind.FOREIGN_KEY),
    "use": (FindingKind.UNUSED,),
    "bloat": (FindingKind.BLOAT, FindingKind.DEAD_ROWS, FindingKind.STALE_STATISTICS, FindingKind.LOW_HOT_RATIO),
    "questions": (FindingKind.UNANSWERED, FindingKind.SLOW_STATEMENT),
    "size": (FindingKind.LARGE,),
}


@dataclass(frozen=True)
class Finding:
    """One thing that a person should know, in one sentence, with the command or statement that heals it.

    `index` is empty where it is the table that ails. `reclaimable_bytes` is in bytes. `known`: known and kept on purpose (the
    documents name it, or Django made it), so it is shown and fails nothing.
    """

    kind: FindingKind
    table: str
    index: str
    message: str
    remedy: str = ""
    reclaimable_bytes: int = 0
    known: bool = False


@dataclass(frozen=True)
class SkippedCheck:
    """What could not be asked, and why, in one sentence. A check yields it beside its findings."""

    message: str
