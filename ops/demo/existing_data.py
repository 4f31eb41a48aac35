"""Demo data that exists already: conflicts with it, and its removal."""

from collections.abc import Sequence
from graphlib import TopologicalSorter

from django.apps import apps
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Lower

from crm.db.audit_context import audit_disabled
from crm.db.tenancy import TenantModel, all_tenants
from crm.models import CampaignCount, CampaignMembership, Company, User
from ops.demo.companies import CATALOGUE, DemoCompany

ADMIN = "admin"
ADMIN_EMAIL = "admin@demo.example"


class DemoRefused(RuntimeError):
    """Demo data can't be made here, or not of this size; nothing was changed."""


def demo_companies() -> QuerySet[Company]:
    """Return the companies with a slug and a name of the catalogue."""
    return Company.objects.filter(slug__in=[d.slug for d in CATALOGUE], name__in=[d.name for d in CATALOGUE])


def refuse_conflicts(demos: Sequence[DemoCompany]) -> None:
    """Raise DemoRefused if there are demo companies, or if others have a demo slug or user name."""
    if demo_companies().exists():
        raise DemoRefused("There are demo companies already; remove and make them again with --reset.")
    if company := Company.objects.filter(slug__in=[demo.slug for demo in CATALOGUE]).first():
        raise DemoRefused(f"Another company has the slug {company.slug} of a demo company; change its slug.")
    usernames = [ADMIN, *(name for demo in demos for name in demo.usernames)]
    same_name = User.accounts.alias(key=Lower("username")).filter(key__in=usernames)
    if user := same_name.exclude(username=ADMIN, email=ADMIN_EMAIL).first():
        raise DemoRefused(f"Another user has the demo user name {user.username}; change that user's name.")


def remove_demo() -> None:
    """Remove the demo companies with all their rows. Other companies and staff stay."""
    with all_tenants(), transaction.atomic(), audit_disabled():
        companies = list(demo_companies())
        for model in _children_first():
            rows = model._base_manager.filter(company__in=companies)
            rows._raw_delete(rows.db)  # one statement per table: no row refers to these any more
        # Django's own deletion, because tables without a company refer to users (sign-ins, the admin's log).
        User.objects.filter(company__in=companies).delete()
        demo_companies().delete()


def _children_first() -> list[type[TenantModel]]:
    """Return every model with a company, each before the models that it refers to."""
    tenant_models = [model for model in apps.get_models() if issubclass(model, TenantModel)]
    references = {
        model: {field.related_model for field in model._meta.concrete_fields if field.related_model in tenant_models}
        - {model}
        for model in tenant_models
    }
    references[CampaignMembership].add(CampaignCount)  # deleted memberships are counted by triggers
    return list(TopologicalSorter(references).static_order())[::-1]
