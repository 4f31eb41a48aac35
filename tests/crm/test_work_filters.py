"""Lists that begin with what waits for work."""

from datetime import date, timedelta

import pytest
from django.utils.timezone import now

from tests import factories

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def found(staff_client):
    def open_list(table, **query):
        response = staff_client.get(f"/admin/{table}/", query)
        assert response.status_code == 200
        return list(response.context["cl"].result_list)

    return open_list


@pytest.fixture
def callers(acme, globex):
    """Missed callers: the first and the last wait, and the second was reached."""
    return [
        factories.MissedCallerFactory(
            contact=factories.ContactFactory(company=company), first_missed_at=at, last_missed_at=at, **recovery
        )
        for company, at, recovery in (
            (acme, now(), {}),
            (acme, now() - HOUR, {"recovered_at": now(), "recovered_by": "call"}),
            (globex, now() - 2 * HOUR, {}),
        )
    ]


@pytest.fixture
def invoices(acme, globex):
    """Invoices: sent, overdue and paid."""
    return [
        factories.InvoiceFactory(contact=factories.ContactFactory(company=company), status=status, due_date=day)
        for company, status, day in (
            (acme, "sent", date(2026, 4, 1)), (globex, "overdue", date(2026, 2, 1)), (acme, "paid", date(2026, 1, 1))
        )
    ]  # fmt: skip


def test_missed_callers_of_all_companies_begin_with_the_latest_who_waits(callers, found):
    latest, reached, earlier = callers
    assert found("calls/missedcaller") == [latest, earlier]
    assert found("calls/missedcaller", work="waiting") == [latest, earlier]
    assert set(found("calls/missedcaller", work="all")) == {latest, reached, earlier}


def test_invoices_of_all_companies_begin_with_the_one_that_is_due_longest(invoices, found):
    sent, overdue, paid = invoices
    assert found("crm/invoice") == [overdue, sent]
    assert set(found("crm/invoice", work="all")) == {sent, overdue, paid}
    assert found("crm/invoice", status__exact="paid") == [paid]


def test_duplicates_begin_with_the_likeliest_that_nobody_has_decided(acme, globex, found):
    unlikely, merged, likely = (
        factories.DuplicateCandidateFactory(
            company=company,
            score=score,
            first=factories.ContactFactory(company=company),
            second=factories.ContactFactory(company=company),
            **decision,
        )
        for company, score, decision in (
            (acme, 70, {}),
            (acme, 100, {"state": "not_the_same", "decided_at": now()}),
            (globex, 90, {}),
        )
    )
    assert found("crm/duplicatecandidate") == [likely, unlikely]
    assert found("crm/duplicatecandidate", work="all") == [merged, likely, unlikely]
    assert found("crm/duplicatecandidate", company__id__exact=acme.pk) == [merged, unlikely]


def test_other_filters_show_all_rows(callers, invoices, acme, found):
    assert set(found("calls/missedcaller", company__id__exact=acme.pk)) == set(callers[:2])
    assert set(found("crm/invoice", company__id__exact=acme.pk)) == {invoices[0], invoices[2]}
    assert found("crm/invoice", company__id__exact=acme.pk, work="waiting") == [invoices[0]]


def test_invoices_of_one_status_are_in_the_order_of_their_days(acme, found):
    contact = factories.ContactFactory(company=acme)
    late, soon = (
        factories.InvoiceFactory(contact=contact, status="sent", due_date=day)
        for day in (date(2026, 5, 1), date(2026, 4, 1))
    )
    assert found("crm/invoice", status__exact="sent") == [soon, late]
    assert found("crm/invoice", status__exact="sent", due_date__from="2026-04-15") == [late]


def test_list_says_which_rows_it_shows(callers, staff_client):
    page = staff_client.get("/admin/calls/missedcaller/").context["cl"]
    chosen = [choice["display"] for choice in page.filter_specs[0].choices(page) if choice["selected"]]
    assert chosen == ["Not reached yet"]
