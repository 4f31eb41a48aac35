"""The person whom a request is about."""

from collections.abc import Iterator
from contextlib import contextmanager

from crm.db.tenancy import tenant
from crm.models import Company, Contact
from crm.phones import InvalidPhone, normalize_phone


class UnknownSubject(Exception):
    """There is no such company, or nobody in it has this number."""


@contextmanager
def contact_with_number(*, slug: str, phone: str) -> Iterator[Contact]:
    """Enter the company and find whose number it is, in any spelling. Raises UnknownSubject."""
    company = Company.objects.filter(slug=slug).first()
    if company is None:
        raise UnknownSubject(f"There is no company {slug!r}.")
    try:
        number = normalize_phone(phone)
    except InvalidPhone as error:
        raise UnknownSubject(f"PHONE: {error}") from error
    with tenant(company.pk):
        contact = Contact.objects.filter(phones__phone=number).first()
        if contact is None:
            raise UnknownSubject(f"PHONE: nobody at {company} has the number {number}.")
        yield contact
