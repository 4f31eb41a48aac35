"""Lookup of the contact whom a privacy request is about."""

from collections.abc import Iterator
from contextlib import contextmanager

from crm.db.tenancy import tenant
from crm.models import Company, Contact
from crm.phones import InvalidPhone, normalize_phone


class ContactNotFound(Exception):
    """The company does not exist, or none of its contacts has the number."""


@contextmanager
def contact_with_number(*, slug: str, phone: str) -> Iterator[Contact]:
    """Activate the company's tenant and find the contact by number, in any spelling. Raises ContactNotFound."""
    company = Company.objects.filter(slug=slug).first()
    if company is None:
        raise ContactNotFound(f"There is no company {slug!r}.")
    try:
        number = normalize_phone(phone)
    except InvalidPhone as error:
        raise ContactNotFound(f"PHONE: {error}") from error
    with tenant(company.pk):
        contact = Contact.objects.filter(phones__phone=number).first()
        if contact is None:
            raise ContactNotFound(f"PHONE: no contact of {company} has the number {number}.")
        yield contact
