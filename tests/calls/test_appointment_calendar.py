"""The admin's calendar of a company's appointments, and moves in it."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.urls import reverse

from calls.admin.appointment_slots import place_of
from crm.db.tenancy import all_tenants
from crm.models import AuditEntry
from tests.count_queries import CountQueries
from tests.factories import AppointmentFactory, ContactFactory, TimeOffFactory, UserFactory

pytestmark = pytest.mark.usefixtures("staff_client")

WEEK, DAY = reverse("admin:calls_appointment_week"), reverse("admin:calls_appointment_day")


@pytest.fixture
def rep_of_acme(acme):
    return UserFactory(company=acme, role="rep", first_name="Ralph", last_name="Reed")


def book(company, hour, *, day=2, **fields):
    """Book an hour of March 2026, in UTC."""
    contact = ContactFactory(company=company)
    start, end = datetime(2026, 3, day, hour, tzinfo=UTC), datetime(2026, 3, day, hour, 59, tzinfo=UTC)
    return AppointmentFactory(contact=contact, scheduled_start=start, scheduled_end=end, **fields)


def move_of(appointment):
    return reverse("admin:calls_appointment_move", args=[appointment.pk])


def typed(appointment, day, time, rep=None):
    """Return the form of a move, as the page that shows the appointment sends it."""
    return {"day": day, "time": time, "rep": rep.pk if rep else "", "seen": place_of(appointment), "view": "week"}


def show(client, company, day="2026-03-04"):
    return client.get(WEEK, {"company": company.pk, "day": day}).content.decode()


def test_week_has_a_row_for_each_rep_in_the_days_of_the_company(client, acme, globex, rep_of_acme):
    late = book(acme, 5, day=3, assigned_rep=rep_of_acme)  # 22:00 on Monday in Denver
    book(acme, 16)
    for elsewhere in (book(acme, 16, day=9), book(globex, 16), book(acme, 17, status="cancelled")):
        assert reverse("admin:calls_appointment_change", args=[elsewhere.pk]) not in show(client, acme)
    html = show(client, acme)
    assert re.findall(r'<th scope="row">([^<]+)</th>', html) == ["Ralph Reed", "No rep"]
    cells = html.partition("Ralph Reed</th>")[2].partition("</tr>")[0].split("<td")[1:]
    assert "22:00–22:59" in cells[0]
    assert "Mon 2026-03-02" in cells[0]
    assert str(late.contact) in cells[0]
    assert all("slot" not in cell for cell in cells[1:])
    assert "America/Denver" in html


def test_overlapping_appointments_of_a_rep_are_marked(client, acme, rep_of_acme):
    for hour in (16, 18):
        book(acme, hour, assigned_rep=rep_of_acme)
    assert "Overlaps" not in show(client, acme)
    book(acme, 16, assigned_rep=rep_of_acme, allow_overlap=True)
    book(acme, 16)
    book(acme, 16)
    html = show(client, acme)
    assert html.count('class="slot conflict"') == 2
    assert "2 appointments overlap" in html


def test_time_off_is_shown_in_the_companys_days(client, acme, rep_of_acme):
    """The clock springs forward on Sunday, March 8: the day of 23 hours is a whole day off, too."""
    first, last = datetime(2026, 3, 6, 20, tzinfo=UTC), datetime(2026, 3, 9, 6, tzinfo=UTC)
    TimeOffFactory(company=acme, rep=rep_of_acme, starts_at=first, ends_at=last, reason="Holiday")
    html = show(client, acme)
    cells = html.partition("Ralph Reed</th>")[2].partition("</tr>")[0].split("<td")[1:]
    off = [cell.partition("Off ")[2].partition("<")[0] for cell in cells]
    assert off == ["", "", "", "", "13:00–00:00: Holiday", "all day: Holiday", "all day: Holiday"]
    day = client.get(DAY, {"company": acme.pk, "day": "2026-03-06"}).content.decode()
    assert "Ralph Reed is off 13:00–00:00 (Holiday)." in day
    shaded = re.findall(r'<td class="[^"]*time-off" data-day="[^"]+" data-time="([^"]+)"', day)
    assert (shaded[0], len(shaded)) == ("13:00", 12)


def test_time_off_of_the_rep_is_told_after_a_move(client, acme, rep_of_acme):
    TimeOffFactory(company=acme, rep=rep_of_acme, starts_at=datetime(2026, 3, 5, 7, tzinfo=UTC), reason="Holiday")
    appointment = book(acme, 16)
    for day, told in (("2026-03-05", True), ("2026-03-06", False)):
        with all_tenants():
            appointment.refresh_from_db()
        answer = client.post(move_of(appointment), typed(appointment, day, "09:00", rep_of_acme), follow=True)
        assert ("Ralph Reed has time off then (Holiday)" in answer.content.decode()) is told


def test_appointment_of_another_zone_says_so(client, acme):
    book(acme, 16, timezone="America/New_York")
    assert "11:00–11:59 EST" in show(client, acme)


@pytest.mark.parametrize("day", ["", "x", "0001-01-01", "9999-12-31", "1970-01-01", "2100-12-31", "2026-02-30"])
@pytest.mark.parametrize("page", [WEEK, DAY])
def test_odd_days_show_a_calendar(client, acme, page, day):
    assert client.get(page, {"company": acme.pk, "day": day}).status_code == 200


def test_day_has_a_column_for_each_rep_and_the_hours_of_the_company(client, acme, rep_of_acme):
    UserFactory(company=acme, role="rep", first_name="Una", last_name="Used")
    early = book(acme, 12, assigned_rep=rep_of_acme)  # 5:00 in Denver
    other = book(acme, 12, day=3)
    page = client.get(DAY, {"company": acme.pk, "day": "2026-03-02"}).content.decode()
    html = page.partition('class="week day"')[2]
    assert re.findall(r'<th scope="col">([^<]+)</th>', html) == ["Time", "Ralph Reed", "Una Used"]
    times = re.findall(r'<th scope="row">([^<]+)</th>', html)
    assert (times[0], times[-1], len(times)) == ("05:00", "18:30", 28)
    row = html.partition('<th scope="row">05:00</th>')[2].partition("</tr>")[0].split("<td")[1:]
    assert str(early.contact) in row[0]
    assert "05:00–05:59" in row[0]
    busy = html.partition('<th scope="row">05:30</th>')[2].partition("</tr>")[0].split("<td")[1:]
    assert ["busy" in cell for cell in busy] == [True, False]
    assert reverse("admin:calls_appointment_change", args=[other.pk]) not in html


def test_appointment_is_moved_in_its_own_time_zone_and_keeps_its_length(client, acme, rep_of_acme):
    row = book(acme, 16, timezone="America/New_York")
    answer = client.post(move_of(row), typed(row, "2026-03-05", "14:30", rep_of_acme), follow=True)
    row.refresh_from_db()
    assert (row.scheduled_start, row.assigned_rep) == (datetime(2026, 3, 5, 19, 30, tzinfo=UTC), rep_of_acme)
    assert row.scheduled_end - row.scheduled_start == timedelta(minutes=59)
    assert answer.redirect_chain[0][0] == f"{WEEK}?company={acme.pk}&day=2026-03-05"
    html = answer.content.decode()
    assert "is moved to Thu 2026-03-05 14:30–15:29 EST, Ralph Reed" in html
    back = re.search(r'<a href="([^"]+)">Put it back', html).group(1).replace("&amp;", "&")
    assert client.get(back).context["form"]["day"].value() == "2026-03-02"
    with all_tenants():
        assert AuditEntry.objects.filter(table_name="appointments", row_id=row.pk, actor="stella").exists()


def test_move_to_a_taken_slot_is_refused_unless_both_are_allowed(client, acme, rep_of_acme):
    taken, row = book(acme, 18, assigned_rep=rep_of_acme), book(acme, 16)
    form = typed(row, "2026-03-02", "11:30", rep_of_acme)
    html = client.post(move_of(row), form).content.decode()
    assert f"The rep has another appointment then: {taken.contact}, Mon 2026-03-02 11:00–11:59 MST" in html
    row.refresh_from_db()
    assert row.scheduled_start.hour == 16
    client.post(move_of(row), form | {"allow_overlap": "on"})
    row.refresh_from_db()
    assert (row.scheduled_start.hour, row.allow_overlap) == (18, True)


def test_move_of_an_appointment_that_somebody_has_moved_since_is_refused(client, acme):
    row = book(acme, 16)
    form = typed(row, "2026-03-05", "09:00")
    assert client.post(move_of(row), form).status_code == 302
    assert "Somebody has moved this appointment since." in client.post(move_of(row), form).content.decode()


def test_move_finds_what_a_move_at_the_same_moment_has_written(client, acme):
    if not connection.features.has_select_for_update:
        pytest.skip("SQLite has a single writer")
    row = book(acme, 16)
    with CountQueries() as asked:
        client.post(move_of(row), typed(row, "2026-03-05", "09:00"))
    [first, *_] = [query["sql"] for query in asked if 'FROM "appointments"' in query["sql"]]
    assert first.endswith('FOR UPDATE OF "appointments"')


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"day": "2026-03-08", "time": "02:30"}, "skips this time"),
        ({"day": "2062-03-08"}, "within the last year"),
        ({"day": "x"}, "must be a day"),
        ({"time": ""}, "required"),
        ({"rep": "999"}, "Select a valid choice"),
    ],
)
def test_impossible_move_is_refused_at_its_field(client, acme, changes, error):
    row = book(acme, 16)
    html = client.post(move_of(row), typed(row, "2026-03-05", "09:00") | changes).content.decode()
    assert error.lower() in html.partition('class="errorlist"')[2].partition("</ul>")[0].lower()


def test_rep_of_another_company_gets_no_appointment(client, acme, globex):
    row = book(acme, 16)
    foreign = UserFactory(company=globex, role="rep")
    client.post(move_of(row), typed(row, "2026-03-02", "09:00", foreign))
    row.refresh_from_db()
    assert (row.assigned_rep, row.scheduled_start.hour) == (None, 16)


def test_support_moves_and_read_only_looks_on(client, acme):
    row = book(acme, 16)
    for group, sees, moves in (("Set-up", 403, 403), ("Read-only", 200, 403), ("Support", 200, 200)):
        user = UserFactory(company=None, role="", is_staff=True)
        user.groups.add(Group.objects.get(name=group))
        client.force_login(user)
        assert client.get(DAY, {"company": acme.pk, "day": "2026-03-02"}).status_code == sees
        assert client.get(move_of(row)).status_code == moves
        offered = 'draggable="true"' in client.get(WEEK, {"company": acme.pk, "day": "2026-03-02"}).content.decode()
        assert offered == (moves == 200)
        posted = client.post(move_of(row), typed(row, "2026-03-05", "09:00"))
        assert posted.status_code == (302 if moves == 200 else 403)


def test_what_is_over_and_what_is_in_another_zone_is_not_dragged(client, acme):
    for fields in ({"status": "completed"}, {"timezone": "America/New_York"}):
        book(acme, 16, **fields)
    assert 'draggable="true"' not in show(client, acme)


def test_odd_companies_and_none_are_answered(client, db):
    assert "There is no company yet" in client.get(WEEK).content.decode()
    for company in ("x", "9" * 30, "0"):
        assert client.get(WEEK, {"company": company}).status_code == 200


def test_week_is_for_staff_who_may_see_appointments(client, acme):
    for group, status in (("Set-up", 403), ("Read-only", 200), ("Support", 200)):
        user = UserFactory(company=None, role="", is_staff=True)
        user.groups.add(Group.objects.get(name=group))
        client.force_login(user)
        assert client.get(WEEK, {"company": acme.pk}).status_code == status


def test_week_takes_a_constant_number_of_queries(client, acme):
    def count():
        with CountQueries() as asked:
            show(client, acme)
        return len(asked)

    book(acme, 16, assigned_rep=UserFactory(company=acme, role="rep"))
    count()
    before = count()
    for hour in range(10, 20):
        book(acme, hour, assigned_rep=UserFactory(company=acme, role="rep"))
    assert count() == before <= 10
