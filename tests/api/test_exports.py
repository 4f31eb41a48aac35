"""Lists as files: `…/export`."""

import csv
import io
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.urls import get_resolver
from openpyxl import load_workbook

from crm.db.tenancy import all_tenants
from crm.models import AuditEntry
from crm.services.exports.headers import HEADERS
from tests import factories
from tests.api.resources import RESOURCES
from tests.api.test_every_list import make_row
from tests.conftest import signed_in
from tests.errors import errors_of

URL = "/api/v1/contacts/export"
EVIL = ["=1+1", "+SUM(A1)", "-2+3", "@now", "\t=1", "\r=1", '=HYPERLINK("http://x")']


def content_of(response):
    assert response.status_code == 200, response.content
    return b"".join(response.streaming_content)


def rows_of(response):
    """Return the rows of a CSV file, by header."""
    return list(csv.DictReader(io.StringIO(content_of(response).decode(), newline="")))


def sheet_of(response):
    """Return the texts of the sheet, row by row."""
    [sheet] = load_workbook(io.BytesIO(content_of(response))).worksheets
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} == {"s"}
    return [[cell.value or "" for cell in row] for row in sheet.iter_rows()]


@pytest.fixture
def kim(acme):
    """A contact with something in every column."""
    acme.timezone = "America/Denver"
    acme.save()
    kim = factories.ContactFactory(
        company=acme, first_name="Kim", last_name='O"Neil, Jr', phone="+13035550142", email="kim@example.com",
        address="12 Elm\nStreet", city="Größe", state="CO", postal_code="02134", timezone="America/Boise",
        created_at=datetime(2026, 3, 2, 16, 5, 9, 123456, tzinfo=UTC),
    )  # fmt: skip
    factories.ContactPhoneFactory(contact=kim, phone="+13035550143")
    factories.ContactFlagFactory(contact=kim, flag_type="office_number")
    for name in ("VIP", "Referral"):
        factories.ContactTagFactory(contact=kim, tag__name=name)
    for position, (kind, column, value) in enumerate(
        (("number", "number", 12.5), ("date", "date", "1998-05-04"), ("yes_no", "yes", False), ("text", "text", "-#1"))
    ):
        field = factories.ContactFieldFactory(
            company=acme, key=kind, label=f"A {kind}", field_type=kind, position=position
        )
        more = {"text_key": "-#1"} if kind == "text" else {}
        factories.ContactFieldValueFactory(contact=kim, field=field, **{column: value}, **more)
    return kim


def test_contacts_have_plain_headers_and_all_that_an_import_reads(manager_api, kim):
    [row] = rows_of(manager_api.get(URL))
    assert row == {
        "First name": "Kim", "Last name": 'O"Neil, Jr', "Phone": "+13035550142", "Other phones": "+13035550143",
        "Email": "kim@example.com", "Address": "12 Elm\nStreet", "City": "Größe", "State": "CO",
        "Postal code": "02134", "Time zone": "America/Boise", "Tags": "Referral, VIP", "A number": "12.5",
        "A date": "1998-05-04", "A yes_no": "no", "A text": "'-#1", "Flags": "office_number",
        "Created": "2026-03-02T09:05:09-07:00", "ID": str(kim.pk),
    }  # fmt: skip
    assert list(row)[:2] == list(HEADERS.values())[:2]


def test_sheet_has_the_same_texts_without_apostrophes(manager_api, kim):
    header, row = sheet_of(manager_api.get(f"{URL}?format=xlsx"))
    [expected] = rows_of(manager_api.get(URL))
    assert dict(zip(header, row, strict=True)) == expected | {"A text": "-#1"}


@pytest.mark.parametrize("text", EVIL)
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text, manager_api, acme):
    factories.ContactFactory(company=acme, first_name=text)
    [row] = rows_of(manager_api.get(URL))
    assert row["First name"] == f"'{text}"


def test_pages_hold_every_contact_once_in_order(manager_api, acme, monkeypatch):
    monkeypatch.setattr("crm.api.base.exports.PAGE", 2)
    monkeypatch.setattr("crm.services.exports.contact_copy.PAGE", 2)
    made = [factories.ContactFactory(company=acme).pk for _ in range(5)]
    listed = [row["id"] for row in manager_api.get("/api/v1/contacts").json()["results"]]
    assert [int(row["ID"]) for row in rows_of(manager_api.get(URL))] == listed
    oldest = [int(row["ID"]) for row in rows_of(manager_api.get(f"{URL}?order=oldest"))]
    assert (oldest, sorted(oldest)) == (listed[::-1], sorted(made))


def test_export_has_the_filters_of_the_list(manager_api, kim, acme):
    factories.ContactFactory(company=acme)
    for query in ("tag=vip", "search=kim", "field.number.gte=12", f"ids={kim.pk}"):
        assert [row["First name"] for row in rows_of(manager_api.get(f"{URL}?{query}"))] == ["Kim"], query
    assert rows_of(manager_api.get(f"{URL}?tag=nobody")) == []
    assert list(errors_of(manager_api.get(f"{URL}?colour=red"))) == ["colour"]
    assert list(errors_of(manager_api.get(f"{URL}?format=pdf"))) == ["format"]
    assert list(errors_of(manager_api.get(f"{URL}?limit=5"))) == ["limit"]


