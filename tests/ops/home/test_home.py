"""The companies and the tables on the first page."""

import re
from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.utils.timezone import now

from ops.home.tables import GROUPS, UNDER_THE_HOOD
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def open_home(client, staff):
    client.force_login(staff)
    return lambda query="": client.get(f"/admin/{query}")


def rows_of(page):
    table = page.content.decode().partition('class="home-companies"')[2].partition("</table>")[0]
    cells = [re.findall(r"<t[hd].*?</t[hd]>", row, flags=re.S) for row in table.split("<tr>")[2:]]
    return [[re.sub(r"<[^>]+>", "", cell).strip().replace("\xa0", " ") for cell in row] for row in cells]


def test_companies_say_what_their_provider_and_the_workers_do(open_home, acme, globex):
    factories.WebhookEventFactory(
        company=acme, created_at=now() - timedelta(hours=2), status="processed", processed=True
    )
    factories.WebhookSecretFactory(company=acme)
    factories.PhoneLineFactory.create_batch(2, company=acme)
    late = now() - timedelta(minutes=10)
    factories.WebhookEventFactory(company=globex, created_at=late, run_at=late)
    assert rows_of(open_home()) == [
        ["Acme Roofing", "2 hours ago", "2", "Set", "Up to date", "Show"],
        ["Globex Concrete", "10 minutes ago", "0", "Missing", "10 minutes behind", "Show"],
    ]


def test_signing_secrets_are_for_those_who_may_see_them(client, acme):
    user = factories.UserFactory(company=None, role="", is_staff=True)
    user.groups.add(Group.objects.get(name="Support"))
    client.force_login(user)
    page = client.get("/admin/")
    assert "Signing secret" not in page.content.decode()
    assert rows_of(page) == [["Acme Roofing", "None yet", "0", "Up to date", "Show"]]


def test_every_table_is_in_one_group(open_home):
    groups = open_home().context["app_list"]
    assert [group["name"] for group in groups] == [*GROUPS, UNDER_THE_HOOD]
    listed = [model["object_name"] for group in groups for model in group["models"]]
    assert sorted(listed) == sorted(["IndexHealth", *(model.__name__ for model in admin.site._registry)])
    registered = {model.__name__.lower() for model in admin.site._registry}
    assert {name for names in GROUPS.values() for name in names} <= registered


def test_tables_that_a_member_may_not_see_are_not_listed(client):
    user = factories.UserFactory(company=None, role="", is_staff=True)
    user.groups.add(Group.objects.get(name="Set-up"))
    client.force_login(user)
    groups = {group["name"]: group["models"] for group in client.get("/admin/").context["app_list"]}
    assert list(groups) == ["Set-up", UNDER_THE_HOOD]
    assert {model["object_name"] for model in groups["Set-up"]} == {
        "ApiToken", "CalendarFeed", "Company", "User", "PhoneLine", "ProviderAccount", "WebhookSecret",
    }  # fmt: skip


def test_user_without_permissions_reads_what_to_do(client):
    client.force_login(factories.UserFactory(company=None, role="", is_staff=True))
    html = client.get("/admin/").content.decode()
    assert "Your user has no permissions yet." in html
    assert "Companies" not in html


def test_home_has_no_inline_script_or_style(open_home, acme):
    html = open_home().content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", html)
