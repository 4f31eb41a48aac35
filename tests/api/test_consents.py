"""Marketing consents through the API, on the card and in the admin."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.db.tenancy import all_tenants, tenant
from crm.models import MarketingConsent
from crm.services.opt_outs import record_opt_out
from tests import factories
from tests.errors import code_of, errors_of

URL = "/api/v1/marketing-consents"
FORM = {"source": "form", "wording": "I agree to marketing texts from Acme.", "proof": "https://acme.example/quote"}
PHONE = "+19895550188"


@pytest.fixture
def contact(acme):
    return factories.ContactFactory(company=acme, phone=PHONE)


def phones(api, **parameters):
    return [row["phone"] for row in api.get(URL, parameters).json()["results"]]


def test_csr_records_a_consent_in_any_spelling_of_the_number(csr, csr_api, contact):
    response = csr_api.post(URL, {"phone": "(989) 555-0188", **FORM})
    row = response.json()
    assert (response.status_code, row["phone"], row["contact"], row["recorded_by"]) == (201, PHONE, contact.pk, csr.pk)
    assert row["contact_summary"]["id"] == contact.pk
    assert csr_api.get(f"{URL}/{row['id']}").json() == row


def test_list_is_filtered_by_number_contact_and_validity(csr_api, acme, globex, contact):
    factories.MarketingConsentFactory(company=globex, phone=PHONE)
    factories.MarketingConsentFactory(company=acme, phone=PHONE)
    other = factories.MarketingConsentFactory(company=acme, withdrawn_at=timezone.now())
    assert phones(csr_api) == [other.phone, PHONE]
    assert phones(csr_api, phone="989-555-0188") == [PHONE]
    assert phones(csr_api, contact=contact.pk) == [PHONE]
    assert phones(csr_api, contact=10**9) == []
    assert phones(csr_api, valid="true") == [PHONE]
    assert phones(csr_api, valid="false") == [other.phone]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"wording": ""}, "wording"),
        ({"proof": ""}, "proof"),
        ({"phone": "12"}, "phone"),
        ({"source": "dream"}, "source"),
        ({"given_at": "2026-03-02"}, "given_at"),
        ({"withdrawn_at": "2026-03-02T16:00:00Z"}, "withdrawn_at"),
    ],
)
def test_incomplete_evidence_is_refused_by_field(csr_api, changes, field):
    response = csr_api.post(URL, {"phone": PHONE, **FORM} | changes)
    assert (response.status_code, list(errors_of(response))) == (400, [field])


def test_witness_needs_no_other_proof(csr_api):
    body = {"phone": PHONE, "source": "person", "wording": "Wants our offers, she said."}
    assert csr_api.post(URL, body).status_code == 201


def test_earlier_consent_is_a_conflict(csr_api):
    at = timezone.now() - timedelta(days=9)
    assert csr_api.post(URL, {"phone": PHONE, **FORM, "given_at": at.isoformat()}).status_code == 201
    earlier = csr_api.post(URL, {"phone": PHONE, **FORM, "given_at": (at - timedelta(days=1)).isoformat()})
    assert (earlier.status_code, code_of(earlier)) == (409, "later_consent")
    again = csr_api.post(URL, {"phone": PHONE, **FORM, "given_at": at.isoformat()})
    assert again.status_code == 201
    assert len(phones(csr_api)) == 1


def test_consent_is_withdrawn_once(csr_api):
    row = csr_api.post(URL, {"phone": PHONE, **FORM}).json()
    withdrawn = csr_api.post(f"{URL}/{row['id']}/withdraw")
    assert (withdrawn.status_code, withdrawn.json()["withdrawn_at"] is None) == (200, False)
    again = csr_api.post(f"{URL}/{row['id']}/withdraw")
    assert (again.status_code, code_of(again)) == (409, "consent_withdrawn")


def test_evidence_can_neither_be_changed_nor_deleted(manager_api, acme):
    row = factories.MarketingConsentFactory(company=acme)
    assert manager_api.patch(f"{URL}/{row.pk}", {"wording": "No."}).status_code == 405
    assert manager_api.delete(f"{URL}/{row.pk}").status_code == 405


def test_card_shows_since_when_a_number_has_consented(csr_api, acme, contact):
    consent = factories.MarketingConsentFactory(company=acme, phone=PHONE)
    second = factories.ContactPhoneFactory(contact=contact)

    def shown():
        numbers = csr_api.get(f"/api/v1/contacts/{contact.pk}/card").json()["phones"]
        return {each["number"]: each["marketing_consent_at"] for each in numbers}

    assert shown() == {PHONE: consent.given_at.isoformat().replace("+00:00", "Z"), second.phone: None}
    with tenant(acme.pk):
        record_opt_out(phone=PHONE, words="STOP", source="sms", occurred_at=timezone.now())
    assert shown() == {PHONE: None, second.phone: None}


def test_staff_withdraw_a_consent_and_change_nothing_else(client, staff, acme):
    row = factories.MarketingConsentFactory(company=acme, phone=PHONE)
    client.force_login(staff)
    page = reverse("admin:crm_marketingconsent_change", args=[row.pk])
    assert (
        client.get(reverse("admin:crm_marketingconsent_changelist"), {"q": "989-555-0188"}).content.count(b"Form") == 1
    )
    client.post(page, {"withdraw": "", "wording": "No."})
    client.post(page, {"withdraw": "on", "wording": "No."})
    with all_tenants():
        changed = MarketingConsent.objects.get()
    assert (changed.withdrawn_at is None, changed.wording) == (False, row.wording)
