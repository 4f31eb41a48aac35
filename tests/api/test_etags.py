"""Two people who edit one row: entity tags, and changes of only what was sent."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.api.base.schema import TenantSchemaGenerator
from crm.db.tenancy import all_tenants
from tests.api.resources import RESOURCES
from tests.api.role_fixture import CHANGES
from tests.api.test_every_list import make_row
from tests.api.test_idempotency import in_threads
from tests.conftest import signed_in
from tests.errors import code_of, errors_of
from tests.factories import ContactFactory, ContactPhoneFactory, ConversationFactory, MessageFactory, UserFactory

# A note is changed by its author alone: see test_notes.py.
CHANGEABLE = [resource for resource in RESOURCES if resource.route in CHANGES and resource.route != "activities"]
DELETABLE = [
    r for r in RESOURCES if r.route in ("contacts", "leads", "invoices", "campaigns")
]  # fmt: skip
# Columns that follow from another one.
DERIVED = {
    "calls": {"booked"},
    "contacts": {"keyed_text"},
    "contact-lists": {"name_key"},
    "conversations": {"snoozed_until"},
    "tags": {"name_key"},
}

every_row = pytest.mark.parametrize("resource", [r for r in RESOURCES if r.detail], ids=str)
every_changeable = pytest.mark.parametrize("resource", CHANGEABLE, ids=str)


@every_row
def test_single_row_has_a_tag_by_which_it_is_not_sent_again(resource, manager_api, acme):
    url = f"{resource.url}/{make_row(resource, acme).pk}"
    tag = manager_api.get(url)["ETag"]
    assert re.fullmatch('"[0-9a-f]{32}(-[0-9a-f]{32})?"', tag)
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = manager_api.get(url, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
    assert manager_api.get(url, headers={"If-None-Match": '"other"'}).status_code == 200


@every_changeable
def test_change_of_a_row_that_somebody_else_has_changed_is_refused(resource, manager_api, acme):
    url, change = f"{resource.url}/{make_row(resource, acme).pk}", CHANGES[resource.route]
    read = manager_api.get(url)
    first = manager_api.patch(url, change, headers={"If-Match": read["ETag"]})
    assert first.status_code == 200
    assert first["ETag"] != read["ETag"]
    current = manager_api.get(url)
    assert (current["ETag"], current.json()) == (first["ETag"], first.json())

    second = manager_api.patch(url, change, headers={"If-Match": read["ETag"]})
    assert second.status_code == 412
    assert (code_of(second), second.json()["current"]) == ("stale", current.json())
    assert second["ETag"] == current["ETag"]
    again = manager_api.patch(url, change, headers={"If-Match": second["ETag"]})
    assert again.status_code == 200


@every_changeable
def test_change_writes_only_what_was_sent(resource, manager_api, acme):
    row, change = make_row(resource, acme), CHANGES[resource.route]
    table = row._meta.db_table
    with CaptureQueriesContext(connection) as queries:
        assert manager_api.patch(f"{resource.url}/{row.pk}", change).status_code == 200
    updates = [q["sql"] for q in queries.captured_queries if q["sql"].startswith(f'UPDATE "{table}"')]
    written = {column for sql in updates for column in re.findall(r'"(\w+)" = ', sql.partition(" WHERE ")[0])}
    assert written - {"updated_at"} - DERIVED.get(resource.route, set()) == set(change)


def test_signed_in_user_has_a_tag(manager_api, manager):
    url = "/api/v1/me"
    tag = manager_api.get(url)["ETag"]
    assert manager_api.get(url, headers={"If-None-Match": tag}).status_code == 304
    manager.first_name = "Robin"
    assert manager_api.get(url, headers={"If-None-Match": tag}).status_code == 200


def test_settings_of_the_company_have_a_tag(manager_api, acme):
    url = "/api/v1/company"
    tag = manager_api.get(url)["ETag"]
    assert manager_api.get(url, headers={"If-None-Match": tag}).status_code == 304
    assert manager_api.patch(url, {"missed_call_text": "Hi."}, headers={"If-Match": tag}).status_code == 200
    stale = manager_api.patch(url, {"missed_call_text": "Ho."}, headers={"If-Match": tag})
    assert (stale.status_code, stale.json()["current"]["missed_call_text"]) == (412, "Hi.")
    assert stale["ETag"] == manager_api.get(url)["ETag"]


@pytest.mark.parametrize("resource", DELETABLE, ids=str)
def test_row_that_somebody_else_has_changed_is_not_deleted(resource, manager_api, acme):
    url = f"{resource.url}/{make_row(resource, acme).pk}"
    tag = manager_api.get(url)["ETag"]
    manager_api.patch(url, CHANGES[resource.route])
    refused = manager_api.delete(url, headers={"If-Match": tag})
    assert (refused.status_code, code_of(refused)) == (412, "stale")
    assert manager_api.delete(url, headers={"If-Match": refused["ETag"]}).status_code == 204
    assert manager_api.get(url).status_code == 404


@pytest.mark.parametrize("header", ["", "abc", '"abc', '"a" "b"', "*, *", '"é"', "W/abc"])
@pytest.mark.parametrize(("method", "name"), [("get", "If-None-Match"), ("patch", "If-Match"), ("delete", "If-Match")])
def test_header_that_is_no_list_of_tags_is_named(method, name, header, manager_api, acme):
    contact = ContactFactory(company=acme, first_name="Dana")
    response = getattr(manager_api, method)(f"/api/v1/contacts/{contact.pk}", {}, headers={name: header})
    assert response.status_code == 400
    assert list(errors_of(response)) == [name]
    contact.refresh_from_db()


def test_message_that_arrives_meanwhile_refuses_no_change_of_its_conversation(manager_api, manager, acme):
    conversation = ConversationFactory(contact=ContactFactory(company=acme))
    url = f"/api/v1/conversations/{conversation.pk}"
    tag = manager_api.get(url)["ETag"]
    message = MessageFactory(
        contact=conversation.contact, phone_line=conversation.phone_line, activity__conversation=conversation
    )
    read = manager_api.get(url, headers={"If-None-Match": tag})
    assert (read.status_code, read.json()["last_message"]["id"]) == (200, message.pk)
    changed = manager_api.patch(url, {"assignee": manager.pk}, headers={"If-Match": tag})
    assert (changed.status_code, changed.json()["unread"]) == (200, 1)
    assert manager_api.patch(url, {"assignee": None}, headers={"If-Match": tag}).status_code == 412


def test_number_that_is_added_meanwhile_refuses_no_change_of_its_contact(manager_api, acme):
    contact = ContactFactory(company=acme)
    url = f"/api/v1/contacts/{contact.pk}"
    tag = manager_api.get(url)["ETag"]
    ContactPhoneFactory(contact=contact)
    assert manager_api.get(url)["ETag"] != tag
    assert manager_api.patch(url, {"first_name": "Robin"}, headers={"If-Match": tag}).status_code == 200


def test_end_of_an_opt_out_with_a_tag_changes_all_its_rows(manager_api, acme):
    contact = ContactFactory(company=acme)
    flag = manager_api.post("/api/v1/contact-flags", {"contact": contact.pk, "flag_type": "opted_out"}).json()
    url = f"/api/v1/contact-flags/{flag['id']}"
    tag = manager_api.get(url)["ETag"]
    body = {"expires_at": "2026-03-02T16:00:00Z"}
    ended = manager_api.patch(url, body, headers={"If-Match": tag})
    assert ended.status_code == 200, ended.content
    assert manager_api.patch(url, body, headers={"If-Match": tag}).status_code == 412
    assert manager_api.get(url)["ETag"] == ended["ETag"]


@pytest.fixture
def committed(transactional_db):
    return UserFactory(role="manager")


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("resource", CHANGEABLE, ids=str)
def test_one_of_several_concurrent_changes_with_one_tag_wins(resource, committed):
    row = make_row(resource, committed.company)
    url, change = f"{resource.url}/{row.pk}", CHANGES[resource.route]
    headers = {"If-Match": signed_in(committed).get(url)["ETag"]}
    answers = in_threads(4, lambda _: signed_in(committed).patch(url, change, headers=headers))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
    [won] = [answer.json() for answer in answers if answer.status_code == 200]
    assert [answer.json()["current"] for answer in answers if answer.status_code == 412] == [won] * 3


@pytest.mark.django_db(transaction=True)
def test_concurrent_changes_of_different_fields_are_all_kept(committed):
    with all_tenants():
        contact = ContactFactory(company=committed.company)
    fields = ["first_name", "last_name", "city", "state", "postal_code", "address"]
    url = f"/api/v1/contacts/{contact.pk}"
    answers = in_threads(6, lambda n: signed_in(committed).patch(url, {fields[n]: f"new {n}"}))
    assert {answer.status_code for answer in answers} == {200}
    stored = signed_in(committed).get(url).json()
    assert [stored[name] for name in fields] == [f"new {n}" for n in range(6)]


@pytest.mark.django_db(transaction=True)
def test_concurrent_ends_of_one_opt_out_do_not_deadlock(committed):
    contact = ContactFactory(company=committed.company)
    body = {"contact": contact.pk, "flag_type": "opted_out"}
    flag = signed_in(committed).post("/api/v1/contact-flags", body).json()
    url = f"/api/v1/contact-flags/{flag['id']}"
    changes = [{"expires_at": "2026-03-02T16:00:00Z"}, {"reason": "Asked us to."}] * 3
    answers = in_threads(6, lambda n: signed_in(committed).patch(url, changes[n]))
    assert {answer.status_code for answer in answers} <= {200, 400}  # an ended one can't be ended again
    assert signed_in(committed).get(url).json()["expires_at"]


def test_openapi_document_describes_tags(db):
    document = TenantSchemaGenerator().get_schema(public=True)
    for path, operations in document["paths"].items():
        for method, header, code in [("patch", "If-Match", "412"), ("delete", "If-Match", "412")]:
            if path == "/api/v1/provider-connections":  # no row: what a PATCH replaces there, nobody has read
                continue
            if method in operations and "get" in operations:
                names = [parameter["name"] for parameter in operations[method]["parameters"]]
                assert header in names, path
                assert code in operations[method]["responses"], path
    read = document["paths"]["/api/v1/contacts/{id}"]["get"]
    assert "If-None-Match" in [parameter["name"] for parameter in read["parameters"]]
    assert {"200", "304"} <= set(read["responses"])
    assert "ETag" in read["responses"]["200"]["headers"]
    assert "304" not in document["paths"]["/api/v1/contacts"]["get"]["responses"]
