"""What PostgreSQL holds against a forgotten filter: declared for every tenant model, frozen into migrations.

Both are constraints in Django's eyes, so that `makemigrations` finds a new tenant model's by itself. Elsewhere than on
PostgreSQL they are nothing.
"""

from typing import Any

from django.db import models
from django.db.backends.ddl_references import Statement, Table
from django.db.models.signals import class_prepared

COMPANY_SETTING, ALL_SETTING = "crm.company_id", "crm.all_companies"
ACTORS = {"created_by", "user"}  # foreign keys that name who acted: staff may, and are of no company


class PostgresConstraint(models.BaseConstraint):
    """A constraint that is made after its table, by statements that PostgreSQL alone understands."""

    def statements(self, model: Any, schema_editor: Any) -> list[str]:
        raise NotImplementedError

    def reverse_statements(self, model: Any, schema_editor: Any) -> list[str]:
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PostgresConstraint) and self.deconstruct() == other.deconstruct()

    __hash__ = None  # type: ignore[assignment]

    def constraint_sql(self, model: Any, schema_editor: Any) -> Any:
        if statement := self.create_sql(model, schema_editor):
            schema_editor.deferred_sql.append(statement)

    def create_sql(self, model: Any, schema_editor: Any) -> Any:
        return self._join(model, schema_editor, self.statements)

    def remove_sql(self, model: Any, schema_editor: Any) -> Any:
        return self._join(model, schema_editor, self.reverse_statements)

    def validate(self, *args: Any, **kwargs: Any) -> None:
        """Nothing that a form could be told: who may see a row is no matter of what is in it."""

    def _join(self, model: Any, schema_editor: Any, statements: Any) -> Any:
        if schema_editor.connection.vendor != "postgresql":
            return None
        table = Table(model._meta.db_table, schema_editor.quote_name)
        return Statement("; ".join(statements(model, schema_editor)).replace("%", "%%"), table=table)


