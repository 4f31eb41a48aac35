"""What is wrong with doing it the plain way on a large table, and what to do instead."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Advice:
    """`refused`: on a large table the migration does not run. Otherwise it is only said, whatever the size."""

    why: str
    instead: str
    refused: bool = True


ADD_INDEX = Advice(
    "Writers wait until the index is built.",
    "AddIndexConcurrently of crm.db.index_operations, in a migration of its own with atomic = False.",
)
REMOVE_INDEX = Advice(
    "Readers and writers queue up behind it until it has the table to itself.",
    "RemoveIndexConcurrently of crm.db.index_operations, in a migration of its own with atomic = False.",
)
UNIQUE = Advice(
    "Writers wait until a unique index is built.",
    "AddUniqueConstraintConcurrently of crm.db.constraint_operations, in a migration of its own with atomic = False.",
)
ADD_CONSTRAINT = Advice(
    "Every row is checked while writers wait.",
    "AddConstraintNotValid, and in the next migration ValidateConstraint (crm.db.constraint_operations).",
)
SET_NOT_NULL = Advice(
    "Every row is read while readers and writers wait.",
    "First a CheckConstraint that the column is not NULL, by AddConstraintNotValid and, in the next migration, "
    "ValidateConstraint; then this takes a moment, and the constraint can go.",
)
CHANGE_TYPE = Advice(
    "The table and its indexes are written anew while readers and writers wait.",
    "A new column of the new type, written beside the old one; the old rows in batches; then the code changes over.",
)
REWRITE = Advice(
    "The table and its indexes are written anew while readers and writers wait.",
    "Do it in a maintenance window, with --allow.",
)
REINDEX = Advice("Readers and writers wait until it is built.", "REINDEX … CONCURRENTLY: see maintain_indexes.")
VALUE_PER_ROW = Advice(
    "Each row gets a value of its own, so that the table is written anew while readers and writers wait.",
    "The column without it, NULL allowed; a default for new rows; the old rows in batches.",
)
ADD_COLUMN_WITH_CHECK = Advice(
    "Every row is checked while readers and writers wait.",
    "The column without its check (IntegerField for PositiveIntegerField); the check by AddConstraintNotValid, and in "
    "the next migration ValidateConstraint (crm.db.constraint_operations).",
)
ROWS = Advice(
    "Each row that it changes stays locked until the migration ends.",
    "By a command, in batches of some thousand rows, each in a transaction of its own.",
)
HELD = Advice(
    "An earlier step of the same transaction keeps others waiting until this one is done.",
    "A migration of its own for this step.",
)
RENAME = Advice(
    "The release that still runs knows the old name alone.",
    "A new column or table beside the old one; or stop the old release first.",
    refused=False,
)
DROP_COLUMN = Advice(
    "The release that still runs asks for it, and writes it.",
    "First deploy code that no longer knows it, then run this.",
    refused=False,
)
DESTROYS = Advice("Its rows are gone.", "Going back brings none of them back.", refused=False)
UNREADABLE = Advice(
    "What it does to which table can't be read from here.",
    "Make sure that it changes few rows at a time, and waits for nothing.",
    refused=False,
)
