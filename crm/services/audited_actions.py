"""Audit entries of actions on rows of tables whose writes are too many to be audited."""

from collections.abc import Mapping
from typing import Any

from crm.choices import AuditAction
from crm.db.tenancy import current_company_id
from crm.models import AuditEntry, User
from crm.names import name_of_actor


def record_action(
    *, user: User, table: str, row_id: int, changes: Mapping[str, tuple[Any, Any]], action: AuditAction
) -> None:
    """Record what a user did in the active company.

    Args:
        changes: old and new value by column. No words of a person: an erasure doesn't look for them here.
    """
    AuditEntry.objects.create(
        company_id=current_company_id(),
        actor_id=user.pk,
        actor=name_of_actor(user),
        table_name=table,
        row_id=row_id,
        action=action,
        changes={name: list(values) for name, values in changes.items()},
    )


def record_staff_action(
    *,
    user: User,
    table: str,
    row_id: int,
    changes: Mapping[str, tuple[Any, Any]],
    action: AuditAction = AuditAction.UPDATE,
) -> None:
    """Record an action of staff in the active company. Of the company's own users nothing is recorded."""
    if user.company_id is None:
        record_action(user=user, table=table, row_id=row_id, changes=changes, action=action)
