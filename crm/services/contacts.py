"""Contacts and their numbers, which are written together: `contacts.phone` repeats one of `contact_phones`."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from crm.choices import FlagType, OptOutState
from crm.models import Contact, ContactFlag, ContactPhone, OptOut, SuppressedNumber
from crm.models.audit import hash_number
from crm.services.opt_outs import sync_opt_out_flags


class PhoneTaken(Exception):
    """Another contact of the company has this number."""

    def __init__(self, phone: str) -> None:
        super().__init__(f"Another contact has the number {phone}.")


def create_contact(*, company_id: int, phone: str, **fields: Any) -> Contact:
    """A new contact with its main number, E.164. Raises PhoneTaken."""
    return save_contact(contact=Contact(company_id=company_id, phone=phone, **fields))


def save_contact(*, contact: Contact) -> Contact:
    """Write a contact, new or changed, and see that its main number is among its numbers.

    Raises PhoneTaken, and changes nothing, if the number is another contact's.
    """
    try:
        with transaction.atomic():
            contact.save()
            number, is_new = ContactPhone.objects.get_or_create(
                company_id=contact.company_id, contact=contact, phone=contact.phone
            )
            if is_new:
                restore_flags(number=number)
    except IntegrityError as error:
        raise PhoneTaken(contact.phone) from error
    return contact


def get_or_create_contact(*, company_id: int, phone: str) -> Contact:
    """The contact that owns this number, E.164, made without a name if nobody does.

    Several workers may hear of a new caller at the same instant: the unique number lets one of them make the contact,
    and the others find it.
    """
    owner = _owner_of(phone)
    if owner is None:
        try:
            return create_contact(company_id=company_id, phone=phone)
        except PhoneTaken:
            # Another worker was faster; or a program that knew nothing of contact_phones wrote the contact alone.
            owner = _owner_of(phone) or save_contact(contact=Contact.objects.get(phone=phone))
    return owner


def name_contact(*, contact: Contact, name: str) -> None:
    """Give a contact without any name this one: the first word is the first name."""
    first, _, last = " ".join(name.split()).partition(" ")
    nameless = Contact.objects.filter(pk=contact.pk, first_name="", last_name="")
    nameless.update(first_name=first[:100], last_name=last[:100], updated_at=timezone.now())


def suppress_numbers(*, contact: Contact) -> None:
    """Remember, without the numbers, that whoever has one of this contact's must not be contacted, if that is so.

    Opt-outs need none of this: their ledger knows numbers, not contacts.
    """
    if contact.flags.in_force().filter(flag_type=FlagType.DO_NOT_CONTACT).exists():
        SuppressedNumber.objects.bulk_create(
            [
                SuppressedNumber(company_id=contact.company_id, number_hash=hash_number(phone))
                for phone in contact.phones.values_list("phone", flat=True)
            ],
            ignore_conflicts=True,
        )


def delete_contact(*, contact: Contact) -> None:
    """Delete a contact without a history. Raises ProtectedError for one that has any.

    Who must not be contacted is remembered: the same number may be imported anew tomorrow.
    """
    with transaction.atomic():
        suppress_numbers(contact=contact)
        contact.delete()


def restore_flags(*, number: ContactPhone) -> None:
    """Give the owner of a number that is new to the company the flags that it had with its owner before.

    The hash stays: to text somebody who had said stop is worse than to ask them once more whether they mean it.
    """
    known = {"company": number.company_id, "number_hash": hash_number(number.phone)}
    if SuppressedNumber.objects.filter(**known).exists():
        ContactFlag.objects.get_or_create(
            company_id=number.company_id,
            contact_id=number.contact_id,
            flag_type=FlagType.DO_NOT_CONTACT,
            expires_at=None,
            defaults={"reason": "In force when an earlier contact with this number was erased.", "source": "erasure"},
        )
    if OptOut.objects.select_for_update().filter(**known).exclude(state=OptOutState.CLEAR).first():
        sync_opt_out_flags(contact=number.contact)


def update_contact(*, contact: Contact, **fields: Any) -> Contact:
    """Change fields of a contact. A new main number joins its numbers; the old one stays among them.

    Raises PhoneTaken, and changes nothing, if the number is another contact's.
    """
    for name, value in fields.items():
        setattr(contact, name, value)
    return save_contact(contact=contact)


def _owner_of(phone: str) -> Contact | None:
    number = ContactPhone.objects.filter(phone=phone).select_related("contact").first()
    return number.contact if number else None
