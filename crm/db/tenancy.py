"""Who may be seen: a query on a tenant's rows says which company it means, or it raises.

A door (API, admin, command, worker, webhook) enters a tenant before it touches rows:

    with tenant(company.id):
        Contact.objects.filter(phone=phone)     # that company's

    with all_tenants():                         # staff, migrations, commands that mean every company
        WebhookEvent.objects.filter(processed=False)

The company is part of the query from the moment it is built, so a forgotten filter cannot leak another tenant's rows.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import models

ALL = "all companies"
_entered: ContextVar[int | str | None] = ContextVar("entered_tenant", default=None)


class TenantNotEntered(RuntimeError):
    """A tenant's rows were asked for without saying which company is meant."""


@contextmanager
def tenant(company_id: int) -> Iterator[None]:
    """Enter one company: inside, tenant models find its rows alone."""
    token = _entered.set(company_id)
    try:
        yield
    finally:
        _entered.reset(token)


@contextmanager
def all_tenants() -> Iterator[None]:
    """Enter every company at once. For staff, migrations and commands that mean it; never on behalf of a tenant."""
    token = _entered.set(ALL)
    try:
        yield
    finally:
        _entered.reset(token)


def current_company_id() -> int:
    """The company entered. Raises TenantNotEntered outside `tenant()`, also inside `all_tenants()`."""
    entered = _entered.get()
    if not isinstance(entered, int):
        raise TenantNotEntered("This needs one company: enter it with crm.db.tenancy.tenant(company_id).")
    return entered


class TenantManager(models.Manager):
    """A manager whose every query is of the tenant entered. Raises TenantNotEntered where none is.

    A model with words of its own says `objects = TenantManager.from_queryset(CallQuerySet)()`.
    """

    def get_queryset(self) -> Any:
        entered = _entered.get()
        if entered is None:
            raise TenantNotEntered(
                f"{self.model.__name__} was queried without a company: enter tenant(company_id), or all_tenants()."
            )
        rows = super().get_queryset()
        return rows if entered == ALL else rows.filter(company=entered)


class TenantModel(models.Model):
    """A row that belongs to one company."""

    # No index of its own: each table has one that begins with company_id and serves a real question.
    company = models.ForeignKey("crm.Company", on_delete=models.PROTECT, related_name="+", db_index=False)

    objects = TenantManager()

    class Meta:
        abstract = True
