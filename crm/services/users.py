"""Users of a company."""

from typing import Any

from django.db import transaction

from crm.choices import Role
from crm.error_codes import ErrorCode
from crm.models import Company, User
from crm.refusals import Refusal


class LastManager(Refusal):
    """The company would have no active manager."""

    code = ErrorCode.LAST_MANAGER


def change_user(*, user: User, **changes: Any) -> User:
    """Change a user, writing only these columns. Raises LastManager."""
    with transaction.atomic():
        final = {name: changes.get(name, getattr(user, name)) for name in ("role", "is_active")}
        check_manager_left(user=user, **final)
        for name, value in changes.items():
            setattr(user, name, value)
        user.save(update_fields=changes)
        return user


def check_manager_left(*, user: User, role: str, is_active: bool) -> None:
    """Raise LastManager if this role or deactivation leaves the company without an active manager.

    Locks the company: of two managers who deactivate each other, one must stay.
    """
    if user.company_id is None or (role == Role.MANAGER and is_active):
        return
    Company.objects.select_for_update(no_key=True).get(pk=user.company_id)
    managers = User.objects.filter(company=user.company_id, role=Role.MANAGER, is_active=True)
    if set(managers.values_list("pk", flat=True)) == {user.pk}:
        raise LastManager
