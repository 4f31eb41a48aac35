"""Plain polls for changes: the same answers as the view's, for less."""

import gzip
import json
from datetime import timedelta
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from rest_framework.test import APIClient
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from calls.models import Appointment, Call
from crm.api import changes, plain_polls
from crm.api.base.roles import grant_for
from crm.api.tokens import SessionToken
from crm.changes import cursors
from crm.changes.cursors import Cursor, Position, write_cursor
from crm.choices import Role
from crm.db import rate_counters
from crm.db.tenancy import all_tenants, tenant
from crm.models import User
from crm.services.merging.merge import merge_contacts
from tests import factories
from tests.api.feed import FEEDS, URL, make, rows_of, settle
from tests.conftest import postgres_only
from tests.db.scratch import another_session

pytestmark = [pytest.mark.django_db(transaction=True), postgres_only]
OF_EACH_RESPONSE = {"X-Request-ID", "RateLimit"}


class Poller:
    """A client with a token and a cursor, as front ends have them."""

    def __init__(self, user):
        self.user, self.token = user, SessionToken.for_user(user)
        self.api = APIClient()
        self.api.credentials(HTTP_AUTHORIZATION=f"Bearer {self.token.access_token}")
        settle()
        self.after = self.get(after=None).json()["next"]

    def get(self, **query):
        query = {name: value for name, value in ({"after": getattr(self, "after", None)} | query).items() if value}
        return self.api.get(f"{URL}?{urlencode(query)}")

    def poll(self):
        """Return the response to a poll, and the number of its statements."""
        settle()
        with CaptureQueriesContext(connection) as asked:
            response = self.get()
        # The tenant's settings and the statement are one message.
        return response, len(asked.captured_queries)


@pytest.fixture
def poller(csr):
    return Poller(csr)


def change_user(user, **values):
    with all_tenants():
        User.accounts.filter(pk=user.pk).update(**values)


@pytest.mark.parametrize("role", Role.values)
def test_plain_poll_is_answered_as_the_view_does(role, acme, globex):
    poller = Poller(factories.UserFactory(company=acme, role=role))
    call = factories.CallFactory(contact__company=acme, assigned_rep=poller.user if role == "rep" else None)
    factories.ContactFactory.create_batch(2, company=acme)
    factories.ContactFactory(company=globex)
    plain, statements = poller.poll()
    of_view = poller.get(limit=500)
    assert (plain.status_code, statements) == (200, 2 if role == "rep" else 1)
    assert ("calls", call.pk) in {(each["resource"], each["id"]) for each in plain.json()["results"]}
    assert plain.json()["results"] == of_view.json()["results"]
    headers, others = (
        {name: value for name, value in response.items() if name not in OF_EACH_RESPONSE}
        for response in (plain, of_view)
    )
    assert headers == others
    poller.after = plain.json()["next"]
    assert poller.poll()[0].json()["results"] == []


@pytest.mark.slow
def test_rep_of_all_calls_is_told_what_the_view_tells(acme, rep):
    poller = Poller(rep)
    for _ in range(2):
        for table in FEEDS:
            make(table, acme)
        with all_tenants():
            Call.objects.update(assigned_rep=rep)
            contact = Call.objects.exclude(contact=None).latest("pk").contact
        for factory in (factories.ActivityFactory, factories.LeadFactory, factories.ContactFlagFactory):
            factory(contact=contact)
    plain, statements = poller.poll()
    results = plain.json()["results"]
    assert (results, statements) == (poller.get(limit=500).json()["results"], 2)
    assert {"activities", "calls", "contacts", "contact-flags", "leads"} <= {each["resource"] for each in results}


def test_poll_of_a_rep_asks_once_if_the_changes_are_of_others(acme, rep):
    other = factories.UserFactory(company=acme, role="rep")
    poller = Poller(rep)
    contact = factories.CallFactory(contact__company=acme).contact
    factories.AppointmentFactory(contact=contact, assigned_rep=other)
    factories.LeadFactory(contact=contact)
    response, statements = poller.poll()
    assert (response.json()["results"], statements) == ([], 1)
    assert poller.get(limit=500).json()["results"] == []


def test_rep_is_told_that_objects_are_gone_which_other_changes_took_away_before(acme, rep):
    gone, kept = (factories.ContactFactory(company=acme) for _ in range(2))
    factories.CallFactory(contact=gone, assigned_rep=rep)
    appointment = factories.AppointmentFactory(contact=gone, assigned_rep=rep)
    poller = Poller(rep)
    with tenant(acme.pk):
        Appointment.objects.filter(pk=appointment.pk).update(assigned_rep=factories.UserFactory(company=acme))
        Appointment.objects.get(pk=appointment.pk).delete()
        merge_contacts(kept=kept, gone=gone, user=None)
    results = poller.poll()[0].json()["results"]
    assert results == poller.get(limit=500).json()["results"]
    changes_seen = {(each["resource"], each["id"], each["change"]) for each in results}
    assert changes_seen >= {("contacts", gone.pk, "deleted"), ("appointments", appointment.pk, "deleted")}


