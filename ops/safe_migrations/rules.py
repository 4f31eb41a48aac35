"""Rules: the lock that PostgreSQL takes for a statement, and the work under it.

A key is the name of a node in PostgreSQL's parse tree, with the variant found by `statements.py`. Sources: the manual
(https://www.postgresql.org/docs/current/sql-altertable.html, explicit-locking.html). Tests compare each rule with a
server. A statement without a rule is refused.
"""

from ops.safe_migrations import recommendations as use
from ops.safe_migrations.lock_levels import Lock, Rule, Work

SHARED, WRITERS_WAIT, EXCLUSIVE = Lock.SHARE_UPDATE_EXCLUSIVE, Lock.SHARE_ROW_EXCLUSIVE, Lock.ACCESS_EXCLUSIVE

# Commands that only change the catalog, by their lock.
MOMENTARY = {
    EXCLUSIVE: {
        "AT_AddColumn", "AT_AddConstraint CHECK NOT VALID", "AT_AddConstraint NOTNULL NOT VALID",
        "AT_AddConstraint PRIMARY USING INDEX proven",
        "AT_AddConstraint UNIQUE USING INDEX", "AT_AddIdentity", "AT_AddInherit", "AT_AlterColumnType widened",
        "AT_AlterConstraint", "AT_ChangeOwner", "AT_ColumnDefault", "AT_DetachPartition",
        "AT_DetachPartition partition", "AT_DropConstraint", "AT_DropExpression", "AT_DropIdentity", "AT_DropInherit",
        "AT_EnableRowSecurity", "AT_ForceRowSecurity", "AT_ReplicaIdentity", "AT_SetCompression",
        "AT_SetIdentity", "AT_SetNotNull proven", "AT_SetStorage", "AlterPolicyStmt", "CreatePolicyStmt",
        "AT_AttachPartition index", "CreateStmt PARTITION OF", "dropped PARTITION", "dropped REFERENCES",
        "DropStmt RULE", "DropStmt TRIGGER",
        "RenameStmt POLICY", "RenameStmt TABCONSTRAINT", "RenameStmt TRIGGER", "RuleStmt", "ViewStmt replace",
    },
    Lock.SHARE: {"IndexStmt partitioned"},  # ON ONLY: the partitions get theirs by other statements
    SHARED: {
        "AT_AttachPartition", "AT_ClusterOn", "AT_DetachPartition concurrent", "AT_DropCluster", "AT_ResetOptions",
        "AT_ResetRelOptions", "AT_SetOptions", "AT_SetRelOptions", "AT_SetStatistics", "CreateStatsStmt",
        "CreateStmt INHERITS", "DropStmt INDEX concurrent",
    },
    WRITERS_WAIT: {  # REFERENCES: on the table referred to, for its triggers
        "AT_AddConstraint FOREIGN NOT VALID", "AT_AddConstraint REFERENCES", "AT_DisableTrig", "AT_DisableTrigAll",
        "AT_DisableTrigUser", "AT_EnableAlwaysTrig", "AT_EnableReplicaTrig", "AT_EnableTrig", "AT_EnableTrigAll",
        "AT_EnableTrigUser", "CreateStmt REFERENCES", "CreateTrigStmt",
    },
}  # fmt: skip

# Objects that a statement may use without a table.
DROPPED_KINDS = ("AGGREGATE", "COLLATION", "DOMAIN", "EXTENSION", "FUNCTION", "PROCEDURE", "SCHEMA", "SEQUENCE", "TYPE")

