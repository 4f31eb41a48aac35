"""Recommendations: why a statement is unsafe on a large table, and the safe alternative."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Recommendation:
    """If `refused`, the migration does not run on a large table. Otherwise it is a warning for tables of any size.

    If `fails`, it does not run on a table of any size, because the statement would fail.
    """

    reason: str
    instead: str
    refused: bool = True
    fails: bool = False


ADD_INDEX = Recommendation(
    "Writers wait until the index is built.",
    "Use AddIndexConcurrently of crm.db.index_operations in a separate migration with atomic = False.",
)
REMOVE_INDEX = Recommendation(
    "The statement waits for all transactions that use the table; new readers and writers queue behind it.",
    "Use RemoveIndexConcurrently of crm.db.index_operations in a separate migration with atomic = False.",
)
UNIQUE = Recommendation(
    "Writers wait until a unique index is built.",
    "Use AddUniqueConstraintConcurrently of crm.db.constraint_operations in a separate migration with atomic = False.",
)
EXCLUDE = Recommendation(
    "Readers and writers wait until the index of the exclusion constraint is built.",
    "PostgreSQL can't build it concurrently. Run the migration in a maintenance window with --allow.",
)
ADD_CONSTRAINT = Recommendation(
    "Writers wait while every row is checked.",
    "Use AddConstraintNotValid, and in the next migration ValidateConstraint (crm.db.constraint_operations).",
)
SET_NOT_NULL = Recommendation(
    "Readers and writers wait while every row is read.",
    "First add a CheckConstraint that the column is not NULL: AddConstraintNotValid, and in the next migration "
    "ValidateConstraint. SET NOT NULL then takes a moment, and you can drop the check.",
)
DOMAIN = Recommendation(
    "Writers wait while every table with a column of this domain is read.",
    "Create a new domain, or run the migration in a maintenance window with --allow.",
)
ATTACH_PARTITION = Recommendation(
    "Readers and writers of the partition wait while its rows are checked.",
    "First add a valid CHECK constraint equal to the partition's bounds, and an index like each of the parent's. Then "
    "run this with --allow.",
)
DEFAULT_PARTITION = Recommendation(
    "Readers and writers of the default partition wait while its rows are checked: none may belong to the new one.",
    "First add a valid CHECK constraint to the default partition that excludes the new partition's bounds. Then run "
    "this with --allow.",
)
DETACH_BESIDE_DEFAULT = Recommendation(
    "PostgreSQL detaches no partition concurrently from a table with a default partition.",
    "Detach it without CONCURRENTLY: the lock is needed for a moment.",
    fails=True,
)
PARTITIONED_INDEX = Recommendation(
    "PostgreSQL builds no index of a partitioned table concurrently.",
    "Use CREATE INDEX … ON ONLY the table, CREATE INDEX CONCURRENTLY on each partition, and ALTER INDEX … ATTACH "
    "PARTITION … for each.",
    fails=True,
)
PARTITIONED_DROP = Recommendation(
    "PostgreSQL drops no index of a partitioned table concurrently.",
    "Drop it without CONCURRENTLY in a migration with --allow: the lock is needed for a moment.",
    fails=True,
)
CHANGE_TYPE = Recommendation(
    "Readers and writers wait while the table and its indexes are rewritten.",
    "Add a new column of the new type, write both columns, fill old rows in batches, then switch the code over.",
)
CHECKED_TYPE = Recommendation(
    "Readers and writers wait while a check constraint of the column reads every row again.",
    "Drop the check in the same migration, before this step. Add it again by AddConstraintNotValid, and in the next "
    "migration ValidateConstraint (crm.db.constraint_operations).",
)
INDEXED_TYPE = Recommendation(
    "Readers and writers wait until an index of the column is built again: one with a condition or an expression, or "
    "any if the collation changes.",
    "Drop the index with RemoveIndexConcurrently in an earlier migration, and build it with AddIndexConcurrently in a "
    "later one. For another collation, add a new column.",
)
REFERRED_TYPE = Recommendation(
    "Readers and writers of a table with a foreign key to the column wait while every row is checked again.",
    "Add a new column of the new type, write both columns, fill old rows in batches, then switch keys and code over.",
)
FIXED_TYPE = Recommendation(
    "A generated column, a view, a policy or a trigger uses the column, so PostgreSQL does not change its type.",
    "Drop that object in the same migration, before this step, and create it again after it.",
    fails=True,
)
REWRITE = Recommendation(
    "Readers and writers wait while the table and its indexes are rewritten.",
    "Run the migration in a maintenance window with --allow.",
)
REINDEX = Recommendation(
    "Readers and writers wait until the index is rebuilt.",
    "Use REINDEX … CONCURRENTLY; see manage.py maintain_indexes.",
)
REFRESH = Recommendation(
    "Readers wait until the materialized view is filled.",
    "Use REFRESH MATERIALIZED VIEW CONCURRENTLY outside of a transaction.",
)
VALUE_PER_ROW = Recommendation(
    "Each row gets its own value, so readers and writers wait while the table is rewritten.",
    "Add the column without it, with NULL allowed; set a default for new rows; fill old rows in batches.",
)
ADD_COLUMN_WITH_CHECK = Recommendation(
    "Readers and writers wait while every row is checked.",
    "Add the column without its check (IntegerField for PositiveIntegerField). Add the check by AddConstraintNotValid, "
    "and in the next migration ValidateConstraint (crm.db.constraint_operations).",
)
ROWS = Recommendation(
    "Each changed row stays locked until the migration ends.",
    "Use a command that changes some thousand rows at a time, each batch in its own transaction.",
)
IN_TRANSACTION = Recommendation(
    "PostgreSQL refuses this statement in a transaction, in a DO block, and beside other statements in one string.",
    "Set atomic = False on the migration, and give RunSQL a list with one statement each.",
    fails=True,
)
NO_VALUE = Recommendation(
    "The column must not be NULL and has no default, so the statement fails if the table has rows.",
    "Give the field a db_default, or null=True.",
    fails=True,
)
NOT_REPEATABLE = Recommendation(
    "Without a transaction, the migration stays half done when a later step fails or gets no lock. When it runs again, "
    "this step fails.",
    "Move this step to a migration of its own, or add IF EXISTS or IF NOT EXISTS.",
    refused=False,
)
LOCK = Recommendation(
    "The lock is held until the migration ends.",
    "Remove the LOCK statement; each statement takes the lock that it needs.",
)
HELD = Recommendation(
    "An earlier step of the same transaction holds a lock until this step is done.",
    "Move this step to a separate migration.",
)
TRANSACTION = Recommendation(
    "Django opens and ends the migration's transaction.",
    "Remove the statement. Use atomic = False for a migration without a transaction.",
)
LOCK_TIMEOUT = Recommendation(
    "migrate_safely limits the wait for a lock by lock_timeout, and this statement overrides it.",
    "Remove the statement, or pass --lock-timeout-ms.",
)
CASCADE = Recommendation(
    "CASCADE also drops or empties dependent objects, and locks tables that the statement does not name.",
    "Name the dependent objects in statements of their own, without CASCADE.",
    refused=False,
)
UNREADABLE = Recommendation(
    "The statement can't be judged: its syntax, its command or a function that it calls is not known.",
    "Use an operation or a statement listed in docs/safe-migrations.md, or review its locks and pass --allow.",
)
PYTHON = Recommendation(
    "Python code can't be judged.",
    "Make sure that it changes few rows at a time and waits for nothing.",
    refused=False,
)
RENAME = Recommendation(
    "The running release knows only the old name.",
    "Add a new column or table beside the old one, or stop the old release first.",
    refused=False,
)
DROP_COLUMN = Recommendation(
    "The running release still reads and writes the column.",
    "First deploy code that no longer uses it, then run this migration.",
    refused=False,
)
REQUIRED_COLUMN = Recommendation(
    "The running release may write rows without a value for this column, and the database would refuse them.",
    "Give the field a db_default, or deploy code that always writes it before this migration.",
    refused=False,
)
NULLABLE = Recommendation(
    "The running release may not expect NULL in this column.",
    "First deploy code that reads NULL; write NULL only after that.",
    refused=False,
)
DROP_OBJECT = Recommendation(
    "The running release, or a function that it calls, may still use what is dropped.",
    "First deploy code that no longer uses it, then run this migration.",
    refused=False,
)
JSON = Recommendation(
    "The type json has no equality, so SELECT DISTINCT and GROUP BY of all columns fail.",
    "Use jsonb, the type of JSONField.",
    refused=False,
)
STATISTICS = Recommendation(
    "The column has no statistics until the next ANALYZE, and queries may get bad plans.",
    "Run ANALYZE on the table right after the migration.",
    refused=False,
)
DESTROYS_ROWS = Recommendation(
    "The rows are deleted.", "Going back does not restore them. Make a backup first.", refused=False
)
ROW_SECURITY = Recommendation(
    "The table's row-level security is weakened; a query can see rows of all companies.",
    "Make sure that a policy still separates the companies when the migration ends.",
    refused=False,
)
