"""Plans of the admin's work pages, over all companies."""

import pytest
from django.db import connection  # noqa: F401  # for the mark

from crm.db.tenancy import all_tenants
from crm.models import User
from tests.plans.conftest import tables_scanned
from tests.plans.test_plans import BIG_TABLES

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="plans of PostgreSQL only"),
]


@pytest.mark.parametrize(
    "path",
    [
        "crm/conversation/?inbox=mine",
        "crm/conversation/{conversation}/change/",
        "crm/contact/{contact}/change/",
        "calls/call/{call}/change/",
        "calls/appointment/week?company={company}&day=2026-02-23",
    ],
)
def test_page_never_scans_a_big_table(path, sample, client):
    with all_tenants():
        client.force_login(User.objects.get(username="admin"))
        ids = {"contact": sample.contact, "conversation": sample.conversation, "call": sample.call}
        url = f"/admin/{path.format(company=sample.company.pk, **{name: row.pk for name, row in ids.items()})}"
        assert client.get(url).status_code == 200
        assert not tables_scanned(lambda: client.get(url)) & BIG_TABLES
