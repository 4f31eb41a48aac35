"""The search box: it finds rows of all companies, and opens the contact of a whole number."""

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from tests import factories
from tests.count_queries import CountQueries

pytestmark = pytest.mark.django_db


@pytest.fixture
def find(client, staff):
    client.force_login(staff)
    return lambda term: client.get("/admin/search/", {"q": term})


def found(page):
    return {group.title: [hit.title for hit in group.hits] for group in page.context["groups"]}


@pytest.mark.parametrize(
    "spelling", ["(212) 555-0100", "212.555.0100", "+12125550100", "tel:+1-212-555-0100", "1 212 5550100 "]
)
def test_whole_number_in_any_spelling_opens_its_contact(spelling, find, globex):
    contact = factories.ContactFactory(company=globex, phone="+12125550177")
    factories.ContactPhoneFactory(contact=contact, phone="+12125550100")
    page = find(spelling)
    assert page.status_code == 302
    assert page.url == reverse("admin:crm_contact_change", args=[contact.pk])


def test_number_of_contacts_of_two_companies_shows_both(find, acme, globex):
    for company in (acme, globex):
        factories.ContactFactory(company=company, phone="+12125550100", first_name=company.slug, last_name="")
    page = find("(212) 555-0100")
    assert found(page) == {"Contacts": ["globex", "acme"]}
    assert "Acme Roofing" in page.content.decode()


@pytest.mark.parametrize("term", ["0100", "Garc", "casey garcia", "casey@example.com"])
def test_contact_is_found_with_calls_and_conversations(term, find, acme, globex):
    contact = factories.ContactFactory(
        company=globex, first_name="Casey", last_name="García", phone="+12125550100", email="casey@example.com"
    )
    call = factories.CallFactory(contact=contact)
    conversation = factories.ConversationFactory(contact=contact)
    factories.CallFactory(
        contact=factories.ContactFactory(company=acme, first_name="Ann", last_name="Dunn", phone="+12125550177")
    )
    assert found(find(term)) == {
        "Contacts": ["Casey García"], "Calls": [str(call)], "Conversations": [str(conversation)],
    }  # fmt: skip


def test_call_of_a_number_without_a_contact_is_found(find, globex):
    call = factories.CallFactory(company=globex, contact=None, from_number="+12125550100")
    factories.CallFactory(company=globex, contact=None, from_number="+12125550101")
    assert found(find("212 555 0100")) == {"Calls": [str(call)]}


def test_hash_and_id_find_rows_by_their_id_and_digits_alone_do_not(find, acme):
    contact = factories.ContactFactory(company=acme, pk=5150, first_name="Ann", last_name="Dunn", phone="+12125550100")
    factories.CampaignFactory(company=acme, pk=5150, name="Spring")
    assert found(find("#5150")) == {"Contacts": [str(contact)], "Campaigns": ["Spring"]}
    assert found(find("5150")) == {}


def test_campaigns_companies_users_and_invoices_are_found_by_name(find, acme):
    factories.CampaignFactory(company=acme, name="Acme spring offer")
    factories.UserFactory(company=acme, username="acme-nina", first_name="", last_name="")
    factories.InvoiceFactory(contact__company=acme, number="Acme")
    assert found(find("acme")) == {
        "Campaigns": ["Acme spring offer"], "Companies": ["Acme Roofing"], "Invoices": ["Acme"], "Users": ["acme-nina"],
    }  # fmt: skip


def test_search_without_a_match_says_what_can_be_searched_for(find, acme):
    html = find("<b>nobody</b>").content.decode()
    assert "Nothing was found for “&lt;b&gt;nobody&lt;/b&gt;”." in html
    assert "Enter a phone number in any spelling" in find(" ").content.decode()


@pytest.mark.parametrize("term", ["#", "#²", f"#{'9' * 30}", "%", "'", "\U0001f600", "a" * 5000, "+", "(212) 555-"])
def test_odd_terms_are_answered(term, find, acme):
    assert find(term).status_code == 200


def test_member_of_a_group_finds_what_they_may_see_alone(client, acme):
    contact = factories.ContactFactory(company=acme, first_name="Acme", phone="+12125550100")
    factories.CallFactory(contact=contact)
    user = factories.UserFactory(company=None, role="", is_staff=True)
    user.groups.add(Group.objects.get(name="Set-up"))
    client.force_login(user)
    assert found(client.get("/admin/search/", {"q": "acme"})) == {"Companies": ["Acme Roofing"]}
    by_number = client.get("/admin/search/", {"q": "212 555 0100"})
    assert (by_number.status_code, found(by_number)) == (200, {})


def test_company_user_and_stranger_cannot_search(client, manager):
    for _ in range(2):
        assert client.get("/admin/search/", {"q": "ann"}).url.startswith(reverse("admin:login"))
        client.force_login(manager)


def test_search_takes_a_constant_number_of_queries(find, acme):
    def count():
        with CountQueries() as queries:
            find("casey")
        return len(queries)

    factories.CallFactory.create_batch(2, contact__company=acme)
    before = count()
    factories.CallFactory.create_batch(5, contact__company=acme)
    assert count() == before <= 20