@pytest.mark.parametrize("resource", RESOURCES, ids=str)
def test_every_list_has_an_export_of_the_companys_rows_alone(resource, manager_api, acme, globex):
    own, foreign = make_row(resource, acme), make_row(resource, globex)
    listed = manager_api.get(resource.url).json()["results"]  # before: the export is one more entry of the audit
    rows = rows_of(manager_api.get(f"{resource.url}/export"))
    ids = {row["ID"] for row in rows}
    assert str(own.pk) in ids
    assert str(foreign.pk) not in ids
    assert [row["ID"] for row in rows] == [str(row["id"]) for row in listed]


def test_lists_of_a_contact_have_an_export(manager_api, kim):
    factories.MessageFactory(contact=kim, body="On our way.")
    assert len(rows_of(manager_api.get(f"/api/v1/contacts/{kim.pk}/phones/export"))) == 2
    [row] = rows_of(manager_api.get(f"/api/v1/message-threads/{kim.pk}/export"))
    assert (row["Body"], row["Contact name"], row["Contact phone"]) == ("On our way.", kim.name, kim.phone)


def test_every_list_route_has_an_export():
    below = [part for part in get_resolver().url_patterns if str(part.pattern) == "api/v1/"]
    actions = {
        str(entry.pattern): set(entry.callback.actions.values())
        for part in below
        for entry in part.url_patterns
        if hasattr(entry.callback, "actions")
    }
    lists = {pattern for pattern, names in actions.items() if "list" in names}
    exports = {pattern for pattern, names in actions.items() if "export" in names}
    assert {pattern.replace("/export", "") for pattern in exports} == lists


def test_rep_exports_own_contacts_and_a_csr_no_users(rep_api, csr_api, rep, kim, acme):
    factories.ContactFactory(company=acme)
    factories.CallFactory(contact=kim, assigned_rep=rep)
    assert [row["ID"] for row in rows_of(rep_api.get(URL))] == [str(kim.pk)]
    assert csr_api.get("/api/v1/users/export").status_code == 403


def test_export_is_audited_at_its_begin_and_at_its_end(csr, kim):
    response = signed_in(csr).get(f"{URL}?tag=VIP&tag=x")
    rows_of(response)
    content_of(signed_in(csr).get(f"{URL}?format=xlsx"))
    with all_tenants():
        entries = AuditEntry.objects.filter(action="export").order_by("id")
        found = [(each.actor, each.table_name, each.changes) for each in entries]
    csv_file = {"format": [None, "csv"], "filters": [None, {"tag": ["VIP", "x"]}]}
    sheet = {"format": [None, "xlsx"], "filters": [None, {}]}
    assert found == [
        ("carla", "contacts", csv_file),
        ("carla", "contacts", csv_file | {"rows": [None, 1], "complete": [None, True]}),
        ("carla", "contacts", sheet),
        ("carla", "contacts", sheet | {"rows": [None, 1]}),
    ]


def test_client_that_goes_away_is_recorded_with_the_rows_that_it_got(csr, acme, monkeypatch):
    monkeypatch.setattr("crm.api.base.exports.PAGE", 2)
    monkeypatch.setattr("crm.services.exports.contact_copy.PAGE", 2)
    factories.ContactFactory.create_batch(5, company=acme)
    pieces = signed_in(csr).get(URL)._iterator
    for _ in range(3):  # the header and two pages, of which the second is not known to have arrived
        next(pieces)
    pieces.close()
    with all_tenants():
        changes = AuditEntry.objects.filter(action="export").latest("id").changes
    assert (changes["rows"], changes["complete"]) == ([None, 2], [None, False])


def test_large_sheet_is_refused_and_names_csv(manager_api, acme, monkeypatch):
    monkeypatch.setattr("crm.api.base.exports.MAX_XLSX_ROWS", 1)
    factories.ContactFactory.create_batch(2, company=acme)
    refused = manager_api.get(f"{URL}?format=xlsx")
    assert refused.status_code == 400
    assert "format=csv" in errors_of(refused)["format"][0]


def test_contacts_are_read_with_as_many_statements_as_pages_ask_for(manager_api, acme, django_assert_max_num_queries):
    factories.ContactFactory.create_batch(5, company=acme)
    with django_assert_max_num_queries(30 if connection.vendor == "sqlite" else 25):
        rows_of(manager_api.get(URL))


def test_vcard_has_the_numbers_and_escapes_the_texts(csr_api, kim):
    response = csr_api.get(f"/api/v1/contacts/{kim.pk}/vcard")
    assert (response.status_code, response["Content-Type"]) == (200, "text/vcard; charset=utf-8")
    lines = response.content.decode().split("\r\n")
    assert lines[:2] == ["BEGIN:VCARD", "VERSION:3.0"]
    assert lines[2:7] == [
        'N:O"Neil\\, Jr;Kim;;;', 'FN:Kim O"Neil\\, Jr', "TEL;TYPE=PREF:+13035550142", "TEL:+13035550143",
        "EMAIL;TYPE=INTERNET:kim@example.com",
    ]  # fmt: skip
    assert "ADR:;;12 Elm\\nStreet;Größe;CO;02134;" in lines
    assert "CATEGORIES:Referral,VIP" in lines


def test_long_lines_of_a_vcard_are_folded(csr_api, acme):
    contact = factories.ContactFactory(company=acme, address="ü" * 100)
    content = csr_api.get(f"/api/v1/contacts/{contact.pk}/vcard").content
    assert max(map(len, content.split(b"\r\n"))) <= 75
    assert "ü" * 100 in content.replace(b"\r\n ", b"").decode()
