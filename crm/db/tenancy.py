"""Who may be seen: a query on a tenant's rows says which company it means, or it raises.

A door (API, admin, command, worker, webhook) enters a tenant before it touches rows:

    with tenant(company.id):
        Contact.objects.filter(phone=phone)     # that company's

    with all_tenants():                         # staff, migrations, commands that mean every company
        WebhookEvent.objects.filter(processed=False)

The company is part of the query from the moment it is built, so a forgotten filter cannot leak another tenant's rows.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connection, models, transaction

from crm.db.policies import ALL_SETTING, COMPANY_SETTING

ALL = "all companies"
_entered: ContextVar[int | str | None] = ContextVar("entered_tenant", default=None)


class TenantNotEntered(RuntimeError):
    """A tenant's rows were asked for without saying which company is meant."""


def tenant(company_id: int) -> AbstractContextManager[None]:
    """Enter one company: inside, its rows alone are found, by tenant models and by whatever else asks PostgreSQL."""
    return _enter(company_id)


def all_tenants() -> AbstractContextManager[None]:
    """Enter every company at once. For staff, migrations and commands that mean it; never on behalf of a tenant."""
    return _enter(ALL)


@contextmanager
def _enter(entered: int | str) -> Iterator[None]:
    """On PostgreSQL a tenant is entered by a transaction, whose end is where it is left.

    The settings that the policies read are LOCAL to it: a pooler that gives the connection to another client between
    two transactions gives no company away with it.
    """
    before = _entered.get()
    token = _entered.set(entered)
    try:
        if connection.vendor != "postgresql" or entered == before:
            yield
            return
        nested = connection.in_atomic_block
        with transaction.atomic():
            outer = _tell_database(*_settings_of(entered), ask=nested)
            yield
            if nested and not connection.needs_rollback:  # a rollback, and the end of a transaction, undo it anyway
                _tell_database(*outer)
    finally:
        _entered.reset(token)


def undo_when_left() -> None:
    """Have what was written since the tenant was entered undone when it is left: for a request that is refused midway.

    On SQLite, where a tenant is no transaction, nothing happens: there the services' own transactions must do.
    """
    if connection.vendor == "postgresql":
        transaction.set_rollback(True)


def _settings_of(entered: int | str) -> tuple[str, str]:
    return ("", "on") if entered == ALL else (str(entered), "")


def _tell_database(company: str, everybody: str, *, ask: bool = False) -> tuple[str, str]:
    """Set what the policies read, for this transaction; return what it was, if asked to."""
    with connection.cursor() as cursor:
        before = ("", "")
        if ask:
            cursor.execute(
                "SELECT coalesce(current_setting(%s, true), ''), coalesce(current_setting(%s, true), '')",
                [COMPANY_SETTING, ALL_SETTING],
            )
            before = cursor.fetchone()
        cursor.execute(
            "SELECT set_config(%s, %s, true), set_config(%s, %s, true)",
            [COMPANY_SETTING, company, ALL_SETTING, everybody],
        )
    return before


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
    """A row that belongs to one company. Its table gets its policies by itself: see crm.db.policies."""

    # No index of its own: each table has one that begins with company_id and serves a real question.
    company = models.ForeignKey("crm.Company", on_delete=models.PROTECT, related_name="+", db_index=False)

    objects = TenantManager()

    class Meta:
        abstract = True
