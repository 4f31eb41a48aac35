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
# What one company asks of PostgreSQL is answered from few pages, most of them in memory: a page costs little more than
# a row, and starting parallel workers costs more than they save. With a page at its default price the planner reads
# everybody's rows of a month, because they lie side by side, and throws most away, rather than one large company's.
TENANT_PLANNER_SETTINGS = {"seq_page_cost": "0.1", "random_page_cost": "0.1", "max_parallel_workers_per_gather": "0"}
_entered: ContextVar[int | str | None] = ContextVar("entered_tenant", default=None)
_limits: ContextVar[dict[str, str] | None] = ContextVar("limits", default=None)


class NoActiveTenant(RuntimeError):
    """A tenant's rows were asked for without saying which company is meant."""


def tenant(company_id: int) -> AbstractContextManager[None]:
    """Enter one company: inside, its rows alone are found, by tenant models and by whatever else asks PostgreSQL."""
    return _enter(company_id)


def all_tenants() -> AbstractContextManager[None]:
    """Enter every company at once. For staff, migrations and commands that mean it; never on behalf of a tenant."""
    return _enter(ALL)


def tenant_autocommit(company_id: int) -> AbstractContextManager[None]:
    """Enter one company for a few questions, outside of any transaction: for a request that only reads."""
    return _enter_autocommit(company_id)


def all_tenants_autocommit() -> AbstractContextManager[None]:
    """Enter every company for a few questions, outside of any transaction: who is it that asks?"""
    return _enter_autocommit(ALL)


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
            outer = _ask_database() if nested else {}
            _tell_database(_settings_of(entered) | (_limits.get() or {}))
            yield
            if nested and not connection.needs_rollback:  # a rollback, and the end of a transaction, undo it anyway
                _tell_database(outer)
    finally:
        _entered.reset(token)


@contextmanager
def _enter_autocommit(entered: int | str) -> Iterator[None]:
    """Each statement brings its settings along, which spares three messages: BEGIN, the settings, COMMIT.

    PostgreSQL runs what comes in one message as one transaction, so the settings are LOCAL as well.
    """
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        with _enter(entered):
            yield
        return
    told, values = _told(_settings_of(entered) | (_limits.get() or {}))

    def tell_first(execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if _entered.get() != entered:  # another tenant has been entered inside, by a transaction
            return execute(sql, params, many, context)
        if many or context["cursor"].name:
            raise RuntimeError("This takes more than a statement: enter tenant(), not tenant_autocommit().")
        return execute(f"{told}; {sql}", [*values, *(params or ())], many, context)

    token = _entered.set(entered)
    try:
        with connection.execute_wrapper(tell_first):
            yield
    finally:
        _entered.reset(token)


@contextmanager
def statement_limits(*, statement_timeout: int, lock_timeout: int) -> Iterator[None]:
    """In each tenant entered inside, PostgreSQL cancels what takes or waits longer. Milliseconds; 0 is no limit.

    They are told with the tenant, so they cost no statement, and are LOCAL like it: a session's would meet a pooler's
    next client, and a pooler in transaction mode refuses them at the start of a connection.
    """
    token = _limits.set({"statement_timeout": str(statement_timeout), "lock_timeout": str(lock_timeout)})
    try:
        yield
    finally:
        _limits.reset(token)


def mark_rollback() -> None:
    """Have what was written since the tenant was entered undone when it is left: for a request that is refused midway.

    On SQLite, where a tenant is no transaction, nothing happens: there the services' own transactions must do.
    """
    if connection.vendor == "postgresql":
        transaction.set_rollback(True)


def _settings_of(entered: int | str) -> dict[str, str]:
    if entered == ALL:
        return {COMPANY_SETTING: "", ALL_SETTING: "on"}
    return {COMPANY_SETTING: str(entered), ALL_SETTING: "", **TENANT_PLANNER_SETTINGS}


def _tell_database(settings: dict[str, str]) -> None:
    """Set what the policies read, and how to plan, for this transaction."""
    with connection.cursor() as cursor:
        cursor.execute(*_told(settings))


def _told(settings: dict[str, str]) -> tuple[str, list[str]]:
    """The statement that sets them for its transaction, and its parameters."""
    return (
        f"SELECT {', '.join(['set_config(%s, %s, true)'] * len(settings))}",  # placeholders
        [text for setting in settings.items() for text in setting],
    )


def _ask_database() -> dict[str, str]:
    """What the policies read so far in this transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(current_setting(%s, true), ''), coalesce(current_setting(%s, true), '')",
            [COMPANY_SETTING, ALL_SETTING],
        )
        return dict(zip((COMPANY_SETTING, ALL_SETTING), cursor.fetchone(), strict=True))


def current_company_id() -> int:
    """The company entered. Raises NoActiveTenant outside `tenant()`, also inside `all_tenants()`."""
    entered = _entered.get()
    if not isinstance(entered, int):
        raise NoActiveTenant("This needs one company: enter it with crm.db.tenancy.tenant(company_id).")
    return entered


class TenantManager(models.Manager):
    """A manager whose every query is of the tenant entered. Raises NoActiveTenant where none is.

    A model with words of its own says `objects = TenantManager.from_queryset(CallQuerySet)()`.
    """

    def get_queryset(self) -> Any:
        entered = _entered.get()
        if entered is None:
            raise NoActiveTenant(
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
