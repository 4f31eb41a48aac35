"""Every admin page of every model."""

import re

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm.db.tenancy import all_tenants
from tests import factories
from tests.conftest import postgres_only
from tests.count_queries import CountQueries

FACTORIES = {
    factory._meta.model._meta.model_name: factory
    for factory in vars(factories).values()
    if isinstance(factory, type) and issubclass(factory, factories.RowFactory) and not factory._meta.abstract
}

# Numbers, tags and values of custom fields are on the page of their contact, saved views on their list.
WITHOUT_PAGES = {
    "campaigncount", "campaignstep", "change", "contactfieldvalue", "contactlistentry", "contactphone",
    "contactsearchkey", "contacttag", "importrow", "keyfingerprint", "savedview", "secondfactor", "storedfilechunk",
    "usersession",
}  # fmt: skip
OURS = sorted(set(FACTORIES) - WITHOUT_PAGES)


@pytest.fixture
def count_queries(staff_client):
    """Return a function that counts the queries of a page."""
    reverse("admin:index")  # loads the admin's URLs

    def count(url):
        staff_client.get(url)
        with CountQueries() as queries:
            assert staff_client.get(url).status_code == 200
        return len(queries)

    return count


def model_admin_of(name):
    return next(model_admin for model, model_admin in admin.site._registry.items() if model._meta.model_name == name)


def page(name, view, *args):
    opts = model_admin_of(name).opts
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_{view}", args=args)


def make_rows(name, count):
    if name == "webhooksecret":  # unique, and the factory has a single value
        return [FACTORIES[name](secret=f"secret {number}") for number in range(count)]
    return FACTORIES[name].create_batch(count)


def allows(name, permission, staff, rf, row=None):
    request = rf.get("/")
    request.user = staff
    check = getattr(model_admin_of(name), f"has_{permission}_permission")
    return check(request) if permission == "add" else check(request, row)


def filter_links(html):
    """Return the links of the filter column."""
    column = html.partition('id="changelist-filter"')[2].partition("</nav>")[0]
    return [link.replace("&amp;", "&") for link in re.findall(r'<a href="(\?[^"]*)"', column)]


def test_every_model_is_registered():
    registered = {model for model in admin.site._registry if model._meta.app_label in apps.app_configs}
    ours = {
        model
        for label in ("crm", "calls", "messaging", "analytics")
        for model in apps.get_app_config(label).get_models()
    }
    assert {model._meta.model_name for model in ours - registered} == WITHOUT_PAGES
    assert {model._meta.model_name for model in ours} == set(FACTORIES)


@pytest.mark.slow
@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("query", ["", "?q=12", "?q=Casey Customer", "?q=(212) 555-0100"])
def test_admin_list_takes_a_constant_number_of_queries(name, query, count_queries):
    make_rows(name, 2)  # several companies are in the filter from the start
    before = count_queries(page(name, "changelist") + query)
    make_rows(name, 2)
    assert count_queries(page(name, "changelist") + query) == before <= 13


@pytest.mark.parametrize("name", OURS)
def test_rows_that_a_list_shows_are_read_with_it(name, staff, rf):
    """Else each of its rows takes a query, however seldom the column is filled in."""
    request = rf.get(page(name, "changelist"))
    request.user = staff
    model_admin = model_admin_of(name)
    with all_tenants():
        read = model_admin.get_changelist_instance(request).queryset.query.select_related or {}
    shown = {field.name for field in model_admin.opts.fields if field.is_relation} & {*model_admin.list_display}
    if read is True:  # all
        return
    assert {*shown, *(each.partition("__")[0] for each in model_admin.list_select_related or ())} <= {*read}


@pytest.mark.slow
@pytest.mark.parametrize("name", OURS)
def test_every_list_filter_works(name, staff_client):
    make_rows(name, 2)
    links = filter_links(staff_client.get(page(name, "changelist")).content.decode())
    assert bool(links) == bool(model_admin_of(name).list_filter)
    for link in links:
        assert staff_client.get(page(name, "changelist") + link).status_code == 200, link


@pytest.mark.parametrize("selected", ["x", "  ", "", "\x00", "1_0", "9" * 23, "-1"])
@pytest.mark.parametrize(
    ("name", "action"), [("message", "release"), ("message", "cancel"), ("webhookevent", "process_again")]
)
def test_action_on_an_odd_selection_changes_nothing(name, action, selected, staff_client):
    make_rows(name, 1)
    url = page(name, "changelist")
    response = staff_client.post(url, {"action": action, "_selected_action": [selected], "index": "0"}, follow=True)
    assert [str(message) for message in response.context["messages"]] == [
        "No row has this ID. Select rows of the list."
    ]


@pytest.mark.parametrize("model", [model._meta.label_lower for model in admin.site._registry])
def test_suggestions_for_a_relation_that_is_no_form_field_are_refused(model, staff_client):
    app_label, model_name = model.split(".")
    for field in apps.get_model(model)._meta.get_fields():
        if not field.concrete:
            query = {"app_label": app_label, "model_name": model_name, "field_name": field.name, "term": "ann"}
            assert staff_client.get(reverse("admin:autocomplete"), query).status_code in (403, 404), field


