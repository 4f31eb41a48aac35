"""Contacts from a provider's address book."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from crm.db.tenancy import current_company_id
from crm.models import Contact, ContactPhone, PhoneLine
from crm.phones import InvalidPhone, normalize_phone
from crm.services.contacts import get_or_create_contact
from crm.services.event_fields import fill_blank_fields

MAX_NAME, MAX_EMAIL = 100, 254  # lengths of the columns


def import_provider_contact(
    *, phones: Sequence[str], first_name: str, last_name: str, email: str, deleted: bool
) -> None:
    """Fill blank fields of the contacts with these numbers, and create a contact if there is none.

    Numbers without an owner are added to the first of these contacts. A deletion by the provider, or a provider contact
    without a valid number, changes nothing.
    """
    numbers = _valid_numbers(phones)
    if deleted or not numbers:
        return
    with transaction.atomic():
        owners = set(ContactPhone.objects.filter(phone__in=numbers).values_list("contact", flat=True))
        if not owners:
            owners = {get_or_create_contact(company_id=current_company_id(), phone=numbers[0]).pk}
        contacts = list(Contact.objects.select_for_update(no_key=True).filter(pk__in=owners).order_by("pk"))
        for contact in contacts:
            changed = fill_blank_fields(
                contact, first_name=first_name[:MAX_NAME], last_name=last_name[:MAX_NAME], email=_valid_email(email)
            )
            if changed:
                contact.save(update_fields=changed)
        for phone in numbers:
            _add_number(contacts[0], phone)


def _valid_numbers(phones: Sequence[str]) -> list[str]:
    """Return the valid numbers as E.164, without duplicates, in order. The company's own are never a contact's."""
    numbers = []
    for phone in phones:
        try:
            numbers.append(normalize_phone(phone))
        except InvalidPhone:
            continue
    own = set(PhoneLine.objects.filter(number__in=numbers).values_list("number", flat=True))
    return [phone for phone in dict.fromkeys(numbers) if phone not in own]


def _valid_email(email: str) -> str:
    try:
        validate_email(email)
    except ValidationError:
        return ""
    return email if len(email) <= MAX_EMAIL else ""


def _add_number(contact: Contact, phone: str) -> None:
    ContactPhone.objects.get_or_create(company_id=contact.company_id, phone=phone, defaults={"contact": contact})
