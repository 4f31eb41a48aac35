"""Words for what a statement does to a table: the lock that it takes, and the work that it does under it."""

from dataclasses import dataclass
from enum import StrEnum

from ops.safe_migrations.recommendations import Advice


class Lock(StrEnum):
    """A lock on a table, by PostgreSQL's name, from the weakest."""

    ROW_EXCLUSIVE = "ROW EXCLUSIVE"
    SHARE_UPDATE_EXCLUSIVE = "SHARE UPDATE EXCLUSIVE"
    SHARE = "SHARE"
    SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE"
    ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"

    @property
    def blocks_writers(self) -> bool:
        return self in (Lock.SHARE, Lock.SHARE_ROW_EXCLUSIVE, Lock.ACCESS_EXCLUSIVE)

    @property
    def who_waits(self) -> str:
        if self is Lock.ACCESS_EXCLUSIVE:
            return "readers and writers wait"
        return "writers wait" if self.blocks_writers else "nobody waits"


class Work(StrEnum):
    """What is done under the lock."""

    MOMENT = "moment"  # the catalogue is changed, whatever the table's size
    SCAN = "scan"  # every row is read
    BUILD = "build"  # an index is built
    REWRITE = "rewrite"  # the table is written anew, with all its indexes
    ROWS = "rows"  # rows are changed, each locked until the transaction ends


@dataclass(frozen=True)
class Effect:
    """What one statement does to one table. The table is empty where the statement does not say it."""

    table: str
    lock: Lock
    work: Work = Work.MOMENT
    advice: Advice | None = None
    index: str = ""
