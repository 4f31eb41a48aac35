"""Consents to marketing messages: their evidence, and their withdrawal by opt-outs in any order."""

import itertools
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from crm.db.tenancy import tenant
from crm.models import AuditEntry, MarketingConsent, OptOut, OptOutEntry
from crm.services.consents import LaterConsent, NotValid, record_consent, withdraw_consent
from crm.services.contacts import OwnNumber
from crm.services.opt_outs import (
    confirm_opt_out,
    dismiss_opt_out,
    flag_possible_opt_out,
    opt_out_contact,
    record_opt_in,
    record_opt_out,
)
from messaging.services.outbound.code_effects import apply_error_code
from tests.factories import ContactFactory, MarketingConsentFactory, MessageFactory, PhoneLineFactory, fictional_number

PHONE = fictional_number(39_000)
MONDAY = timezone.now() - timedelta(days=30)
FORM = {"source": "form", "wording": "I agree to marketing texts from Acme.", "proof": "https://acme.example/quote"}


def consent(*, days=0, **evidence):
    """Record a consent given `days` after Monday."""
    return record_consent(phone=PHONE, given_at=day(days), **FORM | evidence)


def stop(*, days, phone=PHONE):
    record_opt_out(phone=phone, words="STOP", source="sms", occurred_at=day(days))


def day(days):
    return MONDAY + timedelta(days=days)


def validity():
    row = MarketingConsent.objects.get()
    return row.given_at, row.withdrawn_at


def test_consent_has_its_evidence(in_acme, csr):
    record_consent(phone=PHONE, given_at=day(0), user=csr, **FORM)
    row = MarketingConsent.objects.valid().get()
    assert (row.company, row.phone, row.given_at, row.recorded_by) == (in_acme, PHONE, day(0), csr)
    assert {"source": row.source, "wording": row.wording, "proof": row.proof} == FORM


def test_time_in_the_future_counts_as_now(in_acme):
    record_consent(phone=PHONE, given_at=timezone.now() + timedelta(days=9), **FORM)
    assert MarketingConsent.objects.get().given_at <= timezone.now()


@pytest.mark.parametrize("order", list(itertools.permutations(["consent", "stop", "late stop"])))
def test_first_opt_out_after_the_consent_withdraws_it_in_any_order_of_arrival(in_acme, order):
    steps = {"consent": lambda: consent(days=1), "stop": lambda: stop(days=2), "late stop": lambda: stop(days=3)}
    for step in order:
        steps[step]()
    assert validity() == (day(1), day(2))


@pytest.mark.parametrize("consent_first", [True, False])
def test_opt_out_before_the_consent_does_not_withdraw_it(in_acme, consent_first):
    steps = [lambda: consent(days=1), lambda: stop(days=0)]
    for step in steps if consent_first else reversed(steps):
        step()
    assert validity() == (day(1), None)


def test_opt_out_at_the_same_instant_withdraws_the_consent(in_acme):
    consent(days=1)
    stop(days=1)
    assert validity() == (day(1), day(1))


def test_later_consent_replaces_a_withdrawn_one_and_the_audit_keeps_that(in_acme):
    consent(days=1)
    stop(days=2)
    consent(days=3, source="import", proof="customers.csv")
    assert validity() == (day(3), None)
    sources = [entry.changes.get("source") for entry in AuditEntry.objects.filter(table_name="marketing_consents")]
    assert [None, "form"] in sources
    assert ["form", "import"] in sources


def test_consent_between_the_recorded_one_and_its_withdrawal_stays_withdrawn(in_acme):
    consent(days=1)
    withdrawn_at = withdraw_consent(consent=MarketingConsent.objects.get()).withdrawn_at
    consent(days=2)
    assert validity() == (day(2), withdrawn_at)


def test_earlier_consent_is_refused(in_acme):
    consent(days=2)
    with pytest.raises(LaterConsent):
        consent(days=1)
    assert validity() == (day(2), None)


def test_same_consent_again_changes_nothing(in_acme):
    consent(days=1)
    stop(days=2)
    entries = AuditEntry.objects.count()
    consent(days=1)
    assert (validity(), AuditEntry.objects.count()) == ((day(1), day(2)), entries)


def test_opt_in_is_no_consent_to_marketing(in_acme):
    consent(days=1)
    stop(days=2)
    record_opt_in(phone=PHONE, words="START", source="sms", occurred_at=day(3))
    assert OptOut.objects.get().state == "clear"
    assert validity() == (day(1), day(2))


def test_consent_ends_no_opt_out(in_acme):
    stop(days=1)
    consent(days=2)
    assert OptOut.objects.get().state == "opted_out"


@pytest.mark.parametrize(("decide", "withdrawn"), [(confirm_opt_out, True), (dismiss_opt_out, False)])
def test_possible_opt_out_withdraws_the_consent_when_it_is_confirmed(in_acme, csr, decide, withdrawn):
    consent(days=1)
    flag_possible_opt_out(phone=PHONE, words="enough", source="sms", occurred_at=day(2))
    assert validity() == (day(1), None)
    decide(opt_out=OptOut.objects.get(), user=csr)
    assert validity() == (day(1), day(2) if withdrawn else None)


def test_opt_outs_by_users_and_providers_withdraw_consents_too(in_acme, csr):
    contacts = [ContactFactory(company=in_acme) for _ in range(3)]
    for contact in contacts:
        MarketingConsentFactory(company=in_acme, phone=contact.phone)
    opt_out_contact(contact=contacts[0], user=csr)
    message = MessageFactory(contact=contacts[1], direction="outgoing", to_numbers=[contacts[1].phone], kind="reply")
    apply_error_code(message=message, code="21610")
    assert [row.phone for row in MarketingConsent.objects.valid()] == [contacts[2].phone]


def test_opt_out_in_another_company_leaves_the_consent(in_acme, globex):
    consent(days=1)
    with tenant(globex.pk):
        stop(days=2)
    assert validity() == (day(1), None)


def test_consent_is_withdrawn_once(in_acme):
    row = consent(days=1)
    assert withdraw_consent(consent=row).withdrawn_at > day(1)
    with pytest.raises(NotValid):
        withdraw_consent(consent=row)
    assert not OptOutEntry.objects.exists()  # other messages are still allowed


def test_phone_line_gives_no_consent(in_acme):
    PhoneLineFactory(company=in_acme, number=PHONE)
    with pytest.raises(OwnNumber):
        consent()
    assert not MarketingConsent.objects.exists()


@pytest.mark.parametrize("evidence", [{"wording": ""}, {"proof": ""}, {"source": "person", "proof": ""}])
def test_database_refuses_a_consent_without_evidence(in_acme, evidence):
    with pytest.raises(IntegrityError, match="marketing_consents_proved"), transaction.atomic():
        consent(**evidence)
