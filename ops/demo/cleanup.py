"""Removal of demo data."""

from graphlib import TopologicalSorter

from django.apps import apps
from django.db import transaction

from crm.db.audit_context import audit_disabled
from crm.db.tenancy import TenantModel, all_tenants
from crm.models import User
from ops.demo.preconditions import demo_companies


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
        for model in tenant_models
    }
    return list(TopologicalSorter(references).static_order())[::-1]
