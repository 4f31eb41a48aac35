"""Flags that follow a number when it leaves its contact."""

import pytest
from django.db import NotSupportedError
from django.db.models import Value
from django.db.models.functions import Concat
from django.utils.timezone import now

from crm.models import Contact, ContactFlag, ContactPhone, SuppressedNumber
from crm.models.audit import hash_number
from crm.services.contacts import create_contact, update_contact
from crm.services.opt_outs import record_opt_out
from crm.services.provider_contacts import import_provider_contact
from tests.factories import ContactFactory, ContactFlagFactory, ContactPhoneFactory

pytestmark = pytest.mark.django_db
SECOND, THIRD = "+12125550142", "+12125550143"


@pytest.fixture
def flagged(in_acme):
    """Return a second number of a contact that must not be contacted."""
    contact = ContactFactory(company=in_acme)
    ContactFlagFactory(contact=contact, flag_type="do_not_contact")
    return ContactPhoneFactory(contact=contact, phone=SECOND)


def is_flagged(contact):
    return contact.flags.in_force().filter(flag_type="do_not_contact").exists()


def remove(number, client):
    number.delete()


def remove_by_query(number, client):
    ContactPhone.objects.filter(pk=number.pk).delete()


def remove_with_its_contact(number, client):
    Contact.objects.filter(pk=number.contact_id).delete()


def remove_in_the_admin(number, client, staff):
    contact = number.contact
    numbers = list(contact.phones.order_by("id"))
    form = {
        "company": contact.company_id,
        "first_name": "Casey",
        "last_name": "Customer",
        "phone": contact.phone,
        "phones-TOTAL_FORMS": len(numbers),
        "phones-INITIAL_FORMS": len(numbers),
    }
    for index, row in enumerate(numbers):
        form |= {f"phones-{index}-id": row.pk, f"phones-{index}-contact": contact.pk, f"phones-{index}-label": ""}
        if row == number:
            form[f"phones-{index}-DELETE"] = "on"
    client.force_login(staff)
    assert client.post(f"/admin/crm/contact/{contact.pk}/change/", form).status_code == 302


@pytest.mark.parametrize("way", [remove, remove_by_query, remove_with_its_contact])
def test_removed_number_flags_its_next_owner(flagged, client, in_acme, way):
    way(flagged, client)
    assert is_flagged(create_contact(company_id=in_acme.pk, phone=SECOND))


def test_number_removed_in_the_admin_flags_its_next_owner(flagged, client, staff, in_acme):
    remove_in_the_admin(flagged, client, staff)
    assert not ContactPhone.objects.filter(phone=SECOND).exists()
    assert is_flagged(create_contact(company_id=in_acme.pk, phone=SECOND))


def move(number, other):
    number.contact = other
    number.save()


def move_by_query(number, other):
    ContactPhone.objects.filter(contact=number.contact_id, phone=SECOND).update(contact=other)


def move_by_relation(number, other):
    other.phones.add(number)


def move_all_by_relation(number, other):
    other.phones.set([*other.phones.all(), number])


def move_by_base_manager(number, other):
    ContactPhone._base_manager.filter(pk=number.pk).update(contact=other)


MOVES = [move, move_by_query, move_by_relation, move_all_by_relation, move_by_base_manager]


@pytest.mark.parametrize("way", MOVES)
def test_moved_number_flags_its_new_owner(flagged, in_acme, way):
    other, before = ContactFactory(company=in_acme), flagged.contact
    way(flagged, other)
    assert ContactPhone.objects.get(phone=SECOND).contact == other
    assert is_flagged(other)
    assert is_flagged(before)


def renumber(number):
    number.phone = THIRD
    number.save()


def renumber_by_query(number):
    ContactPhone.objects.filter(pk=number.pk).update(phone=THIRD)


def renumber_by_expression(number):
    ContactPhone.objects.filter(pk=number.pk).update(phone=Concat(Value(THIRD[:-1]), Value(THIRD[-1])))


def renumber_in_bulk(number):
    number.phone = THIRD
    ContactPhone.objects.bulk_update([number], ["phone"])


