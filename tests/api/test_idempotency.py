"""Idempotency keys."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils.timezone import now
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response
from rest_framework.test import APIClient, APIRequestFactory, force_authenticate

from calls.models import Appointment
from crm.api.base.document import operations_of
from crm.api.base.schema import TenantSchemaGenerator
from crm.api.base.views import TenantView
from crm.api.tokens import SessionToken
from crm.db.tenancy import all_tenants, tenant
from crm.models import Contact, IdempotencyKey
from crm.services.idempotency import KeyInProgress, StoredResponse, run_idempotently
from tests.api.response_schema import document
from tests.api.role_fixture import Fixture
from tests.api.role_spec import OWN, ROUTES, SIGN_IN, expected
from tests.conftest import postgres_only, signed_in
from tests.errors import code_of, detail_of, errors_of
from tests.factories import CampaignFactory, CompanyFactory, ContactFactory, UserFactory

URL = "/api/v1/appointments"


@pytest.fixture
def contact(acme):
    return ContactFactory(company=acme)


def body_of(contact, **changes):
    hours = {"scheduled_start": "2027-03-02T16:00:00Z", "scheduled_end": "2027-03-02T17:00:00Z"}
    return {"contact": contact.pk, **hours, **changes}


def book(api, body, key="one"):
    return api.post(URL, body, headers={"Idempotency-Key": key})


def count_appointments():
    with all_tenants():
        return Appointment.objects.count()


def test_repeated_key_and_body_replay_the_response(csr_api, contact):
    first, second = (book(csr_api, body_of(contact)) for _ in range(2))
    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    assert "Idempotency-Replayed" not in first
    assert second["Idempotency-Replayed"] == "true"
    assert count_appointments() == 1


def test_key_is_known_while_secret_key_is_replaced(csr_api, contact, settings):
    first = book(csr_api, body_of(contact))
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a-key-that-replaces-the-earlier-one", [settings.SECRET_KEY]
    assert book(csr_api, body_of(contact)).content == first.content
    assert count_appointments() == 1


SECRETS = {"api-tokens", "calendar-feeds", "events/ticket", "outgoing-webhooks", "outgoing-webhooks/<pk>/rotate-secret"}
WITHOUT_KEY = {*SIGN_IN, *OWN, *SECRETS}
POSTS = [
    route
    for route in ROUTES
    if route.path not in WITHOUT_KEY and expected("manager", route, "POST", body_names_a_row=True) < 300
]


def test_posts_are_found():
    assert len(POSTS) > 20


@pytest.mark.parametrize("route", POSTS, ids=str)
def test_every_post_answers_a_repeated_request_once(route, db):
    fixture = Fixture()
    first, rows, second = post(fixture, route), fixture.read_all(), post(fixture, route)
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert first.status_code < 300
    assert ("Idempotency-Replayed" in first, "Idempotency-Replayed" in second) == (False, True)
    assert fixture.read_all() == rows
    assert code_of(post(fixture, route, nonsense=1)) == "key_reused"


def post(fixture, route, **more):
    """Send the manager's request with the key `one`. A file is read once, so that each request has its own body."""
    body = fixture.body(route, "POST") | more
    form = {"format": "multipart"} if "file" in body else {}
    api = signed_in(fixture.users["manager"])
    return api.post(fixture.url(route, "POST"), body, headers={"Idempotency-Key": "one"}, **form)


@pytest.mark.parametrize("route", POSTS, ids=str)
def test_row_that_a_post_answers_has_the_tag_of_its_next_get_also_when_replayed(route, db):
    fixture = Fixture()
    first, second = (post(fixture, route) for _ in range(2))
    if not answers_a_row(route):
        assert "ETag" not in first
        return
    url = fixture.url(route, "POST")
    read = signed_in(fixture.users["manager"]).get(
        url.rpartition("/")[0] if route.action else f"{url}/{first.json()['id']}"
    )
    assert first["ETag"] == second["ETag"]
    if route.resource != "held-messages":  # a message that was released or cancelled is no longer held
        assert (read["ETag"], read.json()) == (first["ETag"], first.json())


