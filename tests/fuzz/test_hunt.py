"""Fuzz test of the API as each role, on PostgreSQL.

`make test` runs a short, reproducible version. `make fuzz` runs a longer one with a new seed each time.
"""

import logging
import os

import pytest
from django.db import connection
from django.test.testcases import QuietWSGIRequestHandler

from crm.api.tokens import SessionToken
from crm.choices import Role
from crm.models import IdempotencyKey, User
from tests import factories
from tests.conftest import postgres_only
from tests.fuzz import fixture
from tests.fuzz.schemathesis_runner import run_schemathesis

LONG = "FUZZ_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "5"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))


@pytest.fixture
def server(monkeypatch, live_server):
    """The URL of the application over HTTP."""
    # Without this, the body waits 40 ms for the acknowledgement of the headers.
    monkeypatch.setattr(QuietWSGIRequestHandler, "disable_nagle_algorithm", True)
    logging.disable(logging.WARNING)  # one line for each of thousands of rejected requests
    yield live_server.url
    logging.disable(logging.NOTSET)
    with connection.cursor() as cursor:  # connections of the server's threads would prevent dropping the database
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.mark.slow
@postgres_only
@pytest.mark.parametrize("role", Role.values)
def test_api_matches_its_schema_and_shows_no_foreign_rows(role, server, acme, globex):
    user = factories.UserFactory(company=acme, role=role)
    rep = user if role == "rep" else factories.UserFactory(company=acme, role="rep")
    fixture.make_company_rows(acme, rows=3, assigned_rep=rep)
    fixture.make_foreign_rows(globex)
    before = fixture.rows_of(globex)
    # Boundary cases are the same each time. A short run uses them for the manager only, who has most permissions.
    phases = ["examples", "fuzzing", "stateful", *(["coverage"] if LONG or role == "manager" else [])]
    original = {name: getattr(user, name) for name in ("role", "is_active", "password")}

    def restore_user(case):
        """Undo changes of the user's own account, which would lock the user out, and forget idempotency keys.

        The boundary cases use the same few keys for every request, and would get to no operation.
        """
        IdempotencyKey._base_manager.filter(user=user).delete()
        if case.path.startswith("/api/v1/users/") and case.method == "PATCH":
            User.accounts.filter(pk=user.pk).update(**original)

    report = run_schemathesis(
        server,
        str(SessionToken.for_user(user).access_token),
        seed=SEED,
        examples=EXAMPLES,
        phases=phases,
        own_ids=fixture.ids_of(acme),
        after_call=restore_user,
    )
    print(f"\n{role}, seed {SEED}, {EXAMPLES} examples: {report}")

    assert not report.findings
    assert report.statuses[200], "no request succeeded"
    assert fixture.rows_of(globex) == before
    assert fixture.references_across_companies() == []
