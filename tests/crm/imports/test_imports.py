"""Imports: each row ends in exactly one of five ways, and the five add up."""

import json
from io import BytesIO, StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from openpyxl import Workbook

from crm.db.tenancy import all_tenants, tenant
from crm.models import (
    Contact,
    ContactFlag,
    ContactList,
    ContactPhone,
    ContactTag,
    Import,
    ImportRow,
    MarketingConsent,
    OptOut,
    StoredFile,
)
from crm.services.background_tasks.jobs import do_next_step
from crm.services.imports import lease, steps
from crm.services.imports.reading.faults import FileFault, UnreadableFile
from crm.services.imports.reading.files import Table
from crm.services.imports.rejected_rows import rejected_csv
from crm.services.imports.requests import MappingNeeded, MappingRefused
from crm.services.imports.steps import FileRefused
from tests import factories
from tests.crm.background_tasks.test_runs import work_off
from tests.crm.imports.runs import begin, contents, counts, finish, run, undo, verdicts
from tests.ops.archive.test_kills import kill_at

pytestmark = pytest.mark.django_db(transaction=True)

LIST = """First name,Last name,Phone,Email,City
Ann,Field,(303) 555-0101,ann@example.com,Denver
Bob,Hill,303-555-0102,,Boulder
Ann,Field,+1 303 555 0101,other@example.com,
Cid,,1.30356E+10,,
Dee,Moss,,dee@example.com,
"""


@pytest.fixture(autouse=True)
def small_leases(monkeypatch):
    monkeypatch.setattr(steps, "LEASE_ROWS", 2)


def contact(phone):
    with all_tenants():
        return Contact.objects.get(phone=phone)


def test_each_row_ends_in_one_of_five_ways(acme, tmp_path):
    factories.ContactFactory(company=acme, phone="+13035550102", first_name="Bob", last_name="Hill", email="", city="")
    source = run(acme, tmp_path, LIST)
    assert (source.state, source.file_rows) == ("done", 5)
    assert counts(source) == {"rows": 5, "created": 1, "updated": 1, "merged_in_file": 1, "rejected": 2}
    assert verdicts(source) == [
        (2, "created", ""),
        (3, "updated", ""),
        (4, "merged_in_file", ""),
        (5, "rejected", "scientific_notation"),
        (6, "rejected", "no_phone"),
    ]
    ann = contact("+13035550101")
    assert (ann.first_name, ann.email, ann.city) == ("Ann", "ann@example.com", "Denver")
    assert contact("+13035550102").city == "Boulder"


def test_the_same_file_again_changes_nothing(acme, tmp_path):
    run(acme, tmp_path, LIST)
    before = contents()
    again = run(acme, tmp_path, LIST, list_name="Again")
    assert counts(again) == {"rows": 5, "unchanged": 2, "merged_in_file": 1, "rejected": 2}
    after = contents()
    assert {table for table in after if after[table] != before[table]} == {"contact_list_entries"}


def test_rows_that_an_erasure_empties_while_the_import_runs_are_not_imported(acme, tmp_path):
    rows = "".join(f"Ann,Field,303-555-010{n},,\n" for n in range(6))
    source = begin(acme, tmp_path, "First name,Last name,Phone,Email,City\n" + rows)
    while verdicts(source)[:1] != [(2, "created", "")]:
        assert do_next_step()
    with tenant(acme.pk):
        ImportRow.objects.filter(source=source, n__in=[4, 7]).update(cells=None)
    work_off()
    assert [verdict for _, verdict, _ in verdicts(source)] == [
        "created", "created", "rejected", "created", "created", "rejected",
    ]  # fmt: skip
    with all_tenants():
        assert not Contact.objects.filter(phone__in=["+13035550102", "+13035550105"]).exists()


def test_names_of_a_list_are_found_in_any_spelling(acme, tmp_path, manager_api):
    names = {"Jose\u0301,Mun\u0303oz": "muñoz", "Sean,O’Brien": "O'Brien", "Anne-Marie,De La Cruz": "delacruz"}
    rows = "".join(f"{name},303-555-010{n}\n" for n, name in enumerate(names))
    run(acme, tmp_path, "First name,Last name,Phone\n" + rows)
    for n, term in enumerate(names.values()):
        [found] = manager_api.get("/api/v1/contacts", {"search": term}).json()["results"]
        assert found["phone"] == f"+1303555010{n}"