STATEMENTS = {
    # Indexes
    "IndexStmt": Rule(Lock.SHARE, Work.BUILD, use.ADD_INDEX),
    "IndexStmt unique": Rule(Lock.SHARE, Work.BUILD, use.UNIQUE),
    "IndexStmt concurrent": Rule(SHARED, Work.BUILD),
    "IndexStmt partitioned concurrent": Rule(SHARED, recommendation=use.PARTITIONED_INDEX),
    "DropStmt INDEX": Rule(EXCLUSIVE, recommendation=use.REMOVE_INDEX),
    "DropStmt INDEX partitioned concurrent": Rule(SHARED, recommendation=use.PARTITIONED_DROP),
    "ReindexStmt TABLE": Rule(Lock.SHARE, Work.BUILD, use.REINDEX),
    "ReindexStmt INDEX": Rule(EXCLUSIVE, Work.BUILD, use.REINDEX),
    "ReindexStmt SCHEMA": Rule(EXCLUSIVE, Work.BUILD, use.REINDEX),
    "ReindexStmt concurrent": Rule(SHARED, Work.BUILD),
    # Tables
    "DropStmt TABLE": Rule(EXCLUSIVE, recommendation=use.DESTROYS_ROWS),
    **{f"DropStmt {kind}": Rule(EXCLUSIVE, recommendation=use.DROP_OBJECT) for kind in ("MATVIEW", "VIEW")},
    **{f"DropStmt {kind}": Rule(Lock.ACCESS_SHARE, recommendation=use.DROP_OBJECT) for kind in DROPPED_KINDS},
    "DropStmt POLICY": Rule(EXCLUSIVE, recommendation=use.ROW_SECURITY),
    "DropStmt CASCADE": Rule(EXCLUSIVE, recommendation=use.CASCADE),
    "TruncateStmt": Rule(EXCLUSIVE, recommendation=use.DESTROYS_ROWS),
    "TruncateStmt CASCADE": Rule(EXCLUSIVE, recommendation=use.CASCADE),
    "RenameStmt TABLE": Rule(EXCLUSIVE, recommendation=use.RENAME),
    "RenameStmt VIEW": Rule(EXCLUSIVE, recommendation=use.RENAME),
    "RenameStmt COLUMN": Rule(EXCLUSIVE, recommendation=use.RENAME),
    "RenameStmt INDEX": Rule(Lock.ACCESS_SHARE),
    "AlterEnumStmt RENAME VALUE": Rule(Lock.ACCESS_SHARE, recommendation=use.RENAME),
    "RenameStmt SCHEMA": Rule(Lock.ACCESS_SHARE, recommendation=use.RENAME),
    "RenameStmt TYPE": Rule(Lock.ACCESS_SHARE, recommendation=use.RENAME),
    "RenameStmt FUNCTION": Rule(Lock.ACCESS_SHARE, recommendation=use.RENAME),
    "RenameStmt SEQUENCE": Rule(Lock.ACCESS_SHARE, recommendation=use.RENAME),
    "AlterObjectSchemaStmt TABLE": Rule(EXCLUSIVE, recommendation=use.RENAME),
    "VacuumStmt": Rule(SHARED, Work.SCAN),
    "VacuumStmt analyze": Rule(SHARED, Work.SCAN),
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
    # Warnings beside another rule of the same statement
    "required column": Rule(Lock.ACCESS_SHARE, recommendation=use.REQUIRED_COLUMN),
    "statistics": Rule(Lock.ACCESS_SHARE, recommendation=use.STATISTICS),
    # The session
    "TransactionStmt": Rule(Lock.ACCESS_SHARE, Work.ROWS, use.TRANSACTION),
    "VariableSetStmt lock_timeout": Rule(Lock.ACCESS_SHARE, Work.ROWS, use.LOCK_TIMEOUT),
    "unreadable": Rule(EXCLUSIVE, Work.ROWS, use.UNREADABLE),
}