class TenantPolicy(PostgresConstraint):
    """Row-level security: of this table, a transaction sees and writes the rows of the company it has entered.

    FORCEd, so that it binds the table's owner, as whom we run. An unset company is no company's: nothing is found. With
    `appended_from_anywhere` rows can be added, and only added, outside of their company as well.

    The settings are read in sub-selects, once a statement and not once a row. The two cases stand in a CASE, not in an
    OR: our queries name the company themselves, so that an index can find it, and of `company = 7 AND (company = … OR
    …)` the planner would expect as few rows as of two independent conditions, and sort a large company's whole table
    for one page. Of a CASE it expects half.
    """

    def __init__(self, *, name: str, appended_from_anywhere: bool = False) -> None:
        super().__init__(name=name)
        self.appended_from_anywhere = appended_from_anywhere

    def deconstruct(self) -> tuple[str, Any, dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        if self.appended_from_anywhere:
            kwargs["appended_from_anywhere"] = True
        return path, args, kwargs

    def statements(self, model: Any, schema_editor: Any) -> list[str]:
        table = schema_editor.quote_name(model._meta.db_table)
        company = schema_editor.quote_name(model._meta.get_field("company").column)
        mine = f"{company} = (SELECT NULLIF(current_setting('{COMPANY_SETTING}', true), '')::bigint)"
        everybodys = f"(SELECT current_setting('{ALL_SETTING}', true)) = 'on'"
        statements = [
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY {schema_editor.quote_name(self.name)} ON {table} "
            f"USING (CASE WHEN {everybodys} THEN true ELSE {mine} END)",
        ]
        if self.appended_from_anywhere:
            statements.append(f"CREATE POLICY {self._appending(schema_editor)} ON {table} FOR INSERT WITH CHECK (true)")
        return statements

    def reverse_statements(self, model: Any, schema_editor: Any) -> list[str]:
        table = schema_editor.quote_name(model._meta.db_table)
        return [
            f"DROP POLICY {schema_editor.quote_name(self.name)} ON {table}",
            f"DROP POLICY IF EXISTS {self._appending(schema_editor)} ON {table}",
            f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
        ]

    def _appending(self, schema_editor: Any) -> str:
        return schema_editor.quote_name(f"{self.name}_append")


class SameCompany(PostgresConstraint):
    """A foreign key can only name a row of the same company. Foreign keys look past row-level security.

    The table referred to needs (company, id) as a key, which is made with the first reference. Added NOT VALID and
    validated after: the first takes a short lock, the second reads the table while others write. Django's own foreign
    key of the field goes: a row has always a company, so this one says all that it said; each write is checked once.
    """

    def __init__(self, *, field: str, name: str) -> None:
        super().__init__(name=name)
        self.field = field

    def deconstruct(self) -> tuple[str, Any, dict[str, Any]]:
        return f"{type(self).__module__}.{type(self).__qualname__}", (), {"field": self.field, "name": self.name}

    def statements(self, model: Any, schema_editor: Any) -> list[str]:
        quote = schema_editor.quote_name
        field = model._meta.get_field(self.field)
        other = field.related_model._meta
        table, company = quote(model._meta.db_table), quote(model._meta.get_field("company").column)
        key, columns = f"{other.db_table}_company_id_id_unique", f"{quote('company_id')}, {quote('id')}"
        return [
            f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = '{key}'"
            f" AND conrelid = '{quote(other.db_table)}'::regclass) THEN"
            f" ALTER TABLE {quote(other.db_table)} ADD CONSTRAINT {quote(key)}"
            f" UNIQUE ({columns}); END IF; END $$",
            f"ALTER TABLE {table} ADD CONSTRAINT {quote(self.name)} FOREIGN KEY ({company}, {quote(field.column)})"
            f" REFERENCES {quote(other.db_table)} ({columns})"
            f" DEFERRABLE INITIALLY DEFERRED NOT VALID",
            f"ALTER TABLE {table} VALIDATE CONSTRAINT {quote(self.name)}",
            f"DO $$ DECLARE plain name; BEGIN SELECT conname INTO plain FROM pg_constraint"  # noqa: S608  # names of our own models
            f" JOIN pg_attribute ON attrelid = conrelid AND conkey = ARRAY[attnum]"
            f" WHERE conrelid = '{table}'::regclass AND contype = 'f' AND attname = '{field.column}';"
            f" IF FOUND THEN EXECUTE format('ALTER TABLE {table} DROP CONSTRAINT %I', plain); END IF; END $$",
        ]

    def reverse_statements(self, model: Any, schema_editor: Any) -> list[str]:
        table = schema_editor.quote_name(model._meta.db_table)
        field = model._meta.get_field(self.field)
        return [
            str(schema_editor._create_fk_sql(model, field, "_fk_%(to_table)s_%(to_column)s")),
            f"ALTER TABLE {table} DROP CONSTRAINT {schema_editor.quote_name(self.name)}",
        ]


def add_tenant_constraints(sender: type[models.Model], **_signal: Any) -> None:
    """Give a tenant model its policy, and each of its foreign keys to rows of a company the same company."""
    from crm.db.tenancy import TenantModel

    meta = sender._meta
    if not issubclass(sender, TenantModel) or meta.abstract or meta.proxy:
        return
    references = [
        SameCompany(field=field.name, name=f"{meta.db_table}_{field.column}_same_company")
        for field in meta.local_fields
        if field.many_to_one or field.one_to_one
        if field.name != "company" and field.name not in ACTORS
    ]
    policy = TenantPolicy(
        name=f"{meta.db_table}_tenant",
        appended_from_anywhere=getattr(sender, "appended_from_anywhere", False),
    )
    meta.constraints = [*meta.constraints, policy, *references]
    meta.original_attrs["constraints"] = meta.constraints


class_prepared.connect(add_tenant_constraints, dispatch_uid="crm.db.policies.declare")
