"""A statement for each rule, with the rules and tables that it falls under."""

from tests.ops.safe_migrations.scratch_tables import FIRST, OTHER, PART, PARTED, REST, SPLIT, SUMMARY, TABLE, VIEW


def on(*keys, table=TABLE):
    return [(key, table) for key in keys]


def nothing(*keys):
    return on(*keys, table="")


REWRITTEN = on("AT_AlterColumnType", "statistics")
WIDENED = on("AT_AlterColumnType widened", "statistics")
REBUILT = on("AT_AlterColumnType rebuilt index", "statistics")
# Statements that a server runs in a transaction, with the locks and the work of their rules.
SCHEMA = {
    f"CREATE INDEX scratch_number ON {TABLE} (number)": on("IndexStmt"),
    f"CREATE INDEX ON public.{TABLE} (number)": on("IndexStmt"),
    f'CREATE UNIQUE INDEX "scratch_number" ON "{TABLE}" ("id" DESC) WHERE number > 0': on("IndexStmt unique"),
    "DROP INDEX scratch_word": on("DropStmt INDEX"),
    "DROP INDEX scratch_word, scratch_id": on("DropStmt INDEX", "DropStmt INDEX"),
    "ALTER INDEX scratch_word RENAME TO scratch_text": on("RenameStmt INDEX"),
    f"REINDEX TABLE {TABLE}": on("ReindexStmt TABLE"),
    f"CLUSTER {TABLE} USING scratch_word": on("ClusterStmt"),
    f"REFRESH MATERIALIZED VIEW {SUMMARY}": on("RefreshMatViewStmt", table=SUMMARY),
    "DROP TABLE scratch_parent, scratch_child CASCADE": on("DropStmt TABLE", table="scratch_parent")
    + on("DropStmt TABLE", table="scratch_child"),
    f"DROP VIEW {VIEW}": on("DropStmt VIEW", table=VIEW),
    f"DROP MATERIALIZED VIEW {SUMMARY}": on("DropStmt MATVIEW", table=SUMMARY),
    f"DROP TRIGGER scratch_trigger ON {TABLE}": on("DropStmt TRIGGER"),
    f"DROP POLICY scratch_policy ON public.{TABLE}": on("DropStmt POLICY"),
    f"DROP RULE scratch_rule ON {OTHER}": on("DropStmt RULE", table=OTHER),
    f"ALTER TABLE {TABLE} RENAME TO scratch_renamed": on("RenameStmt TABLE"),
    f"ALTER VIEW {VIEW} RENAME TO scratch_renamed": on("RenameStmt VIEW", table=VIEW),
    f"ALTER TABLE {TABLE} RENAME COLUMN number TO count": on("RenameStmt COLUMN"),
    f"ALTER TABLE {TABLE} RENAME CONSTRAINT scratch_old TO more": on("RenameStmt TABCONSTRAINT"),
    f"ALTER POLICY scratch_policy ON {TABLE} RENAME TO more": on("RenameStmt POLICY"),
    f"ALTER TRIGGER scratch_trigger ON {TABLE} RENAME TO more": on("RenameStmt TRIGGER"),
    f"CREATE POLICY mine ON {TABLE} USING (true)": on("CreatePolicyStmt"),
    f"ALTER POLICY scratch_policy ON {TABLE} USING (false)": on("AlterPolicyStmt"),
    f"CREATE TRIGGER more AFTER INSERT ON {TABLE} EXECUTE FUNCTION scratch_function()": on("CreateTrigStmt"),
    f"CREATE RULE more AS ON DELETE TO {TABLE} DO ALSO NOTHING": on("RuleStmt"),
    f"CREATE OR REPLACE VIEW {VIEW} AS SELECT 2 AS one": on("ViewStmt replace", table=VIEW),
    f"CREATE STATISTICS scratch_more ON id, word FROM {TABLE}": on("CreateStatsStmt", "statistics"),
    f"CREATE TABLE scratch_new (id bigint REFERENCES {OTHER}, n int, FOREIGN KEY (n) REFERENCES {TABLE})": [
        ("CreateStmt", "scratch_new"),
        ("CreateStmt REFERENCES", OTHER),
        ("CreateStmt REFERENCES", TABLE),
    ],
    f"CREATE TABLE scratch_new PARTITION OF {PARTED} FOR VALUES IN (2)": [
        ("CreateStmt", "scratch_new"),
        ("CreateStmt PARTITION OF", PARTED),
    ],
    f"CREATE TABLE scratch_new () INHERITS ({OTHER})": [("CreateStmt", "scratch_new"), ("CreateStmt INHERITS", OTHER)],
    f"DO $$ BEGIN ALTER TABLE {TABLE} ADD UNIQUE (id, word); END $$": on("AT_AddConstraint UNIQUE"),
    f"DO $$ BEGIN EXECUTE format('ALTER TABLE {TABLE} DROP CONSTRAINT %I', 'scratch_old'); END $$": on(
        "AT_DropConstraint"
    ),
    "DO $$ BEGIN IF now() > '2020-01-01' THEN EXECUTE 'DROP INDEX scratch_word'; END IF; END $$": on(
        "DropStmt INDEX"
    ),
    # Columns
    f"ALTER TABLE {TABLE} ADD COLUMN more integer": on("AT_AddColumn"),
    f'ALTER TABLE "{TABLE}" ADD COLUMN "more" varchar(9) DEFAULT \'x\' NOT NULL': on("AT_AddColumn"),
    f"ALTER TABLE {TABLE} ADD COLUMN more timestamptz DEFAULT now() NOT NULL": on("AT_AddColumn"),
    f"ALTER TABLE {TABLE} ADD COLUMN more timestamptz DEFAULT STATEMENT_TIMESTAMP()": on("AT_AddColumn"),
    f"ALTER TABLE {TABLE} ADD COLUMN more date DEFAULT date(now())": on("AT_AddColumn"),
    f"ALTER TABLE {TABLE} ADD COLUMN more timestamp DEFAULT (now() AT TIME ZONE 'utc')": on("AT_AddColumn"),
    f"ALTER TABLE {TABLE} ADD COLUMN more timestamptz DEFAULT CURRENT_TIMESTAMP": on("AT_AddColumn"),
    f"ALTER TABLE {TABLE} ADD COLUMN more text DEFAULT 'random()'": on("AT_AddColumn"),
    f"ALTER TABLE {TABLE} ADD COLUMN more timestamptz DEFAULT clock_timestamp()": on("AT_AddColumn volatile default"),
    f"ALTER TABLE {TABLE} ADD COLUMN more float DEFAULT pg_catalog.random()": on("AT_AddColumn volatile default"),
    f"ALTER TABLE {TABLE} ADD COLUMN more uuid DEFAULT (gen_random_uuid()) NOT NULL": on(
        "AT_AddColumn volatile default"
    ),
    f"ALTER TABLE {TABLE} ADD COLUMN more integer GENERATED ALWAYS AS (number * 2) STORED": on("AT_AddColumn stored"),
    f"ALTER TABLE {TABLE} ADD COLUMN more bigint GENERATED BY DEFAULT AS IDENTITY": on("AT_AddColumn identity"),
    f"ALTER TABLE {TABLE} ADD COLUMN more bigserial": on("AT_AddColumn serial"),
    f"ALTER TABLE {TABLE} ADD COLUMN more scratch_positive": on("AT_AddColumn domain"),
    f"ALTER TABLE {TABLE} ADD COLUMN more scratch_domain": on("AT_AddColumn"),
    f"ALTER TABLE {TABLE} ADD COLUMN more json": on("AT_AddColumn json"),
    f"ALTER TABLE {TABLE} ADD COLUMN more integer UNIQUE": on("AT_AddColumn unique"),
    f'ALTER TABLE {TABLE} ADD COLUMN more integer NULL CHECK ("more" >= 0)': on("AT_AddColumn check"),
    f"ALTER TABLE {TABLE} ADD COLUMN more bigint NULL CONSTRAINT more_fk REFERENCES {OTHER} (id)": [
        ("AT_AddConstraint REFERENCES", OTHER),
        ("AT_AddColumn", TABLE),
    ],
    f"ALTER TABLE {TABLE} ADD COLUMN more bigint DEFAULT 1 CONSTRAINT more_fk REFERENCES {OTHER} (id)": [
        ("AT_AddConstraint REFERENCES", OTHER),
        ("AT_AddColumn default REFERENCES", TABLE),
    ],
    f"ALTER TABLE {TABLE} ALTER COLUMN number TYPE bigint": REWRITTEN,
    f'ALTER TABLE {TABLE} ALTER COLUMN price TYPE varchar(9) USING "price"::varchar(9)': REWRITTEN,
    f"ALTER TABLE {TABLE} ALTER COLUMN word TYPE varchar(10)": REWRITTEN,
    f"ALTER TABLE {TABLE} ALTER COLUMN price TYPE numeric(12, 3)": REWRITTEN,
    f"ALTER TABLE {TABLE} ALTER COLUMN word TYPE text USING upper(word)": REWRITTEN,
    f"ALTER TABLE {TABLE} ALTER COLUMN word TYPE varchar(30)": WIDENED,
    f'ALTER TABLE {TABLE} ALTER COLUMN "word" TYPE text USING "word"::text': WIDENED,
    f"ALTER TABLE {TABLE} ALTER COLUMN price TYPE numeric": WIDENED,
    f"ALTER TABLE {TABLE} ALTER COLUMN price TYPE numeric(12, 2)": WIDENED,
    f'ALTER TABLE {TABLE} ALTER COLUMN plain TYPE varchar(30) COLLATE "C"': WIDENED,
    f'ALTER TABLE {TABLE} ALTER COLUMN word TYPE varchar(30) COLLATE "C"': REBUILT,
    f'ALTER TABLE {TABLE} ALTER COLUMN latin TYPE varchar(30) COLLATE "C"': WIDENED,
    f"ALTER TABLE {TABLE} ALTER COLUMN latin TYPE varchar(30)": REBUILT,
    f"ALTER TABLE {TABLE} ALTER COLUMN unique_word TYPE varchar(30)": WIDENED,
    f'ALTER TABLE {TABLE} ALTER COLUMN unique_word TYPE varchar(30) COLLATE "C"': REBUILT,
    f"ALTER TABLE {TABLE} ALTER COLUMN checked TYPE varchar(30)": on("AT_AlterColumnType check", "statistics"),
    f"ALTER TABLE {TABLE} ALTER COLUMN partial TYPE varchar(30)": REBUILT,
    f"ALTER TABLE {TABLE} ALTER COLUMN lowered TYPE text": REBUILT,
    f"ALTER TABLE {TABLE} ALTER COLUMN kept TYPE varchar(30)": REBUILT,
    f"ALTER TABLE {TABLE} ALTER COLUMN number SET NOT NULL": on("AT_SetNotNull", "required column"),
    f"ALTER TABLE {TABLE} ALTER COLUMN sure SET NOT NULL": on("AT_SetNotNull proven"),
    f"ALTER TABLE {TABLE} ALTER COLUMN counted SET NOT NULL": on("AT_SetNotNull proven"),
    f"ALTER TABLE {TABLE} ALTER COLUMN number DROP NOT NULL": on("AT_DropNotNull"),
    f"ALTER TABLE {TABLE} ALTER COLUMN number SET DEFAULT 7, ALTER COLUMN word SET DEFAULT 'a, b'": on(
        "AT_ColumnDefault", "AT_ColumnDefault"
    ),
    f"ALTER TABLE {TABLE} ALTER COLUMN number DROP DEFAULT": on("AT_ColumnDefault"),
    f"ALTER TABLE {TABLE} ALTER COLUMN id DROP DEFAULT": on("AT_ColumnDefault", "required column"),
    f"ALTER TABLE {TABLE} ALTER COLUMN doubled DROP EXPRESSION": on("AT_DropExpression"),
    f"ALTER TABLE {TABLE} ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY": on("AT_AddIdentity"),
    f"ALTER TABLE {TABLE} ALTER COLUMN counted SET GENERATED ALWAYS": on("AT_SetIdentity"),
    f"ALTER TABLE {TABLE} ALTER COLUMN counted DROP IDENTITY": on("AT_DropIdentity"),
    f"ALTER TABLE {TABLE} ALTER COLUMN number SET STATISTICS 200": on("AT_SetStatistics"),
    f"ALTER TABLE {TABLE} ALTER COLUMN word SET STORAGE EXTERNAL": on("AT_SetStorage"),
    f"ALTER TABLE {TABLE} ALTER COLUMN word SET COMPRESSION pglz": on("AT_SetCompression"),
    f"ALTER TABLE {TABLE} ALTER COLUMN number SET (n_distinct = 5)": on("AT_SetOptions"),
    f"ALTER TABLE {TABLE} ALTER COLUMN number RESET (n_distinct)": on("AT_ResetOptions"),
    f"ALTER TABLE {TABLE} DROP COLUMN number": on("AT_DropColumn"),
    # Constraints
    f"ALTER TABLE {TABLE} ADD CONSTRAINT more CHECK (number IN (1, 2))": on("AT_AddConstraint CHECK"),
    f"ALTER TABLE {TABLE} ADD CONSTRAINT more CHECK (number IN (1, 2)) NOT VALID": on(
        "AT_AddConstraint CHECK NOT VALID"
    ),
    f"ALTER TABLE {TABLE} ADD CONSTRAINT more FOREIGN KEY (number) REFERENCES {OTHER} (id) DEFERRABLE": [
        ("AT_AddConstraint FOREIGN", TABLE),
        ("AT_AddConstraint REFERENCES", OTHER),
    ],
    f"ALTER TABLE {TABLE} ADD CONSTRAINT more FOREIGN KEY (number) REFERENCES {OTHER} (id) NOT VALID": [
        ("AT_AddConstraint FOREIGN NOT VALID", TABLE),
        ("AT_AddConstraint REFERENCES", OTHER),
    ],
    f"ALTER TABLE {TABLE} ADD CONSTRAINT more UNIQUE (id, word)": on("AT_AddConstraint UNIQUE"),
    f"ALTER TABLE {TABLE} ADD CONSTRAINT more UNIQUE USING INDEX scratch_id": on("AT_AddConstraint UNIQUE USING INDEX"),
    "ALTER TABLE scratch_keyless ADD PRIMARY KEY USING INDEX scratch_keyless_id": on(
        "AT_AddConstraint PRIMARY USING INDEX proven", table="scratch_keyless"
    ),
    "ALTER TABLE scratch_child ADD PRIMARY KEY (n)": on("AT_AddConstraint PRIMARY", table="scratch_child"),
    f"ALTER TABLE {TABLE} ADD CONSTRAINT more EXCLUDE (id WITH =)": on("AT_AddConstraint EXCLUSION"),
    f"ALTER TABLE {TABLE} ALTER CONSTRAINT scratch_key DEFERRABLE": on("AT_AlterConstraint"),
    f"ALTER TABLE {TABLE} VALIDATE CONSTRAINT scratch_old": on("AT_ValidateConstraint"),
    f"ALTER TABLE {TABLE} DROP CONSTRAINT scratch_old": on("AT_DropConstraint"),
    f"ALTER TABLE {TABLE} DROP CONSTRAINT scratch_key": on("AT_DropConstraint") + on("dropped REFERENCES", table=OTHER),
    f"ALTER TABLE {TABLE} DROP COLUMN other_id": on("AT_DropColumn") + on("dropped REFERENCES", table=OTHER),
    "ALTER TABLE scratch_referring ALTER COLUMN word TYPE varchar(30)": on(
        "AT_AlterColumnType widened", "statistics", table="scratch_referring"
    ) + on("dropped REFERENCES", table="scratch_words"),
    "ALTER TABLE scratch_words ALTER COLUMN word TYPE varchar(30)": on(
        "AT_AlterColumnType widened", "statistics", table="scratch_words"
    )
    + on("dropped REFERENCES", table="scratch_referring"),
    "ALTER TABLE scratch_words ALTER COLUMN word TYPE varchar(30) USING upper(word)": on(
        "AT_AlterColumnType", "statistics", table="scratch_words"
    )
    + on("AT_AlterColumnType referring", table="scratch_referring"),
    "ALTER TABLE scratch_words DROP COLUMN word CASCADE": on("AT_DropColumn", table="scratch_words")
    + on("dropped REFERENCES", table="scratch_referring"),
    "DROP TABLE scratch_words CASCADE": on("DropStmt TABLE", table="scratch_words")
    + on("dropped REFERENCES", table="scratch_referring"),
    "DROP TABLE scratch_referring": on("DropStmt TABLE", table="scratch_referring")
    + on("dropped REFERENCES", table=OTHER)
    + on("dropped REFERENCES", table="scratch_words"),
    # Storage and options
    f"ALTER TABLE {TABLE} SET UNLOGGED": on("AT_SetUnLogged"),
    f"ALTER TABLE {TABLE} SET (fillfactor = 80, autovacuum_enabled = off)": on("AT_SetRelOptions"),
    f"ALTER TABLE {TABLE} RESET (fillfactor)": on("AT_ResetRelOptions"),
    f"ALTER TABLE {TABLE} CLUSTER ON scratch_word": on("AT_ClusterOn"),
    f"ALTER TABLE {TABLE} SET WITHOUT CLUSTER": on("AT_DropCluster"),
    f"ALTER TABLE {TABLE} REPLICA IDENTITY FULL": on("AT_ReplicaIdentity"),
    f"ALTER TABLE {TABLE} OWNER TO CURRENT_USER": on("AT_ChangeOwner"),
    # Triggers, policies, partitions
    f"ALTER TABLE {TABLE} ENABLE TRIGGER scratch_trigger": on("AT_EnableTrig"),
    f"ALTER TABLE {TABLE} ENABLE ALWAYS TRIGGER scratch_trigger": on("AT_EnableAlwaysTrig"),
    f"ALTER TABLE {TABLE} ENABLE REPLICA TRIGGER scratch_trigger": on("AT_EnableReplicaTrig"),
    f"ALTER TABLE {TABLE} ENABLE TRIGGER USER": on("AT_EnableTrigUser"),
    f"ALTER TABLE {TABLE} DISABLE TRIGGER scratch_trigger": on("AT_DisableTrig"),
    f"ALTER TABLE {TABLE} DISABLE TRIGGER USER": on("AT_DisableTrigUser"),
    f"ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY": on("AT_EnableRowSecurity"),
    f"ALTER TABLE {TABLE} FORCE ROW LEVEL SECURITY": on("AT_ForceRowSecurity"),
    f"ALTER TABLE {TABLE} DISABLE ROW LEVEL SECURITY": on("AT_DisableRowSecurity"),
    f"ALTER TABLE {TABLE} NO FORCE ROW LEVEL SECURITY": on("AT_NoForceRowSecurity"),
    f"ALTER TABLE scratch_heir NO INHERIT {OTHER}": on("AT_DropInherit", table="scratch_heir"),
    f"ALTER TABLE {PARTED} ATTACH PARTITION scratch_child FOR VALUES IN (2)": [
        ("AT_AttachPartition", PARTED),
        ("AT_AttachPartition partition", "scratch_child"),
    ],
    f"ALTER TABLE {PARTED} DETACH PARTITION {PART}": [
        ("AT_DetachPartition", PARTED),
        ("AT_DetachPartition partition", PART),
    ],
    # Beside a default partition, or with keys
    f"CREATE TABLE scratch_new PARTITION OF {SPLIT} FOR VALUES IN (2)": [
        ("CreateStmt", "scratch_new"),
        ("CreateStmt PARTITION OF", SPLIT),
        ("added PARTITION", REST),
        ("CreateStmt REFERENCES", OTHER),
    ],
    f"CREATE TABLE scratch_new PARTITION OF {PARTED} DEFAULT": [
        ("CreateStmt", "scratch_new"),
        ("CreateStmt PARTITION OF", PARTED),
    ],
    f"ALTER TABLE {SPLIT} ATTACH PARTITION scratch_apart FOR VALUES IN (2)": [
        ("AT_AttachPartition", SPLIT),
        ("AT_AttachPartition partition", "scratch_apart"),
        ("added PARTITION", REST),
        ("AT_AddConstraint REFERENCES", OTHER),
    ],
    f"ALTER TABLE {SPLIT} DETACH PARTITION {FIRST}": [
        ("AT_DetachPartition", SPLIT),
        ("AT_DetachPartition partition", FIRST),
        ("dropped PARTITION", REST),
        ("AT_AddConstraint REFERENCES", OTHER),
    ],
    f"ALTER TABLE {SPLIT} DETACH PARTITION {REST}": [
        ("AT_DetachPartition", SPLIT),
        ("AT_DetachPartition partition", REST),
        ("AT_AddConstraint REFERENCES", OTHER),
    ],
    f"DROP TABLE {FIRST}": [
        ("DropStmt TABLE", FIRST),
        ("dropped PARTITION", SPLIT),
        ("dropped PARTITION", REST),
    ],
    f"DROP TABLE {REST}": [
        ("DropStmt TABLE", REST),
        ("dropped PARTITION", SPLIT),
    ],
    f"CREATE INDEX scratch_more ON ONLY {SPLIT} (n)": on("IndexStmt partitioned", table=SPLIT),
    f"CREATE UNIQUE INDEX scratch_more ON ONLY {SPLIT} (n)": on("IndexStmt partitioned", table=SPLIT),
    f"CREATE INDEX scratch_more ON ONLY {TABLE} (id)": on("IndexStmt"),
    f"CREATE INDEX scratch_more ON {SPLIT} (other_id)": [("IndexStmt", table) for table in (SPLIT, FIRST, REST)],
    "DROP INDEX scratch_split_n": [("DropStmt INDEX", table) for table in (SPLIT, FIRST, REST)],
    # No table that others use
    f"COMMENT ON COLUMN {TABLE}.number IS 'UPDATE {TABLE}; -- not'": nothing("CommentStmt"),
    f"GRANT SELECT ON {TABLE} TO CURRENT_USER": nothing("GrantStmt"),
    "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO CURRENT_USER": nothing("AlterDefaultPrivilegesStmt"),
    "ALTER DOMAIN scratch_domain SET DEFAULT 1": nothing("AlterDomainStmt"),
    "ALTER DOMAIN scratch_domain ADD CONSTRAINT more CHECK (value > 0) NOT VALID": nothing("AlterDomainStmt"),
    "ALTER FUNCTION scratch_function() COST 10": nothing("AlterFunctionStmt"),
    "ALTER FUNCTION scratch_function() OWNER TO CURRENT_USER": nothing("AlterOwnerStmt"),
    "ALTER SEQUENCE scratch_sequence INCREMENT 2": nothing("AlterSeqStmt"),
    "CREATE AGGREGATE scratch_sum (integer) (SFUNC = int4pl, STYPE = integer)": nothing("DefineStmt"),
    "CREATE DOMAIN scratch_more AS integer CHECK (value > 0)": nothing("CreateDomainStmt"),
    "CREATE FUNCTION scratch_more() RETURNS integer LANGUAGE sql AS 'DELETE FROM scratch_rows; SELECT 1'": nothing(
        "CreateFunctionStmt"
    ),
    "CREATE SEQUENCE scratch_more": nothing("CreateSeqStmt"),
    "CREATE TABLE scratch_more AS SELECT 1 AS one": [],
    "CREATE TYPE scratch_more AS (a integer)": nothing("CompositeTypeStmt"),
    "CREATE TYPE scratch_more AS ENUM ('a')": nothing("CreateEnumStmt"),
    "CREATE TYPE scratch_more AS RANGE (SUBTYPE = integer)": nothing("CreateRangeStmt"),
    f"CREATE VIEW scratch_more AS SELECT * FROM {TABLE}": nothing("ViewStmt"),
    "ALTER TYPE scratch_mood ADD VALUE 'happy'": nothing("AlterEnumStmt"),
    "ALTER TYPE scratch_mood RENAME TO scratch_more": nothing("RenameStmt TYPE"),
    "ALTER FUNCTION scratch_function() RENAME TO scratch_more": nothing("RenameStmt FUNCTION"),
    "ALTER SEQUENCE scratch_sequence RENAME TO scratch_more": on("RenameStmt SEQUENCE", table="scratch_sequence"),
    "ALTER TYPE scratch_mood RENAME VALUE 'sad' TO 'blue'": nothing("AlterEnumStmt RENAME VALUE"),
    "DROP DOMAIN scratch_domain": nothing("DropStmt DOMAIN"),
    "DROP SEQUENCE scratch_sequence": nothing("DropStmt SEQUENCE"),
    "DROP STATISTICS scratch_statistics": nothing("DropStmt STATISTIC_EXT"),
    "DROP TYPE scratch_mood": nothing("DropStmt TYPE"),
    "SET CONSTRAINTS ALL IMMEDIATE": nothing("ConstraintsSetStmt"),
    "SET LOCAL work_mem = '8MB'": nothing("VariableSetStmt"),
    "SHOW lock_timeout": nothing("VariableShowStmt"),
}  # fmt: skip
# The same, of which only the locks can be compared.
ROWS = {
    f"UPDATE {TABLE} SET number = 2": on("UpdateStmt"),
    f"DELETE FROM {TABLE}": on("DeleteStmt"),
    f"INSERT INTO {TABLE} (id, sure) VALUES (101, 1)": on("InsertStmt"),
    f"INSERT INTO {TABLE} (id, sure) SELECT n, 1 FROM generate_series(101, 102) n": on("InsertStmt SELECT"),
    f"INSERT INTO {TABLE} (id, sure) VALUES (1, 1) ON CONFLICT (id) DO NOTHING": on("InsertStmt"),
    f"INSERT INTO {TABLE} (id, sure) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET number = 2": on(
        "InsertStmt ON CONFLICT UPDATE"
    ),
    f"MERGE INTO {TABLE} USING {OTHER} o ON o.id = {TABLE}.id WHEN MATCHED THEN DELETE": on("MergeStmt"),
    f"WITH gone AS (DELETE FROM {TABLE} RETURNING id) SELECT count(*) FROM gone": on("DeleteStmt"),
    f"SELECT id FROM {TABLE} FOR UPDATE": on("SelectStmt FOR UPDATE"),
    "UPDATE scratch_window SET n = 2": nothing("UpdateStmt"),
    "INSERT INTO scratch_window SELECT 2, 2": nothing("InsertStmt SELECT"),
    "SELECT id FROM scratch_window FOR UPDATE": nothing("SelectStmt FOR UPDATE"),
    "UPDATE pg_settings SET setting = '0' WHERE name = 'lock_timeout'": nothing("UpdateStmt"),
    f"TRUNCATE {TABLE}": on("TruncateStmt"),
    f"TRUNCATE scratch_child, {TABLE}": on("TruncateStmt") + on("TruncateStmt", table="scratch_child"),
    f"SELECT E'it\\'s; --'; DELETE FROM {TABLE}; --'": on("DeleteStmt"),
    f"SELECT $a$ $b$ $a$; DELETE FROM {TABLE}; -- $a$": on("DeleteStmt"),
    f"/* /* */ ' */ DELETE FROM {TABLE}": on("DeleteStmt"),
    f"ANALYZE {TABLE}": on("VacuumStmt analyze"),
    **{
        f"LOCK TABLE {TABLE} IN {mode} MODE": on(f"LockStmt {mode}")
        for mode in (
            "ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE",
            "EXCLUSIVE", "ACCESS EXCLUSIVE",
        )
    },
    f"SELECT max(id), coalesce(current_setting('x', true), 'y') FROM {TABLE}": [],
    "ALTER DOMAIN scratch_domain SET NOT NULL": nothing("AlterDomainStmt SET NOT NULL"),
    "ALTER DOMAIN scratch_domain ADD CONSTRAINT more CHECK (value > 0)": nothing("AlterDomainStmt ADD CONSTRAINT"),
    f"REFRESH MATERIALIZED VIEW CONCURRENTLY {SUMMARY}": on("RefreshMatViewStmt concurrent", table=SUMMARY),
    f"TRUNCATE {TABLE} CASCADE": on("TruncateStmt") + nothing("TruncateStmt CASCADE"),
    "ALTER TABLE scratch_child INHERIT scratch_parent": on("AT_AddInherit", table="scratch_child"),
}  # fmt: skip
# Statements that no test runs: they need another server or more rights, run outside of transactions only, or lock more
# than the table (REINDEX INDEX locks the index, which every query plan opens; CASCADE locks unknown tables).
NOT_RUN = {
    "DROP FUNCTION scratch_function() CASCADE": nothing("DropStmt CASCADE"),
    "ALTER INDEX scratch_word SET (deduplicate_items = off)": on("AT_SetRelOptions"),
    "LOCK TABLE scratch_window": nothing("LockStmt ACCESS EXCLUSIVE"),
    "DO $$ DECLARE x text; BEGIN x = 'a:=b'; END $$": [],
    "DO $$ BEGIN EXECUTE format('COMMENT ON TABLE %I IS %L', 'scratch_rows', '100%'); END $$": nothing("CommentStmt"),
    f"DO $$ BEGIN EXECUTE format('DELETE FROM {TABLE} WHERE id %% 2 = %L', 1); END $$": on("DeleteStmt"),
    "REINDEX (VERBOSE) INDEX scratch_word": on("ReindexStmt INDEX"),
    f"CREATE INDEX CONCURRENTLY ON {TABLE} (number)": on("IndexStmt concurrent"),
    f"CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON {TABLE} (number)": on("IndexStmt concurrent"),
    "DROP INDEX CONCURRENTLY IF EXISTS scratch_word": on("DropStmt INDEX concurrent"),
    f"CREATE INDEX CONCURRENTLY ON {SPLIT} (n)": on("IndexStmt partitioned concurrent", table=SPLIT),
    "DROP INDEX CONCURRENTLY scratch_split_n": on("DropStmt INDEX partitioned concurrent", table=SPLIT),
    "ALTER INDEX scratch_whole ATTACH PARTITION scratch_piece": on("AT_AttachPartition index", table=FIRST),
    f"ALTER TABLE {SPLIT} DETACH PARTITION {FIRST} CONCURRENTLY": on(
        "AT_DetachPartition default concurrent", table=SPLIT
    ),
    "REINDEX (CONCURRENTLY) INDEX scratch_word": on("ReindexStmt concurrent"),
    f"REINDEX TABLE CONCURRENTLY {TABLE}": on("ReindexStmt concurrent"),
    "REINDEX SCHEMA public": nothing("ReindexStmt SCHEMA"),
    "ALTER SCHEMA reports RENAME TO archive": nothing("RenameStmt SCHEMA"),
    f"ALTER TABLE {TABLE} ADD COLUMN more integer NOT NULL": on("AT_AddColumn required"),
    f"ALTER TABLE {TABLE} ADD COLUMN more integer DEFAULT NULL NOT NULL": on("AT_AddColumn required"),
    f"ALTER TABLE {TABLE} ADD COLUMN more integer DEFAULT NULL::integer NOT NULL": on("AT_AddColumn required"),
    f"ALTER TABLE {TABLE} ALTER CONSTRAINT scratch_key ENFORCED": on("AT_AlterConstraint enforced"),
    f"ALTER TABLE {TABLE} ALTER CONSTRAINT scratch_key NOT ENFORCED": on("AT_AlterConstraint"),
    f"ALTER TABLE {TABLE} DROP CONSTRAINT scratch_old CASCADE": on("AT_DropConstraint") + nothing("DropStmt CASCADE"),
    f"ALTER TABLE {TABLE} ALTER COLUMN generating TYPE text": on("AT_AlterColumnType fixed"),
    f"ALTER TABLE {TABLE} ALTER COLUMN viewed TYPE text": on("AT_AlterColumnType fixed"),
    f"ALTER TABLE {TABLE} ALTER COLUMN watched TYPE text": on("AT_AlterColumnType fixed"),
    f"ALTER TABLE {TABLE} ALTER COLUMN guarded TYPE text": on("AT_AlterColumnType fixed"),
    f"VACUUM ANALYZE {TABLE}": on("VacuumStmt"),
    f"VACUUM (FULL false) {TABLE}": on("VacuumStmt"),
    f"VACUUM (FULL, VERBOSE) {TABLE}": on("VacuumStmt full"),
    "VACUUM FULL": nothing("VacuumStmt full"),
    "ALTER DOMAIN d VALIDATE CONSTRAINT c": nothing("AlterDomainStmt VALIDATE CONSTRAINT"),
    f"ALTER TABLE {TABLE} SET SCHEMA archive": on("AlterObjectSchemaStmt TABLE"),
    f"ALTER TABLE {TABLE} ALTER COLUMN doubled SET EXPRESSION AS (number * 3)": on("AT_SetExpression"),
    f"ALTER TABLE {TABLE} ADD CONSTRAINT c NOT NULL number": on("AT_AddConstraint NOTNULL"),
    f"ALTER TABLE {TABLE} ADD CONSTRAINT c NOT NULL number NOT VALID": on("AT_AddConstraint NOTNULL NOT VALID"),
    f"ALTER TABLE {TABLE} ADD PRIMARY KEY USING INDEX i": on("AT_AddConstraint PRIMARY USING INDEX"),
    f"ALTER TABLE {TABLE} SET LOGGED": on("AT_SetLogged"),
    f"ALTER TABLE {TABLE} SET TABLESPACE fast": on("AT_SetTableSpace"),
    f"ALTER TABLE {TABLE} SET ACCESS METHOD heap2": on("AT_SetAccessMethod"),
    f"ALTER TABLE {TABLE} ENABLE TRIGGER ALL": on("AT_EnableTrigAll"),
    f"ALTER TABLE {TABLE} DISABLE TRIGGER ALL": on("AT_DisableTrigAll"),
    f"ALTER TABLE {PARTED} DETACH PARTITION {PART} CONCURRENTLY": on("AT_DetachPartition concurrent", table=PARTED),
    f"ALTER TABLE {TABLE} ADD COLUMN m uuid DEFAULT extensions.uuid_generate_v4()": on("AT_AddColumn volatile default"),
    f"ALTER TABLE {TABLE} ADD COLUMN m timestamptz DEFAULT public.now()": on("AT_AddColumn volatile default"),
    f"COPY {TABLE} FROM STDIN": on("CopyStmt FROM"),
    f"COPY {TABLE} TO STDOUT": [],
    **{
        statement: nothing("TransactionStmt")
        for statement in (
            "COMMIT",
            "BEGIN",
            "START TRANSACTION",
            "SAVEPOINT s",
            "ROLLBACK TO s",
            "END",
            "PREPARE TRANSACTION 'p'",
        )
    },
    "SET lock_timeout = 0": nothing("VariableSetStmt lock_timeout"),
    "SET LOCAL LOCK_TIMEOUT = '1h'": nothing("VariableSetStmt lock_timeout"),
    "SET lock_timeout TO DEFAULT": nothing("VariableSetStmt lock_timeout"),
    "RESET ALL": nothing("VariableSetStmt lock_timeout"),
    "SET crm.company_id = '1'": nothing("VariableSetStmt"),
    "CREATE EXTENSION IF NOT EXISTS pg_trgm": nothing("CreateExtensionStmt"),
    "CREATE ROLE reporting": nothing("CreateRoleStmt"),
    "GRANT reporting TO crm": nothing("GrantRoleStmt"),
    "CREATE SCHEMA reports CREATE INDEX ON t (a)": nothing("CreateSchemaStmt") + on("IndexStmt", table="t"),
    "DROP AGGREGATE a (integer)": nothing("DropStmt AGGREGATE"),
    "DROP COLLATION c": nothing("DropStmt COLLATION"),
    "DROP EXTENSION pg_trgm": nothing("DropStmt EXTENSION"),
    "DROP FUNCTION f (integer)": nothing("DropStmt FUNCTION"),
    "DROP PROCEDURE p (integer)": nothing("DropStmt PROCEDURE"),
    "DROP SCHEMA s": nothing("DropStmt SCHEMA"),
}
UNREADABLE = [
    "ALTER TABEL calls ADD COLUMN n integer",
    "ALTER TABLE calls SET (user_catalog_table = true)",
    "ALTER SYSTEM SET lock_timeout = 0",
    "CALL do_everything()",
    "COPY calls FROM PROGRAM 'cat'",
    "CREATE TABLE copied AS EXECUTE prepared",
    "DO $$ BEGIN EXECUTE 'DROP TABLE ' || name; END $$",
    "DO $$ BEGIN EXECUTE format('SELECT 1 %s', '; DROP TABLE calls'); END $$",
    "DO $$ BEGIN EXECUTE format('SELECT 1 %1$s', '; DROP TABLE calls'); END $$",
    "DO $$ DECLARE x text; BEGIN x = do_everything() /* := 1 -- */; END $$",
    "DO $$ BEGIN FOR i IN 1..9 LOOP COMMIT; END LOOP; END $$",
    "DO $$ BEGIN PERFORM do_everything(); END $$",
    "DO $$ BEGIN not PL/pgSQL; END $$",
    "DO LANGUAGE plpython3u $$ print(1) $$",
    "DROP DATABASE crm",
    "DROP OWNED BY crm",
    "EXECUTE prepared",
    "EXPLAIN ANALYZE DELETE FROM calls",
    "SELECT do_everything()",
    "SELECT E'\\'', do_everything() --'",
    "SELECT pg_catalog.pg_sleep(60)",
    "SELECT set_config('lock_timeout', '0', false)",
    "SET search_path = other",
]
