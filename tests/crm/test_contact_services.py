"""Services of contacts and their numbers."""

from crm.models import Contact, ContactPhone
from crm.services.contacts import get_or_create_contact
from tests.factories import ContactFactory


def test_number_returns_its_contact_or_a_new_one(in_acme):
    known = ContactFactory(company=in_acme, phone="+12125550100")
    assert get_or_create_contact(company_id=in_acme.pk, phone="+12125550100") == known
    stranger = get_or_create_contact(company_id=in_acme.pk, phone="+12125550101")
    assert (stranger.name, [row.phone for row in stranger.phones.all()]) == ("", ["+12125550101"])


def test_contact_without_its_number_row_is_found_and_repaired(in_acme):
    contact = Contact(company=in_acme, phone="+12125550100")
    contact.save()
    assert get_or_create_contact(company_id=in_acme.pk, phone="+12125550100") == contact
    assert ContactPhone.objects.get().contact == contact


def test_owner_in_another_company_is_not_returned(in_acme, globex):
    foreign = ContactFactory(company=globex, phone="+12125550100")
    assert get_or_create_contact(company_id=in_acme.pk, phone="+12125550100") != foreign
