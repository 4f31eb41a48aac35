"""Rules: the lock that PostgreSQL takes for a statement, and the work under it.

A key is the name of a node in PostgreSQL's parse tree, with the variant found by `statements.py`. Sources: the manual
(https://www.postgresql.org/docs/current/sql-altertable.html, explicit-locking.html). Tests compare each rule with a
server. A statement without a rule is refused.
"""

from dataclasses import dataclass

from ops.safe_migrations import recommendations as use
from ops.safe_migrations.lock_levels import Lock, Work
from ops.safe_migrations.recommendations import Recommendation


@dataclass(frozen=True)
class Rule:
    """A lock, the work under it, and the recommendation for large tables."""

    lock: Lock
    work: Work = Work.MOMENT
    recommendation: Recommendation | None = None


SHARED, WRITERS_WAIT, EXCLUSIVE = Lock.SHARE_UPDATE_EXCLUSIVE, Lock.SHARE_ROW_EXCLUSIVE, Lock.ACCESS_EXCLUSIVE

STATEMENTS = {
    # Indexes
    "IndexStmt": Rule(Lock.SHARE, Work.BUILD, use.ADD_INDEX),
    "IndexStmt unique": Rule(Lock.SHARE, Work.BUILD, use.UNIQUE),
    "IndexStmt concurrent": Rule(SHARED, Work.BUILD),
    "DropStmt INDEX": Rule(EXCLUSIVE, recommendation=use.REMOVE_INDEX),
    "DropStmt INDEX concurrent": Rule(SHARED),
    "ReindexStmt TABLE": Rule(Lock.SHARE, Work.BUILD, use.REINDEX),
    "ReindexStmt INDEX": Rule(EXCLUSIVE, Work.BUILD, use.REINDEX),
    "ReindexStmt SCHEMA": Rule(EXCLUSIVE, Work.BUILD, use.REINDEX),
    "ReindexStmt concurrent": Rule(SHARED, Work.BUILD),
    # Tables
    "CreateStmt PARTITION OF": Rule(EXCLUSIVE),
    "CreateStmt INHERITS": Rule(SHARED),
    "CreateStmt REFERENCES": Rule(WRITERS_WAIT),
    "CreateStatsStmt": Rule(SHARED),
    "DropStmt TABLE": Rule(EXCLUSIVE, recommendation=use.DESTROYS_ROWS),
    "DropStmt VIEW": Rule(EXCLUSIVE),
    "DropStmt MATVIEW": Rule(EXCLUSIVE),
    "DropStmt TRIGGER": Rule(EXCLUSIVE),
    "DropStmt RULE": Rule(EXCLUSIVE),
    "DropStmt POLICY": Rule(EXCLUSIVE, recommendation=use.ROW_SECURITY),
    "DropStmt CASCADE": Rule(EXCLUSIVE, recommendation=use.CASCADE),
    "TruncateStmt": Rule(EXCLUSIVE, recommendation=use.DESTROYS_ROWS),
    "TruncateStmt CASCADE": Rule(EXCLUSIVE, recommendation=use.CASCADE),
    "RenameStmt TABLE": Rule(EXCLUSIVE, recommendation=use.RENAME),
    "RenameStmt VIEW": Rule(EXCLUSIVE, recommendation=use.RENAME),
    "RenameStmt COLUMN": Rule(EXCLUSIVE, recommendation=use.RENAME),
    "RenameStmt TABCONSTRAINT": Rule(EXCLUSIVE),
    "RenameStmt POLICY": Rule(EXCLUSIVE),
    "RenameStmt TRIGGER": Rule(EXCLUSIVE),
    "RenameStmt INDEX": Rule(Lock.ACCESS_SHARE),
    "RenameStmt TYPE": Rule(Lock.ACCESS_SHARE, recommendation=use.RENAME),
    "RenameStmt FUNCTION": Rule(Lock.ACCESS_SHARE, recommendation=use.RENAME),
    "RenameStmt SEQUENCE": Rule(Lock.ACCESS_SHARE, recommendation=use.RENAME),
    "AlterObjectSchemaStmt TABLE": Rule(EXCLUSIVE, recommendation=use.RENAME),
    "CreatePolicyStmt": Rule(EXCLUSIVE),
    "AlterPolicyStmt": Rule(EXCLUSIVE),
    "CreateTrigStmt": Rule(WRITERS_WAIT),
    "RuleStmt": Rule(EXCLUSIVE),
    "ViewStmt replace": Rule(EXCLUSIVE),
    "VacuumStmt": Rule(SHARED, Work.SCAN),
    "VacuumStmt full": Rule(EXCLUSIVE, Work.REWRITE, use.REWRITE),
    "ClusterStmt": Rule(EXCLUSIVE, Work.REWRITE, use.REWRITE),
    "RefreshMatViewStmt": Rule(EXCLUSIVE, Work.REWRITE, use.REFRESH),
    "RefreshMatViewStmt concurrent": Rule(Lock.EXCLUSIVE, Work.ROWS),
    "AlterDomainStmt SET NOT NULL": Rule(Lock.SHARE, Work.SCAN, use.DOMAIN),
    "AlterDomainStmt ADD CONSTRAINT": Rule(Lock.SHARE, Work.SCAN, use.DOMAIN),
    "AlterDomainStmt VALIDATE CONSTRAINT": Rule(Lock.SHARE, Work.SCAN, use.DOMAIN),
    # Rows
    "InsertStmt": Rule(Lock.ROW_EXCLUSIVE),
    "InsertStmt SELECT": Rule(Lock.ROW_EXCLUSIVE, Work.ROWS, use.ROWS),
    "InsertStmt ON CONFLICT UPDATE": Rule(Lock.ROW_EXCLUSIVE, Work.ROWS, use.ROWS),
    "UpdateStmt": Rule(Lock.ROW_EXCLUSIVE, Work.ROWS, use.ROWS),
    "DeleteStmt": Rule(Lock.ROW_EXCLUSIVE, Work.ROWS, use.ROWS),
    "MergeStmt": Rule(Lock.ROW_EXCLUSIVE, Work.ROWS, use.ROWS),
    "CopyStmt FROM": Rule(Lock.ROW_EXCLUSIVE, Work.ROWS, use.ROWS),
    "SelectStmt FOR UPDATE": Rule(Lock.ROW_SHARE, Work.ROWS, use.ROWS),
    **{f"LockStmt {lock}": Rule(lock, Work.ROWS, use.LOCK) if lock.blocks_writers else Rule(lock) for lock in Lock},
    # The session
    "TransactionStmt": Rule(Lock.ACCESS_SHARE, Work.ROWS, use.TRANSACTION),
    "VariableSetStmt lock_timeout": Rule(Lock.ACCESS_SHARE, Work.ROWS, use.LOCK_TIMEOUT),
    "unreadable": Rule(EXCLUSIVE, Work.ROWS, use.UNREADABLE),
}

