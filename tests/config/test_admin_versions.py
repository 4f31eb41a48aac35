"""Two people who have one row open in the admin."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.urls import reverse

from crm.admin.base.versions import VersionedForm
from crm.db.tenancy import all_tenants
from crm.models import AuditEntry, Contact, ContactPhone, Invoice, User
from tests import factories
from tests.config.test_admin_pages import FACTORIES, page

# A field of each form that staff may change, with the values of two people.
CHANGES = {
    "appointment": ("notes", "Ring twice.", "Beware of the dog."),
    "call": ("quoted_price", "900.00", "950.00"),
    "callanalysis": ("outcome", "Wants a call back.", "Wants a quote."),
    "campaign": ("name", "May", "June"),
    "company": ("name", "Acme & Sons", "Acme & Daughters"),
    "contact": ("city", "Boulder", "Golden"),
    "contactfield": ("label", "Roof age", "Age of roof"),
    "contactlist": ("name", "Spring", "Summer"),
    "contactflag": ("reason", "Asked by phone.", "Asked by letter."),
    "group": ("name", "Night shift", "Day shift"),
    "invoice": ("number", "INV-7", "INV-8"),
    "lead": ("notes", "Metal roof.", "Tile roof."),
    "phoneline": ("name", "Front", "Back"),
    "provideraccount": ("account_id", "AC1", "AC2"),
    "segment": ("name", "Denver", "Aurora"),
    "snippet": ("body", "Open 8 to 6.", "Open 7 to 6."),
    "tag": ("name", "VIP", "Important"),
    "task": ("title", "Call back", "Send the quote"),
    "timeoff": ("reason", "Holiday", "Training"),
    "user": ("first_name", "Nina", "Nora"),
}
# Their form is a decision on the row's state, and the service refuses a second one.
WITHOUT_COLUMNS = {"marketingconsent", "optout"}


def make_row(name):
    if name == "group":
        return Group.objects.create(name="Weekend")
    if name == "provideraccount":
        return factories.ProviderAccountFactory(provider="twilio", account_id="AC0")
    return FACTORIES[name]()


def url_of(name, row):
    return page(name, "change", row.pk) if name != "group" else reverse("admin:auth_group_change", args=[row.pk])


def data_of(form):
    """Return what a browser sends of an unchanged form."""
    data = {}
    for bound in form:
        widget, value = bound.field.widget, bound.value()
        if isinstance(widget, forms.MultiWidget):
            parts = zip(widget.widgets_names, widget.decompress(value), strict=True)
            data |= {f"{bound.html_name}{suffix}": "" if part is None else part for suffix, part in parts}
        elif isinstance(widget, forms.CheckboxInput):
            data |= {bound.html_name: "on"} if value else {}
        else:
            data[bound.html_name] = "" if value is None else value
    return data


def open_page(client, url):
    """Return the data of the page of a row, inlines too."""
    context = client.get(url).context
    data = data_of(context["adminform"].form)
    for inline in context["inline_admin_formsets"]:
        data |= data_of(inline.formset.management_form)
        for form in inline.formset.forms:
            data |= data_of(form)
    return data


def errors_of(response):
    return response.context["adminform"].form.errors


def test_every_form_that_changes_a_row_is_versioned(staff, rf, db):
    request = rf.get("/")
    request.user = staff
    with all_tenants():
        changeable = {
            model._meta.model_name: model_admin.get_form(request, model(), change=True)
            for model, model_admin in admin.site._registry.items()
            if model_admin.has_change_permission(request)
        }
    assert set(changeable) == set(CHANGES) | WITHOUT_COLUMNS
    assert all(issubclass(form, VersionedForm) for form in changeable.values())


@pytest.mark.slow
@pytest.mark.parametrize("name", CHANGES)
def test_second_save_is_refused_and_keeps_what_was_typed(name, staff_client):
    row = make_row(name)
    url, (field, first, second) = url_of(name, row), CHANGES[name]
    opened = open_page(staff_client, url)
    assert f'<input type="hidden" name="row_version" value="{opened["row_version"]}"' in (
        staff_client.get(url).content.decode()
    )
    assert staff_client.post(url, opened | {field: first}).status_code == 302
    response = staff_client.post(url, opened | {field: second})
    assert errors_of(response).keys() == {"__all__", field}
    assert "saved this" in errors_of(response)["__all__"][0]
    assert errors_of(response)[field][0].startswith("Saved now: ")
    assert response.context["adminform"].form[field].value() == second
    with all_tenants():
        assert str(type(row)._base_manager.values_list(field, flat=True).get(pk=row.pk)) == first


@pytest.mark.parametrize("name", CHANGES)
def test_page_that_was_shown_again_replaces_what_is_saved(name, staff_client):
    row = make_row(name)
    url, (field, first, second) = url_of(name, row), CHANGES[name]
    opened = open_page(staff_client, url)
    staff_client.post(url, opened | {field: first})
    refused = staff_client.post(url, opened | {field: second})
    again = {**opened, field: second, "row_version": refused.context["adminform"].form["row_version"].value()}
    assert staff_client.post(url, again).status_code == 302
    with all_tenants():
        assert str(type(row)._base_manager.values_list(field, flat=True).get(pk=row.pk)) == second


@pytest.mark.parametrize("name", CHANGES)
def test_unchanged_page_can_be_saved_twice(name, staff_client):
    url = url_of(name, make_row(name))
    opened = open_page(staff_client, url)
    assert [staff_client.post(url, opened).status_code for _ in range(2)] == [302, 302]


def test_refusal_names_who_saved_when_and_the_present_values(staff_client, acme, manager_api):
    contact = factories.ContactFactory(company=acme)
    url = url_of("contact", contact)
    opened = open_page(staff_client, url)
    manager_api.patch(f"/api/v1/contacts/{contact.pk}", {"city": "Boulder"})
    response = staff_client.post(url, opened | {"city": "Golden"})
    with all_tenants():
        at = AuditEntry.objects.filter(table_name="contacts").latest("id").at
    assert errors_of(response)["__all__"][0].startswith(f"maria saved this at {at:%Y-%m-%d %H:%M} UTC, after you had")
    assert errors_of(response)["city"] == ["Saved now: Boulder"]


def test_present_status_and_contact_are_shown_by_name(staff_client, acme):
    invoice = factories.InvoiceFactory(contact__company=acme, contact__first_name="Ann", contact__last_name="Lee")
    other = factories.ContactFactory(company=acme)
    url = url_of("invoice", invoice)
    opened = open_page(staff_client, url)
    with all_tenants():
        Invoice.objects.update(status="paid")
    errors = errors_of(staff_client.post(url, opened | {"contact": other.pk}))
    assert errors["status"] == ["Saved now: Paid"]
    assert errors["contact"] == ["Saved now: Ann Lee"]


def test_column_outside_of_the_form_changes_no_version(staff_client, acme):
    line = factories.PhoneLineFactory(company=acme)
    url = url_of("phoneline", line)
    opened = open_page(staff_client, url)
    line.sent_segments = 7  # a message was sent
    line.save()
    assert staff_client.post(url, opened | {"name": "Front"}).status_code == 302


def test_second_save_of_a_number_of_a_contact_is_refused(staff_client, acme):
    contact = factories.ContactFactory(company=acme)
    url = url_of("contact", contact)
    opened = open_page(staff_client, url)
    assert staff_client.post(url, opened | {"phones-0-label": "work"}).status_code == 302
    response = staff_client.post(url, opened | {"phones-0-label": "home"})
    errors = response.context["inline_admin_formsets"][0].formset.errors[0]
    assert errors["label"] == ["Saved now: work"]
    with all_tenants():
        assert ContactPhone.objects.get(contact=contact).label == "work"


def test_password_that_is_typed_is_not_shown_again(staff_client):
    account = make_row("provideraccount")
    url = url_of("provideraccount", account)
    opened = open_page(staff_client, url)
    staff_client.post(url, opened | {"account_id": "AC1"})
    response = staff_client.post(url, opened | {"account_id": "AC2", "api_key": "a-new-key"})
    assert errors_of(response).keys() == {"__all__", "account_id"}
    assert "test-key-1" not in response.content.decode()


@pytest.mark.django_db(transaction=True)
def test_one_of_two_saves_at_the_same_time_is_refused():
    staff = factories.UserFactory(company=None, role="", is_staff=True, is_superuser=True)
    lead = factories.LeadFactory()
    clients = [Client(), Client()]
    for client in clients:
        client.force_login(User.accounts.get(pk=staff.pk))
    url = url_of("lead", lead)
    opened = open_page(clients[0], url)
    start = threading.Barrier(2)

    def save(client, notes):
        start.wait()
        try:
            return client.post(url, opened | {"notes": notes}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        statuses = list(pool.map(save, clients, ["Metal roof.", "Tile roof."]))
    assert sorted(statuses) == [200, 302]


def test_page_for_a_new_row_has_no_version(staff_client, acme):
    assert "row_version" not in staff_client.get(page("contact", "add")).content.decode().partition("phones")[0]
    assert Contact._base_manager.count() == 0