def test_rep_sees_a_change_of_a_contact_with_many_calls_of_others(acme, rep):
    contact = factories.CallFactory(contact__company=acme, assigned_rep=rep).contact
    factories.CallFactory.create_batch(60, contact=contact)
    poller = Poller(rep)
    with tenant(acme.pk):
        type(contact).objects.filter(pk=contact.pk).update(first_name="Ada")
    assert [each["id"] for each in poller.poll()[0].json()["results"]] == [contact.pk]


def test_appointment_brings_its_contact_into_reach(acme, rep):
    poller, contact = Poller(rep), factories.ContactFactory(company=acme)
    appointment = factories.AppointmentFactory(contact=contact, assigned_rep=rep)
    found = {(each["resource"], each["id"]) for each in poller.poll()[0].json()["results"]}
    assert found == {("contacts", contact.pk), ("appointments", appointment.pk)}


def test_roles_that_see_own_contacts_are_those_of_the_function():
    assert [role for role in Role.values if grant_for(role, "contacts").own] == [Role.REP]


def test_poll_that_finds_nothing_takes_one_statement(poller, globex):
    factories.ContactFactory(company=globex)
    response, statements = poller.poll()
    assert (response.json()["results"], statements) == ([], 1)


def test_next_page_follows_at_once(poller, acme, monkeypatch):
    for module in (changes, plain_polls):
        monkeypatch.setattr(module, "USUAL_LIMIT", 2)
    lines = factories.PhoneLineFactory.create_batch(3, company=acme)
    found = []
    for wait in ("0", "2"):
        response, _ = poller.poll()
        assert response["Poll-After"] == wait
        poller.after = response.json()["next"]
        found += [each["id"] for each in response.json()["results"]]
    assert found == [line.pk for line in lines]


@pytest.mark.parametrize(
    ("end_access", "code"),
    [
        (lambda poller: poller.token.end_session(), "session_ended"),
        (lambda poller: change_user(poller.user, is_active=False), "user_inactive"),
        (lambda poller: change_user(poller.user, role="rep"), "session_ended"),
        (lambda poller: change_user(poller.user, company=factories.CompanyFactory()), "session_ended"),
        (lambda poller: change_user(poller.user, password="another"), "session_ended"),
        (lambda poller: User.accounts.get(pk=poller.user.pk).delete(), "user_not_found"),
    ],
    ids=["sign-out", "deactivated", "role", "company", "password", "deleted"],
)
def test_access_that_ends_is_refused_at_once(poller, end_access, code):
    poller.poll()
    with all_tenants():
        end_access(poller)
    response, _ = poller.poll()
    assert (response.status_code, response.json()["errors"][0]["code"]) == (401, code)


@pytest.mark.parametrize(
    ("values", "status"), [({"password": "another"}, 401), ({"is_active": False}, 401), ({"role": "rep"}, 410)]
)
def test_session_that_began_after_a_change_of_its_user_shows_nothing_more(values, status, poller):
    """The sign-in had read the user before."""
    session = OutstandingToken.objects.filter(jti=poller.token["jti"])
    [owner] = session.values_list("user", flat=True)
    change_user(poller.user, **values)
    session.update(user=owner)
    assert poller.poll()[0].status_code == status


def test_cursor_of_another_user_is_refused(poller, manager):
    poller.after = Poller(manager).after
    assert poller.poll()[0].status_code == 400


@pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer", "Basic x", ""])
def test_request_without_a_valid_token_is_refused(poller, header):
    poller.api.credentials(HTTP_AUTHORIZATION=header)
    assert poller.poll()[0].status_code == 401


def test_refresh_token_is_refused(poller):
    poller.api.credentials(HTTP_AUTHORIZATION=f"Bearer {poller.token}")
    assert poller.poll()[0].status_code == 401


def test_expired_token_is_refused(poller):
    token = poller.token.access_token
    token.set_exp(from_time=now() - timedelta(days=1))
    poller.api.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    assert poller.poll()[0].status_code == 401


def test_token_that_was_read_before_is_left_to_the_view_when_it_has_expired(poller, monkeypatch):
    assert poller.poll()[1] == 1
    monkeypatch.setattr(plain_polls, "time", SimpleNamespace(time=lambda: poller.token.access_token["exp"]))
    assert poller.poll()[1] > 1


