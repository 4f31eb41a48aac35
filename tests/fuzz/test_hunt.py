"""No way in: thousands of odd requests as each role, on PostgreSQL, and nothing of another company comes out."""

import logging
import os
import sys

import pytest
from django.db import connection
from django.test.testcases import QuietWSGIRequestHandler
from rest_framework_simplejwt.tokens import RefreshToken

from crm.db.tenancy import all_tenants
from crm.models import Contact
from tests import factories
from tests.conftest import postgres_only
from tests.fuzz import world
from tests.fuzz.hunter import hunt

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "5"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))


@pytest.fixture
def server(monkeypatch, live_server):
    """The application behind HTTP, where nothing is done for us that a real client would not do."""
    # Headers and body are two small writes, and the second would wait 40 ms for the first one's acknowledgement.
    monkeypatch.setattr(QuietWSGIRequestHandler, "disable_nagle_algorithm", True)
    logging.disable(logging.WARNING)
    yield live_server.url
    logging.disable(logging.NOTSET)
    with connection.cursor() as cursor:  # the server's threads keep theirs open, and the database could not be dropped
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@postgres_only
@pytest.mark.parametrize("role", ["manager", "csr", "rep"])
def test_the_api_keeps_its_word_and_its_secrets(role, server, acme, globex):
    user = factories.UserFactory(company=acme, role=role)
    rep = user if role == "rep" else factories.UserFactory(company=acme, role="rep")
    world.make_company_rows(acme, rows=3, assigned_rep=rep)
    world.make_foreign_rows(globex)
    before = world.rows_of(globex)
    with all_tenants():
        own_ids = sorted(Contact.objects.filter(company=acme).values_list("pk", flat=True))

    report = hunt(server, str(RefreshToken.for_user(user).access_token), seed=SEED, examples=EXAMPLES, own_ids=own_ids)
    print(f"{role}, seed {SEED}: {report}", file=sys.stderr)

    assert not report.findings, str(report)
    assert not report.errors, str(report)
    assert world.rows_of(globex) == before
    assert world.references_across_companies() == []
