"""Row-level security, tested with queries that bypass the tenant managers."""

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, models, transaction

from calls.models.attachments import OWNERS, Attachment
from crm.db.data_operations import RunPythonForAllTenants, RunSQLForAllTenants
from crm.db.policies import ACTORS, ALL_SETTING, COMPANY_SETTING, SameCompany
from crm.db.tenancy import TenantModel, all_tenants, tenant
from crm.models import AuditEntry, Change, Contact, DuplicateCandidate, Lead
from tests import factories
from tests.conftest import postgres_only

pytestmark = [pytest.mark.django_db, postgres_only]

TENANT_MODELS = [model for model in apps.get_models() if issubclass(model, TenantModel)]
FACTORIES = {factory._meta.model: factory for factory in vars(factories).values() if hasattr(factory, "_meta")}
REFERENCES = [
    (model, constraint.field)
    for model in TENANT_MODELS
    for constraint in model._meta.constraints
    if isinstance(constraint, SameCompany)
]
every_model = pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model._meta.db_table)


@pytest.fixture(autouse=True)
def without_all_companies():
    """Clear the session's setting that lets other tests see every row."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, '', true)", [ALL_SETTING])


def unfiltered(model):
    """Return the model's rows by a plain queryset, which has no company filter."""
    return models.QuerySet(model)


def make(model, company):
    """Create a row of `company`, with the rows that it refers to."""
    factory = FACTORIES[model]
    if issubclass(factory, factories.OfContactFactory):
        return factory(contact__company=company)
    path = dict.fromkeys(["callanalysis", "calldetail", "callobjection"], "call__contact__company")
    path |= {"optoutentry": "opt_out__company", "appointmentreminder": "appointment__contact__company"}
    path |= {"appointmentproposal": "appointment__contact__company"}
    return factory(**{path.get(model._meta.model_name, "company"): company})