def answers_a_row(route):
    """Return whether the answer to a POST is a row that can be read below the same path, by the OpenAPI document."""
    path, paths = path_of(route), document()["paths"]
    row = f"{path.partition('/{id}')[0]}/{{id}}"
    return row in paths and schema_of(paths[path]["post"]) == schema_of(paths[row]["get"])


def path_of(route):
    """Return the path of a route in the OpenAPI document."""
    return "/api/v1/" + route.path.replace("<pk>", "{id}").replace("<", "{").replace(">", "}")


def schema_of(operation):
    [answer] = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
    return answer["content"]["application/json"]["schema"]


def test_every_operation_that_answers_a_row_announces_its_tag(db):
    rows = [route for route in POSTS if answers_a_row(route)]
    assert len(rows) > 15
    tagged = {path for path, method, each in operations_of(document()) if method == "post" and "ETag" in str(each)}
    assert tagged == {path_of(route) for route in rows}


def test_secret_is_never_stored(csr):
    token = SessionToken.for_user(csr)
    client = APIClient(headers={"Authorization": f"Bearer {token.access_token}", "Idempotency-Key": "one"})
    first, second = (client.post("/api/v1/events/ticket") for _ in range(2))
    assert first.json()["ticket"] != second.json()["ticket"]
    assert "Idempotency-Replayed" not in second
    with all_tenants():
        assert not IdempotencyKey.objects.exists()


def test_no_operation_with_a_key_answers_a_secret(db):
    """An answer with a key is stored, and given again."""
    secrets = {"access", "api_key", "password", "refresh", "secret", "ticket", "token", "url_token"}
    schemas = document()["components"]["schemas"]
    for path, method, operation in operations_of(document()):
        if "Idempotency-Key" in [parameter["name"] for parameter in operation.get("parameters", ())]:
            name = schema_of(operation)["$ref"].rpartition("/")[2]
            assert method == "post"
            assert not secrets & schemas[name]["properties"].keys(), path


class UploadView(TenantView):
    resource, verb = "activities", "create"
    parser_classes = [MultiPartParser]

    def post(self, request):
        return Response({"text": request.data["file"].read().decode(), "names": request.data.getlist("name")})


def upload(user, text, names=("a", "b")):
    form = {"file": SimpleUploadedFile("contacts.csv", text.encode(), "text/csv"), "name": names}
    request = APIRequestFactory().post("/upload", form, format="multipart", headers={"Idempotency-Key": "one"})
    force_authenticate(request, user)
    return UploadView.as_view()(request)


def test_file_is_part_of_the_body(csr):
    first, again = upload(csr, "name,phone"), upload(csr, "name,phone")
    assert first.data == again.data == {"text": "name,phone", "names": ["a", "b"]}
    assert ("Idempotency-Replayed" in first, "Idempotency-Replayed" in again) == (False, True)
    assert upload(csr, "name,email").status_code == 422
    assert upload(csr, "name,phone", names=("a", "c")).status_code == 422


def test_field_order_does_not_change_the_body(csr_api, contact):
    body = body_of(contact)
    assert book(csr_api, body).json() == book(csr_api, dict(reversed(body.items()))).json()
    assert count_appointments() == 1


def test_reused_key_with_another_body_is_rejected(csr_api, contact):
    book(csr_api, body_of(contact))
    answer = book(csr_api, body_of(contact, notes="Ring twice."))
    assert answer.status_code == 422
    assert "another request" in detail_of(answer)
    assert count_appointments() == 1


def test_reused_key_with_another_query_is_rejected(manager_api, contact):
    url = f"/api/v1/campaigns/{CampaignFactory(company=contact.company).pk}/audience"
    headers, body = {"Idempotency-Key": "one"}, {"contacts": [contact.pk]}
    counted = manager_api.post(f"{url}?dry_run=1", body, headers=headers)
    assert counted.json()["added"] == 1
    assert manager_api.post(f"{url}?dry_run=1", body, headers=headers).content == counted.content
    assert code_of(manager_api.post(url, body, headers=headers)) == "key_reused"
    assert manager_api.post(url, body).json()["added"] == 1


