"""The report on indexes as staff see it."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.urls import reverse

from tests import factories
from tests.conftest import postgres_only
from tests.count_queries import CountQueries

URL = "/admin/index-health/"


@pytest.fixture
def staff_client(client, staff):
    client.force_login(staff)
    return client


@pytest.fixture
def clerk_client(client, db):
    """Of staff who may see the days of calls, and nothing else."""
    clerk = factories.UserFactory(company=None, role="", username="clara", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_callday"))
    client.force_login(clerk)
    client.user = clerk
    return client


def run(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)


def names_of(page):
    """The indexes in the list, in its order."""
    return re.findall(r'<th scope="row"><code>([^<]*)</code>', page.content.decode())


def test_staff_find_it_from_the_first_page(staff_client):
    assert reverse("admin:index_health") == URL
    for url in ("/admin/", "/admin/analytics/"):
        assert f'href="{URL}"' in staff_client.get(url).content.decode()
    assert f'href="{URL}"' not in staff_client.get("/admin/crm/").content.decode()


def test_a_user_of_a_company_is_kept_out(client, manager):
    client.force_login(manager)
    response = client.get(URL)
    assert response.status_code == 302
    assert response.url.startswith(reverse("admin:login"))


def test_of_staff_those_see_it_who_see_how_calls_are_counted(clerk_client):
    assert clerk_client.get(URL).status_code == 403
    assert URL not in clerk_client.get("/admin/").content.decode()
    clerk_client.user.user_permissions.add(Permission.objects.get(codename="view_callrollup"))
    assert clerk_client.get(URL).status_code == 200
    assert URL in clerk_client.get("/admin/").content.decode()


def test_where_all_is_as_declared_there_is_nothing_to_look_at(staff_client, settings):
    settings.UPKEEP_MIN_ROWS = settings.HOT_MIN_UPDATES = 10**9  # the server counts what the tests before have written
    page = staff_client.get(URL)
    assert [group.findings for group in page.context["page"].groups] == [[]] * 6
    assert "The checks found nothing to look at." in page.content.decode()
    assert "known and kept on purpose" in page.content.decode()


def test_a_finding_comes_with_what_heals_it(staff_client):
    run("DROP INDEX ix_calls_created_at")
    html = staff_client.get(URL).content.decode()
    drift = html.partition('id="drift"')[2].partition("</ul>")[0]
    assert "missing" in drift
    assert re.search(r'<pre class="remedy"><code>CREATE INDEX [^<]*ix_calls_created_at', drift)
    assert "The checks found nothing" not in html


def test_every_index_is_listed_with_its_question_or_what_it_guards(staff_client):
    page = staff_client.get(URL)
    html = page.content.decode()
    assert set(names_of(page)) == page.context["page"].report.database.indexes.keys()
    assert "The newest calls over all companies?" in html
    assert "Guards that no two rows have the same company_id, provider, event_id." in html


def test_the_indexes_are_sorted_by_the_column_that_is_asked_for(staff_client):
    assert names_of(staff_client.get(URL + "?sort=name")) == sorted(names_of(staff_client.get(URL)))
    rows = staff_client.get(URL + "?sort=last_use").context["page"].indexes
    used = [row.index.last_scan for row in rows if row.index.last_scan]
    assert used == sorted(used)


def test_the_page_can_be_about_one_table(staff_client):
    run("CREATE INDEX nobodys ON invoices (amount)")
    page = staff_client.get(URL + "?table=calls&sort=name")
    assert "ix_calls_created_at" in names_of(page)
    assert "idx_invoice_status_due" not in names_of(page)
    assert "nobodys" not in page.content.decode()
    assert 'href="?sort=name#indexes">Show all' in page.content.decode()


@pytest.mark.parametrize(
    ("query", "name"),
    [("sort=colour", "sort"), ("sort=", "sort"), ("table=nobodys", "table"), ("measure=yes", "measure")],
)
def test_what_makes_no_sense_is_named(query, name, staff_client):
    response = staff_client.get(f"{URL}?{query}")
    assert response.status_code == 400
    assert response["Content-Type"] == "text/plain"
    assert response.content.decode().startswith(f"{name}: ")


def test_names_are_shown_as_they_are_and_do_nothing(staff_client):
    run('CREATE INDEX """><script>alert(1)</script>" ON invoices (amount)')
    html = staff_client.get(URL).content.decode()
    assert "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<script>" not in html
    refusal = staff_client.get(URL, {"table": "<script>"})
    assert refusal["Content-Type"] == "text/plain"


def test_it_has_no_script_or_style_of_its_own(staff_client):
    run("DROP INDEX ix_calls_created_at")
    html = staff_client.get(URL).content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", html)


def test_it_asks_the_same_however_many_rows_there_are(staff_client, acme):
    staff_client.get(URL)
    with CountQueries() as before:
        staff_client.get(URL)
    factories.CallFactory.create_batch(5, contact__company=acme)
    with CountQueries() as after:
        staff_client.get(URL)
    assert len(after) == len(before)


def test_what_takes_its_time_is_done_when_it_is_asked_for(staff_client):
    with CountQueries() as quick:
        page = staff_client.get(URL)
    assert "Bloat was measured" not in page.content.decode()
    with CountQueries() as thorough:
        page = staff_client.get(URL, {"measure": "1"})
    assert "Bloat was measured" in page.content.decode()
    assert len(thorough) > len(quick)


@postgres_only
@pytest.mark.django_db(transaction=True)
def test_a_database_that_takes_too_long_is_told(staff_client, settings):
    settings.WEB_STATEMENT_TIMEOUT_MS = 1
    response = staff_client.get(URL)
    assert response.status_code == 503
    assert "index_report" in response.content.decode()
