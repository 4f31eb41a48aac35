"""Audit triggers."""

from datetime import UTC, datetime

import pytest
from django.core.management.sql import emit_pre_migrate_signal
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader

from crm.db.audit import Audit, CreateAuditTriggers
from crm.db.audit_context import acting_as, audit_disabled, moving_to
from crm.db.tenancy import all_tenants, tenant
from crm.db.triggers import declared_triggers
from crm.models import Activity, AuditEntry, Contact, Segment, User
from tests import factories
from tests.conftest import postgres_only, signed_in

pytestmark = pytest.mark.django_db
AUDITED = {
    "contacts": (factories.ContactFactory, {"first_name": "Kim"}),
    "contact_phones": (factories.ContactPhoneFactory, {"label": "home"}),
    "contact_flags": (factories.ContactFlagFactory, {"reason": "Asked for it."}),
    "contact_fields": (factories.ContactFieldFactory, {"label": "Roof age"}),
    "contact_lists": (factories.ContactListFactory, {"name": "Spring mailing"}),
    "api_tokens": (factories.ApiTokenFactory, {"name": "Website"}),
    "calendar_feeds": (factories.CalendarFeedFactory, {"beginning": "7dPz"}),
    "tags": (factories.TagFactory, {"name": "VIP"}),
    "campaigns": (factories.CampaignFactory, {"name": "Autumn check"}),
    "appointments": (factories.AppointmentFactory, {"notes": "Knock twice."}),
    "appointment_proposals": (factories.AppointmentProposalFactory, {"note": "Rain."}),
    "archived_chunks": (factories.ArchivedChunkFactory, {"bundle": "activities"}),
    "imports": (factories.ImportFactory, {"name": "May.csv"}),
    "invoices": (factories.InvoiceFactory, {"number": "INV-9"}),
    "leads": (factories.LeadFactory, {"notes": "Wants a quote."}),
    "campaign_steps": (factories.CampaignStepFactory, {"body": "Any questions?"}),
    "marketing_consents": (factories.MarketingConsentFactory, {"wording": "I agree."}),
    "merges": (factories.ContactMergeFactory, {"gone_id": 7}),
    "tasks": (factories.TaskFactory, {"title": "Call back."}),
    "time_off": (factories.TimeOffFactory, {"reason": "Holiday"}),
    "snippets": (factories.SnippetFactory, {"body": "We are closed."}),
    "segments": (factories.SegmentFactory, {"name": "Customers in Boulder"}),
    "provider_accounts": (factories.ProviderAccountFactory, {"account_id": "AC1"}),
    "webhook_secrets": (factories.WebhookSecretFactory, {"provider": "twilio"}),
    "outgoing_webhooks": (factories.OutgoingWebhookFactory, {"name": "Shop"}),
    "users": (factories.UserFactory, {"role": "manager"}),
}
THIRD = {
    "role": "rep",
    "gone_id": 9,
    "provider": "callrail",
    "beginning": "k9Qz",
}  # a third value of columns that take no other text
NOTES = "activities"  # of which notes are audited, and no inserts
WITHOUT_INSERTS = ["contact_tags", "contact_field_values"]  # the rows name their authors
SETTINGS = "companies"  # without inserts: nobody of the company was there


def entries(row=None, **conditions):
    with all_tenants():
        found = AuditEntry.objects.filter(**conditions).order_by("id")
        if row is not None:
            found = found.filter(table_name=row._meta.db_table, row_id=row.pk)
        return list(found)


def test_these_tables_are_audited():
    assert {model._meta.db_table for model, _ in declared_triggers(Audit)} == {
        *AUDITED,
        *WITHOUT_INSERTS,
        NOTES,
        SETTINGS,
    }


def test_migrations_create_the_triggers_that_models_declare():
    recorded = {
        (label, operation.model_name): operation.audit
        for (label, _), migration in sorted(MigrationLoader(None).disk_migrations.items())
        for operation in migration.operations
        if isinstance(operation, CreateAuditTriggers)
    }
    assert recorded == {
        (model._meta.app_label, model._meta.model_name): audit for model, audit in declared_triggers(Audit)
    }


