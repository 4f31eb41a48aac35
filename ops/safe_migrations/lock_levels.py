"""Lock levels, the work done under a lock, rules, and the effect of a statement on a table."""

from dataclasses import dataclass
from enum import StrEnum

from ops.safe_migrations.recommendations import Recommendation


class Lock(StrEnum):
    """A lock on a table by PostgreSQL's name, from the weakest. The position is the number in a LockStmt, less one."""

    ACCESS_SHARE = "ACCESS SHARE"
    ROW_SHARE = "ROW SHARE"
    ROW_EXCLUSIVE = "ROW EXCLUSIVE"
    SHARE_UPDATE_EXCLUSIVE = "SHARE UPDATE EXCLUSIVE"
    SHARE = "SHARE"
    SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE"
    EXCLUSIVE = "EXCLUSIVE"
    ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"

    @property
    def blocks_writers(self) -> bool:
        return self in (Lock.SHARE, Lock.SHARE_ROW_EXCLUSIVE, Lock.EXCLUSIVE, Lock.ACCESS_EXCLUSIVE)

    @property
    def blocked_sessions(self) -> str:
        if self is Lock.ACCESS_EXCLUSIVE:
            return "readers and writers wait"
        return "writers wait" if self.blocks_writers else "no reader or writer waits"


class Work(StrEnum):
    """The work done under the lock."""

    MOMENT = "moment"  # changes only the catalog, so the table's size doesn't matter
    SCAN = "scan"  # reads every row
    BUILD = "build"  # builds an index
    REWRITE = "rewrite"  # rewrites the table with all its indexes
    ROWS = "rows"  # changes rows, each locked until the transaction ends


@dataclass(frozen=True)
class Rule:
    """A lock, the work under it, and the recommendation for large tables."""

    lock: Lock
    work: Work = Work.MOMENT
    recommendation: Recommendation | None = None


@dataclass(frozen=True)
class Effect(Rule):
    """The effect of one statement on one table. An empty table means an unknown one, which may be large."""

    table: str = ""
