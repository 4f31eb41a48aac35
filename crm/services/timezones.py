"""A company that moves to another time zone."""

from datetime import datetime

from django.db import transaction

from crm.models import Company
from crm.signals import company_timezone_changed


def change_timezone(*, company: Company, timezone: str, now: datetime) -> None:
    """Days and visits of the company follow the clock of `timezone` (an IANA name) from `now` on.

    What is past stays as it was written down: apps with rows of the future hear `company_timezone_changed`.
    """
    with transaction.atomic():
        company.timezone = timezone
        company.save(update_fields=["timezone"])
        company_timezone_changed.send(sender=Company, company=company, now=now)
