"""Polls for changes that find nothing new: the same answers as the view's, for less."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from rest_framework.test import APIClient

from crm.api.tokens import SessionToken
from crm.changes import cursors
from crm.changes.cursors import Cursor, Position, write_cursor
from crm.db.tenancy import all_tenants
from crm.models import User
from tests import factories
from tests.api.feed import URL, settle
from tests.conftest import postgres_only

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


def test_quiet_poll_takes_one_statement(poller):
    response, statements = poller.poll()
    assert (response.status_code, statements) == (200, 1)
    assert response.json() == {"results": [], "next": poller.after}


def test_quiet_poll_is_answered_as_the_view_does(poller):
    quiet, _ = poller.poll()
    of_view = poller.get(limit=500)
    assert quiet.status_code == of_view.status_code
    assert quiet.json().keys() == of_view.json().keys()
    headers, others = (
        {name: value for name, value in response.items() if name not in OF_EACH_RESPONSE}
        for response in (quiet, of_view)
    )
    length = {"Content-Length": str(len(quiet.content))}
    assert headers == others | length


def test_change_is_found_after_quiet_polls(poller, acme):
    poller.poll()
    contact = factories.ContactFactory(company=acme)
    response, _ = poller.poll()
    assert next((each["resource"], each["id"]) for each in response.json()["results"]) == ("contacts", contact.pk)
    poller.after = response.json()["next"]
    assert poller.poll()[0].json() == {"results": [], "next": poller.after}


def test_changes_of_other_companies_leave_a_poll_quiet(poller, globex):
    factories.ContactFactory(company=globex)
    response, statements = poller.poll()
    assert (response.json()["results"], statements) == ([], 1)


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


@pytest.mark.parametrize(("minutes", "is_same"), [(4, True), (6, False)])
def test_old_cursor_is_renewed(poller, csr, minutes, is_same):
    [*_, history, xid, change, _] = cursors._signer.unsign_object(poller.after)
    at = now() - timedelta(minutes=minutes)
    poller.after = write_cursor(Cursor(Position(xid, change), history, at), csr)
    assert (poller.poll()[0].json()["next"] == poller.after) is is_same


def test_cursor_of_another_history_has_expired(poller, csr):
    poller.after = write_cursor(Cursor(Position(10**15), "another cluster", now()), csr)
    assert poller.poll()[0].status_code == 410


def test_quiet_polls_count_for_the_limit_of_requests(poller, settings):
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
