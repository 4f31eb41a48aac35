"""Which lock PostgreSQL takes for which statement, and what it does under it.

The rules are those of its manual (https://www.postgresql.org/docs/current/sql-altertable.html, explicit-locking.html);
tests compare them with what a server does.
"""

from dataclasses import dataclass

from ops.safe_migrations import recommendations as advice
from ops.safe_migrations.lock_levels import Lock, Work
from ops.safe_migrations.recommendations import Advice
from ops.safe_migrations.sql import name_pattern


@dataclass(frozen=True)
class Rule:
    """A statement that begins like `pattern` takes `lock`, and does `work` under it."""

    pattern: str
    lock: Lock
    work: Work = Work.MOMENT
    advice: Advice | None = None


NOBODY_WAITS, WRITERS_WAIT = Lock.SHARE_UPDATE_EXCLUSIVE, Lock.SHARE_ROW_EXCLUSIVE
EXCLUSIVE = Lock.ACCESS_EXCLUSIVE

TABLE, OTHER, COLUMN, INDEX = (name_pattern(group) for group in ("table", "other", "column", "index"))
NEW_INDEX = rf"(IF NOT EXISTS )?{INDEX} ON (ONLY )?{TABLE}"
ALTER_TABLE = rf"ALTER TABLE (?:IF EXISTS )?(?:ONLY )?{TABLE} (?P<actions>.*)"
CREATE_TABLE = rf"CREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?{TABLE}"
NOT_NULL_CHECK = rf"ADD CONSTRAINT {name_pattern('constraint')} CHECK \(+{COLUMN} IS NOT NULL\)+"
VALIDATE = rf"VALIDATE CONSTRAINT {name_pattern('constraint')}"

# The first that fits is the one. What fits none locks no table that is in use.
STATEMENTS = [
    Rule(rf"CREATE (UNIQUE )?INDEX CONCURRENTLY {NEW_INDEX}", NOBODY_WAITS, Work.BUILD),
    Rule(rf"CREATE UNIQUE INDEX {NEW_INDEX}", Lock.SHARE, Work.BUILD, advice.UNIQUE),
    Rule(rf"CREATE INDEX {NEW_INDEX}", Lock.SHARE, Work.BUILD, advice.ADD_INDEX),
    Rule(rf"DROP INDEX CONCURRENTLY (IF EXISTS )?{INDEX}", NOBODY_WAITS),
    Rule(rf"DROP INDEX (IF EXISTS )?{INDEX}", EXCLUSIVE, advice=advice.REMOVE_INDEX),
    Rule(rf"REINDEX (\(.*?\) )?TABLE CONCURRENTLY {TABLE}", NOBODY_WAITS, Work.BUILD),
    Rule(rf"REINDEX (\(.*?\) )?TABLE {TABLE}", Lock.SHARE, Work.BUILD, advice.REINDEX),
    Rule(rf"REINDEX (\(.*?\) )?INDEX CONCURRENTLY {INDEX}", NOBODY_WAITS, Work.BUILD),
    Rule(rf"REINDEX (\(.*?\) )?INDEX {INDEX}", EXCLUSIVE, Work.BUILD, advice.REINDEX),
    Rule(rf"(CLUSTER|VACUUM FULL|VACUUM \([^)]*FULL[^)]*\)) {TABLE}", EXCLUSIVE, Work.REWRITE, advice.REWRITE),
    Rule(rf"UPDATE (ONLY )?{TABLE}", Lock.ROW_EXCLUSIVE, Work.ROWS, advice.ROWS),
    Rule(rf"DELETE FROM (ONLY )?{TABLE}", Lock.ROW_EXCLUSIVE, Work.ROWS, advice.ROWS),  # noqa: S608  # a pattern
    Rule(rf"TRUNCATE (TABLE )?(ONLY )?{TABLE}", EXCLUSIVE, advice=advice.DESTROYS),
    Rule(rf"LOCK (TABLE )?(ONLY )?{TABLE}", EXCLUSIVE, Work.ROWS, advice.ROWS),
    Rule(rf"CREATE (OR REPLACE )?(CONSTRAINT )?TRIGGER .*? ON {TABLE}", WRITERS_WAIT),
    Rule(rf"(DROP TRIGGER|CREATE POLICY|ALTER POLICY|DROP POLICY) .*?\bON {TABLE}", EXCLUSIVE),
    Rule(rf"DROP TABLE (IF EXISTS )?{TABLE}", EXCLUSIVE, advice=advice.DESTROYS),
    Rule(r"(DO|CALL)\b", Lock.ROW_EXCLUSIVE, advice=advice.UNREADABLE),
]  # fmt: skip

