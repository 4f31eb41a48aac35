"""Snippets: kept by managers, read by everybody."""

from django.urls import reverse

from crm.db.tenancy import all_tenants
from messaging.models import Snippet
from tests import factories
from tests.conftest import signed_in
from tests.errors import errors_of

URL = "/api/v1/snippets"
HOURS = {"shortcut": "hours", "body": "Hi {first_name|there}, we are open from 8 to 6."}


def test_manager_keeps_snippets_that_others_read(manager_api, manager, csr, rep):
    made = manager_api.post(URL, HOURS).json()
    assert (made["shortcut"], made["created_by"]) == ("hours", manager.pk)
    for user in (csr, rep):
        api = signed_in(user)
        assert [row["body"] for row in api.get(URL).json()["results"]] == [HOURS["body"]]
        assert api.patch(f"{URL}/{made['id']}", {"body": "Closed."}).status_code == 403
    assert manager_api.delete(f"{URL}/{made['id']}").status_code == 204


def test_placeholder_that_does_not_exist_is_refused(manager_api):
    [problem] = errors_of(manager_api.post(URL, HOURS | {"body": "Hi {firstname}!"}))["body"]
    assert "{first_name}" in problem


def test_shortcut_is_one_word_and_unique_within_the_company(manager_api, acme, globex):
    factories.SnippetFactory(company=globex, shortcut="hours")
    assert manager_api.post(URL, HOURS).status_code == 201
    for shortcut in ("hours", "/late", "two words", "Late", "la\nte"):
        assert [*errors_of(manager_api.post(URL, HOURS | {"shortcut": shortcut}))] == ["shortcut"], shortcut
    assert manager_api.post(URL, HOURS | {"shortcut": "late\n"}).json()["shortcut"] == "late"


def test_staff_keep_snippets_with_the_same_placeholders(staff_client, staff, acme):
    form = {"company": acme.pk, "shortcut": "hours", "body": HOURS["body"]}
    refused = staff_client.post(reverse("admin:messaging_snippet_add"), form | {"body": "Hi {firstname}!"})
    assert "{first_name}" in refused.context["adminform"].form.errors["body"][0]
    assert staff_client.post(reverse("admin:messaging_snippet_add"), form).status_code == 302
    with all_tenants():
        snippet = Snippet.objects.get()
    assert (snippet.shortcut, snippet.body, snippet.created_by) == ("hours", HOURS["body"], staff)
