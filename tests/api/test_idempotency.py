"""Idempotency keys."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.db import connection
from django.utils.timezone import now

from calls.models import Appointment
from crm.api.base.schema import TenantSchemaGenerator
from crm.db.tenancy import all_tenants, tenant
from crm.models import Contact, IdempotencyKey
from crm.services.idempotency import KeyInProgress, StoredResponse, run_idempotently
from tests.api.role_fixture import Fixture
from tests.api.role_spec import ROUTES, SIGN_IN, expected
from tests.conftest import postgres_only, signed_in
from tests.errors import code_of, detail_of, errors_of
from tests.factories import CompanyFactory, ContactFactory, UserFactory

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


POSTS = [
    route
    for route in ROUTES
    if route.path not in SIGN_IN and expected("manager", route, "POST", body_names_a_row=True) < 300
]


def test_posts_are_found():
    assert len(POSTS) > 20


@pytest.mark.parametrize("route", POSTS, ids=str)
def test_every_post_answers_a_repeated_request_once(route, db):
    fixture = Fixture()
    api = signed_in(fixture.users["manager"])
    url, body = fixture.url(route, "POST"), fixture.body(route, "POST")
    headers = {"Idempotency-Key": "one"}
    first = api.post(url, body, headers=headers)
    rows = fixture.read_all()
    second = api.post(url, body, headers=headers)
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert first.status_code < 300
    assert ("Idempotency-Replayed" in first, "Idempotency-Replayed" in second) == (False, True)
    assert fixture.read_all() == rows
    other = api.post(url, body | {"nonsense": 1}, headers=headers)
    assert code_of(other) == "key_reused"


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
