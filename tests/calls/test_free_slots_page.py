"""The admin's page of a new appointment offers free slots in the company's time zone, and fills in the chosen one."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from calls.models import Appointment
from tests.count_queries import CountQueries
from tests.factories import AppointmentFactory, ContactFactory, UserFactory

pytestmark = pytest.mark.usefixtures("staff_client")
ADD = reverse("admin:calls_appointment_add")
TUESDAY_8 = datetime(2026, 5, 5, 14, tzinfo=UTC)  # in Denver


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    monkeypatch.setattr("calls.admin.free_slots.now", lambda: datetime(2026, 5, 4, 16, 10, tzinfo=UTC))
    monkeypatch.setattr("crm.date_ranges.now", lambda: datetime(2026, 5, 4, 16, 10, tzinfo=UTC))  # Monday 10:10


@pytest.fixture
def contact(in_acme):
    hours = {"opens": "08:00", "closes": "11:30"}
    in_acme.working_hours = {"monday": hours, "tuesday": hours}
    in_acme.save()
    return ContactFactory(company=in_acme)


@pytest.fixture
def reps(in_acme):
    return [UserFactory(company=in_acme, role="rep", first_name=name, last_name="Reed") for name in ("Ann", "Bob")]


def offers_of(page):
    return {str(day): [offer.time for offer in offers] for day, offers in page.context["free"].days.items()}


def test_page_offers_the_slots_of_the_next_days_that_have_any(client, contact, reps):
    for rep in reps:
        AppointmentFactory(
            contact=contact, assigned_rep=rep, scheduled_start=TUESDAY_8, scheduled_end=TUESDAY_8.replace(hour=16)
        )
    page = client.get(ADD, {"contact": contact.pk})
    assert offers_of(page) == {
        "2026-05-04": ["10:30"],
        "2026-05-05": ["10:00", "10:30"],
        "2026-05-11": ["08:00", "08:30", "09:00", "09:30", "10:00", "10:30"],
    }
    assert "Local time in America/Denver." in page.content.decode()
    assert offers_of(client.get(ADD, {"contact": contact.pk, "minutes": "90"}))["2026-05-05"] == ["10:00"]


def test_chosen_slot_is_filled_in_and_booked_as_it_is(client, contact, reps):
    AppointmentFactory(
        contact=contact, assigned_rep=reps[0], scheduled_start=TUESDAY_8, scheduled_end=TUESDAY_8.replace(hour=15)
    )
    page = client.get(ADD, {"contact": contact.pk})
    [first, *_] = page.context["free"].days[TUESDAY_8.date()]
    assert (first.time, first.rep, first.others) == ("08:00", reps[1], 0)
    form = client.get(f"{ADD}?{first.query}").context["adminform"].form
    typed = {"status": "scheduled", "timezone": form["timezone"].value()}
    for name in ("company", "contact", "assigned_rep"):
        typed[name] = form[name].value()
    for name in ("scheduled_start", "scheduled_end"):
        for n, part in enumerate(form[name].subwidgets[0].data["subwidgets"]):
            typed[f"{name}_{n}"] = part["value"]
    assert client.post(ADD, typed).status_code == 302
    booked = Appointment.objects.latest("pk")
    assert (booked.contact, booked.assigned_rep, booked.timezone) == (contact, reps[1], "America/Denver")
    assert (booked.scheduled_start, booked.scheduled_end) == (TUESDAY_8, TUESDAY_8.replace(hour=15))


def test_page_says_where_to_look_if_no_rep_is_free(client, contact):
    assert "No rep is free for 60 minutes" in client.get(ADD, {"company": contact.company_id}).content.decode()


@pytest.mark.parametrize(
    "query", ["slot=nonsense&minutes=-1&rep=x", "slot=9999-12-31T23:59", "slot=2026-05-05T08:00&rep=0"]
)
def test_odd_values_in_the_url_fill_in_no_rep(query, client, contact, reps):
    page = client.get(f"{ADD}?contact={contact.pk}&{query}")
    assert page.status_code == 200
    assert not page.context["adminform"].form["assigned_rep"].value()


@pytest.mark.parametrize("query", ["", "?company=0", "?company=x"])
def test_page_without_a_company_offers_nothing(query, client):
    assert "free" not in client.get(f"{ADD}{query}").context


def test_slots_take_the_same_queries_for_any_number_of_reps(client, contact, reps):
    def count():
        client.get(ADD, {"contact": contact.pk})
        with CountQueries() as asked:
            client.get(ADD, {"contact": contact.pk})
        return len(asked)

    few = count()
    UserFactory.create_batch(5, company=contact.company, role="rep")
    assert count() == few <= 20
