"""Preconditions of demo data."""

from collections.abc import Collection

from django.db.models import QuerySet

from crm.models import Company, User
from ops.demo.companies import catalogue

ADMIN = "admin"
ADMIN_EMAIL = "admin@demo.example"


class DemoRefused(RuntimeError):
    """Demo data can't be made here, or not of this size; nothing was changed."""


def demo_companies() -> QuerySet[Company]:
    """Return the companies with the slug and the name of one in the catalogue."""
    names = {demo.slug: demo.name for demo in catalogue()}
    candidates = Company.objects.filter(slug__in=names).values_list("pk", "slug", "name")
    return Company.objects.filter(pk__in=[pk for pk, slug, name in candidates if names[slug] == name])


def refuse_conflicts(*, usernames: Collection[str]) -> None:
    """Raise DemoRefused if there are demo companies, or if others have a demo slug or user name."""
    if demo_companies().exists():
        raise DemoRefused("There are demo companies already; remove and make them again with --reset.")
    slugs = [demo.slug for demo in catalogue()]
    if slug := Company.objects.filter(slug__in=slugs).values_list("slug", flat=True).first():
        raise DemoRefused(f"Another company has the slug {slug} of a demo company; change its slug.")
    others = User.accounts.filter(username__in=[ADMIN, *usernames]).exclude(username=ADMIN, email=ADMIN_EMAIL)
    if username := others.values_list("username", flat=True).first():
        raise DemoRefused(f"Another user has the demo user name {username}; change that user's name.")
