"""Invoices past their due date, and overdue ones whose due date is corrected."""

import logging
import time
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Min
from django.utils import timezone

from crm.choices import InvoiceStatus
from crm.date_ranges import today_in
from crm.db.audit_context import program_transaction
from crm.db.tenancy import all_tenants
from crm.models import AuditEntry, Invoice
from crm.querysets import AWAITING_PAYMENT

PROGRAM = "overdue invoices"  # the actor in audit entries
BATCH = 500  # rows locked at once
AHEAD = timedelta(hours=14)  # of the earliest time zone
RETRY_S = 3600  # after the failure of a company

logger = logging.getLogger(__name__)
_retry_at_s: dict[int, float] = {}  # time.monotonic() by company that failed


def mark_overdue_invoices() -> bool:
    """Mark the invoices of all companies that are past their due date as overdue. Returns whether there were any.

    The day after the due date begins at midnight in the company's time zone. The failure of a company stops no other.
    """
    marked = 0
    for company_id, zone, first_due in list(_companies_to_look_at()):
        if time.monotonic() < _retry_at_s.get(company_id, 0.0):
            continue
        try:
            today = today_in(ZoneInfo(zone))
            marked += _mark_overdue(company_id, today) if first_due < today else 0
            _retry_at_s.pop(company_id, None)
        except Exception:
            if not connection.is_usable():
                raise
            logger.exception("The overdue invoices of company %d can't be marked.", company_id)
            _retry_at_s[company_id] = time.monotonic() + RETRY_S
    return marked > 0


def change_invoice(*, invoice: Invoice, **changes: Any) -> Invoice:
    """Change an invoice. An overdue one whose due date is moved to today or later awaits its payment again."""
    with transaction.atomic():
        invoice = Invoice.objects.select_for_update(no_key=True, of=("self",)).get(pk=invoice.pk)
        is_moved = changes.get("due_date", invoice.due_date) != invoice.due_date
        for name, value in changes.items():
            setattr(invoice, name, value)
        if is_moved and "status" not in changes:
            changes["status"] = invoice.status = status_after_move(invoice)
        invoice.save(update_fields=[*changes])
    return invoice


def status_after_move(invoice: Invoice) -> str:
    """Return the status of an invoice with a new due date: if it isn't overdue any more, the one before it was."""
    if invoice.status != InvoiceStatus.OVERDUE or invoice.due_date < today_in(invoice.company.zone):
        return invoice.status
    entries = AuditEntry.objects.filter(table_name=Invoice._meta.db_table, row_id=invoice.pk)
    for changes in entries.order_by("-at", "-id").values_list("changes", flat=True):
        before, after = changes.get("status", (None, None))
        if after == InvoiceStatus.OVERDUE and before in AWAITING_PAYMENT:
            return str(before)
    return InvoiceStatus.SENT


def _companies_to_look_at() -> Iterator[tuple[int, str, date]]:
    """Yield each company with an invoice that is past its due date in some time zone: id, zone, first due date."""
    with all_tenants():
        due = Invoice.objects.past_due((timezone.now() + AHEAD).date())
        companies = due.order_by().values("company").annotate(first=Min("due_date"))
        yield from companies.order_by("company").values_list("company", "company__timezone", "first")


def _mark_overdue(company_id: int, today: date) -> int:
    marked = 0
    while True:
        with program_transaction(PROGRAM, company_id=company_id):
            # Locked by somebody who is changing it, an invoice is looked at again next time.
            due = Invoice.objects.past_due(today).order_by("due_date", "id")
            found = list(due.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True)[:BATCH])
            if not found:
                return marked
            marked += Invoice.objects.past_due(today).filter(pk__in=found).update(status=InvoiceStatus.OVERDUE)
