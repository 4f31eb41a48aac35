"""Django operations for each verdict, by what they do."""

from ops.safe_migrations import recommendations as use

KNOWN = 'models.CheckConstraint(condition=models.Q(duration_s__isnull=False), name="calls_duration_known")'
ADD_INDEX = 'migrations.AddIndex("call", crm.db.indexes.Index(fields=["voicemail_url"], name="planted"))'
ADD_CHECK = (
    'migrations.AddConstraint("call", models.CheckConstraint(condition=~models.Q(from_number="x"), name="planted"))'
)
ADD_UNIQUE = 'migrations.AddConstraint("call", models.UniqueConstraint(fields=["id", "status"], name="planted"))'
LONGER = 'migrations.AlterField("call", "recording_url", models.URLField(max_length=600{}))'
# Operations and their recommendation.
REFUSED = {
    "index": (ADD_INDEX, use.ADD_INDEX),
    "removed index": ('migrations.RemoveIndex("call", "ix_calls_created_at")', use.REMOVE_INDEX),
    "check": (ADD_CHECK, use.ADD_CONSTRAINT),
    "unique": (ADD_UNIQUE, use.UNIQUE),
    "changed type": (
        'migrations.AlterField("call", "duration_s", models.BigIntegerField(null=True))',
        use.CHANGE_TYPE,
    ),
    "shorter text": (
        'migrations.AlterField("call", "recording_url", models.URLField(max_length=400))',
        use.CHANGE_TYPE,
    ),
    "not null": (
        'migrations.AlterField("call", "completed_at", models.DateTimeField())',
        use.SET_NOT_NULL,
    ),
    "volatile default": (
        'migrations.AddField("call", "planted", models.UUIDField(db_default=RandomUUID()))',
        use.VALUE_PER_ROW,
    ),
    "stored": (
        'migrations.AddField("call", "planted", models.GeneratedField(expression=models.F("id") + 1,'
        " output_field=models.BigIntegerField(), db_persist=True))",
        use.VALUE_PER_ROW,
    ),
    "indexed field": (
        'migrations.AddField("call", "planted", models.IntegerField(null=True, db_index=True))',
        use.ADD_INDEX,
    ),
    "unique field": (
        'migrations.AddField("call", "planted", models.IntegerField(null=True, unique=True))',
        use.UNIQUE,
    ),
    "checked field": (
        'migrations.AddField("call", "planted", models.PositiveIntegerField(null=True))',
        use.ADD_COLUMN_WITH_CHECK,
    ),
    "foreign key": (
        'migrations.AlterField("call", "duration_s", models.ForeignKey("crm.contact", models.PROTECT, null=True,'
        ' db_column="duration_s", db_index=False))',
        use.ADD_CONSTRAINT,
    ),
    "key and index": (
        'migrations.AddField("call", "planted", models.ForeignKey("crm.contact", models.PROTECT, null=True))',
        use.ADD_INDEX,
    ),
    "statement on all rows": (
        "RunSQLForAllTenants(\"UPDATE calls SET to_number = ''\", migrations.RunSQL.noop)",
        use.ROWS,
    ),
    "statement with parameters": (
        'migrations.RunSQL([("UPDATE calls SET to_number = %s WHERE id = %s", ["x", 1])], migrations.RunSQL.noop)',
        use.ROWS,
    ),
    "statement that builds": (
        'RunSQLForAllTenants("SELECT 1; CREATE INDEX planted ON public.calls (id) -- fast", migrations.RunSQL.noop)',
        use.ADD_INDEX,
    ),
    "rewriting statement": (
        'RunSQLForAllTenants("ALTER TABLE calls SET UNLOGGED", migrations.RunSQL.noop)',
        use.REWRITE,
    ),
    "nested operation": (
        f"migrations.SeparateDatabaseAndState(database_operations=[{ADD_INDEX}])",
        use.ADD_INDEX,
    ),
    "validated under the lock": (
        f'AddConstraintNotValid("call", {KNOWN}), ValidateConstraint("call", "calls_duration_known")',
        use.HELD,
    ),
    "longer text under a check": (
        'AddConstraintNotValid("call", models.CheckConstraint(condition=~models.Q(recording_url="x"), name="planted")),'
        f" {LONGER.format('')}",
        use.CHECKED_TYPE,
    ),
    "longer text under a condition": (
        'migrations.AddIndex("call", crm.db.indexes.Index(fields=["id"], condition=models.Q(recording_url="x"),'
        f' name="planted")), {LONGER.format("")}',
        use.INDEXED_TYPE,
    ),
    "longer text under an expression": (
        'migrations.AddIndex("call", crm.db.indexes.Index(models.functions.Lower("recording_url"), name="planted")),'
        f" {LONGER.format('')}",
        use.INDEXED_TYPE,
    ),
    "longer text of an indexed column in another collation": (
        'migrations.AddIndex("call", crm.db.indexes.Index(fields=["recording_url"], name="planted")),'
        f""" {LONGER.format(', db_collation="C"')}""",
        use.INDEXED_TYPE,
    ),
    "python under the lock": (
        'migrations.AddField("call", "planted", models.IntegerField(null=True)),'
        " RunPythonForAllTenants(migrations.RunPython.noop)",
        use.HELD,
    ),
}
# Operations that would fail, whatever the table's size.
FAILING = {
    "type of a generating column": (
        'migrations.AddField("call", "planted", models.GeneratedField('
        'expression=models.functions.Upper("recording_url"),'
        f" output_field=models.TextField(), db_persist=True)), {LONGER.format('')}",
        use.FIXED_TYPE,
    ),
    "column without a value": ('migrations.AddField("call", "planted", models.IntegerField())', use.NO_VALUE),
    "concurrent index": (
        'AddIndexConcurrently("call", crm.db.indexes.Index(fields=["voicemail_url"], name="planted"))',
        use.IN_TRANSACTION,
    ),
    "concurrent drop": ('RemoveIndexConcurrently("call", "ix_calls_created_at")', use.IN_TRANSACTION),
    "concurrent unique": (
        'AddUniqueConstraintConcurrently("call", models.UniqueConstraint(fields=["id", "status"], name="planted"))',
        use.IN_TRANSACTION,
    ),
    "vacuum": ('RunSQLForAllTenants("VACUUM calls")', use.IN_TRANSACTION),
    "nested transaction": ('RunSQLForAllTenants("BEGIN; SELECT 1; COMMIT")', use.TRANSACTION),
    "savepoint": ('RunSQLForAllTenants("SAVEPOINT s")', use.TRANSACTION),
}
# Operations that block no session.
FINE = {
    "field": 'migrations.AddField("call", "planted", models.IntegerField(null=True))',
    "field with a database default": (
        'migrations.AddField("call", "planted", models.CharField(max_length=9, default="(a, b)", db_default="(a, b)"))'
    ),
    "stable default": 'migrations.AddField("call", "planted", models.DateTimeField(db_default=Now()))',
    "plain key": (
        'migrations.AddField("call", "planted", models.ForeignKey("crm.contact", models.PROTECT, null=True,'
        " db_index=False))"
    ),
    "same company key": (
        'migrations.AddField("call", "planted", models.ForeignKey("crm.contact", models.PROTECT, null=True,'
        ' db_index=False)), AddConstraintNotValid("call", crm.db.policies.SameCompany(field="planted", name="planted"))'
    ),
    "check not valid": f'AddConstraintNotValid("call", {KNOWN})',
    "new table": (
        'migrations.CreateModel("Planted", [("id", models.BigAutoField(primary_key=True)),'
        ' ("call", models.ForeignKey("calls.call", models.CASCADE)), ("n", models.PositiveIntegerField(unique=True))]),'
        ' migrations.AddIndex("planted", crm.db.indexes.Index(fields=["n", "call"], name="planted_n_call"))'
    ),
}
WARNED = {
    "rename": ('migrations.RenameField("call", "voicemail_url", "planted")', use.RENAME),
    "remove": ('migrations.RemoveField("call", "voicemail_url")', use.DROP_COLUMN),
    "python": ("RunPythonForAllTenants(migrations.RunPython.noop)", use.PYTHON),
    "longer text": (LONGER.format(""), use.STATISTICS),
    "null allowed": (
        'migrations.AlterField("call", "recording_url", models.URLField(max_length=500, null=True))',
        use.NULLABLE,
    ),
    "field with a default": (
        'migrations.AddField("call", "planted", models.CharField(max_length=9, default="(a, b)"))',
        use.REQUIRED_COLUMN,
    ),
    "field with a default for old rows": (
        'migrations.AddField("call", "planted", models.IntegerField(default=1), preserve_default=False)',
        use.REQUIRED_COLUMN,
    ),
    "database default removed": (
        'migrations.AddField("call", "planted", models.IntegerField(db_default=1)),'
        ' migrations.AlterField("call", "planted", models.IntegerField())',
        use.REQUIRED_COLUMN,
    ),
    "dropped extension": ('RunSQLForAllTenants("DROP EXTENSION pg_trgm")', use.DROP_OBJECT),
}
CONCURRENT = {
    "index": 'AddIndexConcurrently("call", crm.db.indexes.Index(fields=["voicemail_url"], name="planted"))',
    "removed index": 'RemoveIndexConcurrently("call", "ix_calls_created_at")',
    "unique": (
        'AddUniqueConstraintConcurrently("call", models.UniqueConstraint(fields=["id", "status"], name="planted"))'
    ),
    "unique with a condition": (
        'AddUniqueConstraintConcurrently("call", models.UniqueConstraint(fields=["id", "booked"],'
        ' condition=models.Q(booked=True), name="planted_where"))'
    ),
}
