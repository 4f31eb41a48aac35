"""What a provider's address book says of people whom we know, or will."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from crm.db.tenancy import current_company_id
from crm.models import Contact, ContactPhone
from crm.phones import InvalidPhone, normalize_phone
from crm.services.contacts import get_or_create_contact, restore_flags
from crm.services.conversations import fill_blank_fields

MAX_NAME, MAX_EMAIL = 100, 254  # as the columns have it


def record_address(*, phones: Sequence[str], first_name: str, last_name: str, email: str, deleted: bool) -> None:
    """Take over an entry of a provider's address book: fill what the contacts with its numbers lack.

    Numbers that nobody has become the first such contact's; where there is none, one is made. An entry that was deleted
    there, or has no number that could be dialled, changes nothing: nobody is forgotten here for that.
    """
    numbers = _dialable(phones)
    if deleted or not numbers:
        return
    with transaction.atomic():
        owners = set(ContactPhone.objects.filter(phone__in=numbers).values_list("contact", flat=True))
        if not owners:
            owners = {get_or_create_contact(company_id=current_company_id(), phone=numbers[0]).pk}
        contacts = list(Contact.objects.select_for_update(no_key=True).filter(pk__in=owners).order_by("pk"))
        for contact in contacts:
            gaps = fill_blank_fields(
                contact, first_name=first_name[:MAX_NAME], last_name=last_name[:MAX_NAME], email=_usable(email)
            )
            if gaps:
                contact.save(update_fields=[*gaps, "updated_at"])
        for phone in numbers:
            _add_number(contacts[0], phone)


def _dialable(phones: Sequence[str]) -> list[str]:
    """E.164, each once, in order."""
    numbers = []
    for phone in phones:
        try:
            numbers.append(normalize_phone(phone))
        except InvalidPhone:
            continue
    return list(dict.fromkeys(numbers))


def _usable(email: str) -> str:
    try:
        validate_email(email)
    except ValidationError:
        return ""
    return email if len(email) <= MAX_EMAIL else ""


def _add_number(contact: Contact, phone: str) -> None:
    number, is_new = ContactPhone.objects.get_or_create(
        company_id=contact.company_id, phone=phone, defaults={"contact": contact}
    )
    if is_new:
        restore_flags(number=number)
