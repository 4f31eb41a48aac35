"""A company's day on the first page, compared with the answers of the API."""

import re
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Group
from django.utils.timezone import now

from crm.date_ranges import start_of, today_in
from ops.home.today import read_today
from tests import factories
from tests.conftest import signed_in
from tests.count_queries import CountQueries

pytestmark = pytest.mark.django_db
DENVER = ZoneInfo("America/Denver")


@pytest.fixture
def open_home(client, staff):
    client.force_login(staff)
    return lambda query="": client.get(f"/admin/{query}")


def at(days=0, minutes=5):
    """A time of today, or of days ago, in Denver."""
    return start_of(today_in(DENVER) - timedelta(days=days), DENVER) + timedelta(minutes=minutes)


def make_call(company, *, qualified=False, **values):
    contact = factories.ContactFactory(company=company)
    lead = factories.LeadFactory(contact=contact) if qualified else None
    return factories.CallFactory(contact=contact, lead=lead, **values)


@pytest.fixture
def busy(acme, globex):
    """Calls, appointments and texts of today and before, of two companies."""
    for company in (acme, globex, globex):
        make_call(company, status="missed", created_at=at())
        make_call(company, status="missed", created_at=at(days=1))
        make_call(company, status="purchased", qualified=True, created_at=at())
        make_call(company, status="unbooked", qualified=True, created_at=at(days=3))
        make_call(company, status="purchased", qualified=True, created_at=at(days=3))
    factories.CallAnalysisFactory(call=make_call(acme, created_at=at(days=2)), objections=["price"], analyzed_at=now())
    return acme


def test_numbers_are_those_of_the_api(busy, manager):
    numbers = read_today(busy, lambda model: True)
    api = signed_in(manager)
    today = today_in(DENVER).isoformat()

    def ask(path, **parameters):
        return api.get(f"/api/v1/dashboard/{path}", parameters).json()

    metrics = ask("metrics", start_date=today, end_date=today)
    assert {name: numbers.metrics[name] for name in ("total", "by_status", "qualified", "booking_rate")} == {
        name: metrics[name] for name in ("total", "by_status", "qualified", "booking_rate")
    }
    assert metrics["total"] == 2
    days = ask("booking-rate", basis="cohort")["days"]
    assert [day | {"date": day["date"].isoformat()} for day in numbers.booking_rate] == days
    assert {day["rate"] for day in days} == {None, 50.0, 100.0}
    objections = ask("top-objections")
    assert numbers.objections["objections"] == objections["objections"]
    assert objections["calls_with_objections"] == 1
    assert sum(numbers.calls_by_day) == 6


def links_of(page, figure):
    html = page.content.decode()
    drawing = re.search(rf'<figure class="figure" id="{figure}">.*?</svg>\s*(<ul|<details)', html, flags=re.S)[0]
    found = re.findall(r'<a href="([^"]+)" (?:tabindex="-1" )?aria-label="([^"]+)"', drawing)
    return {label: url.replace("&amp;", "&") for url, label in found}


def test_each_bar_leads_to_its_rows(busy, open_home, client):
    campaign = factories.CampaignFactory(company=busy, status="running")
    factories.CampaignMembershipFactory.create_batch(3, campaign=campaign, contact__company=busy)
    contact = factories.ContactFactory(company=busy)
    factories.AppointmentFactory(
        contact=contact, scheduled_start=at(minutes=60), scheduled_end=at(minutes=120), status="confirmed"
    )
    factories.MessageFactory(
        contact=contact, direction="outgoing", status="undelivered", created_at=at(), activity__created_at=at()
    )
    for status in ("sent", "delivered", "queued"):
        factories.MessageFactory(
            contact=contact, direction="outgoing", status=status, created_at=at(), activity__created_at=at(),
            run_at=at(),
        )  # fmt: skip
    page = open_home("?company=acme")
    expected = {
        "calls": {"Missed: 1": 1, "Purchased: 1": 1},
        "appointments": {"Confirmed: 1": 1},
        "texts": {"Not delivered: 1": 1, "Sent: 2": 2, "Waiting: 1": 1},
        "objections": {"Price: 1 (100 %)": 1},
        f"campaign-{campaign.pk}": {"Pending: 3": 3},
    }
    for figure, numbers in expected.items():
        links = links_of(page, figure)
        assert set(links) == set(numbers), figure
        for label, count in numbers.items():
            listed = client.get(links[label])
            assert listed.status_code == 200, links[label]
            assert listed.context["cl"].result_count == count, links[label]