@pytest.mark.slow
@pytest.mark.parametrize("name", [*OURS, "group"])
def test_add_page_ignores_odd_values_in_its_url(name, staff, rf, staff_client):
    if not allows(name, "add", staff, rf):
        return
    request = rf.get("/")
    request.user = staff
    with all_tenants():  # as the admin's pages run
        fields = model_admin_of(name).get_form(request).base_fields
    for value in ("2026-01-01", "%20", "9" * 23, "x"):
        url = f"{page(name, 'add')}?{'&'.join(f'{field}={value}' for field in fields)}"
        assert staff_client.get(url).status_code == 200, url


@pytest.mark.slow
@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("view", ["change", "history", "delete"])
def test_row_pages_take_a_constant_number_of_queries(name, view, staff, rf, staff_client, count_queries):
    row = make_rows(name, 1)[0]
    if view == "delete" and not allows(name, "delete", staff, rf, row):
        assert staff_client.get(page(name, view, row.pk)).status_code == 403
        return
    before = count_queries(page(name, view, row.pk))
    make_rows(name, 2)
    # The page that deletes a contact looks into each table with rows of a contact.
    assert count_queries(page(name, view, row.pk)) == before <= (41 if (name, view) == ("contact", "delete") else 27)


@pytest.mark.parametrize("name", OURS)
def test_add_page_exists_only_for_manually_created_rows(name, staff, rf, staff_client):
    expected = 200 if allows(name, "add", staff, rf) else 403
    assert staff_client.get(page(name, "add")).status_code == expected
    automatic = {
        "activity", "apitoken", "calendarfeed", "archivedcalls", "archivedchunk", "archivedid", "backgroundtask",
        "storedfile", "storedobject",
        "archivedobjections", "auditentry", "call", "callday",
        "calldetail", "callobjection", "callrollup", "conversation",
        "idempotencykey", "message", "missedcaller", "optout", "optoutentry", "stalecallhour", "suppressednumber",
        "webhookevent", "workerheartbeat", "providerhealth", "appointmentproposal", "appointmentreminder",
        "marketingconsent",
        "contactmerge", "duplicatecandidate", "leadday", "objectionday",
        "mail", "outgoingevent", "outgoingwebhook", "attachment",
    }  # fmt: skip
    assert (expected == 403) == (name in automatic)


@pytest.mark.slow
@pytest.mark.parametrize("name", OURS)
def test_pages_have_bounded_options_and_no_inline_scripts(name, acme, staff_client):
    users = factories.UserFactory.create_batch(120, company=acme)
    factories.ContactFactory.create_batch(120, company=acme)
    factories.CallFactory.create_batch(2, contact__company=acme, assigned_rep=users[0])
    row = make_rows(name, 1)[0]
    for url in (page(name, "changelist"), page(name, "add"), page(name, "change", row.pk)):
        html = staff_client.get(url).content.decode()
        for select in re.findall(r"<select.*?</select>", html, flags=re.S):
            assert select.count("<option") <= 100, url
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", html), url


@pytest.mark.parametrize("name", OURS)
def test_company_user_cannot_open_the_admin(name, client, manager):
    row = make_rows(name, 1)[0]
    client.force_login(manager)
    for url in (page(name, "changelist"), page(name, "change", row.pk)):
        response = client.get(url)
        assert response.status_code == 302
        assert response.url.startswith(reverse("admin:login"))


@postgres_only
@pytest.mark.parametrize("name", OURS)
def test_list_counts_are_limited(name, staff_client):
    make_rows(name, 2)
    links = filter_links(staff_client.get(page(name, "changelist")).content.decode())
    for query in ("", "?q=%2312", *links):
        with CaptureQueriesContext(connection) as queries:
            staff_client.get(page(name, "changelist") + query)
        counting = [entry["sql"] for entry in queries if "COUNT(" in entry["sql"]]
        assert counting, query
        assert all(re.search(r"LIMIT \d+\) subquery", sql) for sql in counting), counting


def test_refresh_tokens_are_not_in_the_admin(staff_client):
    assert staff_client.get("/admin/token_blacklist/outstandingtoken/").status_code == 404


def test_admin_request_deactivates_the_tenants(staff_client, acme):
    factories.ContactFactory(company=acme)
    staff_client.get(page("contact", "changelist"))
    with pytest.raises(RuntimeError, match="without a company"):
        FACTORIES["contact"]._meta.model.objects.count()
    with all_tenants():
        assert FACTORIES["contact"]._meta.model.objects.count() == 1


def test_session_outlives_the_replacement_of_secret_key(client, staff, settings):
    client.force_login(staff)
    earlier = settings.SECRET_KEY
    settings.SECRET_KEY_FALLBACKS = [later := "a-key-that-replaces-the-earlier-one"]
    assert client.get("/admin/").status_code == 200
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = later, [earlier]
    assert client.get("/admin/").status_code == 200
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = earlier, [later]  # another server, not restarted yet
    assert client.get("/admin/").status_code == 200
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = later, [earlier]
    assert client.get("/admin/").status_code == 200
    settings.SECRET_KEY_FALLBACKS = []
    assert client.get("/admin/").status_code == 200