def test_new_key_or_no_key_books_again(csr_api, contact):
    book(csr_api, body_of(contact))
    assert book(csr_api, body_of(contact), key="two").status_code == 201
    assert csr_api.post(URL, body_of(contact)).status_code == 201
    assert count_appointments() == 3


def test_key_belongs_to_one_user(csr_api, manager_api, outsider_api, contact, globex):
    ids = {
        book(csr_api, body_of(contact)).json()["id"],
        book(manager_api, body_of(contact)).json()["id"],
        book(outsider_api, body_of(ContactFactory(company=globex))).json()["id"],
    }
    assert len(ids) == 3


def test_rejected_request_is_not_stored_and_may_be_repeated(csr_api, contact):
    assert book(csr_api, body_of(contact, scheduled_end="2027-03-02T15:00:00Z")).status_code == 400
    assert book(csr_api, body_of(contact)).status_code == 201


@pytest.mark.parametrize("key", ["", "two words", "k" * 101, "ключ".encode().decode("latin-1")])
def test_invalid_key_is_named(key, csr_api, contact):
    answer = book(csr_api, body_of(contact), key=key)
    assert answer.status_code == 400
    assert list(errors_of(answer)) == ["Idempotency-Key"]
    assert count_appointments() == 0


def test_key_expires_after_a_day(csr_api, contact):
    book(csr_api, body_of(contact))
    with all_tenants():
        IdempotencyKey.objects.update(created_at=now() - timedelta(hours=25))
    assert book(csr_api, body_of(contact, notes="Ring twice.")).status_code == 201
    assert count_appointments() == 2


def test_failed_request_leaves_neither_changes_nor_key(csr, acme, contact):
    def fail_half_way():
        Contact.objects.filter(pk=contact.pk).update(first_name="Gone")
        raise ObjectDoesNotExist("half way")

    with tenant(acme.pk):
        with pytest.raises(ObjectDoesNotExist, match="half way"):
            run_idempotently(user=csr, key="one", request="POST /", body=b"", operation=fail_half_way)
        assert not IdempotencyKey.objects.exists()
        contact.refresh_from_db()
        assert contact.first_name == "Casey"


@pytest.fixture
def rows():
    company = CompanyFactory()
    return UserFactory(company=company), ContactFactory(company=company)


def in_threads(count, ask):
    start = threading.Barrier(count)

    def run(number):
        start.wait()
        try:
            return ask(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


@pytest.mark.django_db(transaction=True)
def test_concurrent_requests_with_one_key_book_once(rows):
    user, contact = rows
    answers = in_threads(4, lambda _: book(signed_in(user), body_of(contact)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert count_appointments() == 1


@postgres_only
@pytest.mark.django_db(transaction=True)
def test_second_request_is_rejected_while_the_first_is_in_progress(rows):
    user, _ = rows
    in_progress, rejected = threading.Event(), threading.Event()

    def wait_for_the_other_request():
        in_progress.set()
        assert rejected.wait(10)
        return StoredResponse(201, "{}")

    def ask(number):
        with tenant(user.company_id):
            if number == 0:
                return run_idempotently(
                    user=user, key="k", request="POST /", body=b"", operation=wait_for_the_other_request
                )
            assert in_progress.wait(10)
            try:
                with pytest.raises(KeyInProgress):
                    run_idempotently(
                        user=user, key="k", request="POST /", body=b"", operation=lambda: StoredResponse(201, "{}")
                    )
            finally:
                rejected.set()
            return None

    assert in_threads(2, ask) == [StoredResponse(201, "{}"), None]


def test_openapi_document_describes_the_header(db):
    document = TenantSchemaGenerator().get_schema(public=True)
    names = [parameter["name"] for parameter in document["paths"][URL]["post"]["parameters"]]
    assert names == ["Idempotency-Key"]