def test_declared_columns_exist():
    for model, audit in declared_triggers(Audit):
        columns = {field.column for field in model._meta.concrete_fields}
        assert {*audit.skips, *audit.hides, *audit.keeps} <= columns


@pytest.mark.parametrize("table", AUDITED)
def test_insert_update_and_delete_are_three_entries(table):
    make, change = AUDITED[table]
    row = make()
    row_id, [(column, value)] = row.pk, change.items()
    before = getattr(row, column)
    for name, new in change.items():
        setattr(row, name, new)
    row.save(update_fields=change)  # an encrypted column has another text after each save
    with all_tenants():
        row.delete()
    row.pk = row_id
    inserted, updated, deleted = entries(row)
    assert [inserted.action, updated.action, deleted.action] == ["insert", "update", "delete"]
    assert inserted.changes[column] == [None, before]
    assert updated.changes == {column: [before, value]}
    assert deleted.changes[column] == [value, None]
    assert {entry.company_id for entry in (inserted, updated, deleted)} == {row.company_id}


@pytest.mark.parametrize("table", AUDITED)
def test_bulk_and_raw_updates_are_recorded(table):
    make, change = AUDITED[table]
    row = make()
    model = type(row)
    copy = model._base_manager.get(pk=row.pk)
    [(column, value)] = change.items()
    with all_tenants():
        model._base_manager.filter(pk=row.pk).update(**change)
        setattr(copy, column, THIRD.get(column, "third"))
        model._base_manager.bulk_update([copy], [column])
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", [value, row.pk])
    changes = [entry.changes[column][1] for entry in entries(row, action="update")]
    assert changes == [value, getattr(copy, column), value]


def test_each_row_of_a_bulk_insert_is_recorded(acme):
    contacts = [Contact(company=acme, phone=factories.fictional_number(n)) for n in range(43_000, 43_003)]
    with tenant(acme.pk):
        Contact.objects.bulk_create(contacts)
    assert [entry.changes["phone"] for entry in entries(table_name="contacts")] == [[None, c.phone] for c in contacts]


@postgres_only
def test_copied_rows_are_recorded(acme):
    import io

    line = f"{acme.pk}\tKim\t\t+12125550199\t\t\t\t\t\t\t2026-03-01\t2026-03-01\n"
    columns = "company_id, first_name, last_name, phone, email, address, city, state, postal_code, timezone"
    with connection.cursor() as cursor:
        # Under row-level security COPY works only into a table without policies.
        cursor.execute(f"CREATE TEMPORARY TABLE copied AS SELECT {columns}, created_at, updated_at FROM contacts")
        cursor.copy_expert("COPY copied FROM STDIN", io.StringIO(line))
        cursor.execute(f"INSERT INTO contacts ({columns}, created_at, updated_at) SELECT * FROM copied")
    [entry] = entries(table_name="contacts")
    assert entry.changes["first_name"] == [None, "Kim"]


def test_update_of_skipped_columns_makes_no_entry():
    contact, user = factories.ContactFactory(), factories.UserFactory()
    contact.save()  # updated_at alone
    with all_tenants():
        User.objects.filter(pk=user.pk).update(last_login="2026-03-01T12:00Z", first_name="")
    assert entries(contact, action="update") == entries(user, action="update") == []


def test_generated_columns_are_left_out():
    appointment = factories.AppointmentFactory()
    assert not {"date", "time", "updated_at"} & entries(appointment)[0].changes.keys()


def test_password_change_is_recorded_without_the_hash():
    user = factories.UserFactory()
    before = user.password
    user.set_password("another one")
    user.save()
    assert entries(user)[1].changes == {"password": ["(hidden)", "(hidden)"]}
    for entry in entries():
        assert before not in str(entry.changes)
        assert user.password not in str(entry.changes)


def test_staff_account_is_recorded_without_a_company(staff):
    User.accounts.filter(pk=staff.pk).update(is_superuser=False)
    inserted, updated = entries(staff)
    assert inserted.company_id is None
    assert set(updated.changes) == {"is_superuser"}