@every_model
def test_tenant_table_has_a_forced_policy(model):
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.relrowsecurity, c.relforcerowsecurity, array_agg(p.polname::text)
            FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid
            WHERE c.oid = %s::regclass GROUP BY c.oid
            """,
            [model._meta.db_table],
        )
        *forced, policies = cursor.fetchone()
    name = f"{model._meta.db_table}_tenant"
    assert forced == [True, True]
    assert set(policies) == ({name, f"{name}_append"} if model in (AuditEntry, Change) else {name})


@every_model
def test_unfiltered_query_finds_only_the_active_company(model, acme, globex):
    own, foreign = make(model, acme), make(model, globex)
    with tenant(acme.pk):
        found = {row.pk for row in unfiltered(model)}
        assert own.pk in found
        assert foreign.pk not in found
        assert not unfiltered(model).filter(pk=foreign.pk).exists()


@every_model
def test_query_without_an_active_company_finds_nothing(model, acme):
    make(model, acme)
    assert not unfiltered(model).exists()


@every_model
def test_rows_of_another_company_are_neither_changed_nor_deleted(model, acme, globex):
    foreign = make(model, globex)
    column = next(field.name for field in model._meta.concrete_fields if not field.generated and not field.is_relation)
    with tenant(acme.pk):
        assert unfiltered(model).filter(pk=foreign.pk).update(company=acme) == 0
        assert unfiltered(model).filter(pk=foreign.pk)._raw_delete(connection.alias) == 0
    with all_tenants():
        assert model.objects.values_list(column, flat=True).get(pk=foreign.pk) == getattr(foreign, column)


@every_model
def test_row_cannot_be_moved_to_another_company(model, acme, globex):
    own = make(model, acme)
    refused = pytest.raises(DatabaseError, match="row-level security")
    with tenant(acme.pk), refused, transaction.atomic():
        unfiltered(model).filter(pk=own.pk).update(company=globex)


def test_raw_sql_finds_only_the_active_company(acme, globex):
    factories.ContactFactory(company=globex)
    with tenant(acme.pk), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM contacts")
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize(("model", "field"), REFERENCES, ids=lambda value: getattr(value, "__name__", value))
def test_foreign_key_to_another_company_is_refused(model, field, acme, globex):
    own = make(model, acme)
    target = model._meta.get_field(field).related_model
    foreign = FACTORIES[target](company=globex) if target._meta.model_name == "user" else make(target, globex)
    if (model, field) == (DuplicateCandidate, "first"):
        own = make(model, acme)  # the first contact of a pair is the older one
    also = dict.fromkeys(OWNERS) if model is Attachment else {}  # it has one owner
    with pytest.raises(IntegrityError, match="same_company"), all_tenants(), transaction.atomic():  # noqa: PT012
        unfiltered(model).filter(pk=own.pk).update(**also | {field: foreign})
        connection.check_constraints()


def test_every_foreign_key_between_tenant_models_has_a_constraint(acme):
    missing = [
        f"{model.__name__}.{field.name}"
        for model in TENANT_MODELS
        for field in model._meta.local_fields
        if field.is_relation and field.name not in {"company", *ACTORS} and (model, field.name) not in REFERENCES
    ]
    assert missing == []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), bool_and(convalidated) FROM pg_constraint WHERE conname LIKE '%same\\_company'"
        )
        assert cursor.fetchone() == (len(REFERENCES), True)


def test_foreign_key_is_checked_once():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, attname, count(*) FROM pg_constraint"
            " JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)"
            " WHERE contype = 'f' AND attname NOT IN ('company_id', 'tenant_id') GROUP BY 1, 2 HAVING count(*) > 1"
        )
        assert cursor.fetchall() == []


def test_removed_constraint_restores_the_plain_foreign_key(acme):
    constraint = next(c for c in Lead._meta.constraints if c.name == "leads_contact_id_same_company")
    held = (
        "SELECT array_agg(conname::text ~ 'same_company') FROM pg_constraint"
        " JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)"
        " WHERE conrelid = 'leads'::regclass AND contype = 'f' AND attname = 'contact_id'"
    )
    with connection.schema_editor(atomic=False) as editor, connection.cursor() as cursor:
        editor.remove_constraint(Lead, constraint)
        cursor.execute(held)
        assert cursor.fetchone() == ([False],)
        editor.add_constraint(Lead, constraint)
        cursor.execute(held)
        assert cursor.fetchone() == ([True],)


def test_active_company_ends_with_its_transaction(acme, globex):
    """A pooler in transaction mode gives the connection to another client."""
    factories.ContactFactory(company=acme)
    with tenant(acme.pk):
        with tenant(globex.pk):
            assert not models.QuerySet(Contact).exists()
        assert models.QuerySet(Contact).exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s, true), current_setting(%s, true)", [COMPANY_SETTING, ALL_SETTING])
        assert not any(cursor.fetchone())


@pytest.mark.django_db(transaction=True)
def test_failure_restores_the_outer_company(acme, globex):
    with pytest.raises(DatabaseError), tenant(acme.pk):  # noqa: PT012
        with pytest.raises(ZeroDivisionError), tenant(globex.pk):
            raise ZeroDivisionError
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting(%s, true)", [COMPANY_SETTING])
            assert cursor.fetchone() == (str(acme.pk),)
            cursor.execute("SELECT 1 / 0")
    assert not connection.in_atomic_block


def test_database_role_is_bound_by_policies():
    found = {message.id for message in run_checks(databases=["default"], include_deployment_checks=True)}
    assert not found & {"crm.W001", "crm.E001", "crm.E002"}


def test_data_migration_sees_every_company(acme, globex):
    for company in (acme, globex):
        factories.ContactFactory(company=company, first_name="")

    def fill(apps, schema_editor):
        apps.get_model("crm", "Contact").objects.update(first_name="Dear")

    for operation in (
        RunPythonForAllTenants(fill),
        RunSQLForAllTenants("UPDATE contacts SET last_name = 'Customer'"),
    ):
        with connection.schema_editor(atomic=False) as editor:
            operation.database_forwards("crm", editor, _State, _State)
    with all_tenants():
        assert set(Contact.objects.values_list("first_name", "last_name")) == {("Dear", "Customer")}


class _State:
    apps = apps

    @staticmethod
    def clear_delayed_apps_cache():
        pass


def test_plain_data_migration_is_refused(tmp_path, monkeypatch, settings):
    package = tmp_path / "plain_migrations"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "0001_initial.py").write_text(
        "from django.db import migrations\n"
        "class Migration(migrations.Migration):\n"
        "    operations = [migrations.RunSQL('SELECT 1'), migrations.RunPython(migrations.RunPython.noop)]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    settings.MIGRATION_MODULES = {"crm": "plain_migrations"}
    refused = [message for message in run_checks() if message.id == "crm.E002"]
    assert [message.msg.split()[-1] for message in refused] == ["RunSQL.", "RunPython."]


def test_policy_can_be_removed_and_added(acme):
    with connection.schema_editor(atomic=False) as editor:
        for constraint in reversed(Contact._meta.constraints):
            if "tenant" in constraint.name:
                editor.remove_constraint(Contact, constraint)
                editor.add_constraint(Contact, constraint)
    call_command("check")
