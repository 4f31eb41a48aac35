"""Contacts and their numbers, as services write them."""

from crm.models import Contact, ContactPhone
from crm.services.contacts import get_or_create_contact
from tests.factories import ContactFactory


def test_a_number_finds_its_contact_or_makes_one(in_acme):
    known = ContactFactory(company=in_acme, phone="+12125550100")
    assert get_or_create_contact(company_id=in_acme.pk, phone="+12125550100") == known
    stranger = get_or_create_contact(company_id=in_acme.pk, phone="+12125550101")
    assert (stranger.name, [row.phone for row in stranger.phones.all()]) == ("", ["+12125550101"])


def test_a_contact_written_without_its_number_row_is_found_and_mended(in_acme):
    contact = Contact(company=in_acme, phone="+12125550100")
    contact.save()
    assert get_or_create_contact(company_id=in_acme.pk, phone="+12125550100") == contact
    assert ContactPhone.objects.get().contact == contact


def test_another_companys_owner_of_a_number_is_not_found(in_acme, globex):
    foreign = ContactFactory(company=globex, phone="+12125550100")
    assert get_or_create_contact(company_id=in_acme.pk, phone="+12125550100") != foreign
