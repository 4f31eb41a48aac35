"""Findings: the results of the index checks, shared by the command, its JSON, the admin page and the metrics."""

from dataclasses import dataclass
from enum import StrEnum


class FindingKind(StrEnum):
    """The kinds of findings. `--fail-on` takes these and the groups below."""

    MISSING = "missing"  # declared, but not in the database
    EXTRA = "extra"  # in the database, but declared nowhere
    CHANGED = "changed"  # the same name with another definition
    INVALID = "invalid"  # left behind by a concurrent build that failed
    DUPLICATE = "duplicate"  # the same keys, method and condition twice
    PREFIX = "prefix"  # another index starts with the same keys
    COVERED = "covered"  # partial, and contained in an index without or with a wider condition
    FOREIGN_KEY = "foreign_key"  # no index finds the referring rows when a referenced row is deleted
    UNUSED = "unused"
    BLOAT = "bloat"
    DEAD_ROWS = "dead_rows"
    STALE_STATISTICS = "stale_statistics"
    LOW_HOT_RATIO = "low_hot_ratio"  # few updates are HOT: most write every index of the table
    UNANSWERED = "unanswered"  # the planner answers the index's question without it
    SLOW_STATEMENT = "slow_statement"  # a slow statement that uses no index
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
    """One problem in plain words, with the command or statement that solves it.

    `index` is empty if the finding is about the table. A `known` finding is kept on purpose: the model gives a reason,
    or Django, a library or an extension made the index. It never fails the command. `replacement` is the index that
    makes this one redundant.
    """

    kind: FindingKind
    table: str
    index: str
    message: str
    remedy: str = ""
    reclaimable_bytes: int = 0
    known: bool = False
    replacement: str = ""

    @property
    def group(self) -> str:
        return next(group for group, kinds in GROUPS.items() if self.kind in kinds)


@dataclass(frozen=True)
class SkippedCheck:
    """A check that could not run, with the reason."""

    message: str
