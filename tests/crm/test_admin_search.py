"""Search in the admin."""

import pytest
from django.urls import reverse

from tests import factories

pytestmark = pytest.mark.usefixtures("staff_client")


def found(client, name, query):
    response = client.get(reverse(f"admin:{name}_changelist"), {"q": query} if isinstance(query, str) else query)
    return list(response.context["cl"].result_list)


OF_CONTACT = [
    factories.LeadFactory,
    factories.InvoiceFactory,
    factories.ActivityFactory,
    factories.ContactFlagFactory,
    factories.ConversationFactory,
    factories.CallFactory,
    factories.AppointmentFactory,
    factories.MissedCallerFactory,
]


@pytest.mark.parametrize(
    "term",
    [
        "(212) 555-0100", "tel:+1-212-555-0199", "0199", "casey", "Garcia", "casey garcia", "Garcia, Casey", "GARC cas",
        "c@example.com", "#{pk}",
    ],
)  # fmt: skip
def test_search_covers_all_companies(client, acme, globex, term):
    sought = factories.ContactFactory(
        company=globex, first_name="Casey", last_name="García", phone="+12125550100", email="c@example.com"
    )
    factories.ContactPhoneFactory(contact=sought, phone="+12125550199")
    factories.ContactFactory(company=acme, first_name="Case", last_name="Gar", phone="+12125550101", email="")
    assert found(client, "crm_contact", term.format(pk=sought.pk)) == [sought]


def test_search_within_one_company_leaves_out_the_others(client, acme, globex):
    own = factories.ContactFactory(company=acme, first_name="Casey")
    factories.ContactFactory(company=globex, first_name="Casey")
    assert found(client, "crm_contact", {"q": "cas", "company__id__exact": acme.pk}) == [own]


@pytest.mark.parametrize("length", [3, 4, 7])
@pytest.mark.parametrize("factory", [None, *OF_CONTACT])
def test_short_number_is_never_the_id_of_another_row(client, acme, factory, length):
    # A sequence could give it the other row's id.
    caller = factories.ContactFactory(company=acme, pk=900_000, phone="+12125550123")
    digits = caller.phone[-length:]
    if factory is None:
        sought, other = caller, factories.ContactFactory(company=acme, pk=int(digits), phone="+13125550177")
    else:
        sought = factory(pk=900_000, contact=caller)
        other = factory(pk=int(digits), contact__company=acme, contact__phone="+13125550177")
    opts = sought._meta
    page = f"{opts.app_label}_{opts.model_name}"
    assert found(client, page, digits) == [sought]
    assert found(client, page, f"#{int(digits)}") == [other]


@pytest.mark.parametrize("factory", OF_CONTACT)
def test_rows_are_found_by_the_contacts_name_and_number(client, factory):
    row, _other = factory(contact__phone="+12125550100", contact__last_name="Müller-Łuk"), factory()
    opts = row._meta
    for term in ("212-555-0100", "müller", "Muller Casey", "luk"):
        assert found(client, f"{opts.app_label}_{opts.model_name}", term) == [row], term


def test_invoice_is_found_by_its_number_in_any_company(client, acme, globex):
    sought = factories.InvoiceFactory(contact__company=globex, number="2026-17")
    factories.InvoiceFactory(contact__company=acme, number="2026-18")
    assert found(client, "crm_invoice", "2026-17") == [sought]


def test_suggestions_show_the_company(client, acme):
    contact = factories.ContactFactory(company=acme, first_name="Ann", last_name="Dunn")
    response = client.get(
        reverse("admin:autocomplete"),
        {"term": "dunn", "app_label": "crm", "model_name": "lead", "field_name": "contact"},
    )
    assert response.json()["results"] == [{"id": str(contact.pk), "text": "Ann Dunn · Acme Roofing"}]
