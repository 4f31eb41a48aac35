"""Time zones of companies."""

from datetime import datetime

from django.db import transaction

from crm.models import Company
from crm.signals import company_timezone_changed


def change_timezone(*, company: Company, timezone: str, now: datetime) -> None:
    """Set the company's time zone (an IANA name) from `now` on.

    Past rows stay unchanged. Apps with rows in the future receive `company_timezone_changed`.
    """
    with transaction.atomic():
        company.timezone = timezone
        company.save(update_fields=["timezone"])
        company_timezone_changed.send(sender=Company, company=company, now=now)