def test_a_dry_run_predicts_the_counts_and_changes_nothing(acme, tmp_path):
    factories.ContactFactory(company=acme, phone="+13035550102", first_name="Bob", last_name="", city="")
    text = LIST + "Eve,,3035550109,,\n" * 3 + "Bob,Hill,3035550102,,\n"
    before = contents()
    predicted = run(acme, tmp_path, text, dry_run=True)
    assert contents() == before
    with all_tenants():
        assert not ContactList.objects.exists()
    real = run(acme, tmp_path, text)
    assert (predicted.state, predicted.counts) == ("done", real.counts)
    assert verdicts(predicted) == verdicts(real)


def test_blanks_are_filled_and_only_chosen_columns_are_overwritten(acme, tmp_path):
    factories.ContactFactory(
        company=acme, phone="+13035550101", first_name="Anna", last_name="", email="old@example.com", city="", state=""
    )
    text = "First name,Last name,Phone,Email,City\nAnn,Field,3035550101,new@example.com,Denver\n"
    run(acme, tmp_path, text)
    ann = contact("+13035550101")
    # Half a name isn't completed by half of another one.
    assert (ann.first_name, ann.last_name, ann.email, ann.city) == ("Anna", "", "old@example.com", "Denver")
    source = run(acme, tmp_path, text, overwrite=["email"])
    assert counts(source) == {"rows": 1, "updated": 1}
    assert contact("+13035550101").email == "new@example.com"


def test_numbers_flags_tags_fields_and_consents_are_added(acme, tmp_path):
    text = (
        "Name,Phone,Phone type,Phone DNC,Phone 2,Tags,Roof age,Consent,Consent date\n"
        'Ann Field,3035550101,Landline,N,3035550103,"Roof, VIP",12,,\n'
        "Bob Hill,3035550102,Mobile,Y,,,,yes,2026-03-01\n"
    )
    mapping = {
        "columns": {
            "Name": "full_name", "Phone": "phone", "Phone type": "phone_type", "Phone DNC": "phone_dnc",
            "Phone 2": "phone:2", "Tags": "tag", "Roof age": "field:roof_age", "Consent": "consent",
            "Consent date": "consent_date",
        },
        "fields": {"roof_age": {"label": "Roof age", "type": "number"}},
    }  # fmt: skip
    source = run(acme, tmp_path, text, mapping=mapping, tags=["May list"], consent_wording="Offers by text.")
    assert counts(source) == {"rows": 2, "created": 2}
    with tenant(acme.pk):
        # The landline gets no messages: the other number is the main one.
        ann, bob = contact("+13035550103"), contact("+13035550102")
        assert {(p.phone, p.label) for p in ann.phones.all()} == {("+13035550103", ""), ("+13035550101", "Landline")}
        assert set(ContactFlag.objects.values_list("contact", "flag_type")) == {(bob.pk, "do_not_contact")}
        assert set(ContactTag.objects.filter(contact=ann).values_list("tag__name", flat=True)) == {
            "Roof",
            "VIP",
            "May list",
        }
        [value] = ann.field_values.all()
        assert (value.field.key, value.value) == ("roof_age", 12)
        [consent] = MarketingConsent.objects.all()
        assert (consent.phone, consent.wording, consent.source) == (bob.phone, "Offers by text.", "import")
        assert f"import {source.pk} (list.csv), row 3" in consent.proof
        assert set(source.list.entries.values_list("contact", flat=True)) == {ann.pk, bob.pk}


def test_flags_and_opt_outs_are_never_taken_away(acme, tmp_path):
    bob = factories.ContactFactory(company=acme, phone="+13035550102")
    factories.ContactFlagFactory(contact=bob, flag_type="do_not_contact")
    text = "Name,Phone,Do not contact,Opted out\nBob,3035550102,no,no\nAnn,3035550101,no,yes\n"
    run(acme, tmp_path, text)
    with tenant(acme.pk):
        assert set(ContactFlag.objects.in_force().values_list("contact__phone", "flag_type")) == {
            ("+13035550102", "do_not_contact"),
            ("+13035550101", "opted_out"),
        }
        assert OptOut.objects.get(phone="+13035550101").state == "opted_out"


def test_a_number_of_another_contact_stays_with_it(acme, tmp_path):
    factories.ContactPhoneFactory(
        contact=factories.ContactFactory(company=acme, phone="+13035550102"), phone="+13035550103"
    )
    source = run(acme, tmp_path, "Name,Phone,Phone 2\nAnn,3035550101,3035550103\nEve,3035550103,\n")
    assert counts(source) == {"rows": 2, "created": 1, "updated": 1} or counts(source)["created"] == 1
    with tenant(acme.pk):
        assert [p.phone for p in contact("+13035550101").phones.all()] == ["+13035550101"]
        assert "belongs to another contact" in ImportRow.objects.get(n=2).detail


