"""Appointments of one rep at the same time."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.urls import reverse

from calls.models import Appointment
from calls.models.overlap_triggers import REP_IS_FREE
from crm.db.tenancy import all_tenants
from tests.conftest import postgres_only, signed_in
from tests.database_errors import refused
from tests.errors import code_of, detail_of, errors_of
from tests.factories import AppointmentFactory, CompanyFactory, ContactFactory, UserFactory

URL = "/api/v1/appointments"
NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def contact(acme):
    return ContactFactory(company=acme, first_name="Ann", last_name="Baker")


@pytest.fixture
def booked(contact, rep):
    """An appointment of the rep from 9 to 10."""
    return AppointmentFactory(contact=contact, assigned_rep=rep, scheduled_start=NINE)


def body_of(contact, rep, start=NINE, end=None, **fields):
    times = {"scheduled_start": start.isoformat(), "scheduled_end": (end or start + HOUR).isoformat()}
    return {"contact": contact.pk, "assigned_rep": rep and rep.pk, **times, **fields}


def ids():
    with all_tenants():
        return set(Appointment.objects.values_list("pk", flat=True))


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (NINE, NINE + HOUR),
        (NINE - HOUR / 2, NINE + HOUR / 60),
        (NINE + HOUR / 2, NINE + 2 * HOUR),
        (NINE + HOUR / 4, NINE + HOUR / 2),
        (NINE - timedelta(days=13), NINE + HOUR / 60),
    ],
)
def test_booking_of_a_busy_rep_names_the_other_appointment(csr_api, contact, rep, booked, start, end):
    answer = csr_api.post(URL, body_of(contact, rep, start, end))
    assert answer.status_code == 409
    assert code_of(answer) == "slot_taken"
    assert f"{rep} has appointment {booked.pk} with Ann Baker, 2026-03-02 at 02:00" in detail_of(answer)
    other = answer.json()["appointment"]
    assert other == csr_api.get(f"{URL}/{booked.pk}").json()
    assert (other["assigned_rep_name"], other["contact_summary"]["name"]) == (str(rep), "Ann Baker")
    assert ids() == {booked.pk}


@pytest.mark.parametrize(("start", "end"), [(NINE - HOUR, NINE), (NINE + HOUR, NINE + 2 * HOUR)])
def test_appointments_may_touch(csr_api, contact, rep, booked, start, end):
    assert csr_api.post(URL, body_of(contact, rep, start, end)).status_code == 201


def test_long_appointment_keeps_the_rep_busy_to_its_end(csr_api, contact, rep):
    AppointmentFactory(contact=contact, assigned_rep=rep, scheduled_start=NINE, scheduled_end=NINE + timedelta(days=14))
    last_hour = NINE + timedelta(days=14) - HOUR
    assert csr_api.post(URL, body_of(contact, rep, last_hour)).status_code == 409
    assert csr_api.post(URL, body_of(contact, rep, last_hour + HOUR)).status_code == 201


def test_other_reps_and_appointments_without_a_rep_do_not_count(csr_api, contact, acme, booked):
    other = UserFactory(company=acme, role="rep")
    for someone in (other, None, None):
        assert csr_api.post(URL, body_of(contact, someone)).status_code == 201


def test_cancelled_appointment_does_not_count(csr_api, contact, rep, booked):
    assert csr_api.post(URL, body_of(contact, rep, status="cancelled")).status_code == 201
    assert csr_api.patch(f"{URL}/{booked.pk}", {"status": "cancelled"}).status_code == 200
    assert csr_api.post(URL, body_of(contact, rep)).status_code == 201
    assert csr_api.patch(f"{URL}/{booked.pk}", {"status": "scheduled"}).status_code == 409


@pytest.mark.parametrize("status", ["confirmed", "completed", "no_show"])
def test_every_other_status_counts(csr_api, contact, rep, booked, status):
    assert csr_api.patch(f"{URL}/{booked.pk}", {"status": status}).status_code == 200
    assert csr_api.post(URL, body_of(contact, rep)).status_code == 409


def test_allowed_overlap_is_booked_and_still_counts_for_others(csr_api, contact, rep, booked):
    answer = csr_api.post(URL, body_of(contact, rep, start=NINE + HOUR / 2, allow_overlap=True))
    assert (answer.status_code, answer.json()["allow_overlap"]) == (201, True)
    assert csr_api.post(URL, body_of(contact, rep, start=NINE + HOUR)).status_code == 409


@pytest.mark.parametrize("change", ["time", "rep"])
def test_change_to_a_busy_time_is_a_conflict(csr_api, contact, acme, rep, booked, change):
    late = AppointmentFactory(contact=contact, assigned_rep=rep, scheduled_start=NINE + 5 * HOUR)
    colleagues = AppointmentFactory(
        contact=contact, assigned_rep=UserFactory(company=acme, role="rep"), scheduled_start=NINE
    )
    row, body = {
        "time": (late, {"scheduled_start": "2026-03-02T09:30:00Z", "scheduled_end": "2026-03-02T10:30:00Z"}),
        "rep": (colleagues, {"assigned_rep": rep.pk}),
    }[change]
    answer = csr_api.patch(f"{URL}/{row.pk}", body)
    assert (answer.status_code, answer.json()["appointment"]["id"]) == (409, booked.pk)
    assert csr_api.patch(f"{URL}/{row.pk}", body | {"allow_overlap": True}).status_code == 200


def test_allowed_overlap_is_asked_again_after_a_move_only(csr_api, contact, rep, booked):
    over = AppointmentFactory(contact=contact, assigned_rep=rep, scheduled_start=NINE, allow_overlap=True)
    url = f"{URL}/{over.pk}"
    assert csr_api.patch(url, {"status": "confirmed", "notes": "Two crews."}).json()["allow_overlap"] is True
    moved = {"scheduled_start": "2026-03-02T09:15:00Z", "scheduled_end": "2026-03-02T09:45:00Z"}
    assert csr_api.patch(url, moved).status_code == 409
    assert csr_api.patch(url, {"allow_overlap": False}).status_code == 409


def test_bulk_writes_are_checked_too(in_acme, contact, rep, booked):
    later = AppointmentFactory(contact=contact, assigned_rep=rep, scheduled_start=NINE + 5 * HOUR)
    with refused(REP_IS_FREE):
        Appointment.objects.filter(pk=later.pk).update(scheduled_start=NINE)
    rows = [
        Appointment(
            company=in_acme, contact=contact, assigned_rep=rep, timezone="America/Denver",
            scheduled_start=NINE + 8 * HOUR, scheduled_end=NINE + 9 * HOUR,
        )
        for _ in range(2)
    ]  # fmt: skip
    with refused(REP_IS_FREE):
        Appointment.objects.bulk_create(rows)
    assert ids() == {booked.pk, later.pk}


def test_overlap_from_before_the_rule_can_be_changed(in_acme, csr_api, contact, rep, booked):
    over = AppointmentFactory(contact=contact, assigned_rep=rep, scheduled_start=NINE, allow_overlap=True)
    for row in (booked, over):
        assert csr_api.patch(f"{URL}/{row.pk}", {"notes": "Ring twice."}).status_code == 200


def test_admin_shows_the_conflict_at_the_rep(client, staff, acme, contact, rep, booked):
    client.force_login(staff)
    form = {
        "company": acme.pk,
        "contact": contact.pk,
        "assigned_rep": rep.pk,
        "status": "scheduled",
        "scheduled_start_0": "2026-03-02",
        "scheduled_start_1": "09:30",
        "scheduled_end_0": "2026-03-02",
        "scheduled_end_1": "10:30",
        "timezone": "UTC",
    }
    url = reverse("admin:calls_appointment_add")
    assert list(client.post(url, form).context["adminform"].form.errors) == ["assigned_rep"]
    assert client.post(url, form | {"allow_overlap": "on"}).status_code == 302
    (over,) = ids() - {booked.pk}
    change = reverse("admin:calls_appointment_change", args=[over])
    assert list(client.post(change, form).context["adminform"].form.errors) == ["assigned_rep"]


@pytest.mark.parametrize(
    ("start", "length", "field"),
    [
        (NINE - timedelta(days=370), HOUR, "scheduled_start"),
        (NINE + timedelta(days=5 * 365 + 5), HOUR, "scheduled_start"),
        (NINE, timedelta(days=14, seconds=1), "scheduled_end"),
    ],
)
def test_start_and_length_are_bounded(csr_api, client, staff, acme, contact, start, length, field):
    answer = csr_api.post(URL, body_of(contact, None, start, start + length))
    assert (answer.status_code, list(errors_of(answer))) == (400, [field])
    client.force_login(staff)
    form = {"company": acme.pk, "contact": contact.pk, "status": "scheduled", "timezone": "UTC"}
    for name, at in (("scheduled_start", start), ("scheduled_end", start + length)):
        form |= {f"{name}_0": f"{at:%Y-%m-%d}", f"{name}_1": f"{at:%H:%M:%S}"}
    page = client.post(reverse("admin:calls_appointment_add"), form)
    assert list(page.context["adminform"].form.errors) == [field]
    assert ids() == set()


def test_longest_and_farthest_appointments_are_booked(csr_api, contact):
    for start in (NINE - timedelta(days=364), NINE + timedelta(days=5 * 365 - 1)):
        assert csr_api.post(URL, body_of(contact, None, start, start + timedelta(days=14))).status_code == 201


def test_length_is_bounded_by_the_database(contact, booked):
    with all_tenants(), refused("appointments_length_valid"):
        Appointment.objects.update(scheduled_end=NINE + timedelta(days=14, seconds=1))


@postgres_only
@pytest.mark.django_db(transaction=True)
def test_of_thirty_bookings_at_once_one_wins():
    company = CompanyFactory()
    csr, rep = UserFactory(company=company), UserFactory(company=company, role="rep")
    contacts = ContactFactory.create_batch(30, company=company)
    start = threading.Barrier(30)

    def book(number):
        api = signed_in(csr)
        start.wait()
        try:
            return api.post(URL, body_of(contacts[number], rep, start=NINE + number * HOUR / 60))
        finally:
            connection.close()

    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(book, range(30)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 29
    (winner,) = ids()
    assert {answer.json()["appointment"]["id"] for answer in answers if answer.status_code == 409} == {winner}
