"""The active tenant: a query on tenant models finds the rows of the active company, or it raises.

Each entry point (API, admin, command, worker, webhook) activates a tenant before it reads or writes rows:

    with tenant(company.id):
        Contact.objects.filter(phone=phone)     # rows of this company

    with all_tenants():                         # staff, migrations, commands for every company
        WebhookEvent.objects.filter(processed=False)

The company is part of the query from its start, so a forgotten filter can't show another tenant's rows.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from crm.db.policies import ALL_SETTING, COMPANY_SETTING

ALL = "all companies"
# One company's queries read few pages, mostly in memory: a page costs little more than a row, and parallel workers cost
# more than they save. At the default page cost the planner would read all companies' rows of a month, since they are
# adjacent, and discard most of them.
TENANT_PLANNER_SETTINGS = {"seq_page_cost": "0.1", "random_page_cost": "0.1", "max_parallel_workers_per_gather": "0"}
_active: ContextVar[int | str | None] = ContextVar("active_tenant", default=None)
_limits: ContextVar[dict[str, str] | None] = ContextVar("limits", default=None)
_reading: ContextVar[str] = ContextVar("reading", default=DEFAULT_DB_ALIAS)


class NoActiveTenant(RuntimeError):
    """A tenant model was queried without an active tenant."""


def tenant(company_id: int, *, more: Mapping[str, str] | None = None) -> AbstractContextManager[None]:
    """Activate one company: queries of tenant models, and any statement on PostgreSQL, find its rows alone.

    Args:
        more: settings of PostgreSQL for the transaction, sent with the tenant's.
    """
    return _activate(company_id, more)


def all_tenants() -> AbstractContextManager[None]:
    """Activate every company at once. For staff, migrations and operators' commands; never on behalf of a tenant."""
    return _activate(ALL)


def tenant_autocommit(
    company_id: int, *, replica: str | None = None, more: Mapping[str, str] | None = None
) -> AbstractContextManager[None]:
    """Activate one company for a few statements outside of a transaction, as in a request that only reads.

    Args:
        replica: alias of the database that the block reads; another tenant inside reads the primary again.
        more: settings of PostgreSQL for each statement, sent with the tenant's.
    """
    return _activate_autocommit(company_id, replica or DEFAULT_DB_ALIAS, more)


def all_tenants_autocommit() -> AbstractContextManager[None]:
    """Activate every company for a few statements outside of a transaction, as in authentication."""
    return _activate_autocommit(ALL)


@contextmanager
def _activate(company: int | str, more: Mapping[str, str] | None = None) -> Iterator[None]:
    """Activate the tenant; on PostgreSQL in a transaction.

    The settings that the policies read are LOCAL to the transaction. So a pooler that gives the connection to another
    client between two transactions doesn't pass the company on.
    """
    before = _active.get()
    token = _active.set(company)
    reading = _reading.set(_reading.get() if company == before else DEFAULT_DB_ALIAS)
    try:
        if connection.vendor != "postgresql" or company == before:
            yield
            return
        nested = connection.in_atomic_block
        with transaction.atomic():
            outer = _read_settings() if nested else {}
            _apply_settings(_settings_of(company) | (_limits.get() or {}) | dict(more or {}))
            yield
            if nested and not connection.needs_rollback:  # a rollback, or the transaction's end, restores them anyway
                _apply_settings(outer)
    finally:
        _reading.reset(reading)
        _active.reset(token)