def test_the_company_s_own_number_is_rejected(acme, tmp_path):
    factories.PhoneLineFactory(company=acme, number="+13035550101")
    source = run(acme, tmp_path, "Name,Phone\nAnn,3035550101\nBob,3035550102\n")
    assert verdicts(source) == [(2, "rejected", "own_number"), (3, "created", "")]


def test_two_people_of_a_row_are_two_contacts_and_two_rows(acme, tmp_path):
    text = (
        "Address,Primary Name,Primary Phone1,Secondary Name,Secondary Phone1\n"
        "1 Elm,ANN FIELD,3035550101,BOB FIELD,3035550102\n2 Elm,CID MOSS,3035550103,,\n"
    )
    mapping = {
        "columns": {
            "Address": "address", "Primary Name": "full_name@1", "Primary Phone1": "phone@1",
            "Secondary Name": "full_name@2", "Secondary Phone1": "phone@2",
        }
    }  # fmt: skip
    source = run(acme, tmp_path, text, mapping=mapping)
    assert (source.file_rows, counts(source)) == (2, {"rows": 3, "created": 3})
    assert contact("+13035550102").address == "1 Elm"


def test_rejected_rows_can_be_mended_and_sent_again(acme, tmp_path):
    source = run(acme, tmp_path, LIST + "=Evil,+1,3035550108 and more text,,\n")
    rejected = b"".join(rejected_csv(source=source)).decode("utf-8-sig")
    assert rejected.splitlines()[0] == "First name,Last name,Phone,Email,City,Reason for the rejection"
    assert "Row 5: Phone: “1.30356E+10”" in rejected
    assert "'=Evil,'+1," in rejected
    mended = rejected.replace("1.30356E+10", "3035550105").replace("Dee,Moss,,", "Dee,Moss,3035550106,")
    again = run(acme, tmp_path, mended)
    assert counts(again) == {"rows": 3, "created": 2, "rejected": 1}


def test_a_number_that_excel_shows_rounded_is_read_whole_and_a_rounded_text_is_rejected(acme, tmp_path):
    workbook = Workbook()
    for row in (["First name", "Phone"], ["Ann", 13035550100], ["Bob", "1.30356E+10"]):
        workbook.active.append(row)
    workbook.active["B2"].number_format = "0.00000E+00"
    file = BytesIO()
    workbook.save(file)
    source = run(acme, tmp_path, file.getvalue())
    assert verdicts(source) == [(2, "created", ""), (3, "rejected", "scientific_notation")]
    assert contact("+13035550100").first_name == "Ann"


def test_the_last_mapping_of_the_same_columns_is_remembered(acme, globex, tmp_path):
    text = "Who,Where to reach\nAnn,3035550101\n"
    with pytest.raises(MappingNeeded):
        begin(acme, tmp_path, text)
    run(acme, tmp_path, text, mapping={"columns": {"Who": "full_name", "Where to reach": "phone"}})
    assert counts(run(acme, tmp_path, "Where to reach,Who\n3035550102,Bob\n")) == {"rows": 1, "created": 1}
    with pytest.raises(MappingNeeded):
        begin(globex, tmp_path, text)


def test_a_mapping_with_a_wrong_column_is_refused_by_name(acme, tmp_path):
    with pytest.raises(MappingRefused) as refused:
        begin(acme, tmp_path, LIST, mapping={"columns": {"Phone": "phone", "Cell": "phone:2"}})
    assert refused.value.columns == {"Cell": "The file has no such column."}
    with all_tenants():
        assert not Import.objects.exists()


def test_a_damaged_file_is_refused_and_changes_nothing(acme, tmp_path):
    with pytest.raises(FileRefused, match="Line 3 has a NUL character"):
        begin(acme, tmp_path, LIST.replace("Bob,Hill", "Bob,\0Hill"))
    with all_tenants():
        assert not Import.objects.exists()
        assert not StoredFile.objects.exists()


def test_a_file_that_breaks_off_fails_with_its_reason_and_changes_nothing(acme, tmp_path, monkeypatch):
    def break_off(table):
        yield 2, ["Ann", "Field", "3035550101", "", ""]
        raise UnreadableFile(FileFault.QUOTES, "A quotation mark isn't closed.")

    source = begin(acme, tmp_path, LIST)
    monkeypatch.setattr(Table, "rows", break_off)
    source = finish(source)
    assert (source.state, source.task.error_code) == ("failed", "unreadable_file")
    assert source.task.error == "A quotation mark isn't closed."
    with all_tenants():
        assert not Contact.objects.exists()


