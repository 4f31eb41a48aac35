"""Row-level security policies and same-company foreign keys of tenant models. Frozen into migrations.

Both are constraints for Django, so `makemigrations` detects those of a new tenant model. On databases other than
PostgreSQL they do nothing.
"""

from typing import Any

from django.db import models
from django.db.backends.ddl_references import Statement, Table
from django.db.models.signals import class_prepared

COMPANY_SETTING, ALL_SETTING = "crm.company_id", "crm.all_companies"
# Foreign keys to the acting user, who may be staff without a company.
ACTORS = {
    "claimed_by", "created_by", "decided_by", "recovered_user", "requested_by", "started_by", "undone_by", "user",
}  # fmt: skip


class PostgresConstraint(models.BaseConstraint):
    """A constraint that is created after its table by PostgreSQL statements."""

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
        """Skip validation: a form can't violate these constraints."""

    def _join(self, model: Any, schema_editor: Any, statements: Any) -> Any:
        if schema_editor.connection.vendor != "postgresql":
            return None
        table = Table(model._meta.db_table, schema_editor.quote_name)
        return Statement("; ".join(statements(model, schema_editor)).replace("%", "%%"), table=table)


class TenantPolicy(PostgresConstraint):
    """Row-level security: a transaction sees and writes only the rows of its active tenant.

    It is FORCEd, so that it also binds the table's owner, which is the product's role. Without an active tenant no row
    is found. With `appended_from_anywhere` rows can also be inserted, and only inserted, outside of their company.

    Sub-selects read the settings once per statement, not once per row. CASE joins the two conditions instead of OR,
    since queries also name the company for the sake of indexes. In `company = 7 AND (company = … OR …)` the planner
    would assume two independent conditions, and so too few rows. It would then sort a large company's whole table for
    one page. For CASE it expects half of the rows.
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
        own = f"{company} = (SELECT NULLIF(current_setting('{COMPANY_SETTING}', true), '')::bigint)"
        all_companies = f"(SELECT current_setting('{ALL_SETTING}', true)) = 'on'"
        statements = [
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY {schema_editor.quote_name(self.name)} ON {table} "
            f"USING (CASE WHEN {all_companies} THEN true ELSE {own} END)",
        ]
        if self.appended_from_anywhere:
            statements.append(
                f"CREATE POLICY {self._append_policy(schema_editor)} ON {table} FOR INSERT WITH CHECK (true)"
            )
        return statements

    def reverse_statements(self, model: Any, schema_editor: Any) -> list[str]:
        table = schema_editor.quote_name(model._meta.db_table)
        return [
            f"DROP POLICY {schema_editor.quote_name(self.name)} ON {table}",
            f"DROP POLICY IF EXISTS {self._append_policy(schema_editor)} ON {table}",
            f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
        ]

    def _append_policy(self, schema_editor: Any) -> str:
        return schema_editor.quote_name(f"{self.name}_append")


class SameCompany(PostgresConstraint):
    """A foreign key that can only refer to a row of the same company. Plain foreign keys ignore row-level security.

    The referenced table needs a unique key (company, id), which is created with the first reference. The constraint is
    added NOT VALID, which takes a short lock, and validated afterwards, which reads the table while others write.
    Django's own foreign key of the field is dropped: a row always has a company, so it would check the same twice.
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
    """Add to a tenant model its policy, and a SameCompany for each foreign key to another tenant model or a user."""
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


class_prepared.connect(add_tenant_constraints, dispatch_uid="crm.db.policies.add_tenant_constraints")
