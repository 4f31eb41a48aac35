"""Consents, their withdrawal and opt-outs that arrive at the same moment: times decide, not who is first."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from crm.db.tenancy import tenant
from crm.models import MarketingConsent, OptOut
from crm.services.consents import LaterConsent, NotValid, record_consent, withdraw_consent
from crm.services.opt_outs import record_opt_in, record_opt_out
from tests.conftest import postgres_only
from tests.factories import CompanyFactory, MarketingConsentFactory, fictional_number

pytestmark = [postgres_only, pytest.mark.django_db(transaction=True)]
MONDAY = timezone.now() - timedelta(days=30)
PHONES = [fictional_number(number) for number in range(12)]  # each with its own race


@pytest.fixture
def company():
    return CompanyFactory(slug="acme")


def day(days):
    return MONDAY + timedelta(days=days)


def consent(phone, days):
    record_consent(phone=phone, given_at=day(days), source="form", wording="I agree.", proof="https://acme.example")


def stop(phone, days):
    record_opt_out(phone=phone, words="STOP", source="sms", occurred_at=day(days))


def start(phone, days):
    record_opt_in(phone=phone, words="START", source="sms", occurred_at=day(days))


def consents_of_monday(company):
    """Create a consent for each number."""
    with tenant(company.pk):
        return {phone: MarketingConsentFactory(company=company, phone=phone, given_at=day(0)) for phone in PHONES}


def race(company, *steps):
    """Let the steps run at once for each of some numbers. Returns the exceptions of the steps that were refused."""
    refused = []
    for phone in PHONES:
        barrier = threading.Barrier(len(steps))

        def run(step, phone=phone, barrier=barrier):
            try:
                with tenant(company.pk):
                    barrier.wait()
                    step(phone)
            except (LaterConsent, NotValid) as error:
                refused.append(type(error))
            finally:
                connection.close()

        with ThreadPoolExecutor(len(steps)) as pool:
            for outcome in [pool.submit(run, step) for step in steps]:
                outcome.result()
    return refused


def found(company):
    """Return the distinct states of all numbers: when the consent was given and withdrawn, in days after Monday."""
    with tenant(company.pk):
        rows = MarketingConsent.objects.values_list("given_at", "withdrawn_at")
        assert rows.count() == len(PHONES)
        return {tuple(moment and (moment - MONDAY).days for moment in row) for row in rows}


def test_stop_after_the_consent_withdraws_it(company):
    assert race(company, lambda phone: consent(phone, 1), lambda phone: stop(phone, 2)) == []
    assert found(company) == {(1, 2)}


def test_stop_before_the_consent_leaves_it(company):
    assert race(company, lambda phone: consent(phone, 2), lambda phone: stop(phone, 1)) == []
    assert found(company) == {(2, None)}


def test_first_of_two_stops_counts_whatever_opts_in_between(company):
    steps = [lambda phone: consent(phone, 1), lambda phone: stop(phone, 2), lambda phone: start(phone, 3)]
    assert race(company, *steps, lambda phone: stop(phone, 4)) == []
    assert found(company) == {(1, 2)}
    with tenant(company.pk):
        assert set(OptOut.objects.values_list("state", flat=True)) == {"opted_out"}


def test_later_of_two_consents_stays(company):
    refused = race(company, lambda phone: consent(phone, 1), lambda phone: consent(phone, 2))
    assert set(refused) <= {LaterConsent}
    assert found(company) == {(2, None)}


def test_withdrawal_and_stop_leave_no_valid_consent(company):
    rows = consents_of_monday(company)
    refused = race(company, lambda phone: withdraw_consent(consent=rows[phone]), lambda phone: stop(phone, 2))
    assert set(refused) <= {NotValid}
    with tenant(company.pk):
        assert not MarketingConsent.objects.valid().exists()


def test_withdrawal_and_a_consent_of_this_moment_are_both_recorded(company):
    """Neither fails: a consent that is withdrawn is withdrawn at the earliest when it was given."""
    rows = consents_of_monday(company)

    def consent_now(phone):
        record_consent(phone=phone, source="form", wording="I agree.", proof="https://acme.example")

    assert set(race(company, lambda phone: withdraw_consent(consent=rows[phone]), consent_now)) <= {NotValid}
    with tenant(company.pk):
        assert MarketingConsent.objects.filter(given_at__gt=day(20)).count() == len(PHONES)