ALTER_TABLE = {
    # Columns
    "AT_AddColumn": Rule(EXCLUSIVE),
    "AT_AddColumn stored": Rule(EXCLUSIVE, Work.REWRITE, use.VALUE_PER_ROW),
    "AT_AddColumn identity": Rule(EXCLUSIVE, Work.REWRITE, use.VALUE_PER_ROW),
    "AT_AddColumn serial": Rule(EXCLUSIVE, Work.REWRITE, use.VALUE_PER_ROW),
    "AT_AddColumn volatile default": Rule(EXCLUSIVE, Work.REWRITE, use.VALUE_PER_ROW),
    "AT_AddColumn unique": Rule(EXCLUSIVE, Work.BUILD, use.UNIQUE),
    "AT_AddColumn check": Rule(EXCLUSIVE, Work.SCAN, use.ADD_COLUMN_WITH_CHECK),
    "AT_AddColumn default REFERENCES": Rule(EXCLUSIVE, Work.SCAN, use.ADD_CONSTRAINT),
    "AT_AlterColumnType": Rule(EXCLUSIVE, Work.REWRITE, use.CHANGE_TYPE),
    "AT_AlterColumnType widened": Rule(EXCLUSIVE),
    "AT_SetNotNull": Rule(EXCLUSIVE, Work.SCAN, use.SET_NOT_NULL),
    "AT_SetNotNull proven": Rule(EXCLUSIVE),
    "AT_DropNotNull": Rule(EXCLUSIVE),
    "AT_ColumnDefault": Rule(EXCLUSIVE),
    "AT_SetExpression": Rule(EXCLUSIVE, Work.REWRITE, use.REWRITE),
    "AT_DropExpression": Rule(EXCLUSIVE),
    "AT_AddIdentity": Rule(EXCLUSIVE),
    "AT_SetIdentity": Rule(EXCLUSIVE),
    "AT_DropIdentity": Rule(EXCLUSIVE),
    "AT_SetStatistics": Rule(SHARED),
    "AT_SetStorage": Rule(EXCLUSIVE),
    "AT_SetCompression": Rule(EXCLUSIVE),
    "AT_SetOptions": Rule(SHARED),
    "AT_ResetOptions": Rule(SHARED),
    "AT_DropColumn": Rule(EXCLUSIVE, recommendation=use.DROP_COLUMN),
    # Constraints
    "AT_AddConstraint CHECK": Rule(EXCLUSIVE, Work.SCAN, use.ADD_CONSTRAINT),
    "AT_AddConstraint CHECK NOT VALID": Rule(EXCLUSIVE),
    "AT_AddConstraint NOTNULL": Rule(EXCLUSIVE, Work.SCAN, use.SET_NOT_NULL),
    "AT_AddConstraint NOTNULL NOT VALID": Rule(EXCLUSIVE),
    "AT_AddConstraint FOREIGN": Rule(WRITERS_WAIT, Work.SCAN, use.ADD_CONSTRAINT),
    "AT_AddConstraint FOREIGN NOT VALID": Rule(WRITERS_WAIT),
    "AT_AddConstraint REFERENCES": Rule(WRITERS_WAIT),  # on the table referred to, for its triggers
    "AT_AddConstraint UNIQUE": Rule(EXCLUSIVE, Work.BUILD, use.UNIQUE),
    "AT_AddConstraint UNIQUE USING INDEX": Rule(EXCLUSIVE),
    "AT_AddConstraint PRIMARY": Rule(EXCLUSIVE, Work.BUILD, use.UNIQUE),
    "AT_AddConstraint PRIMARY USING INDEX": Rule(EXCLUSIVE, Work.SCAN, use.SET_NOT_NULL),
    "AT_AddConstraint EXCLUSION": Rule(EXCLUSIVE, Work.BUILD, use.EXCLUDE),
    "AT_AlterConstraint": Rule(EXCLUSIVE),
    "AT_ValidateConstraint": Rule(SHARED, Work.SCAN),
    "AT_DropConstraint": Rule(EXCLUSIVE),
    # Storage and options
    "AT_SetLogged": Rule(EXCLUSIVE, Work.REWRITE, use.REWRITE),
    "AT_SetUnLogged": Rule(EXCLUSIVE, Work.REWRITE, use.REWRITE),
    "AT_SetTableSpace": Rule(EXCLUSIVE, Work.REWRITE, use.REWRITE),
    "AT_SetAccessMethod": Rule(EXCLUSIVE, Work.REWRITE, use.REWRITE),
    "AT_SetRelOptions": Rule(SHARED),
    "AT_ResetRelOptions": Rule(SHARED),
    "AT_ClusterOn": Rule(SHARED),
    "AT_DropCluster": Rule(SHARED),
    "AT_ReplicaIdentity": Rule(EXCLUSIVE),
    "AT_ChangeOwner": Rule(EXCLUSIVE),
    # Triggers, policies, partitions
    "AT_EnableTrig": Rule(WRITERS_WAIT),
    "AT_EnableAlwaysTrig": Rule(WRITERS_WAIT),
    "AT_EnableReplicaTrig": Rule(WRITERS_WAIT),
    "AT_EnableTrigAll": Rule(WRITERS_WAIT),
    "AT_EnableTrigUser": Rule(WRITERS_WAIT),
    "AT_DisableTrig": Rule(WRITERS_WAIT),
    "AT_DisableTrigAll": Rule(WRITERS_WAIT),
    "AT_DisableTrigUser": Rule(WRITERS_WAIT),
    "AT_EnableRowSecurity": Rule(EXCLUSIVE),
    "AT_ForceRowSecurity": Rule(EXCLUSIVE),
    "AT_DisableRowSecurity": Rule(EXCLUSIVE, recommendation=use.ROW_SECURITY),
    "AT_NoForceRowSecurity": Rule(EXCLUSIVE, recommendation=use.ROW_SECURITY),
    "AT_AddInherit": Rule(EXCLUSIVE),
    "AT_DropInherit": Rule(EXCLUSIVE),
    "AT_AttachPartition": Rule(SHARED),
    "AT_AttachPartition partition": Rule(EXCLUSIVE, Work.SCAN, use.ATTACH_PARTITION),
    "AT_DetachPartition": Rule(EXCLUSIVE),
    "AT_DetachPartition concurrent": Rule(SHARED),
    "AT_DetachPartition partition": Rule(EXCLUSIVE),
}

