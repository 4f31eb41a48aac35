"""Contacts and their numbers, which are written together: `contacts.phone` repeats one of `contact_phones`."""

from typing import Any

from django.db import IntegrityError, transaction

from crm.models import Contact, ContactPhone


class PhoneTaken(Exception):
    """Another contact of the company has this number."""

    def __init__(self, phone: str) -> None:
        super().__init__(f"Another contact has the number {phone}.")


def create_contact(*, company_id: int, phone: str, **fields: Any) -> Contact:
    """A new contact with its main number, E.164. Raises PhoneTaken."""
    try:
        with transaction.atomic():
            contact = Contact.objects.create(company_id=company_id, phone=phone, **fields)
            ContactPhone.objects.create(company_id=company_id, contact=contact, phone=phone)
    except IntegrityError as error:
        raise PhoneTaken(phone) from error
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
            owner = _owner_of(phone)
            if owner is None:
                raise
    return owner


def update_contact(*, contact: Contact, phone: str | None = None, **fields: Any) -> Contact:
    """Change fields of a contact. A new main number joins its numbers; the old one stays among them.

    Raises PhoneTaken, and changes nothing, if the number is another contact's.
    """
    for name, value in fields.items():
        setattr(contact, name, value)
    try:
        with transaction.atomic():
            if phone is not None and phone != contact.phone:
                contact.phone = phone
                ContactPhone.objects.get_or_create(company_id=contact.company_id, contact=contact, phone=phone)
            contact.save()
    except IntegrityError as error:
        raise PhoneTaken(contact.phone) from error
    return contact


def _owner_of(phone: str) -> Contact | None:
    number = ContactPhone.objects.filter(phone=phone).select_related("contact").first()
    return number.contact if number else None
