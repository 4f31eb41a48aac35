"""Plans of the admin's lists, over all companies: their order, and every order and range that they offer."""

import re

import pytest
from django.contrib import admin
from django.db import connection

from crm.admin.base.model_admin import RowAdmin
from crm.admin.base.range_filters import PRESETS, RangeFilter
from crm.admin.base.relation_filters import RelationFilter
from ops.index_health.planner import nodes_of
from tests.plans.conftest import plans_of

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="plans of PostgreSQL only"),
]

LARGE = 8000  # rows: a table that a list must not read from end to end
MAX_SORTED = 2500  # rows that a list may sort, such as a contact's or a day's
LISTS = {
    model._meta.model_name: model_admin
    for model, model_admin in admin.site._registry.items()
    if isinstance(model_admin, RowAdmin) and model_admin.sortable_by is not None
}


@pytest.fixture(scope="package")
def large_tables(sample, django_db_blocker):
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE reltuples > %s AND relkind = 'r'", [LARGE])
        return {name for (name,) in cursor.fetchall()}


@pytest.fixture
def faults_of(client, django_user_model, large_tables):
    """Return a function that opens a list and returns what its statements read or sort too much of."""
    client.force_login(django_user_model.objects.create(username="stella", is_staff=True, is_superuser=True))

    def open_list(url):
        def ask():
            assert client.get(url).status_code == 200

        faults = []
        for plan in plans_of(ask):
            for node in nodes_of(plan):
                if node["Node Type"] == "Seq Scan" and node["Relation Name"] in large_tables and plan["Plan Rows"] > 1:
                    faults.append(f"reads all of {node['Relation Name']}")
                if node["Node Type"] == "Sort" and node["Plan Rows"] > MAX_SORTED:
                    faults.append(f"sorts {node['Plan Rows']} rows by {node['Sort Key']}")
        return faults

    return open_list


def url_of(model_admin):
    return f"/admin/{model_admin.opts.app_label}/{model_admin.opts.model_name}/"


def offered(html):
    """Return the links of the headings that sort, and of the filters by days."""
    links = re.findall(r'<div class="text"><a href="(\?[^"]*o=[^"]*)"', html)
    days = re.findall(rf'<a href="(\?[^"]*=(?:{"|".join(PRESETS)}))"', html)
    return [link.replace("&amp;", "&") for link in links + days]


@pytest.mark.parametrize("name", LISTS)
def test_every_order_and_range_of_a_list_is_read_from_an_index(name, sample, client, faults_of):
    model_admin = LISTS[name]
    filters = [each for each in model_admin.list_filter if each in ("company", "contact", "assigned_rep", "assignee")]
    values = {
        "company": sample.company.pk, "contact": sample.contact.pk, "assigned_rep": sample.rep.pk,
        "assignee": sample.rep.pk,
    }  # fmt: skip
    faults = {}
    for query in ("", *(f"?{each}__id__exact={values[each]}" for each in filters)):
        url = url_of(model_admin)
        faults[query] = faults_of(url + query)
        for link in offered(client.get(url + query).content.decode()):
            faults[link] = faults_of(url + link)
    assert {query: found for query, found in faults.items() if found} == {}


def test_lists_of_big_tables_have_filters_by_days_and_rows():
    kinds = {name: [each[1] for each in LISTS[name].get_list_filter(None) if isinstance(each, tuple)] for name in LISTS}
    by_days = {name for name, found in kinds.items() if any(issubclass(each, RangeFilter) for each in found)}
    assert by_days >= {
        "activity", "appointment", "call", "callanalysis", "campaignmembership", "contact", "conversation", "invoice",
        "lead", "missedcaller", "webhookevent", "auditentry",
    }  # fmt: skip
    assert {name for name, found in kinds.items() if RelationFilter in found} >= by_days
