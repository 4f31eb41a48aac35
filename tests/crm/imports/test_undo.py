"""Undoing an import: each contact is reversed, kept because somebody touched it since, or errored."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from crm.db.tenancy import all_tenants, tenant
from crm.models import Contact, ContactList, ContactPhone, Import, ImportRow, OptOut
from crm.services.contacts import delete_contact
from crm.services.imports import steps
from crm.services.imports import undo as undoing
from crm.services.imports.undo import NotUndoable, begin_undo
from crm.services.opt_outs import record_opt_out
from tests import factories
from tests.crm.imports.runs import begin, contents, counts, finish, run, undo
from tests.ops.archive.test_kills import kill_at

pytestmark = pytest.mark.django_db(transaction=True)

LIST = """First name,Last name,Phone,Phone 2,Email,City,Tags,Do not contact,Consent,Consent wording,Roof age
Ann,Field,3035550101,3035550111,ann@example.com,Denver,Roof,,yes,Offers.,12
Bob,Hill,3035550102,3035550112,bob@example.com,Boulder,Roof,yes,,,7
Ann,Field,3035550101,3035550121,,,VIP,,,,
Cid,Moss,3035550103,,cid@example.com,Aurora,,,,,
"""
FIELDS = {"roof_age": {"label": "Roof age", "type": "number"}}
COLUMNS = {
    "First name": "first_name", "Last name": "last_name", "Phone": "phone", "Phone 2": "phone:2", "Email": "email",
    "City": "city", "Tags": "tag", "Do not contact": "do_not_contact", "Consent": "consent",
    "Consent wording": "consent_wording", "Roof age": "field:roof_age",
}  # fmt: skip
MAPPING = {"columns": COLUMNS, "fields": FIELDS}


@pytest.fixture(autouse=True)
def small_leases(monkeypatch):
    monkeypatch.setattr(steps, "LEASE_ROWS", 2)
    monkeypatch.setattr(undoing, "LEASE_CONTACTS", 2)


@pytest.fixture
def bob(acme):
    """A contact who was there before the import."""
    bob = factories.ContactFactory(
        company=acme, phone="+13035550102", first_name="Bob", last_name="", email="", city="", state=""
    )
    factories.ContactTagFactory(contact=bob)
    return bob


def outcome(source):
    return {"reversed": source.reversed, "kept": source.kept, "errored": source.errored}


def reasons(source):
    with all_tenants():
        rows = ImportRow.objects.filter(source=source).exclude(undo_detail="").order_by("n")
        return {row.n: row.undo_detail for row in rows}


def test_an_undone_import_leaves_everything_as_it_was(acme, bob, tmp_path):
    before = contents()
    source = run(acme, tmp_path, LIST, mapping=MAPPING, tags=["May"])
    assert counts(source) == {"rows": 4, "created": 2, "updated": 1, "merged_in_file": 1}
    assert contents() != before
    source = undo(source)
    assert (source.state, outcome(source)) == ("undone", {"reversed": 3, "kept": 0, "errored": 0})
    assert contents() == before
    with all_tenants():
        assert not ContactList.objects.exists()


def test_contacts_that_somebody_touched_since_are_kept_and_named(acme, bob, tmp_path):
    source = run(acme, tmp_path, LIST, mapping=MAPPING)
    with tenant(acme.pk):
        factories.ActivityFactory(contact=Contact.objects.get(phone="+13035550101"), body="Called back.")
        Contact.objects.filter(phone="+13035550102").update(city="Golden")
    source = undo(source)
    assert outcome(source) == {"reversed": 1, "kept": 2, "errored": 0}
    assert reasons(source) == {
        2: "Changed since: activities.",
        3: "Changed since: city.",
        4: "Changed since: activities.",
    }
    with tenant(acme.pk):
        assert set(Contact.objects.values_list("first_name", "city")) == {("Ann", "Denver"), ("Bob", "Golden")}


@pytest.mark.parametrize(
    ("touch", "named"),
    [
        (lambda ann: factories.ContactFlagFactory(contact=ann, flag_type="office_number"), "flags"),
        (lambda ann: factories.ContactTagFactory(contact=ann), "tags"),
        (lambda ann: factories.ContactPhoneFactory(contact=ann, phone="+13035550199"), "numbers"),
        (lambda ann: factories.LeadFactory(contact=ann), "leads"),
        (lambda ann: factories.ContactListEntryFactory(contact=ann), "lists"),
        (lambda ann: Contact.objects.filter(pk=ann.pk).update(address="1 Elm"), "address"),
    ],
)
def test_any_row_that_refers_to_a_new_contact_keeps_it(acme, tmp_path, touch, named):
    source = run(acme, tmp_path, LIST, mapping=MAPPING)
    with tenant(acme.pk):
        touch(Contact.objects.get(phone="+13035550101"))
    source = undo(source)
    assert outcome(source) == {"reversed": 2, "kept": 1, "errored": 0}
    assert reasons(source)[2] == f"Changed since: {named}."


def test_a_contact_that_is_gone_is_errored(acme, tmp_path):
    source = run(acme, tmp_path, LIST, mapping=MAPPING)
    with tenant(acme.pk):
        delete_contact(contact=Contact.objects.get(phone="+13035550103"))
    source = undo(source)
    assert outcome(source) == {"reversed": 2, "kept": 0, "errored": 1}
    assert reasons(source)[5] == "The contact was deleted since."


def test_opt_outs_made_since_stay(acme, bob, tmp_path):
    source = run(acme, tmp_path, LIST, mapping=MAPPING)
    with tenant(acme.pk):
        for phone in ("+13035550101", "+13035550102"):
            record_opt_out(phone=phone, words="STOP", source="sms", occurred_at=now())
    source = undo(source)
    assert outcome(source) == {"reversed": 2, "kept": 1, "errored": 0}  # Ann has a flag since
    with tenant(acme.pk):
        assert OptOut.objects.filter(state="opted_out").count() == 2
        assert bob.flags.in_force().filter(flag_type="opted_out").exists()


def test_a_number_that_became_the_main_one_is_kept(acme, bob, tmp_path):
    source = run(acme, tmp_path, LIST, mapping=MAPPING)
    with tenant(acme.pk):
        Contact.objects.filter(pk=bob.pk).update(phone="+13035550112")
    source = undo(source)
    assert outcome(source)["kept"] == 1
    with tenant(acme.pk):
        assert ContactPhone.objects.filter(contact=bob, phone="+13035550112").exists()


def test_an_import_is_undone_once_within_30_days_and_a_dry_run_never(acme, tmp_path):
    dry = run(acme, tmp_path, LIST, mapping=MAPPING, dry_run=True)
    old = run(acme, tmp_path, LIST, mapping=MAPPING)
    waiting = begin(acme, tmp_path, LIST, mapping=MAPPING)
    with all_tenants():
        Import.objects.filter(pk=old.pk).update(created_at=now() - timedelta(days=31))
    for source, reason in ((dry, "changed nothing"), (old, "30 days"), (waiting, "waiting")):
        with tenant(acme.pk), pytest.raises(NotUndoable, match=reason):
            begin_undo(source=source, user=None)
    done = undo(finish(waiting))
    with tenant(acme.pk), pytest.raises(NotUndoable, match="undone"):
        begin_undo(source=done, user=None)


@pytest.mark.slow
@pytest.mark.parametrize(("owner", "name", "call"), [
    (undoing.Lease, "undo", 2), (undoing.Lease, "_delete", 1), (undoing.Lease, "_restore", 2),
    (undoing, "update_rows", 2), (undoing, "_remove_list", 1),
])  # fmt: skip
def test_a_killed_undo_goes_on_and_adds_up(acme, bob, tmp_path, owner, name, call):
    before = contents()
    source = run(acme, tmp_path, LIST, mapping=MAPPING)
    with tenant(acme.pk):
        source = begin_undo(source=source, user=None)
    kill_at(owner, name, call, lambda: finish(source))
    with all_tenants():
        type(source.task).objects.filter(pk=source.task_id).update(lease_until=None)
    source = finish(source)
    assert (source.state, outcome(source)) == ("undone", {"reversed": 3, "kept": 0, "errored": 0})
    assert contents() == before