@contextmanager
def _activate_autocommit(
    company: int | str, reading: str = DEFAULT_DB_ALIAS, more: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Send the settings with each statement, which saves three round trips: BEGIN, the settings, COMMIT.

    PostgreSQL runs the statements of one message as one transaction, so these settings are LOCAL as well.
    """
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        with _activate(company):
            yield
        return
    set_config, values = _set_config_sql(_settings_of(company) | (_limits.get() or {}) | dict(more or {}))

    def send_settings_first(execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if _active.get() != company:  # a transaction inside has activated another tenant
            return execute(sql, params, many, context)
        if many or context["cursor"].name:
            raise RuntimeError("tenant_autocommit() can't run more than one statement at a time; enter tenant().")
        return execute(f"{set_config}; {sql}", [*values, *(params or ())], many, context)

    token, reading_token = _active.set(company), _reading.set(reading)
    try:
        with ExitStack() as wrappers:
            for alias in {DEFAULT_DB_ALIAS, reading}:  # a view may still ask the primary
                wrappers.enter_context(connections[alias].execute_wrapper(send_settings_first))
            yield
    finally:
        _reading.reset(reading_token)
        _active.reset(token)


def reading_alias() -> str:
    """Return the alias of the database that the active tenant reads: a replica in some views, else the primary."""
    return _reading.get()


def reading_connection() -> BaseDatabaseWrapper:
    """Return the connection for raw SQL that only reads."""
    return connections[_reading.get()]


@contextmanager
def statement_limits(*, statement_timeout: int, lock_timeout: int) -> Iterator[None]:
    """Limit statements and lock waits in tenants that are activated inside. Milliseconds; 0 means no limit.

    The limits are sent with the tenant's settings, so they cost no statement. They are LOCAL, too: a session's limits
    would reach a pooler's next client. A pooler in transaction mode refuses them at the start of a connection.
    """
    token = _limits.set({"statement_timeout": str(statement_timeout), "lock_timeout": str(lock_timeout)})
    try:
        yield
    finally:
        _limits.reset(token)


def mark_rollback() -> None:
    """Roll back all writes since the tenant was activated, at the end of its block: for a request refused midway.

    On SQLite this does nothing: a tenant has no transaction there, and each service rolls back its own.
    """
    if connection.vendor == "postgresql":
        transaction.set_rollback(True)


def _settings_of(company: int | str) -> dict[str, str]:
    if company == ALL:
        return {COMPANY_SETTING: "", ALL_SETTING: "on"}
    return {COMPANY_SETTING: str(company), ALL_SETTING: "", **TENANT_PLANNER_SETTINGS}


def _apply_settings(settings: dict[str, str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(*_set_config_sql(settings))


def _set_config_sql(settings: dict[str, str]) -> tuple[str, list[str]]:
    """Return the statement that sets the settings for its transaction, and its parameters."""
    return (
        f"SELECT {', '.join(['set_config(%s, %s, true)'] * len(settings))}",  # placeholders
        [text for setting in settings.items() for text in setting],
    )


def _read_settings() -> dict[str, str]:
    """Return the policies' settings in this transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(current_setting(%s, true), ''), coalesce(current_setting(%s, true), '')",
            [COMPANY_SETTING, ALL_SETTING],
        )
        return dict(zip((COMPANY_SETTING, ALL_SETTING), cursor.fetchone(), strict=True))


def current_company_id() -> int:
    """Return the active company's id. Raises NoActiveTenant without one, and inside `all_tenants()`."""
    company = _active.get()
    if not isinstance(company, int):
        raise NoActiveTenant("One company must be active; enter crm.db.tenancy.tenant(company_id).")
    return company


def active_company() -> Any:
    """Return the active company's id, or ALL. Raises NoActiveTenant without an active tenant."""
    company = _active.get()
    if company is None:
        raise NoActiveTenant("No company is active; enter tenant(company_id) or all_tenants().")
    return company


@contextmanager
def company_in_queries(company: Any) -> Iterator[None]:
    """Let queries that are built inside, but not run, have this in place of the active company's id."""
    token = _active.set(company)
    try:
        yield
    finally:
        _active.reset(token)


class TenantManager(models.Manager):
    """A manager that finds the active tenant's rows. Raises NoActiveTenant without an active tenant.

    A model with named queries declares `objects = TenantManager.from_queryset(CallQuerySet)()`.
    """

    def get_queryset(self) -> Any:
        company = _active.get()
        if company is None:
            raise NoActiveTenant(
                f"{self.model.__name__} was queried without a company; enter tenant(company_id) or all_tenants()."
            )
        rows = super().get_queryset()
        return rows if company == ALL else rows.filter(company=company)


def company_of_reference() -> Any:
    """Return the `company` of a model of which an import writes many rows, each with a row that it refers to.

    That reference checks the company, too: see `crm.db.policies.SameCompany`. A foreign key of its own would look the
    same company up for every row.
    """
    return models.ForeignKey(
        "crm.Company", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )


class TenantModel(models.Model):
    """A row that belongs to one company. `crm.db.policies` adds the policies of its table."""

    # No index of its own: each table has one that begins with company_id and answers a real question.
    company = models.ForeignKey("crm.Company", on_delete=models.PROTECT, related_name="+", db_index=False)

    objects = TenantManager()

    class Meta:
        abstract = True
