"""The card of a contact."""

from datetime import UTC, datetime, timedelta

import pytest
from rest_framework.test import APIClient

from crm.api.tokens import SessionToken
from crm.db.tenancy import tenant
from crm.services.opt_outs import flag_possible_opt_out, record_opt_out
from tests import factories
from tests.count_queries import CountQueries

NOW = datetime(2026, 3, 2, 16, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    monkeypatch.setattr("analytics.card.timezone.now", lambda: NOW)


def at(hours):
    return NOW + timedelta(hours=hours)


@pytest.fixture
def contact(acme):
    return factories.ContactFactory(company=acme, first_name="Casey", last_name="Jones")


@pytest.fixture
def story(contact, rep):
    """Rows that the card shows, beside older and closed ones, and the same rows of another contact."""
    other, rows = factories.ContactFactory(company=contact.company), {}
    line = factories.PhoneLineFactory(company=contact.company, name="Front desk")
    for person in (contact, other):
        of = {"contact": person}
        rows[person.pk] = (
            {
                "mobile": factories.ContactPhoneFactory(label="Mobile", **of),
                "flag": factories.ContactFlagFactory(flag_type="office_number", reason="Ask for Dana.", **of),
                "lead": factories.LeadFactory(status="qualified", **of),
                "next": factories.AppointmentFactory(scheduled_start=at(5), assigned_rep=rep, **of),
                "last": factories.AppointmentFactory(scheduled_start=at(-5), status="completed", **of),
                "call": factories.CallFactory(created_at=at(-1), assigned_rep=rep, phone_line=line, **of),
            }
            if person == contact
            else {}
        )
        factories.ContactFlagFactory(flag_type="invalid_number", expires_at=at(-24 * 365 * 20), **of)
        factories.LeadFactory(status="won", **of)
        factories.LeadFactory(status="lost", **of)
        factories.AppointmentFactory(scheduled_start=at(3), status="cancelled", **of)
        factories.AppointmentFactory(scheduled_start=at(-3), status="cancelled", **of)
        factories.AppointmentFactory(scheduled_start=at(50), **of)
        factories.AppointmentFactory(scheduled_start=at(-50), status="completed", **of)
        factories.CallFactory(created_at=at(-2), **of)
        factories.MessageFactory.create_batch(2, **of)
        factories.MessageFactory(read_at=NOW, **of)
    return rows[contact.pk]


def card_of(api, contact):
    response = api.get(f"/api/v1/contacts/{contact.pk}/card")
    assert response.status_code == 200, response.content
    return response.json()


def test_card_shows_what_a_csr_needs_when_the_phone_rings(csr_api, contact, story):
    card = card_of(csr_api, contact)
    whole = csr_api.get(f"/api/v1/contacts/{contact.pk}").json()
    for name in ("phones", "flags", "opted_out"):
        del whole[name]
    assert card["contact"] == whole
    assert [(phone["number"], phone["label"], phone["is_main"]) for phone in card["phones"]] == [
        (contact.phone, "", True), (story["mobile"].phone, "Mobile", False),
    ]  # fmt: skip
    assert [(flag["id"], flag["flag_type"], flag["reason"]) for flag in card["flags"]] == [
        (story["flag"].pk, "office_number", "Ask for Dana.")
    ]
    assert card["opt_out"] == "clear"
    assert card["open_lead"].items() >= {"id": story["lead"].pk, "status": "qualified"}.items()
    rep = {"assigned_rep": story["next"].assigned_rep_id, "assigned_rep_name": "ralph"}
    assert card["next_appointment"].items() >= {"id": story["next"].pk, "status": "scheduled", **rep}.items()
    assert card["last_appointment"].items() >= {"id": story["last"].pk, "assigned_rep_name": None}.items()
    assert card["unread"] == 2
    assert card["last_call"].items() >= {"id": story["call"].pk, "phone_line_name": "Front desk", **rep}.items()


def test_card_takes_at_most_six_statements_with_sign_in_and_throttle(csr, contact, story):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {SessionToken.for_user(csr).access_token}")
    with CountQueries() as queries:
        assert client.get(f"/api/v1/contacts/{contact.pk}/card").status_code == 200
    assert len(queries) <= 6


def test_card_of_a_new_contact_is_empty(csr_api, contact):
    card = card_of(csr_api, contact)
    assert [phone["number"] for phone in card["phones"]] == [contact.phone]
    assert {name: card[name] for name in card if name not in ("contact", "phones")} == {
        "flags": [], "opt_out": "clear", "open_lead": None, "next_appointment": None, "last_appointment": None,
        "unread": 0, "last_call": None, "open_tasks": [],
    }  # fmt: skip


def test_card_tells_an_opt_out_from_one_under_review(csr_api, contact, acme):
    evidence = {"words": "STOP", "source": "sms", "occurred_at": NOW}
    with tenant(acme.pk):
        flag_possible_opt_out(phone=contact.phone, **evidence)
    assert card_of(csr_api, contact)["opt_out"] == "under_review"
    with tenant(acme.pk):
        record_opt_out(phone=contact.phone, **evidence)
    assert card_of(csr_api, contact)["opt_out"] == "opted_out"


def test_latest_of_several_open_leads_is_shown_with_all_flags(csr_api, contact):
    factories.LeadFactory(contact=contact)
    latest = factories.LeadFactory(contact=contact)
    for flag_type in ("office_number", "do_not_contact"):
        factories.ContactFlagFactory(contact=contact, flag_type=flag_type)
    card = card_of(csr_api, contact)
    assert card["open_lead"]["id"] == latest.pk
    assert [flag["flag_type"] for flag in card["flags"]] == ["office_number", "do_not_contact"]


def test_rep_sees_own_calls_and_appointments_on_the_card(rep_api, contact, story):
    later, earlier = at(0.5), at(1)
    factories.CallFactory(contact=contact, created_at=later)
    factories.AppointmentFactory(contact=contact, scheduled_start=earlier)
    card = card_of(rep_api, contact)
    assert (card["last_call"]["id"], card["next_appointment"]["id"]) == (story["call"].pk, story["next"].pk)
    assert card["last_appointment"] is None


def test_card_of_a_contact_out_of_reach_is_not_found(rep_api, outsider_api, contact):
    assert rep_api.get(f"/api/v1/contacts/{contact.pk}/card").status_code == 404
    assert outsider_api.get(f"/api/v1/contacts/{contact.pk}/card").status_code == 404