def test_api_records_the_user(manager, csr, acme):
    contact = factories.ContactFactory(company=acme)
    url = f"/api/v1/contacts/{contact.pk}"
    assert signed_in(manager).patch(url, {"first_name": "Kim"}).status_code == 200
    assert signed_in(csr).patch(url, {"first_name": "Kit"}).status_code == 200
    factories.ContactFlagFactory(contact=contact)
    updates = entries(contact, action="update")
    assert [(entry.actor_id, entry.actor) for entry in updates] == [(manager.pk, "maria"), (csr.pk, "carla")]
    [flag] = entries(table_name="contact_flags")
    assert (flag.actor_id, flag.actor) == (None, "")


def test_admin_records_the_staff_user(client, staff, acme):
    campaign = factories.CampaignFactory(company=acme)
    client.force_login(staff)
    form = {"name": "Autumn", "purpose": "marketing", "steps-TOTAL_FORMS": 0, "steps-INITIAL_FORMS": 0}
    answer = client.post(f"/admin/crm/campaign/{campaign.pk}/change/", form)
    assert answer.status_code == 302, answer.content
    [entry] = entries(campaign, action="update")
    assert (entry.actor_id, entry.actor) == (staff.pk, "stella")


def test_program_is_recorded_until_its_block_ends(acme):
    with transaction.atomic(), acting_as(7, "outer"):
        with acting_as(None, "inner"):
            factories.CampaignFactory(company=acme)
        factories.CampaignFactory(company=acme)
    factories.CampaignFactory(company=acme)
    assert [entry.actor for entry in entries(table_name="campaigns")] == ["inner", "outer", ""]


def test_rollback_leaves_no_entry_and_no_actor(acme):
    def fail():
        with transaction.atomic(), acting_as(None, "unlucky"):
            factories.CampaignFactory(company=acme)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    factories.CampaignFactory(company=acme)
    assert [entry.actor for entry in entries(table_name="campaigns")] == [""]


def test_disabled_audit_records_nothing(acme):
    with transaction.atomic(), audit_disabled():
        factories.CampaignFactory(company=acme)
    factories.CampaignFactory(company=acme, name="Seen")
    [entry] = entries(table_name="campaigns")
    assert entry.changes["name"] == [None, "Seen"]


def test_changes_of_a_note_are_recorded_with_its_texts_and_contact(csr, acme):
    note = factories.ActivityFactory(contact__company=acme, user=csr, body="Has a dog.")
    note_id, contact, url = note.pk, note.contact_id, f"/api/v1/activities/{note.pk}"
    api = signed_in(csr)
    assert api.patch(url, {"body": "Has a cat."}).status_code == 200
    assert api.delete(url).status_code == 204
    changed, deleted = entries(table_name=NOTES, row_id=note_id)
    assert (changed.action, changed.actor, changed.actor_id) == ("update", "carla", csr.pk)
    assert changed.changes == {"body": ["Has a dog.", "Has a cat."], "contact_id": [contact, contact]}
    assert (deleted.action, deleted.actor) == ("delete", "carla")
    assert (deleted.changes["body"], deleted.changes["contact_id"]) == (["Has a cat.", None], [contact, None])


def test_removed_tag_and_changed_value_of_a_contact_are_recorded_with_contact_and_user(manager, acme):
    api, contact = signed_in(manager), factories.ContactFactory(company=acme)
    field, url = factories.ContactFieldFactory(company=acme, key="roof_age"), f"/api/v1/contacts/{contact.pk}"
    assert api.patch(url, {"tags": ["VIP"], "fields": {"roof_age": 5}}).status_code == 200
    assert entries(table_name="contact_tags") == entries(table_name="contact_field_values") == []
    assert api.patch(url, {"tags": [], "fields": {"roof_age": 6}}).status_code == 200
    [removed], [changed] = entries(table_name="contact_tags"), entries(table_name="contact_field_values")
    assert (removed.action, removed.actor, removed.changes["contact_id"]) == ("delete", "maria", [contact.pk, None])
    assert removed.changes["created_by_id"] == [manager.pk, None]
    kept = {"contact_id": [contact.pk] * 2, "field_id": [field.pk] * 2}
    assert (changed.action, changed.actor, changed.changes) == ("update", "maria", {"number": [5, 6], **kept})


