"""Audit entries of exports: who took which rows out of the product."""

from typing import Any

from crm.choices import AuditAction
from crm.db.tenancy import all_tenants, tenant
from crm.models import AuditEntry, User
from crm.names import name_of_actor

WHOLE_LIST = 0  # in place of a row's id


def record_export(*, user: User, company_id: int | None, table: str, facts: dict[str, Any]) -> None:
    """Record an export. It has an entry when it begins, and one with the number of rows when it ends.

    The first one outlives a server that is killed while the rows leave. An export of staff is of no company.
    """
    with all_tenants() if company_id is None else tenant(company_id):
        AuditEntry.objects.create(
            company_id=company_id,
            actor_id=user.pk,
            actor=name_of_actor(user),
            table_name=table,
            row_id=WHOLE_LIST,
            action=AuditAction.EXPORT,
            changes={name: [None, value] for name, value in facts.items()},
        )
