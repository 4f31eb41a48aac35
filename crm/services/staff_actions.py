"""Audit entries of what staff do for a company, in tables whose writes are too many to be audited."""

from typing import Any

from crm.choices import AuditAction
from crm.db.tenancy import current_company_id
from crm.models import AuditEntry, User


def record_staff_action(
    *,
    user: User,
    table: str,
    row_id: int,
    changes: dict[str, tuple[Any, Any]],
    action: AuditAction = AuditAction.UPDATE,
) -> None:
    """Record an action of staff in the active company. Of the company's own users nothing is recorded.

    Args:
        changes: old and new value by column. No words of a person: an erasure doesn't look for them here.
    """
    if user.company_id is None:
        AuditEntry.objects.create(
            company_id=current_company_id(),
            actor_id=user.pk,
            actor=user.username,
            table_name=table,
            row_id=row_id,
            action=action,
            changes={name: list(values) for name, values in changes.items()},
        )