RULES = STATEMENTS | ALTER_TABLE

# Statements that block no table.
HARMLESS = {
    "AlterDefaultPrivilegesStmt", "AlterDomainStmt", "AlterEnumStmt", "AlterFunctionStmt", "AlterOwnerStmt",
    "AlterSeqStmt", "CommentStmt", "CompositeTypeStmt", "ConstraintsSetStmt", "CreateDomainStmt", "CreateEnumStmt",
    "CreateExtensionStmt", "CreateFunctionStmt", "CreateRangeStmt", "CreateRoleStmt", "CreateSchemaStmt",
    "CreateSeqStmt", "CreateStmt", "DefineStmt", "DropStmt AGGREGATE", "DropStmt COLLATION", "DropStmt DOMAIN",
    "DropStmt EXTENSION", "DropStmt FUNCTION", "DropStmt PROCEDURE", "DropStmt SCHEMA", "DropStmt SEQUENCE",
    "DropStmt STATISTIC_EXT", "DropStmt TYPE", "GrantRoleStmt", "GrantStmt", "VariableSetStmt", "VariableShowStmt",
    "ViewStmt",
}  # fmt: skip

# Settings that change neither locks nor the meaning of names. Settings of the product begin with "crm.".
HARMLESS_SETTINGS = {
    "application_name", "check_function_bodies", "client_min_messages", "maintenance_work_mem",
    "max_parallel_maintenance_workers", "statement_timeout", "timezone", "work_mem",
}  # fmt: skip
# Storage parameters that PostgreSQL changes under SHARE UPDATE EXCLUSIVE, by the beginning of their names.
SHARED_OPTIONS = ("autovacuum_", "fillfactor", "log_autovacuum_", "parallel_workers", "toast_", "vacuum_")
