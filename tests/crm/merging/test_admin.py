"""Merging, deciding about duplicates and undoing in the admin."""

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from crm.db.tenancy import all_tenants
from crm.models import Contact, ContactMerge, DuplicateCandidate
from tests import factories
from tests.count_queries import CountQueries

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair(acme):
    return [factories.ContactFactory(company=acme, city=city) for city in ("", "Denver")]


def merge_page(contact, other=None):
    url = reverse("admin:crm_contact_merge", args=[contact.pk])
    return f"{url}?other=%23{other.pk}" if other else url


def test_other_contact_is_found_by_number_or_id(staff_client, pair):
    for term in (pair[1].phone, f"#{pair[1].pk}"):
        page = staff_client.get(merge_page(pair[0]), {"other": term})
        assert page.context["right"] == pair[1]
    for term in ("#0", "nobody", f"#{pair[0].pk}"):
        page = staff_client.get(merge_page(pair[0]), {"other": term})
        assert page.context["right"] is None
        assert "No other contact" in page.content.decode()


def test_contact_of_another_company_is_not_offered(staff_client, pair, globex):
    other = factories.ContactFactory(company=globex)
    assert staff_client.get(merge_page(pair[0], other)).context["right"] is None


def test_page_shows_both_and_merges_the_chosen_values(staff_client, staff, pair):
    left, right = pair
    factories.CallFactory(contact=right)
    page = staff_client.get(merge_page(left, right))
    assert ("Calls", "0", "1") in page.context["counts"]
    chosen = {choice.name: choice.chosen for choice in page.context["choices"]}
    assert (chosen["city"], chosen["last_name"]) == ("right", "left")
    response = staff_client.post(merge_page(left, right), {"keep": "right", "last_name": "left", "city": "right"})
    with all_tenants():
        merge = ContactMerge.objects.get()
        kept = Contact.objects.get()
    assert response.url == reverse("admin:crm_contactmerge_change", args=[merge.pk])
    assert (merge.kept, merge.gone_id, merge.created_by) == (right, left.pk, staff)
    assert (kept.last_name, kept.city) == (left.last_name, "Denver")


def test_page_takes_few_queries_however_many_tables_refer_to_a_contact(staff_client, pair):
    staff_client.get(merge_page(*pair))
    with CountQueries() as queries:
        assert staff_client.get(merge_page(*pair)).status_code == 200
    assert len(queries) <= 12


def test_merge_is_undone_on_its_page(staff_client, pair):
    staff_client.post(merge_page(*pair), {"keep": "left"})
    with all_tenants():
        merge = ContactMerge.objects.get()
    page = reverse("admin:crm_contactmerge_change", args=[merge.pk])
    assert "Undo this merge" in staff_client.get(page).content.decode()
    response = staff_client.post(reverse("admin:crm_contactmerge_undo", args=[merge.pk]), follow=True)
    assert "is back" in response.content.decode()
    assert "Undo this merge" not in response.content.decode()
    with all_tenants():
        assert Contact.objects.count() == 2
    again = staff_client.post(reverse("admin:crm_contactmerge_undo", args=[merge.pk]), follow=True)
    assert "undone already" in again.content.decode()


@pytest.mark.parametrize(("button", "state"), [("merge", "merged"), ("not_the_same", "not_the_same")])
def test_candidate_of_the_queue_is_decided(staff_client, staff, acme, pair, button, state):
    candidate = factories.DuplicateCandidateFactory(company=acme, first=pair[0], second=pair[1])
    queue = staff_client.get(reverse("admin:crm_duplicatecandidate_changelist"), {"state__exact": "open"})
    assert "same email address" in queue.content.decode()
    change = staff_client.get(reverse("admin:crm_duplicatecandidate_change", args=[candidate.pk]))
    url = merge_page(*pair)
    for page in (queue, change):
        assert f'<a href="{url}">Compare side by side</a>' in page.content.decode()
    assert "Not the same person" in staff_client.get(url).content.decode()
    staff_client.post(url, {"keep": "left", button: "1"})
    with all_tenants():
        decided = DuplicateCandidate.objects.get()
    assert (decided.state, decided.decided_by) == (state, staff)


def test_staff_who_may_only_look_can_not_merge(client, acme, pair):
    user = factories.UserFactory(company=None, role="", is_staff=True)
    client.force_login(user)
    assert client.get(merge_page(*pair)).status_code == 403


def test_queue_offers_the_comparison_to_those_who_may_decide(client, acme, pair):
    factories.DuplicateCandidateFactory(company=acme, first=pair[0], second=pair[1])
    for group, may_decide in (("Read-only", False), ("Support", True)):
        user = factories.UserFactory(company=None, role="", is_staff=True)
        user.groups.add(Group.objects.get(name=group))
        client.force_login(user)
        queue = client.get(reverse("admin:crm_duplicatecandidate_changelist")).content.decode()
        assert "same email address" in queue
        assert ("Compare side by side" in queue) == may_decide