def test_every_link_of_the_page_opens(busy, open_home, client):
    for query in ("?company=acme", "?company=*"):
        html = open_home(query).content.decode()
        links = {url.replace("&amp;", "&") for url in re.findall(r'href="(/admin/[^"#]*|\?[^"]*)"', html)}
        assert len(links) > 60
        for url in links - {"/admin/logout/"}:
            assert client.get(url if url.startswith("/") else f"/admin/{url}").status_code == 200, url


def test_points_of_the_booking_rate_lead_to_the_qualified_calls_of_their_day(busy, open_home, client):
    links = links_of(open_home("?company=acme"), "booking-rate")
    day = at(days=3).astimezone(DENVER)
    listed = client.get(links[f"{day:%Y-%m-%d}: 50 %"])
    assert listed.context["cl"].result_count == 2


def test_headlines_say_what_the_numbers_mean(busy, open_home):
    html = open_home("?company=acme").content.decode()
    assert "2 calls today, 1 missed" in html
    assert "67 % of the qualified calls of the last 30 days are booked: 2 of 3" in html
    assert "“Price” is the most frequent objection of the last 30 days" in html
    assert "No appointments today" in html
    assert ", America/Denver" in html


def test_home_shows_the_first_company_and_another_one_by_its_slug(open_home, acme, globex):
    assert "Today at Acme Roofing" in open_home().content.decode()
    assert "Today at Globex Concrete" in open_home("?company=globex").content.decode()
    unknown = open_home("?company=%3Cb%3E").content.decode()
    assert "No company has the slug “&lt;b&gt;”" in unknown
    assert 'class="figure"' not in unknown


def test_home_without_companies_has_no_charts(open_home):
    page = open_home()
    assert page.status_code == 200
    assert "charts" not in page.context


def test_day_is_the_one_of_the_companys_zone(open_home, acme, monkeypatch):
    monkeypatch.setattr("crm.date_ranges.now", lambda: datetime(2026, 3, 2, 6, 30, tzinfo=ZoneInfo("UTC")))
    make_call(acme, status="missed", created_at=datetime(2026, 3, 1, 8, tzinfo=ZoneInfo("UTC")))
    page = open_home()
    assert "Sunday 2026-03-01, America/Denver" in page.content.decode()
    query = parse_qs(urlsplit(links_of(page, "calls")["Missed: 1"]).query)
    assert query["created_at__gte"] == ["2026-03-01T07:00:00+00:00"]
    assert query["created_at__lt"] == ["2026-03-02T07:00:00+00:00"]


@pytest.mark.parametrize("group", [None, "Support", "Set-up", "Read-only"])
def test_home_takes_twelve_queries_however_many_companies_there_are(group, client, busy, staff):
    user = staff
    if group:
        user = factories.UserFactory(company=None, role="", is_staff=True)
        user.groups.add(Group.objects.get(name=group))
    client.force_login(user)
    factories.CampaignFactory.create_batch(2, company=busy, status="running")

    def count():
        with CountQueries() as queries:
            assert client.get("/admin/?company=acme").status_code == 200
        return len(queries)

    before = count()
    for number in range(3):
        company = factories.CompanyFactory(name=f"Company {number}", slug=f"company-{number}")
        factories.WebhookEventFactory(company=company)
        factories.PhoneLineFactory(company=company)
    assert count() == before <= 12


@pytest.mark.parametrize(
    ("group", "charts"),
    [
        ("Support", {"calls", "booking-rate", "appointments", "texts", "objections"}),
        ("Set-up", set()),
        ("Read-only", {"calls", "booking-rate", "appointments", "texts", "objections"}),
    ],
)
def test_member_of_a_group_sees_the_charts_of_what_they_may_see(group, charts, client, busy):
    user = factories.UserFactory(company=None, role="", is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client.force_login(user)
    html = client.get("/admin/").content.decode()
    assert set(re.findall(r'<figure class="figure" id="([^"]+)"', html)) == charts