def test_rows_that_do_not_add_up_are_refused_by_the_database(acme, tmp_path):
    source = run(acme, tmp_path, LIST)
    with all_tenants(), pytest.raises(IntegrityError), transaction.atomic():
        Import.objects.filter(pk=source.pk).update(created=3)


def test_a_lease_that_meets_a_new_contact_with_the_same_number_is_done_again(acme, tmp_path, monkeypatch):
    source, write, calls = begin(acme, tmp_path, LIST), lease.Writer.write, []

    def write_late(writer):
        if not calls:
            calls.append(writer)
            raise IntegrityError
        write(writer)

    monkeypatch.setattr(lease.Writer, "write", write_late)
    assert counts(finish(source)) == {"rows": 5, "created": 2, "merged_in_file": 1, "rejected": 2}


@pytest.mark.slow
@pytest.mark.parametrize(("owner", "name", "call"), [
    (steps, "insert_rows", 2), (lease.Writer, "write", 1), (lease.Writer, "_add_tags", 2), (lease, "update_rows", 2),
    (steps, "count_verdicts", 1),
])  # fmt: skip
def test_a_killed_import_goes_on_and_adds_up(acme, tmp_path, owner, name, call):
    calm = run(acme, tmp_path, LIST, tags=["VIP"], list_name="May")
    expected, sums = contents(), calm.counts
    undo(calm)
    source = begin(acme, tmp_path, LIST, tags=["VIP"], list_name="May")
    kill_at(owner, name, call, lambda: finish(source))
    with all_tenants():
        type(source.task).objects.filter(pk=source.task_id).update(lease_until=None)
    source = finish(source)
    assert (source.state, source.counts) == ("done", sums)
    assert without_ids(contents()) == without_ids(expected)


def without_ids(tables):
    """Return the contents without ids of rows that a second writing makes anew."""
    return {
        table: sorted(
            repr({key: value for key, value in row.items() if key not in ("contact", "list", "tag", "proof")})
            for row in rows
        )
        for table, rows in tables.items()
    }


@pytest.mark.slow
def test_a_killed_dry_run_begins_again(acme, tmp_path):
    source = begin(acme, tmp_path, LIST, dry_run=True)
    kill_at(lease.Writer, "write", 2, lambda: finish(source))
    with all_tenants():
        type(source.task).objects.filter(pk=source.task_id).update(lease_until=None)
    assert counts(finish(source)) == {"rows": 5, "created": 2, "merged_in_file": 1, "rejected": 2}
    with all_tenants():
        assert not ContactPhone.objects.exists()


def test_the_command_writes_the_counts_as_json(acme, tmp_path):
    path = tmp_path / "customers.csv"
    path.write_text(LIST)
    out = StringIO()
    call_command("import_contacts", str(path), company="acme", json=True, stdout=out)
    found = json.loads(out.getvalue().splitlines()[-1])
    number = found.pop("id")
    assert found == {"rows": 5, "created": 2, "updated": 0, "unchanged": 0, "merged_in_file": 1, "rejected": 2}
    out = StringIO()
    call_command("undo_import", str(number), json=True, stdout=out)
    assert json.loads(out.getvalue().splitlines()[-1]) == {"reversed": 2, "kept": 0, "errored": 0}
    with all_tenants():
        assert not Contact.objects.exists()


def test_the_command_says_what_is_wrong(acme, tmp_path):
    path = tmp_path / "customers.csv"
    path.write_text("")
    with pytest.raises(CommandError, match="The file is empty"):
        call_command("import_contacts", str(path), company="acme")
    path.write_text("Who,Where to reach\nAnn,3035550101\n")
    with pytest.raises(CommandError, match="--mapping"):
        call_command("import_contacts", str(path), company="acme")
    with pytest.raises(CommandError, match="there is no such file"):
        call_command("import_contacts", str(tmp_path / "none.csv"), company="acme")


@pytest.mark.parametrize(("wording", "consents"), [("I agree to texts.", 1), ("", 0), ("n/a", 0)])
def test_consent_needs_its_wording(acme, tmp_path, wording, consents):
    text = f"Phone,Consent,Consent wording\n303-555-0150,yes,{wording}\n"
    mapping = {"columns": {"Phone": "phone", "Consent": "consent", "Consent wording": "consent_wording"}}
    source = run(acme, tmp_path, text, mapping=mapping)
    with all_tenants():
        assert (source.created, MarketingConsent.objects.count()) == (1, consents)
        [row] = ImportRow.objects.filter(source=source)
    assert ("consent is left out" in row.detail) == (not consents)