@pytest.mark.parametrize("way", [renumber, renumber_by_query, renumber_by_expression, renumber_in_bulk])
def test_replaced_number_flags_its_next_owner(flagged, in_acme, way):
    way(flagged)
    assert ContactPhone.objects.get(pk=flagged.pk).phone == THIRD
    assert is_flagged(create_contact(company_id=in_acme.pk, phone=SECOND))


@pytest.mark.parametrize("way", [renumber, renumber_by_query, renumber_by_expression, renumber_in_bulk])
def test_number_that_replaces_another_brings_its_flags(in_acme, way):
    record_opt_out(phone=THIRD, words="STOP", source="sms", occurred_at=now())
    SuppressedNumber.objects.create(company=in_acme, number_hash=hash_number(THIRD))
    contact = ContactFactory(company=in_acme)
    way(ContactPhoneFactory(contact=contact, phone=SECOND))
    assert set(contact.flags.in_force().values_list("flag_type", flat=True)) == {"opted_out", "do_not_contact"}


def move_in_bulk(number, other):
    number.contact = other
    ContactPhone.objects.bulk_update([number], ["contact"])


def test_number_moved_in_bulk_flags_its_new_owner(flagged, in_acme):
    other = ContactFactory(company=in_acme)
    move_in_bulk(flagged, other)
    assert is_flagged(other)


@pytest.mark.parametrize("options", [{}, {"ignore_conflicts": True}])
def test_number_added_in_bulk_brings_its_flags(flagged, in_acme, options):
    flagged.delete()
    contact, others = ContactFactory(company=in_acme), ContactPhoneFactory(contact__company=in_acme)
    new = [ContactPhone(company=in_acme, contact=contact, phone=phone) for phone in (SECOND, THIRD)]
    ContactPhone.objects.bulk_create(new, **options)
    assert is_flagged(contact)
    assert not is_flagged(others.contact)


def test_number_of_another_contact_that_is_ignored_in_bulk_flags_nobody(flagged, in_acme):
    SuppressedNumber.objects.create(company=in_acme, number_hash=hash_number(SECOND))
    contact = ContactFactory(company=in_acme)
    ContactPhone.objects.bulk_create(
        [ContactPhone(company=in_acme, contact=contact, phone=SECOND)], ignore_conflicts=True
    )
    assert not is_flagged(contact)


def test_bulk_creation_that_would_move_a_number_is_refused(flagged, in_acme):
    row = ContactPhone(company=in_acme, contact=ContactFactory(company=in_acme), phone=SECOND)
    with pytest.raises(NotSupportedError, match="flags follow"):
        ContactPhone.objects.bulk_create(
            [row], update_conflicts=True, unique_fields=["company", "phone"], update_fields=["contact"]
        )


def test_every_way_to_add_a_number_restores_the_flag(flagged, in_acme):
    flagged.delete()
    by_main = update_contact(contact=ContactFactory(company=in_acme), phone=SECOND)
    assert is_flagged(by_main)
    ContactPhone.objects.get(phone=SECOND).delete()
    contact = ContactFactory(company=in_acme)
    import_provider_contact(phones=[contact.phone, SECOND], first_name="", last_name="", email="", deleted=False)
    assert is_flagged(contact)


def test_number_without_a_flag_is_not_suppressed(in_acme):
    number = ContactPhoneFactory(contact=ContactFactory(company=in_acme), phone=SECOND)
    number.label = "work"
    number.save()
    number.delete()
    assert not SuppressedNumber.objects.exists()
    assert not is_flagged(create_contact(company_id=in_acme.pk, phone=SECOND))


def test_changed_label_leaves_the_owner(flagged):
    ContactFlag.objects.all().delete()
    flagged.label = "work"
    flagged.save()
    assert not SuppressedNumber.objects.exists()


@pytest.mark.parametrize(("source", "stays"), [("provider", False), ("manual", True)])
def test_new_main_number_ends_the_providers_flag_of_the_former_one(in_acme, source, stays):
    contact = ContactFactory(company=in_acme)
    ContactFlagFactory(contact=contact, flag_type="invalid_number", source=source)
    update_contact(contact=contact, first_name="Ann")
    assert contact.flags.in_force().exists()
    update_contact(contact=contact, phone=THIRD)
    assert contact.flags.in_force().exists() == stays
