"""Saved views of the admin's lists."""

import pytest
from django.contrib.auth.models import Permission

from crm.models import SavedView
from tests import factories

pytestmark = pytest.mark.django_db
LIST = "/admin/crm/lead/"


@pytest.fixture(autouse=True)
def staff_client(client, staff):
    client.force_login(staff)
    return client


def save(client, name="New ones", query="status__exact=new"):
    return client.post(f"{LIST}views/", {"name": name, "query": query})


def messages_of(response):
    return [str(message) for message in response.context["messages"]]


def test_view_is_a_link_on_its_list_and_on_the_first_page(client):
    answer = save(client, query="status__exact=new&company__id__exact=1&p=3")
    assert answer.url == f"{LIST}?company__id__exact=1&status__exact=new"
    page = client.get(LIST).content.decode()
    assert '<a href="?company__id__exact=1&amp;status__exact=new">New ones</a>' in page
    home = client.get("/admin/").content.decode()
    assert f'<a href="{LIST}?company__id__exact=1&amp;status__exact=new">New ones</a>' in home
    assert "New ones" not in client.get("/admin/crm/contact/").content.decode()


def test_present_view_is_marked_whatever_the_order_of_its_filters(client):
    save(client, query="company__id__exact=1&status__exact=new")
    page = client.get(f"{LIST}?status__exact=new&company__id__exact=1&p=1").content.decode()
    assert 'aria-current="page">New ones</a>' in page
    assert "Save this view" not in page


def test_text_of_the_search_box_is_not_saved(client):
    """It may be a customer's name, which an erasure would have to find."""
    save(client, query="q=Casey+Customer&status__exact=new")
    assert SavedView.objects.get().query == "status__exact=new"


def test_same_name_replaces_the_filters(client):
    save(client)
    save(client, query="status__exact=lost")
    assert SavedView.objects.get().query == "status__exact=lost"


def test_view_is_renamed_and_deleted(client):
    save(client)
    save(client, name="Old ones", query="status__exact=lost")
    view = SavedView.objects.get(name="New ones")
    taken = client.post(f"{LIST}views/{view.pk}/", {"name": "Old ones"}, follow=True)
    assert messages_of(taken)[-1] == "Another view of this list has this name."
    client.post(f"{LIST}views/{view.pk}/", {"name": "Fresh"})
    assert SavedView.objects.get(pk=view.pk).name == "Fresh"
    client.post(f"{LIST}views/{view.pk}/", {"name": "Fresh", "delete": "1"})
    assert [each.name for each in SavedView.objects.all()] == ["Old ones"]


@pytest.mark.parametrize(
    ("name", "query", "message"),
    [
        ("", "status__exact=new", "Name: This field is required."),
        ("x" * 61, "status__exact=new", "Name: Ensure this value has at most 60 characters (it has 61)."),
        ("New", f"status__exact={'x' * 2000}", "Query: Ensure this value has at most 2000 characters (it has 2014)."),
    ],
)
def test_view_that_cannot_be_saved_is_answered_with_the_reason(name, query, message, client):
    answer = client.post(f"{LIST}views/", {"name": name, "query": query}, follow=True)
    assert messages_of(answer) == [message]
    assert not SavedView.objects.exists()


def test_list_has_at_most_20_views_of_a_person(client, staff):
    factories.SavedViewFactory.create_batch(20, user=staff, list="crm.lead")
    answer = client.post(f"{LIST}views/", {"name": "One more", "query": "status__exact=new"}, follow=True)
    assert messages_of(answer) == ["A list has at most 20 views. Delete one first."]


def test_views_are_a_persons_own(client, staff):
    other = factories.SavedViewFactory(list="crm.lead", name="Of another person")
    assert "Of another person" not in client.get(LIST).content.decode()
    assert client.post(f"{LIST}views/{other.pk}/", {"delete": "1"}).status_code == 404
    assert SavedView.objects.filter(pk=other.pk).exists()


def test_list_that_staff_may_not_see_has_no_views_for_them(client):
    reader = factories.UserFactory(company=None, role="", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_contact"))
    factories.SavedViewFactory(user=reader, list="crm.lead", name="From before")
    client.force_login(reader)
    assert save(client).status_code == 403
    assert "From before" not in client.get("/admin/").content.decode()
    assert client.post("/admin/crm/contact/views/", {"name": "Today", "query": "created_at=today"}).status_code == 302
    assert "Today" in client.get("/admin/").content.decode()
