"""Pages and actions of the admin, each for every group of staff."""

import re
from html import unescape
from urllib.parse import urljoin, urlsplit

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from ops.staff_groups import STAFF_GROUPS
from tests import factories
from tests.config.test_admin_pages import FACTORIES
from tests.ops.staff_pages import (
    ACTIONS,
    CUSTOM,
    OPEN,
    all_actions,
    all_pages,
    pages_of_tables,
    registered,
)

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
FORBIDDEN = 403
DELETE = "delete_selected"


@pytest.fixture(params=[*STAFF_GROUPS, "no group"])
def member(request, client):
    """A staff user of the group, signed in. `may` says whether the group has a permission."""
    user = factories.UserFactory(company=None, role="", is_staff=True, username="member")
    allowed = STAFF_GROUPS.get(request.param, {})
    if allowed:
        user.groups.add(Group.objects.get(name=request.param))
    client.force_login(user)
    user.may = lambda permission: permission.partition("_")[2] in allowed.get(permission.partition("_")[0], ())
    return user


def test_every_page_and_action_is_tested_here():
    assert all_pages() == {*pages_of_tables(), *CUSTOM, *OPEN}
    assert all_actions() == set(ACTIONS)


def test_pages_of_tables_are_for_those_who_have_the_permission(member, staff, client, rf):
    request = rf.get("/")
    request.user = staff  # a superuser: what the table's pages themselves allow
    rows = {name: FACTORIES[name]() for name in registered() if name in FACTORIES}
    rows["group"] = Group.objects.first()
    wrong = {}
    for page, (name, verb) in pages_of_tables().items():
        row, end = rows[name], page.rpartition("_")[2]
        args = [row.pk] if end in ("history", "change", "delete") or page.endswith("change_view") else []
        allowed = member.may(f"{verb}_{name}")
        if verb == "add":
            allowed = allowed and registered()[name].has_add_permission(request)
        if verb == "delete":
            allowed = allowed and registered()[name].has_delete_permission(request, row)
        url = reverse(f"admin:{page}", args=args)
        answer = client.post(url) if page.endswith(("save_view", "change_view")) else client.get(url)
        if (answer.status_code != FORBIDDEN) != bool(allowed) or answer.status_code >= 500:
            wrong[page] = answer.status_code
    assert wrong == {}


def test_no_link_of_a_page_leads_to_a_page_that_the_member_may_not_open(member, client):
    """Pages of rows and lists offer only what the group may do."""
    wrong, opened = {}, set()
    for name, model_admin in registered().items():
        row = FACTORIES[name]() if name in FACTORIES else Group.objects.first()
        table = f"admin:{model_admin.opts.app_label}_{name}"
        for page in (reverse(f"{table}_changelist"), reverse(f"{table}_change", args=[row.pk])):
            html = client.get(page).content.decode()
            urls = {urljoin(page, unescape(url)) for url in re.findall(r'<a [^>]*href="([^"]*)"', html)}
            for url in sorted(each for each in urls if each.startswith("/admin/")):
                kind = re.sub(r"\d+", "0", urlsplit(url).path)
                if kind not in opened:
                    opened.add(kind)
                    if client.get(url).status_code == FORBIDDEN:
                        wrong[kind] = page
    assert wrong == {}


def test_form_of_a_row_is_saved_only_by_those_who_may_change_it(member, staff, client, rf):
    request = rf.get("/")
    request.user = staff
    wrong = {}
    for name, model_admin in registered().items():
        row = FACTORIES[name]() if name in FACTORIES else Group.objects.first()
        may_change = name == "conversation" or model_admin.has_change_permission(request, row)
        if name == "user" and row.is_staff:
            may_change = False
        answer = client.post(reverse(f"admin:{model_admin.opts.app_label}_{name}_change", args=[row.pk]), {})
        if (answer.status_code != FORBIDDEN) != (member.may(f"change_{name}") and may_change):
            wrong[name] = answer.status_code
    assert wrong == {}


def test_other_pages_are_for_those_who_have_their_permission(member, client, acme):
    wrong = {}
    for name, page in CUSTOM.items():
        for method in page.methods:
            args = [page.make(acme).pk] if page.make else []
            status = getattr(client, method)(reverse(f"admin:{name}", args=args)).status_code
            if (status != FORBIDDEN) != member.may(page.needs) or status >= 500:
                wrong[name] = status
    assert wrong == {}


def test_pages_of_everybody_are_for_every_member(member, client):
    for name in sorted(OPEN - {"login", "logout", "view_on_site", "app_list", "autocomplete"}):
        assert client.get(reverse(f"admin:{name}")).status_code == 200, name


def test_actions_are_for_those_who_have_their_permission(member, rf):
    request = rf.get("/")
    request.user = member
    wrong = {}
    for name, model_admin in registered().items():
        expected = {action for (table, action), needs in ACTIONS.items() if table == name and member.may(needs)}
        if model_admin.actions and member.may(f"delete_{name}") and model_admin.has_delete_permission(request):
            expected.add(DELETE)
        if set(model_admin.get_actions(request)) != expected:
            wrong[name] = set(model_admin.get_actions(request)) ^ expected
    assert wrong == {}


def test_action_that_a_group_may_not_do_changes_nothing(member, client):
    for (table, action), needs in ACTIONS.items():
        if member.may(needs):
            continue
        row = FACTORIES[table]()
        rows = type(row)._base_manager.filter(pk=row.pk)
        before = rows.values().get()
        url = reverse(f"admin:{registered()[table].opts.app_label}_{table}_changelist")
        client.post(url, {"action": action, "_selected_action": [row.pk], "confirmed": row.pk})
        assert rows.values().get() == before, (table, action)
