"""Calendar feeds: who gets one, what it shows, and how it ends."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils.timezone import now

from crm.db.tenancy import all_tenants, tenant
from crm.models import AuditEntry, CalendarFeed, User
from tests import factories
from tests.conftest import signed_in
from tests.count_queries import CountQueries
from tests.errors import codes_of

URL = "/api/v1/calendar-feeds"
DAY = timedelta(days=1)
pytestmark = pytest.mark.django_db


def create(api, **body):
    response = api.post(URL, body)
    assert response.status_code == 201, response.content
    return response.json()


def path_of(feed):
    return "/" + feed["feed_url"].split("/", 3)[3]


def read(feed, **headers):
    return Client().get(path_of(feed), headers=headers)


def uids(response):
    assert response.status_code == 200, response.content
    return [int(pk) for pk in re.findall(r"UID:appointment-(\d+)@", response.content.decode())]


def booked(rep, *, days=1, **fields):
    return factories.AppointmentFactory(
        contact__company=rep.company, assigned_rep=rep, scheduled_start=now() + days * DAY, **fields
    )


@pytest.fixture
def feed(rep_api):
    return create(rep_api)


def test_calendar_reads_the_appointments_of_its_user_alone(feed, rep, csr, acme, globex):
    own = [booked(rep, days=days) for days in (-29, 1, 179)]
    for days in (-31, 181):
        booked(rep, days=days)
    booked(csr)
    factories.AppointmentFactory(contact__company=acme)
    booked(factories.UserFactory(company=globex, role="rep"))
    response = read(feed)
    assert uids(response) == [appointment.pk for appointment in own]
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert response["Cache-Control"] == "private, no-cache"


def test_cancelled_appointment_stays_as_cancelled(feed, rep):
    appointment = booked(rep, status="cancelled")
    response = read(feed)
    assert uids(response) == [appointment.pk]
    assert b"STATUS:CANCELLED" in response.content


def test_unchanged_calendar_is_not_sent_again(feed, rep):
    appointment = booked(rep)
    tag = read(feed)["ETag"]
    unchanged = read(feed, **{"If-None-Match": tag})
    assert (unchanged.status_code, unchanged.content, unchanged["ETag"]) == (304, b"", tag)
    with tenant(rep.company_id):
        type(appointment).objects.filter(pk=appointment.pk).update(status="cancelled")
    assert read(feed, **{"If-None-Match": tag}).status_code == 200


def test_secret_is_shown_once_and_stored_as_a_hash(feed, rep_api):
    secret = path_of(feed).split("-", 1)[1].removesuffix(".ics")
    assert feed["beginning"] == secret[:4]
    for answer in (rep_api.get(URL), rep_api.get(f"{URL}/{feed['id']}")):
        assert secret not in answer.content.decode()
    with all_tenants():
        row, entries = CalendarFeed.objects.get(), str(list(AuditEntry.objects.values_list("changes", flat=True)))
    assert all(secret not in str(value) for value in vars(row).values())
    assert secret not in entries
    assert row.secret_hash not in entries


def test_new_feed_ends_the_former_one(feed, rep_api, rep):
    other = create(rep_api)
    assert (read(feed).status_code, read(other).status_code) == (404, 200)
    rows = rep_api.get(URL).json()["results"]
    assert [(row["id"], row["revoked_at"] is None) for row in rows] == [(other["id"], True), (feed["id"], False)]


def test_user_and_managers_revoke_a_feed(rep_api, manager_api):
    for api in (rep_api, manager_api):
        feed = create(rep_api)
        row = api.post(f"{URL}/{feed['id']}/revoke").json()
        assert row["revoked_at"]
        assert read(feed).status_code == 404
        assert api.post(f"{URL}/{feed['id']}/revoke").json() == row


def test_manager_creates_one_for_a_rep_and_others_only_their_own(rep, csr, manager, manager_api, csr_api):
    made = create(manager_api, user=rep.pk)
    assert (made["user"], made["created_by"]) == (rep.pk, manager.pk)
    assert codes_of(csr_api.post(URL, {"user": rep.pk})) == {"user": ["field_forbidden"]}
    assert create(csr_api, user=csr.pk)["user"] == csr.pk


@pytest.mark.parametrize("whose", ["another company's", "one who has left"])
def test_nobody_creates_a_feed_for(whose, acme, globex, manager_api):
    company, is_active = (globex, True) if whose == "another company's" else (acme, False)
    user = factories.UserFactory(company=company, role="rep", is_active=is_active)
    assert codes_of(manager_api.post(URL, {"user": user.pk})) == {"user": ["does_not_exist"]}


def test_others_don_t_see_the_feed(feed, csr_api, outsider_api):
    for api in (csr_api, outsider_api):
        assert api.get(URL).json()["results"] == []
        assert api.post(f"{URL}/{feed['id']}/revoke").status_code == 404


@pytest.mark.parametrize(
    "change", [{"is_active": False}, {"role": "csr"}, {"password": "shingle-99-x"}], ids=["left", "role", "password"]
)
def test_change_of_the_user_s_access_ends_the_feed_for_ever(change, feed, rep, manager_api):
    before = {name: getattr(rep, name) for name in change if name != "password"}
    assert manager_api.patch(f"/api/v1/users/{rep.pk}", change).status_code == 200
    assert read(feed).status_code == 404
    manager_api.patch(f"/api/v1/users/{rep.pk}", before)
    assert read(feed).status_code == 404


@pytest.mark.parametrize(
    ("change", "status"), [({"is_active": False}, 404), ({"role": "csr"}, 404), ({"password": "shingle-99-x"}, 200)],
    ids=["left", "role", "password"],
)  # fmt: skip
def test_feed_ends_when_the_manager_who_made_it_is_none_any_more(change, status, rep, manager, manager_api, acme):
    feed = manager_api.post(URL, {"user": rep.pk}).json()
    other = factories.UserFactory(company=acme, role="manager")
    assert signed_in(other).patch(f"/api/v1/users/{manager.pk}", change).status_code == 200
    assert read(feed).status_code == status


def test_another_name_keeps_the_feed(feed, rep, manager_api):
    manager_api.patch(f"/api/v1/users/{rep.pk}", {"first_name": "Rob"})
    assert read(feed).status_code == 200


def test_user_without_access_has_no_calendar_even_if_the_feed_was_not_revoked(feed, rep):
    User.accounts.filter(pk=rep.pk).update(is_active=False)
    with all_tenants():
        CalendarFeed.objects.update(revoked_at=None)
    assert read(feed).status_code == 404


@pytest.mark.parametrize("token", ["1-x", "x", "0-" + "a" * 43, "9" * 18 + "-" + "a" * 43, "1-" + "ü" * 43])
def test_other_text_is_no_calendar(token):
    assert Client().get(f"/calendar/{token}.ics").status_code == 404


def test_secret_of_another_feed_opens_nothing(feed, csr_api):
    other = create(csr_api)
    secret = path_of(other).split("-", 1)[1]
    assert Client().get(f"/calendar/{feed['id']}-{secret}").status_code == 404


def test_last_use_is_recorded_once_a_minute(feed, rep_api):
    def used():
        return rep_api.get(f"{URL}/{feed['id']}").json()["last_used_at"]

    assert used() is None
    read(feed)
    first = used()
    read(feed)
    assert first is not None
    assert used() == first
    with all_tenants():
        CalendarFeed.objects.update(last_used_at=now() - timedelta(seconds=61))
    read(feed)
    assert used() > first


def test_calendar_costs_as_many_queries_for_many_appointments(feed, rep):
    def count():
        with CountQueries() as queries:
            assert read(feed).status_code == 200
        return len(queries)

    booked(rep)
    read(feed)
    one = count()
    for days in range(2, 6):
        booked(rep, days=days)
    assert count() == one
    assert one <= 4


def test_requests_of_an_address_are_limited(feed, settings):
    settings.THROTTLE_USER_PER_MIN = 2
    statuses = [read(feed).status_code for _ in range(6)]
    assert 429 in statuses  # a minute may end between two of them
    refused = next(response for response in (read(feed) for _ in range(6)) if response.status_code == 429)
    assert 1 <= int(refused["Retry-After"]) <= 60


def test_calendar_can_only_be_read(feed):
    assert Client().post(path_of(feed)).status_code == 405
    assert Client().head(path_of(feed)).status_code == 200


def test_api_token_gets_no_feed(manager):
    token = signed_in(manager).post("/api/v1/api-tokens", {"name": "Shop", "scopes": ["read", "write"]}).json()["token"]
    for method in ("get", "post"):
        answer = getattr(Client(headers={"Authorization": f"Bearer {token}"}), method)(URL)
        assert answer.status_code == 403
