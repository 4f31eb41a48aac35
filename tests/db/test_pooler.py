"""Tenants and migrations behind a real PgBouncer with a single server connection."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from tests.conftest import postgres_only
from tests.factories import CompanyFactory, ContactFactory
from tests.pgbouncer import PROGRAM, pgbouncer

pytestmark = [
    postgres_only,
    pytest.mark.skipif(PROGRAM is None, reason="pgbouncer is not installed"),
    pytest.mark.django_db(transaction=True),
]

ROUNDS = 100

# Two threads with two companies share one server connection; between them run queries without an active company.
CLIENT = f"""
import sys, threading, django
django.setup()
from django.db import connection
from crm.db.tenancy import tenant, tenant_autocommit
from crm.models import Contact

def count_without_manager():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM contacts")
        return cursor.fetchone()[0]

def count_contacts(company, expected):
    for _ in range({ROUNDS}):
        for enter in (tenant, tenant_autocommit):
            with enter(company):
                seen.add((expected, count_without_manager(), Contact.objects.count()))
        with tenant(company):
            rows = Contact.objects.iterator(chunk_size=1)  # a server-side cursor
            seen.add((expected, expected, sum(1 for _ in rows)))
        without_tenant.add(count_without_manager())
    connection.close()

seen, without_tenant = set(), set()
threads = [threading.Thread(target=count_contacts, args=(int(sys.argv[n]), n)) for n in (1, 2)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(sorted(seen), sorted(without_tenant))
"""


@pytest.fixture
def pooled_url():
    """URL of the tests' database through PgBouncer in transaction mode with one server connection."""
    settings = connection.settings_dict
    with pgbouncer(server=settings["HOST"], role=settings["USER"], pool_size=1) as folder:
        yield f"postgres://{settings['USER']}@/{folder}/{settings['NAME']}"


def test_settings_of_two_companies_do_not_stay_on_a_shared_connection(pooled_url):
    one, two = CompanyFactory(), CompanyFactory()
    ContactFactory(company=one)
    ContactFactory.create_batch(2, company=two)
    client = subprocess.run(
        [sys.executable, "-c", CLIENT, str(one.pk), str(two.pk)],
        env=os.environ | {"DATABASE_URL": pooled_url, "DJANGO_SETTINGS_MODULE": "config.settings"},
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert client.stdout.strip() == "[(1, 1, 1), (2, 2, 2)] [0]", client.stderr


@pytest.mark.slow
@pytest.mark.parametrize("command", [["migrate"], ["migrate_safely"], ["maintain_indexes"]], ids=" ".join)
def test_command_that_needs_a_session_uses_the_direct_url_and_refuses_the_pooler_alone(pooled_url, command):
    settings = connection.settings_dict
    direct_url = f"postgres://{settings['USER']}@/{settings['HOST']}/{settings['NAME']}"
    for direct, code in ((direct_url, 0), ("", 1)):
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            env=os.environ | {"DATABASE_URL": pooled_url, "DIRECT_DATABASE_URL": direct},
            cwd=Path(__file__).resolve().parents[2],
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == code, done.stderr
        assert ("Set DIRECT_DATABASE_URL to the server's own address" in done.stderr) == bool(code)
