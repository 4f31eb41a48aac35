"""Companies that a command's arguments name."""

from django.core.management.base import CommandError

from crm.models import Company
from crm.services.companies import UnknownCompany, find_company


def read_company(slug: str) -> Company:
    """Return the company with this slug. Raises CommandError."""
    try:
        return find_company(slug=slug)
    except UnknownCompany as error:
        raise CommandError(str(error)) from error


def read_companies(slug: str | None) -> list[Company]:
    """Return the company with this slug, or all companies without one. Raises CommandError."""
    return [read_company(slug)] if slug else list(Company.objects.order_by("pk"))
