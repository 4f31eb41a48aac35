"""Merges of contacts through the API: the merge, old IDs, and the undoing."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from drf_spectacular.generators import EndpointEnumerator

from crm.api.base.views import CONTACT_PARAMETERS
from crm.db.tenancy import all_tenants
from crm.models import Contact
from tests import factories
from tests.api.feed import Client
from tests.errors import code_of

pytestmark = pytest.mark.django_db
BODIES = {"/merge": {"other": 1}, "/phones": {"number": "+19895550179"}, "{contact_card_id}": {"body": "Hello"}}


@pytest.fixture
def kept(acme):
    return factories.ContactFactory(company=acme, email="")


@pytest.fixture
def gone(acme):
    return factories.ContactFactory(company=acme, email="robin@example.com")


@pytest.fixture
def merged(csr_api, kept, gone):
    response = csr_api.post(f"/api/v1/contacts/{kept.pk}/merge", {"other": gone.pk})
    assert response.status_code == 200, response.content
    return response.json()


def test_merge_returns_what_moved_and_who_merged(csr, csr_api, acme, kept, gone):
    factories.CallFactory(contact=gone)
    body = {"other": gone.pk, "fields": {"email": "gone", "first_name": "Rob", "phone": gone.phone}}
    merged = csr_api.post(f"/api/v1/contacts/{kept.pk}/merge", body).json()
    assert (merged["kept"], merged["gone"], merged["created_by"]) == (kept.pk, gone.pk, csr.pk)
    assert merged["moved"] == {"calls": 1, "contact_phones": 1}
    contact = csr_api.get(f"/api/v1/contacts/{kept.pk}").json()
    assert (contact["email"], contact["first_name"], contact["phone"]) == (gone.email, "Rob", gone.phone)
    assert csr_api.get(f"/api/v1/merges/{merged['id']}").json() == merged
    assert csr_api.get("/api/v1/merges", {"contact": gone.pk}).json()["results"] == [merged]


def requests_about_a_contact():
    """Return each method and path of the API that names a contact."""
    for path, _, method, view in EndpointEnumerator().get_api_endpoints():
        of_contact = [name for name in CONTACT_PARAMETERS if f"{{{name}}}" in path]
        if of_contact or ("{pk}" in path and getattr(view.cls, "resource", "") == "contacts"):
            yield method.lower(), path, (of_contact or ["pk"])[0]


@pytest.mark.parametrize("headers", [{}, {"HTTP_IF_MATCH": '"old"'}, {"HTTP_IF_NONE_MATCH": "*"}])
def test_old_id_is_answered_with_the_contact_that_stayed(manager_api, merged, kept, headers):
    with all_tenants():
        number = kept.phones.latest("pk")
    answers = {}
    for method, path, name in requests_about_a_contact():
        url = path.replace(f"{{{name}}}", str(merged["gone"])).replace("{pk}", str(number.pk))
        body = next((body for end, body in BODIES.items() if path.endswith(end)), {}) if method == "post" else {}
        response = getattr(manager_api, method)(url, *([body] if method in ("post", "patch") else []), **headers)
        answers[method, path] = (response.status_code, response.json().get("merged_into"))
    assert len(answers) >= 15
    assert {key: answer for key, answer in answers.items() if answer != (410, merged["kept"])} == {}


def test_old_id_of_a_thread_or_a_change_is_answered_alike(csr_api, merged):
    gone, into = merged["gone"], {"merged_into": merged["kept"]}.items()
    for response in (
        csr_api.get(f"/api/v1/message-threads/{gone}"),
        csr_api.post(f"/api/v1/message-threads/{gone}", {"body": "Hello"}),
        csr_api.patch(f"/api/v1/contacts/{gone}", {"first_name": "Rob"}),
        csr_api.post(f"/api/v1/contacts/{gone}/merge", {"other": merged["kept"]}),
        csr_api.post(f"/api/v1/contacts/{merged['kept']}/merge", {"other": gone}),
    ):
        assert response.status_code == 410
        assert into <= response.json().items()


@pytest.mark.parametrize(
    "path", ["calls", "appointments", "conversations", "activities", "invoices", "call-analyses", "opt-outs"]
)
def test_lists_of_the_old_contact_are_those_of_the_kept_one(csr_api, acme, kept, gone, path):
    call = factories.CallFactory(contact=gone)
    factories.CallAnalysisFactory(call=call)
    for make in ("Appointment", "Conversation", "Activity", "Invoice"):
        getattr(factories, f"{make}Factory")(contact=gone)
    factories.OptOutFactory(company=acme, phone=gone.phone)
    csr_api.post(f"/api/v1/contacts/{kept.pk}/merge", {"other": gone.pk})
    old, new = (csr_api.get(f"/api/v1/{path}", {"contact": pk}).json()["results"] for pk in (gone.pk, kept.pk))
    assert old == new != []


def test_rep_learns_of_the_kept_contact_only_if_it_is_visible(rep, rep_api, csr_api, kept, gone):
    factories.CallFactory(contact=gone, assigned_rep=rep)
    other = factories.ContactFactory(company=kept.company)
    csr_api.post(f"/api/v1/contacts/{kept.pk}/merge", {"other": gone.pk})
    csr_api.post(f"/api/v1/contacts/{factories.ContactFactory(company=kept.company).pk}/merge", {"other": other.pk})
    assert rep_api.get(f"/api/v1/contacts/{gone.pk}").status_code == 410
    assert rep_api.get(f"/api/v1/contacts/{other.pk}").status_code == 404


def test_another_company_s_contact_is_missing(csr_api, globex, kept, outsider_api, merged):
    foreign = factories.ContactFactory(company=globex)
    response = csr_api.post(f"/api/v1/contacts/{kept.pk}/merge", {"other": foreign.pk})
    assert (response.status_code, code_of(response)) == (400, "does_not_exist")
    assert outsider_api.get(f"/api/v1/contacts/{merged['gone']}").status_code == 404
    assert outsider_api.post(f"/api/v1/merges/{merged['id']}/undo").status_code == 404


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"id": "gone"}, "unknown_field"),
        ({"email": "nobody"}, "invalid"),
        ({"phone": "12"}, "invalid_phone"),
        ({"email": None}, "null"),
        ({"field:nothing": "gone"}, "unknown_field"),
        ({"field:roof": "slate"}, "invalid"),
    ],
)
def test_field_that_can_not_be_chosen_is_named(csr_api, kept, gone, acme, fields, code):
    factories.ContactFieldFactory(company=acme, key="roof")
    response = csr_api.post(f"/api/v1/contacts/{kept.pk}/merge", {"other": gone.pk, "fields": fields})
    assert (response.status_code, code_of(response)) == (400, code)
    assert Contact._base_manager.filter(pk=gone.pk).exists()


def test_contact_is_not_merged_with_itself(csr_api, kept):
    response = csr_api.post(f"/api/v1/contacts/{kept.pk}/merge", {"other": kept.pk})
    assert (response.status_code, code_of(response)) == (400, "not_allowed")


def test_undone_merge_brings_the_old_id_back(csr, csr_api, merged):
    response = csr_api.post(f"/api/v1/merges/{merged['id']}/undo")
    assert response.status_code == 200, response.content
    undone = response.json()
    assert (undone["contact"], undone["restored"], undone["not_restored"]) == (
        merged["gone"], {"contact_phones": 1}, []
    )  # fmt: skip
    assert csr_api.get(f"/api/v1/contacts/{merged['gone']}").status_code == 200
    again = csr_api.post(f"/api/v1/merges/{merged['id']}/undo")
    assert (again.status_code, code_of(again)) == (409, "merge_undone")
    assert csr_api.get(f"/api/v1/merges/{merged['id']}").json()["undone_by"] == csr.pk


def test_rep_may_not_merge(rep, rep_api, kept, gone):
    for contact in (kept, gone):
        factories.CallFactory(contact=contact, assigned_rep=rep)
    assert rep_api.post(f"/api/v1/contacts/{kept.pk}/merge", {"other": gone.pk}).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_feed_shows_one_contact_deleted_and_the_other_updated(csr, csr_api, kept, gone):
    client = Client(csr)
    csr_api.post(f"/api/v1/contacts/{kept.pk}/merge", {"other": gone.pk})
    changes = set(client.poll())
    assert {("contacts", gone.pk, "deleted"), ("contacts", kept.pk, "updated")} <= changes


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("leads", {}),
        ("contact-flags", {"flag_type": "office_number"}),
        ("activities", {"body": "Has a cat."}),
        ("appointments", {"scheduled_start": "2026-03-02T17:00:00Z", "scheduled_end": "2026-03-02T18:00:00Z"}),
        ("invoices", {"amount": "10.00", "due_date": "2026-03-02"}),
    ],
)
def test_body_with_an_old_id_is_answered_with_the_contact_that_stayed(manager_api, merged, path, body):
    response = manager_api.post(f"/api/v1/{path}", body | {"contact": merged["gone"]})
    assert (response.status_code, code_of(response)) == (410, "merged"), response.content
    assert response.json()["merged_into"] == merged["kept"]


def test_lists_of_ids_with_an_old_one_name_the_contact_that_stayed(manager_api, merged, acme):
    mailing, campaign = factories.ContactListFactory(company=acme), factories.CampaignFactory(company=acme)
    body = {"contacts": [merged["kept"], merged["gone"]]}
    for path in (f"contact-lists/{mailing.pk}/add", f"campaigns/{campaign.pk}/audience"):
        response = manager_api.post(f"/api/v1/{path}", body)
        assert (response.status_code, response.json()["merged_into"]) == (410, merged["kept"]), path


def test_body_of_a_rep_with_an_old_id_does_not_name_a_hidden_contact(rep, rep_api, merged, kept):
    body = {"contact": merged["gone"], "body": "Hello"}
    hidden = rep_api.post("/api/v1/activities", body)
    assert (hidden.status_code, code_of(hidden)) == (400, "does_not_exist")
    factories.CallFactory(contact=kept, assigned_rep=rep)
    assert rep_api.post("/api/v1/activities", body).json()["merged_into"] == kept.pk


def test_body_with_a_present_contact_costs_no_query_more(csr_api, kept, merged):
    with CaptureQueriesContext(connection) as queries:
        csr_api.post("/api/v1/leads", {"contact": kept.pk})
    assert not [query for query in queries if "gone_id" in query["sql"] and "SELECT" in query["sql"]]


@pytest.mark.parametrize(
    ("choice", "values"),
    [
        ({}, {"roof": "slate", "dogs": 2}),
        ({"field:roof": "kept", "field:dogs": "kept"}, {"roof": "slate"}),
        ({"field:roof": "gone", "field:dogs": "gone"}, {"roof": "tile", "dogs": 2}),
        ({"field:alarm": "gone"}, {"roof": "slate", "dogs": 2}),
    ],
)
def test_values_of_custom_fields_can_be_chosen_and_tags_are_united(csr_api, acme, kept, gone, choice, values):
    for key, kind in (("roof", "text"), ("dogs", "number"), ("alarm", "yes_no")):
        factories.ContactFieldFactory(company=acme, key=key, label=key.title(), field_type=kind)
    mine = {"tags": ["VIP", "Roof"], "fields": {"roof": "slate"} | ({"alarm": True} if "field:alarm" in choice else {})}
    assert csr_api.patch(f"/api/v1/contacts/{kept.pk}", mine).status_code == 200
    other = {"tags": ["roof", "Garage"], "fields": {"roof": "tile", "dogs": 2}}
    assert csr_api.patch(f"/api/v1/contacts/{gone.pk}", other).status_code == 200
    before = [csr_api.get(f"/api/v1/contacts/{contact.pk}").json() for contact in (kept, gone)]
    merged = csr_api.post(f"/api/v1/contacts/{kept.pk}/merge", {"other": gone.pk, "fields": choice})
    contact = csr_api.get(f"/api/v1/contacts/{kept.pk}").json()
    assert (contact["tags"], contact["fields"]) == (["Garage", "Roof", "VIP"], values)
    undone = csr_api.post(f"/api/v1/merges/{merged.json()['id']}/undo").json()
    assert undone["not_restored"] == []
    after = [csr_api.get(f"/api/v1/contacts/{contact.pk}").json() for contact in (kept, gone)]
    assert [(row["tags"], row["fields"]) for row in after] == [(row["tags"], row["fields"]) for row in before]
