"""Overdue invoices: marked after midnight in the company's time zone, and taken back with a later due date."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.db.tenancy import all_tenants, tenant
from crm.models import AuditEntry, Company, Invoice
from crm.services import invoices
from crm.services.invoices import change_invoice, mark_overdue_invoices
from tests import factories
from tests.conftest import signed_in

pytestmark = pytest.mark.django_db

DUE = date(2026, 3, 2)
NOON_AFTER = datetime(2026, 3, 3, 18, tzinfo=UTC)


@pytest.fixture(autouse=True)
def no_failures(monkeypatch):
    monkeypatch.setattr(invoices, "_retry_at_s", {})


@pytest.fixture
def at(monkeypatch):
    def set_time(moment):
        for name in ("crm.services.invoices.timezone.now", "crm.date_ranges.now"):
            monkeypatch.setattr(name, lambda: moment)

    return set_time


def status_of(invoice):
    with all_tenants():
        return Invoice.objects.values_list("status", flat=True).get(pk=invoice.pk)


def invoice(company, status="sent", due=DUE):
    return factories.InvoiceFactory(contact__company=company, status=status, due_date=due)


@pytest.mark.parametrize(
    ("status", "after"),
    [("sent", "overdue"), ("partial", "overdue"), ("draft", "draft"), ("paid", "paid"), ("void", "void")],
)
def test_only_invoices_that_await_payment_become_overdue(acme, at, status, after):
    row = invoice(acme, status)
    at(NOON_AFTER)
    assert mark_overdue_invoices() is (after == "overdue")
    assert status_of(row) == after
    assert not mark_overdue_invoices()


@pytest.mark.parametrize(
    ("zone", "hour", "after"),
    [
        ("America/Denver", datetime(2026, 3, 3, 6, 59, tzinfo=UTC), "sent"),
        ("America/Denver", datetime(2026, 3, 3, 7, 0, tzinfo=UTC), "overdue"),
        ("Pacific/Kiritimati", datetime(2026, 3, 2, 9, 59, tzinfo=UTC), "sent"),
        ("Pacific/Kiritimati", datetime(2026, 3, 2, 10, 0, tzinfo=UTC), "overdue"),
    ],
)
def test_invoice_is_overdue_when_its_day_has_ended_in_the_company_s_zone(at, zone, hour, after):
    row = invoice(factories.CompanyFactory(timezone=zone))
    at(hour)
    mark_overdue_invoices()
    assert status_of(row) == after


def test_audit_names_the_program(acme, at):
    row = invoice(acme, "partial")
    at(NOON_AFTER)
    mark_overdue_invoices()
    with tenant(acme.pk):
        entry = AuditEntry.objects.get(table_name="invoices", row_id=row.pk, action="update")
    assert (entry.actor, entry.actor_id, entry.changes) == (
        "overdue invoices",
        None,
        {"status": ["partial", "overdue"]},
    )


def test_bad_company_stops_no_other_and_is_tried_again_later(acme, at, caplog):
    bad = factories.CompanyFactory()
    Company.objects.filter(pk=bad.pk).update(timezone="Mars/Olympus")
    theirs, ours = invoice(bad), invoice(acme)
    at(NOON_AFTER)
    assert mark_overdue_invoices()
    assert not mark_overdue_invoices()
    assert (status_of(theirs), status_of(ours)) == ("sent", "overdue")
    assert len([record for record in caplog.records if record.name == invoices.__name__]) == 1
    Company.objects.filter(pk=bad.pk).update(timezone="UTC")
    invoices._retry_at_s.clear()
    assert mark_overdue_invoices()
    assert status_of(theirs) == "overdue"


def test_many_invoices_take_batches(acme, at, monkeypatch):
    monkeypatch.setattr(invoices, "BATCH", 2)
    rows = [invoice(acme) for _ in range(5)]
    at(NOON_AFTER)
    assert mark_overdue_invoices()
    assert [status_of(row) for row in rows] == ["overdue"] * 5


@pytest.mark.parametrize("before", ["sent", "partial"])
def test_later_due_date_gives_the_former_status_back(acme, manager, before):
    row = invoice(acme, before, due=timezone.now().date() - timedelta(days=9))
    mark_overdue_invoices()
    api = signed_in(manager)
    still_past = (timezone.now() - timedelta(days=5)).date()
    assert api.patch(f"/api/v1/invoices/{row.pk}", {"due_date": str(still_past)}).json()["status"] == "overdue"
    later = (timezone.now() + timedelta(days=9)).date()
    assert api.patch(f"/api/v1/invoices/{row.pk}", {"due_date": str(later)}).json()["status"] == before
    mark_overdue_invoices()
    assert status_of(row) == before


def test_other_changes_leave_an_overdue_invoice_overdue(acme, manager):
    row = invoice(acme, "overdue", due=timezone.now().date() + timedelta(days=9))
    body = signed_in(manager).patch(f"/api/v1/invoices/{row.pk}", {"amount": "9.00"}).json()
    assert (body["status"], body["amount"]) == ("overdue", "9.00")


def test_status_that_is_sent_with_the_due_date_counts(acme):
    row = invoice(acme, "overdue")
    with tenant(acme.pk):
        changed = change_invoice(invoice=row, due_date=timezone.now().date() + timedelta(days=9), status="paid")
    assert changed.status == status_of(row) == "paid"


def test_later_due_date_in_the_admin_gives_the_former_status_back(acme, client, staff):
    row = invoice(acme, "partial", due=timezone.now().date() - timedelta(days=9))
    mark_overdue_invoices()
    client.force_login(staff)
    form = {"contact": row.contact_id, "number": row.number, "amount": "1250.00", "status": "overdue"}
    due = str(timezone.now().date() + timedelta(days=9))
    response = client.post(reverse("admin:crm_invoice_change", args=[row.pk]), form | {"due_date": due})
    assert (response.status_code, status_of(row)) == (302, "partial")
