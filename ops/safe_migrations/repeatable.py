"""Steps that can run again. A migration without a transaction runs as a whole again when a later step has failed."""

from django.db.migrations.operations.base import Operation

from crm.db.constraint_operations import AddUniqueConstraintConcurrently, ValidateConstraint
from crm.db.grammar import ast
from crm.db.index_operations import AddIndexConcurrently, RemoveIndexConcurrently

OPERATIONS = (AddIndexConcurrently, AddUniqueConstraintConcurrently, RemoveIndexConcurrently, ValidateConstraint)
# Commands that can always be repeated. Others can with IF EXISTS or IF NOT EXISTS.
COMMANDS = {
    "AT_AlterColumnType", "AT_ColumnDefault", "AT_DisableRowSecurity", "AT_DropNotNull", "AT_EnableRowSecurity",
    "AT_ForceRowSecurity", "AT_NoForceRowSecurity", "AT_ResetOptions", "AT_ResetRelOptions", "AT_SetNotNull",
    "AT_SetOptions", "AT_SetRelOptions", "AT_SetStatistics", "AT_SetStorage", "AT_ValidateConstraint",
}  # fmt: skip
STATEMENTS = (
    ast.CommentStmt, ast.ConstraintsSetStmt, ast.DeleteStmt, ast.GrantStmt, ast.RefreshMatViewStmt, ast.ReindexStmt,
    ast.SelectStmt, ast.TruncateStmt, ast.UpdateStmt, ast.VacuumStmt, ast.VariableSetStmt, ast.VariableShowStmt,
)  # fmt: skip


def is_repeatable(operation: Operation, statement: ast.Node | None) -> bool:
    """Return whether a statement of an operation may run twice. One that can't be parsed is refused anyway."""
    if statement is None or isinstance(operation, OPERATIONS) or isinstance(statement, STATEMENTS):
        return True
    if isinstance(statement, ast.AlterTableStmt):
        return all(command.missing_ok or command.subtype.name in COMMANDS for command in statement.cmds)
    conditions = ("if_not_exists", "missing_ok", "replace")
    return any(getattr(statement, name, False) for name in conditions)
