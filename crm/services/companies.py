"""Companies and their phone lines."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.timezone import now

from crm.choices import AuditAction, Role
from crm.db.tenancy import tenant
from crm.models import Company, PhoneLine, User
from crm.phones import InvalidPhone, normalize_phone
from crm.services.audited_actions import record_action
from crm.signals import company_timezone_changed


class UnknownCompany(Exception):
    """No company has this slug."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"There is no company {slug!r}.")


@dataclass(frozen=True)
class NewCompany:
    """A created company and its manager's password, which is not stored; "" without a manager."""

    company: Company
    password: str


def find_company(*, slug: str) -> Company:
    """Return the company with this slug. Raises UnknownCompany."""
    company = Company.objects.filter(slug=slug).first()
    if company is None:
        raise UnknownCompany(slug)
    return company


def create_company(
    *, name: str, slug: str, timezone: str, lines: Sequence[tuple[str, str]] = (), manager: str = ""
) -> NewCompany:
    """Create a company with phone lines and a manager.

    Args:
        lines: pairs of number and provider id.
        manager: the manager's user name; "" for none.

    Raises:
        ValidationError: by field (name, slug, timezone, line, manager). Nothing is written.
    """
    with transaction.atomic():
        company = Company(name=name, slug=slug, timezone=timezone)
        company.full_clean()
        company.save()
        with tenant(company.pk):
            for number, provider_id in lines:
                _add_line(company, number, provider_id)
        return NewCompany(company=company, password=_add_manager(company, manager) if manager else "")


def change_settings(*, company: Company, now: datetime, **settings: Any) -> Company:
    """Write these settings of the company, and no others. A new time zone applies from `now` on."""
    timezone = settings.pop("timezone", company.timezone)
    with transaction.atomic():
        for name, value in settings.items():
            setattr(company, name, value)
        company.save(update_fields=[*settings])
        if timezone != company.timezone:
            change_timezone(company=company, timezone=timezone, now=now)
    return company


def change_timezone(*, company: Company, timezone: str, now: datetime) -> None:
    """Set the company's time zone (an IANA name) from `now` on.

    Past rows stay unchanged. Apps with rows in the future receive `company_timezone_changed`.
    """
    with transaction.atomic():
        company.timezone = timezone
        company.save(update_fields=["timezone"])
        company_timezone_changed.send(sender=Company, company=company, now=now)


def beginning_of_pause(line: PhoneLine, *, until: datetime | None, was_until: datetime | None) -> datetime | None:
    """Return since when a line is paused whose pause ends at another time now. None: it has no pause."""
    at = now()
    if until is None:
        return None
    return line.paused_at if line.paused_at and was_until and was_until > at else at


def resume_line(*, line: PhoneLine, user: User) -> PhoneLine:
    """End the pause of a line that its provider refused, so that messages are sent again.

    Who ended it, and why the line was paused, is recorded. Of a line that isn't paused nothing is.
    """
    if line.paused_until is None and not line.pause_reason:
        return line
    changes: dict[str, tuple[Any, Any]] = {
        "paused_until": (line.paused_until and line.paused_until.isoformat(), None),
        "pause_reason": (line.pause_reason, ""),
    }
    line.paused_until, line.paused_at, line.pause_reason = None, None, ""
    line.save(update_fields=["paused_until", "paused_at", "pause_reason"])
    record_action(user=user, table="phone_lines", row_id=line.pk, changes=changes, action=AuditAction.UPDATE)
    return line


def _add_line(company: Company, number: str, provider_id: str) -> None:
    try:
        line = PhoneLine(company=company, number=normalize_phone(number), provider_id=provider_id)
        line.full_clean()
    except InvalidPhone as error:
        raise ValidationError({"line": str(error)}) from error
    except ValidationError as error:
        raise ValidationError({"line": f"{number}={provider_id}: {' '.join(error.messages)}"}) from error
    line.save()


def _add_manager(company: Company, username: str) -> str:
    password = secrets.token_urlsafe(12)
    user = User(company=company, role=Role.MANAGER, username=username)
    user.set_password(password)
    try:
        user.full_clean()
    except ValidationError as error:
        raise ValidationError({"manager": error.messages}) from error
    user.save()
    return password