# A default that calls none but these is one value for all rows, kept in the catalogue. `varchar(20)` is a type.
SAME_FOR_ALL = (
    "now|statement_timestamp|transaction_timestamp|coalesce|lower|upper|jsonb_build_object|jsonb_build_array"
    "|char|varchar|numeric|interval|timestamp|timestamptz|time|bit"
)
DIFFERS = rf"\bDEFAULT .*(?<![\w.])(?!(?:{SAME_FOR_ALL})\()\w+\("
ADD_COLUMN = r"ADD (COLUMN )?(?!CONSTRAINT|CHECK|UNIQUE|PRIMARY KEY|FOREIGN KEY|EXCLUDE|NOT NULL)"
ADD_CONSTRAINT = r"ADD (CONSTRAINT \S+ )?"
TYPE = "(?P<type>.+?)( (USING|COLLATE) .*)?$"
REFERENCES = rf".*\bREFERENCES {OTHER}"

# What an ALTER TABLE does, by action.
ACTIONS = [
    Rule(rf"{ADD_COLUMN}.*\) STORED\b", EXCLUSIVE, Work.REWRITE, advice.VALUE_PER_ROW),
    Rule(rf"{ADD_COLUMN}.*( AS IDENTITY| (small|big)?serial)\b", EXCLUSIVE, Work.REWRITE, advice.VALUE_PER_ROW),
    Rule(rf"{ADD_COLUMN}.*{DIFFERS}", EXCLUSIVE, Work.REWRITE, advice.VALUE_PER_ROW),
    Rule(rf"{ADD_COLUMN}.* (UNIQUE|PRIMARY KEY)\b", EXCLUSIVE, Work.BUILD, advice.UNIQUE),
    Rule(rf"{ADD_COLUMN}.* CHECK ?\(", EXCLUSIVE, Work.SCAN, advice.ADD_COLUMN_WITH_CHECK),
    Rule(rf"{ADD_COLUMN}.* DEFAULT (?!NULL){REFERENCES}", EXCLUSIVE, Work.SCAN, advice.ADD_CONSTRAINT),
    Rule(rf"{ADD_COLUMN}{REFERENCES}", EXCLUSIVE),
    Rule(rf"{ADD_CONSTRAINT}FOREIGN KEY{REFERENCES}.* NOT VALID", WRITERS_WAIT),
    Rule(rf"{ADD_CONSTRAINT}FOREIGN KEY{REFERENCES}", WRITERS_WAIT, Work.SCAN, advice.ADD_CONSTRAINT),
    Rule(rf"{ADD_CONSTRAINT}(CHECK|NOT NULL)\b.* NOT VALID", EXCLUSIVE),
    Rule(rf"{ADD_CONSTRAINT}(CHECK|NOT NULL)\b", EXCLUSIVE, Work.SCAN, advice.ADD_CONSTRAINT),
    Rule(rf"{ADD_CONSTRAINT}(UNIQUE|PRIMARY KEY) USING INDEX", EXCLUSIVE),
    Rule(rf"{ADD_CONSTRAINT}(UNIQUE|PRIMARY KEY|EXCLUDE)\b", EXCLUSIVE, Work.BUILD, advice.UNIQUE),
    Rule(r"VALIDATE CONSTRAINT", NOBODY_WAITS, Work.SCAN),
    Rule(rf"ALTER (COLUMN )?{COLUMN} (SET DATA )?TYPE {TYPE}", EXCLUSIVE, Work.REWRITE, advice.CHANGE_TYPE),
    Rule(rf"ALTER (COLUMN )?{COLUMN} SET NOT NULL", EXCLUSIVE, Work.SCAN, advice.SET_NOT_NULL),
    Rule(r"ALTER (COLUMN )?\S+ SET EXPRESSION", EXCLUSIVE, Work.REWRITE, advice.REWRITE),
    Rule(r"SET (LOGGED|UNLOGGED|TABLESPACE|ACCESS METHOD)", EXCLUSIVE, Work.REWRITE, advice.REWRITE),
    Rule(r"RENAME CONSTRAINT", EXCLUSIVE),
    Rule(r"RENAME", EXCLUSIVE, advice=advice.RENAME),
    Rule(r"DROP (COLUMN )?(?!CONSTRAINT)", EXCLUSIVE, advice=advice.DROP_COLUMN),
    Rule(r"", EXCLUSIVE),
]  # fmt: skip
