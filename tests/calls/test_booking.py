"""Calls and appointments through the API."""

import pytest
from rest_framework.test import APIClient

from calls.models import Appointment
from crm.db.tenancy import tenant
from tests.conftest import signed_in
from tests.count_queries import CountQueries
from tests.errors import errors_of
from tests.factories import AppointmentFactory, CallFactory, ContactFactory, LeadFactory, UserFactory

APPOINTMENTS = "/api/v1/appointments"
TIMES = {"scheduled_start": "2026-03-03T01:30:00Z", "scheduled_end": "2026-03-03T02:30:00Z"}


def test_appointment_is_booked_in_the_companys_time_zone(csr_api, acme):
    contact = ContactFactory(company=acme)
    answer = csr_api.post(APPOINTMENTS, {"contact": contact.pk, **TIMES})
    assert answer.status_code == 201, answer.content
    appointment = answer.json()
    assert (appointment["date"], appointment["time"], appointment["timezone"]) == (
        "2026-03-02",
        "18:30:00",
        "America/Denver",
    )
    assert appointment["status"] == "scheduled"


def test_booking_from_a_call_books_the_call_and_creates_one_lead(csr_api, acme):
    call = CallFactory(contact=ContactFactory(company=acme), status="unbooked")
    body = {"contact": call.contact.pk, "call": call.pk, **TIMES}
    first, second = (csr_api.post(APPOINTMENTS, body).json() for _ in range(2))
    call.refresh_from_db()
    assert (call.status, call.booked) == ("awaiting_quote", True)
    assert first["lead"] == second["lead"] == call.lead.pk
    assert call.lead.status == "booked"


def test_lead_that_a_booking_makes_is_of_the_csr_who_books(csr_api, csr, acme):
    call = CallFactory(contact=ContactFactory(company=acme), status="unbooked")
    csr_api.post(APPOINTMENTS, {"contact": call.contact.pk, "call": call.pk, **TIMES})
    call.refresh_from_db()
    assert call.lead.assignee == csr


@pytest.mark.parametrize("by_token", [False, True])
def test_lead_that_an_outcome_makes_is_of_the_person_who_reports_it(by_token, manager, acme):
    call = CallFactory(contact=ContactFactory(company=acme), status="unbooked")
    api = signed_in(manager)
    if by_token:
        token = api.post("/api/v1/api-tokens", {"name": "Shop", "scopes": ["write"]}).json()["token"]
        api = APIClient(headers={"Authorization": f"Bearer {token}"})
    assert api.patch(f"/api/v1/calls/{call.pk}", {"status": "purchased"}, format="json").status_code == 200
    call.refresh_from_db()
    assert call.lead.assignee == (None if by_token else manager)


def test_second_booking_keeps_the_outcome_of_the_call(csr_api, acme):
    contact = ContactFactory(company=acme)
    call = CallFactory(contact=contact, status="purchased", lead=LeadFactory(contact=contact, status="won"))
    csr_api.post(APPOINTMENTS, {"contact": contact.pk, "call": call.pk, **TIMES})
    call.refresh_from_db()
    assert (call.status, call.lead.status) == ("purchased", "won")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"scheduled_end": "2026-03-03T01:30:00Z"}, "scheduled_end"),
        ({"scheduled_start": "soon"}, "scheduled_start"),
        ({"contact": 0}, "contact"),
        ({"contact": 2**70}, "contact"),
        ({"status": "done"}, "status"),
    ],
)
def test_invalid_appointment_is_rejected_by_field(change, named, csr_api, acme):
    response = csr_api.post(APPOINTMENTS, {"contact": ContactFactory(company=acme).pk, **TIMES} | change)
    assert response.status_code == 400
    assert list(errors_of(response)) == [named]
    with tenant(acme.pk):
        assert not Appointment.objects.exists()


def test_appointment_from_another_contacts_call_is_rejected(csr_api, acme):
    call = CallFactory(contact=ContactFactory(company=acme))
    response = csr_api.post(APPOINTMENTS, {"contact": ContactFactory(company=acme).pk, "call": call.pk, **TIMES})
    assert list(errors_of(response)) == ["call"]
    call.refresh_from_db()
    assert call.booked is False


def test_rep_of_another_company_is_rejected(csr_api, acme, globex):
    body = {"contact": ContactFactory(company=acme).pk, "assigned_rep": UserFactory(company=globex).pk, **TIMES}
    assert list(errors_of(csr_api.post(APPOINTMENTS, body))) == ["assigned_rep"]


def test_new_start_moves_date_and_time(csr_api, acme):
    appointment = AppointmentFactory(contact=ContactFactory(company=acme))
    answer = csr_api.patch(
        f"{APPOINTMENTS}/{appointment.pk}",
        {"scheduled_start": "2026-03-09T14:00:00Z", "scheduled_end": "2026-03-09T15:00:00Z"},
    ).json()
    assert (answer["date"], answer["time"]) == ("2026-03-09", "08:00:00")


def test_appointments_can_be_filtered_by_day_and_rep(csr_api, rep, rep_api, acme):
    wanted = AppointmentFactory(contact=ContactFactory(company=acme), assigned_rep=rep)
    other = AppointmentFactory(contact=ContactFactory(company=acme))
    parameters = {"date": "2026-03-02", "assigned_rep": rep.pk, "start_date": "2026-03-02", "end_date": "2026-03-02"}
    assert [row["id"] for row in csr_api.get(APPOINTMENTS, parameters).json()["results"]] == [wanted.pk]
    assert csr_api.get(APPOINTMENTS, {"date": "2026-03-03"}).json()["results"] == []
    assert [row["id"] for row in rep_api.get(APPOINTMENTS).json()["results"]] == [wanted.pk]
    assert rep_api.get(f"{APPOINTMENTS}/{other.pk}").status_code == 404


def test_call_status_sets_booked(csr_api, acme):
    call = CallFactory(contact=ContactFactory(company=acme), status="awaiting_quote")
    url = f"/api/v1/calls/{call.pk}"
    answer = csr_api.patch(url, {"status": "lost", "reason_for_lost_sale": "Price", "quoted_price": "900"}).json()
    assert (answer["status"], answer["booked"], answer["quoted_price"]) == ("lost", True, "900.00")
    assert csr_api.patch(url, {"status": "unbooked"}).json()["booked"] is False


def test_outgoing_call_cannot_be_missed(csr_api, acme):
    call = CallFactory(contact=ContactFactory(company=acme), direction="outgoing")
    response = csr_api.patch(f"/api/v1/calls/{call.pk}", {"status": "missed"})
    assert response.status_code == 400
    assert list(errors_of(response)) == ["status"]
    call.refresh_from_db()
    assert call.status == "unbooked"


def test_update_writes_only_the_sent_fields(csr_api, rep, acme):
    call = CallFactory(contact=ContactFactory(company=acme), status="awaiting_quote")
    with CountQueries() as queries:
        csr_api.patch(f"/api/v1/calls/{call.pk}", {"status": "lost"})
    (update,) = [query["sql"] for query in queries.captured_queries if query["sql"].startswith("UPDATE")]
    assert "assigned_rep" not in update
    call.refresh_from_db()
    assert (call.status, call.booked) == ("lost", True)