def test_head_and_options_are_answered_by_the_view(poller):
    url = f"{URL}?{urlencode({'after': poller.after})}"
    got, head, options = poller.get(), poller.api.head(url), poller.api.options(url)
    assert (head.status_code, head.content, head["Poll-After"]) == (200, b"", got["Poll-After"])
    assert {name for name, _ in head.items()} == {name for name, _ in got.items()}
    assert (options.status_code, options["Allow"]) == (200, got["Allow"])


def test_long_answer_is_compressed_for_who_accepts_it(poller, acme):
    factories.PhoneLineFactory.create_batch(20, company=acme)
    settle()
    url = f"{URL}?{urlencode({'after': poller.after})}"
    packed = poller.api.get(url, HTTP_ACCEPT_ENCODING="gzip")
    assert (packed["Content-Encoding"], packed["Content-Length"]) == ("gzip", str(len(packed.content)))
    assert len(json.loads(gzip.decompress(packed.content))["results"]) == 20
    assert "accept-encoding" in packed["Vary"].lower()
    assert "Content-Encoding" not in poller.get()


def test_condition_never_withholds_the_next_cursor(poller):
    """Answers have no ETag: each has another cursor."""
    response = poller.api.get(f"{URL}?{urlencode({'after': poller.after})}", HTTP_IF_NONE_MATCH="*")
    assert (response.status_code, "ETag" in response, "next" in response.json()) == (200, False, True)


@pytest.mark.parametrize("origin", ["https://app.example.com", "https://evil.example.com"])
def test_page_of_another_origin_polls_if_it_is_listed(origin, poller, settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
    response = poller.api.get(f"{URL}?{urlencode({'after': poller.after})}", HTTP_ORIGIN=origin)
    assert response.get("Access-Control-Allow-Origin") == (origin if "app" in origin else None)
    assert response["Vary"] == poller.get()["Vary"] == "origin"


def test_old_cursor_has_expired(poller, csr):
    [*_, history, xid, change, _] = cursors._signer.unsign_object(poller.after)
    poller.after = write_cursor(Cursor(Position(xid, change), history, now() - timedelta(hours=49)), csr)
    assert poller.poll()[0].status_code == 410


def test_cursor_of_another_history_has_expired(poller, csr):
    poller.after = write_cursor(Cursor(Position(10**15), "another cluster", now()), csr)
    assert poller.poll()[0].status_code == 410


def test_polls_count_for_the_limit_of_requests(poller, settings, monkeypatch):
    monkeypatch.setattr(rate_counters, "time", SimpleNamespace(time=lambda: 1_000_000 * 60.0))  # the minute goes on
    settings.THROTTLE_USER_PER_MIN = 1000
    [before, after] = [poller.poll()[0]["RateLimit"] for _ in range(2)]
    assert int(before.split("r=")[1].split(";")[0]) == int(after.split("r=")[1].split(";")[0]) + 1
    settings.THROTTLE_USER_PER_MIN = 1
    assert poller.poll()[0].status_code == 429


@pytest.mark.parametrize(
    ("headers", "status"), [({"HTTP_ACCEPT": "text/html"}, 406), ({"HTTP_HOST": "elsewhere.example"}, 400)]
)
def test_request_that_the_view_would_refuse_is_refused(poller, headers, status):
    assert poller.api.get(f"{URL}?{urlencode({'after': poller.after})}", **headers).status_code == status


def test_poll_leaves_no_setting_of_its_company(poller):
    names = ("crm.company_id", "crm.all_companies", "lock_timeout", "statement_timeout", "random_page_cost")
    settings = ", ".join(f"coalesce(current_setting('{name}', true), '')" for name in names)
    before = rows_of(f"SELECT {settings}")
    poller.poll()
    assert rows_of(f"SELECT {settings}") == before


@pytest.mark.parametrize("limit", ["WEB_LOCK_TIMEOUT_MS", "WEB_STATEMENT_TIMEOUT_MS"])
def test_poll_waits_no_longer_than_other_requests(limit, poller, settings):
    settings.WEB_LOCK_TIMEOUT_MS = settings.WEB_STATEMENT_TIMEOUT_MS = 0
    setattr(settings, limit, 50)
    poller.api.raise_request_exception = False
    with another_session() as other:
        other.execute("LOCK TABLE changes")
        response = poller.get()
    assert (response.status_code, response.json()["errors"][0]["code"]) == (503, "timeout")


def test_poll_in_a_transaction_is_left_to_the_view(poller):
    with transaction.atomic():
        assert poller.get().status_code == 200
        assert rows_of("SELECT coalesce(current_setting('crm.company_id', true), '')") == [("",)]