ALTER_TABLE = {
    # Columns
    "AT_AddColumn stored": Rule(EXCLUSIVE, Work.REWRITE, use.VALUE_PER_ROW),
    "AT_AddColumn identity": Rule(EXCLUSIVE, Work.REWRITE, use.VALUE_PER_ROW),
    "AT_AddColumn serial": Rule(EXCLUSIVE, Work.REWRITE, use.VALUE_PER_ROW),
    "AT_AddColumn volatile default": Rule(EXCLUSIVE, Work.REWRITE, use.VALUE_PER_ROW),
    "AT_AddColumn domain": Rule(EXCLUSIVE, Work.REWRITE, use.VALUE_PER_ROW),
    "AT_AddColumn json": Rule(EXCLUSIVE, recommendation=use.JSON),
    "AT_AddColumn required": Rule(EXCLUSIVE, recommendation=use.NO_VALUE),
    "AT_AddColumn unique": Rule(EXCLUSIVE, Work.BUILD, use.UNIQUE),
    "AT_AddColumn check": Rule(EXCLUSIVE, Work.SCAN, use.ADD_COLUMN_WITH_CHECK),
    "AT_AddColumn default REFERENCES": Rule(EXCLUSIVE, Work.SCAN, use.ADD_CONSTRAINT),
    "AT_AlterColumnType": Rule(EXCLUSIVE, Work.REWRITE, use.CHANGE_TYPE),
    "AT_AlterColumnType check": Rule(EXCLUSIVE, Work.SCAN, use.CHECKED_TYPE),
    "AT_AlterColumnType fixed": Rule(EXCLUSIVE, recommendation=use.FIXED_TYPE),
    "AT_AlterColumnType referring": Rule(EXCLUSIVE, Work.SCAN, use.REFERRED_TYPE),
    "AT_AlterColumnType rebuilt index": Rule(EXCLUSIVE, Work.BUILD, use.INDEXED_TYPE),
    "AT_SetNotNull": Rule(EXCLUSIVE, Work.SCAN, use.SET_NOT_NULL),
    "AT_SetExpression": Rule(EXCLUSIVE, Work.REWRITE, use.REWRITE),
    "AT_DropNotNull": Rule(EXCLUSIVE, recommendation=use.NULLABLE),
    "AT_DropColumn": Rule(EXCLUSIVE, recommendation=use.DROP_COLUMN),
    # Constraints
    "AT_AddConstraint CHECK": Rule(EXCLUSIVE, Work.SCAN, use.ADD_CONSTRAINT),
    "AT_AddConstraint NOTNULL": Rule(EXCLUSIVE, Work.SCAN, use.SET_NOT_NULL),
    "AT_AddConstraint FOREIGN": Rule(WRITERS_WAIT, Work.SCAN, use.ADD_CONSTRAINT),
    "AT_AddConstraint UNIQUE": Rule(EXCLUSIVE, Work.BUILD, use.UNIQUE),
    "AT_AddConstraint PRIMARY": Rule(EXCLUSIVE, Work.BUILD, use.UNIQUE),
    "AT_AddConstraint PRIMARY USING INDEX": Rule(EXCLUSIVE, Work.SCAN, use.SET_NOT_NULL),
    "AT_AddConstraint EXCLUSION": Rule(EXCLUSIVE, Work.BUILD, use.EXCLUDE),
    "AT_AlterConstraint enforced": Rule(EXCLUSIVE, Work.SCAN, use.ADD_CONSTRAINT),
    "AT_ValidateConstraint": Rule(SHARED, Work.SCAN),
    # Storage and options
    "AT_SetLogged": Rule(EXCLUSIVE, Work.REWRITE, use.REWRITE),
    "AT_SetUnLogged": Rule(EXCLUSIVE, Work.REWRITE, use.REWRITE),
    "AT_SetTableSpace": Rule(EXCLUSIVE, Work.REWRITE, use.REWRITE),
    "AT_SetAccessMethod": Rule(EXCLUSIVE, Work.REWRITE, use.REWRITE),
    # Triggers, policies, partitions
    "AT_DisableRowSecurity": Rule(EXCLUSIVE, recommendation=use.ROW_SECURITY),
    "AT_NoForceRowSecurity": Rule(EXCLUSIVE, recommendation=use.ROW_SECURITY),
    "AT_AttachPartition partition": Rule(EXCLUSIVE, Work.SCAN, use.ATTACH_PARTITION),
    "AT_DetachPartition default concurrent": Rule(SHARED, recommendation=use.DETACH_BESIDE_DEFAULT),
    "added PARTITION": Rule(EXCLUSIVE, Work.SCAN, use.DEFAULT_PARTITION),  # on the default partition
}

# PostgreSQL refuses these in a transaction.
NOT_IN_TRANSACTION = {
    "AT_DetachPartition concurrent", "DropStmt INDEX concurrent", "IndexStmt concurrent", "ReindexStmt SCHEMA",
    "ReindexStmt concurrent", "VacuumStmt", "VacuumStmt full",
}  # fmt: skip

RULES = {key: Rule(lock) for lock, keys in MOMENTARY.items() for key in keys} | STATEMENTS | ALTER_TABLE

# Statements that block no table.
HARMLESS = {
    "AlterDefaultPrivilegesStmt", "AlterDomainStmt", "AlterEnumStmt", "AlterFunctionStmt", "AlterOwnerStmt",
    "AlterSeqStmt", "CommentStmt", "CompositeTypeStmt", "ConstraintsSetStmt", "CreateDomainStmt", "CreateEnumStmt",
    "CreateExtensionStmt", "CreateFunctionStmt", "CreateRangeStmt", "CreateRoleStmt", "CreateSchemaStmt",
    "CreateSeqStmt", "CreateStmt", "DefineStmt", "DropStmt STATISTIC_EXT", "GrantRoleStmt", "GrantStmt",
    "VariableSetStmt", "VariableShowStmt", "ViewStmt",
}  # fmt: skip

# Settings that change neither locks nor the meaning of names. Settings of the product begin with "crm.".
HARMLESS_SETTINGS = {
    "application_name", "check_function_bodies", "client_min_messages", "maintenance_work_mem",
    "max_parallel_maintenance_workers", "statement_timeout", "timezone", "work_mem",
}  # fmt: skip
