"""Removing demo data."""

from graphlib import TopologicalSorter

from django.apps import apps
from django.db import transaction

from crm.db.audit_context import audit_disabled
from crm.db.tenancy import TenantModel, all_tenants
from crm.models import User
from ops.demo.preconditions import demo_companies


def remove_demo() -> None:
    """Remove the demo companies with every row of theirs. Other companies, and staff, are left alone."""
    with all_tenants(), transaction.atomic(), audit_disabled():
        companies = list(demo_companies())
        for model in _children_first():
            rows = model._base_manager.filter(company__in=companies)
            rows._raw_delete(rows.db)  # one statement a table: nothing points at a row any more
        # As Django deletes, row by row: tables that have no company point at users (sign-ins, the admin's log).
        User.objects.filter(company__in=companies).delete()
        demo_companies().delete()


def _children_first() -> list[type[TenantModel]]:
    """Every model with a company, each before those that it points at."""
    tenant_models = [model for model in apps.get_models() if issubclass(model, TenantModel)]
    points_at = {
        model: {field.related_model for field in model._meta.concrete_fields if field.related_model in tenant_models}
        for model in tenant_models
    }
    return list(TopologicalSorter(points_at).static_order())[::-1]
