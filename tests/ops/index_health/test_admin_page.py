"""The index health page of the admin."""

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from django.contrib.staticfiles import finders
from django.db import connection
from django.urls import reverse

from ops.index_health.catalog import expected
from tests import factories
from tests.conftest import postgres_only
from tests.count_queries import CountQueries

URL = "/admin/index-health/"
MAX_QUERIES = 20


@pytest.fixture
def clerk_client(client, db):
    """A client of a staff member who may only view daily totals."""
    clerk = factories.UserFactory(company=None, role="", username="clara", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_callday"))
    client.force_login(clerk)
    client.user = clerk
    return client


def run(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)


def names_of(page):
    """Return the names of the listed indexes, in order."""
    return re.findall(r'<th scope="row"><code>([^<]*)</code>', page.content.decode())


def test_admin_home_links_to_the_page(staff_client):
    assert reverse("admin:index_health") == URL
    for url in ("/admin/", "/admin/analytics/"):
        assert f'href="{URL}"' in staff_client.get(url).content.decode()
    assert f'href="{URL}"' not in staff_client.get("/admin/crm/").content.decode()


def test_user_of_a_company_is_redirected_to_the_login(client, manager):
    client.force_login(manager)
    response = client.get(URL)
    assert response.status_code == 302
    assert response.url.startswith(reverse("admin:login"))


def test_permission_to_view_call_rollups_opens_the_page(clerk_client):
    assert clerk_client.get(URL).status_code == 403
    assert URL not in clerk_client.get("/admin/").content.decode()
    clerk_client.user.user_permissions.add(Permission.objects.get(codename="view_callrollup"))
    assert clerk_client.get(URL).status_code == 200
    assert URL in clerk_client.get("/admin/").content.decode()


def test_healthy_database_shows_no_findings(staff_client, settings):
    settings.UPKEEP_MIN_ROWS = settings.HOT_MIN_UPDATES = 10**9  # the server counts the writes of earlier tests
    page = staff_client.get(URL)
    assert [findings for _, _, findings in page.context["page"]["groups"]] == [[]] * 6
    assert "The checks have no findings." in page.content.decode()
    assert "known and kept on purpose" in page.content.decode()


def test_finding_is_shown_with_its_remedy(staff_client):
    run("DROP INDEX ix_calls_created_at")
    html = staff_client.get(URL).content.decode()
    drift = html.partition('id="drift"')[2].partition("</ul>")[0]
    assert "missing" in drift
    assert re.search(r'<pre class="remedy"><code>CREATE INDEX [^<]*ix_calls_created_at', drift)
    assert "The checks have no findings" not in html


def test_index_is_listed_with_its_question_or_constraint(staff_client):
    page = staff_client.get(URL)
    html = page.content.decode()
    assert set(names_of(page)) == page.context["page"]["report"].database.indexes.keys()
    assert "Which calls are the newest, over all companies?" in html
    assert "Rejects a second row with the same company_id, provider, event_id." in html


def test_indexes_are_sorted_by_the_chosen_column(staff_client):
    assert names_of(staff_client.get(URL + "?sort=name")) == sorted(names_of(staff_client.get(URL)))
    rows = staff_client.get(URL + "?sort=last_use").context["page"]["indexes"]
    used = [row["index"].last_scan for row in rows if row["index"].last_scan]
    assert used == sorted(used)


def test_table_parameter_limits_the_page_to_one_table(staff_client):
    run("CREATE INDEX undeclared ON invoices (amount)")
    page = staff_client.get(URL + "?table=calls&sort=name")
    assert "ix_calls_created_at" in names_of(page)
    assert "idx_invoice_status_due" not in names_of(page)
    assert "undeclared" not in page.content.decode()
    assert 'href="?sort=name#indexes">Show all' in page.content.decode()


@pytest.mark.parametrize(
    ("query", "name"),
    [("sort=colour", "sort"), ("sort=", "sort"), ("table=undeclared", "table"), ("measure=yes", "measure")],
)
def test_invalid_parameter_is_rejected(query, name, staff_client):
    response = staff_client.get(f"{URL}?{query}")
    assert response.status_code == 400
    assert response["Content-Type"] == "text/plain"
    assert response.content.decode().startswith(f"{name}: ")


def test_index_names_are_escaped(staff_client):
    run('CREATE INDEX """><script>alert(1)</script>" ON invoices (amount)')
    html = staff_client.get(URL).content.decode()
    assert "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<script>" not in html
    refusal = staff_client.get(URL, {"table": "<script>"})
    assert refusal["Content-Type"] == "text/plain"


def test_page_has_no_inline_script_or_style(staff_client):
    run("DROP INDEX ix_calls_created_at")
    html = staff_client.get(URL).content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", html)


def test_each_table_scrolls_within_one_screen_of_a_phone(staff_client):
    html = staff_client.get(URL).content.decode()
    content = html.partition('id="content-main"')[2]
    assert content.count("<table") == len(re.findall(r'<div class="one-screen"[^>]*>\s*<table', content)) > 0
    phone = Path(finders.find("ops/index_health.css")).read_text().partition("@media (max-width: 767px)")[2]
    assert re.search(r"\.one-screen \{\s*max-height: 80vh;[^}]*overflow: hidden auto;", phone)


def test_number_of_queries_is_independent_of_the_rows(staff_client, acme):
    staff_client.get(URL)
    with CountQueries() as before:
        staff_client.get(URL)
    factories.CallFactory.create_batch(5, contact__company=acme)
    with CountQueries() as after:
        staff_client.get(URL)
    assert len(after) == len(before)


def test_first_page_of_a_process_costs_few_queries_too(staff_client, monkeypatch):
    monkeypatch.setattr(expected, "_declared_cache", {})
    for _ in ("the first page", "the next one"):
        with CountQueries() as asked:
            staff_client.get(URL)
        assert len(asked) <= MAX_QUERIES


@postgres_only
def test_slow_checks_run_only_on_request(staff_client):
    with CountQueries() as quick:
        page = staff_client.get(URL)
    assert "Bloat and query plans are included" not in page.content.decode()
    with CountQueries() as thorough:
        page = staff_client.get(URL, {"measure": "1"})
    assert "Bloat and query plans are included" in page.content.decode()
    assert len(thorough) > len(quick)


@postgres_only
@pytest.mark.django_db(transaction=True)
def test_slow_database_is_answered_with_503(staff_client, settings):
    settings.WEB_STATEMENT_TIMEOUT_MS = 1
    response = staff_client.get(URL)
    assert response.status_code == 503
    assert "index_report" in response.content.decode()
