"""Numbers of a contact, one by one: adding, making main and removing.

The main number is the one that `contacts.phone` repeats: so each contact has exactly one.
"""

from django.db import IntegrityError, transaction

from crm.error_codes import ErrorCode
from crm.models import Contact, ContactPhone
from crm.refusals import Refusal
from crm.refused_writes import is_refused_by
from crm.services.contacts import UNIQUE_NUMBERS, check_number_is_outside, owner_of, update_contact


class NumberTaken(Refusal):
    """A contact has the number already, this one or another."""

    code, attr = ErrorCode.NUMBER_TAKEN, "number"

    def __init__(self, *, owner: Contact | None, contact: Contact) -> None:
        self.existing = ("contacts", owner) if owner else None
        if owner == contact:
            super().__init__("This contact has the number already.")
        else:
            super().__init__(f"Another contact has this number: {owner}.")


class MainNumberKept(Refusal):
    """A contact must keep a main number."""

    code, attr = ErrorCode.MAIN_NUMBER, "is_main"


def add_number(*, contact: Contact, phone: str, label: str = "", is_main: bool = False) -> ContactPhone:
    """Add a number, E.164, to a contact. Flags of the number apply to its new owner.

    Raises:
        NumberTaken: a contact has the number already.
        NumberRefused: it is a phone line of the company.
    """
    check_number_is_outside(company_id=contact.company_id, phone=phone)
    if owner := owner_of(company_id=contact.company_id, phone=phone):
        raise NumberTaken(owner=owner, contact=contact)
    try:
        with transaction.atomic():
            number = ContactPhone.objects.create(
                company_id=contact.company_id, contact=contact, phone=phone, label=label
            )
            if is_main:
                update_contact(contact=contact, phone=phone)
    except IntegrityError as error:
        if is_refused_by(error, *UNIQUE_NUMBERS):  # added at the same moment
            owner = owner_of(company_id=contact.company_id, phone=phone)
            raise NumberTaken(owner=owner, contact=contact) from error
        raise
    return number


def change_number(*, number: ContactPhone, label: str | None = None, is_main: bool | None = None) -> ContactPhone:
    """Change the label of a number, or make it the main one.

    Raises:
        MainNumberKept: `is_main` is false for the main number.
        NumberRefused: it has become a phone line of the company, so it can't become the main number.
    """
    with transaction.atomic():
        contact = _lock_contact(number)
        if label is not None:
            number.label = label
            number.save(update_fields=["label"])
        if is_main and contact.phone != number.phone:
            update_contact(contact=contact, phone=number.phone)
        elif is_main is False and contact.phone == number.phone:
            raise MainNumberKept
    return number


def remove_number(*, number: ContactPhone) -> None:
    """Remove a number from its contact. An opt-out and a do-not-contact flag stay with the number.

    Raises:
        MainNumberKept: it is the main number.
    """
    with transaction.atomic():
        if _lock_contact(number).phone == number.phone:
            raise MainNumberKept
        number.delete()


def _lock_contact(number: ContactPhone) -> Contact:
    """Lock the contact, so that no other number becomes the main one meanwhile."""
    return Contact.objects.select_for_update(no_key=True).get(pk=number.contact_id)
