"""Where and why no demo is made."""

from collections.abc import Collection

from django.db.models import QuerySet

from crm.models import Company, User
from ops.demo.companies import catalogue

ADMIN = "admin"
ADMIN_EMAIL = "admin@demo.example"


class DemoRefused(RuntimeError):
    """The demo can't be made here, or not of this size; nothing was changed."""


def demo_companies() -> QuerySet[Company]:
    """The demo's companies that stand: those with a slug and the name that belongs to it in the catalogue."""
    names = {demo.slug: demo.name for demo in catalogue()}
    candidates = Company.objects.filter(slug__in=names).values_list("pk", "slug", "name")
    return Company.objects.filter(pk__in=[pk for pk, slug, name in candidates if names[slug] == name])


def refuse_what_stands(*, usernames: Collection[str]) -> None:
    """Raises DemoRefused where demo companies stand, or others hold a slug or user name that the demo needs."""
    if demo_companies().exists():
        raise DemoRefused("Demo companies stand here already. Remove and make them anew with --reset.")
    slugs = [demo.slug for demo in catalogue()]
    if slug := Company.objects.filter(slug__in=slugs).values_list("slug", flat=True).first():
        raise DemoRefused(f"A company of yours has the slug {slug}, which the demo needs.")
    others = User.accounts.filter(username__in=[ADMIN, *usernames]).exclude(username=ADMIN, email=ADMIN_EMAIL)
    if username := others.values_list("username", flat=True).first():
        raise DemoRefused(f"A user of yours is called {username}, which is a demo sign-in.")
