"""No way in: thousands of odd requests as each role, on PostgreSQL, and nothing of another company comes out.

`make test` asks the same each time, briefly. `make fuzz` asks more of everything, from another seed each time.
"""

import logging
import os

import pytest
from django.db import connection
from django.test.testcases import QuietWSGIRequestHandler
from rest_framework_simplejwt.tokens import RefreshToken

from crm.models import User
from tests import factories
from tests.conftest import postgres_only
from tests.fuzz import fixture
from tests.fuzz.schemathesis_runner import hunt

LONG = "FUZZ_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "5"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))


@pytest.fixture
def server(monkeypatch, live_server):
    """The URL of the application behind HTTP, where nothing is made easier than for a real client."""
    # Headers and body are two small writes, and the second would wait 40 ms for the first one's acknowledgement.
    monkeypatch.setattr(QuietWSGIRequestHandler, "disable_nagle_algorithm", True)
    logging.disable(logging.WARNING)  # a line for each refusal, of which there are thousands
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
    fixture.make_company_rows(acme, rows=3, assigned_rep=rep)
    fixture.make_foreign_rows(globex)
    before = fixture.rows_of(globex)
    # The boundary cases are the same each time: briefly, only the manager asks them, who may do all.
    phases = ["examples", "fuzzing", "stateful", *(["coverage"] if LONG or role == "manager" else [])]
    hunter = {name: getattr(user, name) for name in ("role", "is_active", "password")}

    def stay_oneself(case):
        """A manager may well demote, lock out or deactivate themselves, and all else would be refusals."""
        if case.path.startswith("/api/v1/users/") and case.method in ("PUT", "PATCH"):
            User.accounts.filter(pk=user.pk).update(**hunter)

    report = hunt(
        server,
        str(RefreshToken.for_user(user).access_token),
        seed=SEED,
        examples=EXAMPLES,
        phases=phases,
        own_ids=fixture.ids_of(acme),
        after_call=stay_oneself,
    )
    print(f"\n{role}, seed {SEED}, {EXAMPLES} examples: {report}")

    assert not report.findings
    assert report.answers[200], "nothing was let in"
    assert fixture.rows_of(globex) == before
    assert fixture.references_across_companies() == []