def test_note_without_a_change_and_other_activities_are_not_recorded(acme):
    note = factories.ActivityFactory(contact__company=acme)
    call = factories.ActivityFactory(contact__company=acme, activity_type="call", direction="incoming")
    with all_tenants():
        Activity.objects.filter(pk=note.pk).update(body=note.body, updated_at=datetime(2026, 3, 1, tzinfo=UTC))
        Activity.objects.filter(pk=call.pk).update(body="Rang twice.")
        call.delete()
    assert entries(table_name=NOTES) == []


def test_note_that_moves_is_recorded_by_the_row_that_it_moves_to(acme):
    first, second = (factories.ActivityFactory(contact__company=acme) for _ in range(2))
    with transaction.atomic(), tenant(acme.pk):
        chunk = factories.ArchivedChunkFactory(company=acme)
        with moving_to(chunk.pk):
            Activity.objects.filter(pk=first.pk).delete()
        Activity.objects.filter(pk=second.pk).delete()
    assert [(each.table_name, each.row_id) for each in entries(company=acme, action="delete")] == [(NOTES, second.pk)]
    assert len(entries(chunk)) == 1


def test_entry_of_a_setting_belongs_to_the_company(acme, globex):
    for company, zone in ((acme, "America/Phoenix"), (globex, "UTC")):
        company.timezone = zone
        company.save()
    with all_tenants():
        type(acme)._base_manager.filter(pk=acme.pk).update(duplicates_run_at=datetime(2026, 3, 1, tzinfo=UTC))
    [entry] = entries(acme)
    assert (entry.company_id, entry.changes) == (acme.pk, {"timezone": ["America/Denver", "America/Phoenix"]})


@postgres_only
@pytest.mark.parametrize("moved_to", ["nothing", "a contact", "an earlier file", "a file of another company"])
def test_only_a_file_of_the_same_transaction_stands_for_a_deleted_note(moved_to, transactional_db, acme, globex):
    note = factories.ActivityFactory(contact__company=acme)
    earlier = factories.ArchivedChunkFactory(company=acme).pk
    with transaction.atomic():
        row_id = {
            "nothing": 0,
            "a contact": factories.ContactFactory(company=acme).pk,
            "an earlier file": earlier,
            "a file of another company": factories.ArchivedChunkFactory(company=globex).pk,
        }[moved_to]
        with tenant(acme.pk), moving_to(row_id):
            Activity.objects.filter(pk=note.pk).delete()
    assert [each.row_id for each in entries(table_name=NOTES, action="delete")] == [note.pk]


def test_entries_are_hidden_from_other_companies(acme, globex):
    factories.CampaignFactory(company=acme)
    factories.CampaignFactory(company=globex)
    with tenant(acme.pk):
        assert [entry.company_id for entry in AuditEntry.objects.filter(table_name="campaigns")] == [acme.pk]


def test_triggers_exist_on_every_audited_table():
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT tbl_name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'record_%'")
        else:
            cursor.execute(
                "SELECT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal AND tgname LIKE 'record_%'"
            )
        tables = [table for (table,) in cursor.fetchall()]
    assert sorted(tables) == sorted([*list(AUDITED) * 3, *[NOTES, SETTINGS, *WITHOUT_INSERTS] * 2])


def test_audited_column_can_be_dropped_by_a_migration():
    emit_pre_migrate_signal(verbosity=0, interactive=False, db=connection.alias)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE campaigns DROP COLUMN name")  # rolled back after the test
        columns = connection.introspection.get_table_description(cursor, "campaigns")
    assert "name" not in {column.name for column in columns}


def test_triggers_of_a_remade_sqlite_table_are_recreated_by_migrate(transactional_db):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL alters tables in place")
    from django.core.management import call_command

    with connection.schema_editor() as editor:
        editor._remake_table(Segment)
    factories.SegmentFactory()
    assert not entries(table_name="segments")
    call_command("migrate", verbosity=0)
    factories.SegmentFactory()
    assert len(entries(table_name="segments")) == 1
