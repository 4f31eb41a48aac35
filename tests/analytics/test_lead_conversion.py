"""Conversion of leads on the dashboard."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils.timezone import now

from analytics.dashboard import leads as dashboard_leads
from analytics.models import LeadDay
from analytics.rollups.jobs import run_next_rollup
from analytics.rollups.update import find_differences, update_call_rollup
from crm.db.tenancy import tenant
from crm.models import Lead
from tests.analytics.rollup_fixture import DAY, make_lead
from tests.count_queries import CountQueries
from tests.factories import LeadFactory, UserFactory

URL = "/api/v1/dashboard/lead-conversion"
PAGE = reverse("admin:crm_lead_conversion")
NOTHING = {"leads": 0, "booked": 0, "won": 0, "lost": 0, "won_value": "0.00", "conversion_rate": None}


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_conversion_is_told_by_source_and_by_assignee(csr_api, csr, acme, globex):
    bea = UserFactory(company=acme, role="csr", first_name="Bea", last_name="Ames")
    day = at("2026-03-02 16:00")
    for source, assignee, status, value in (
        ("referral", bea, "won", "1200.50"),
        ("referral", bea, "won", None),
        ("referral", bea, "lost", "900"),
        ("web form", None, "booked", "700"),
        ("web form", csr, "new", None),
    ):
        amount = value and Decimal(value)
        LeadFactory(
            contact__company=acme, source=source, assignee=assignee, status=status, value=amount, created_at=day
        )
    LeadFactory(contact__company=globex, source="referral", status="won", value=5, created_at=day)
    dates = {"start_date": "2026-03-02", "end_date": "2026-03-02"}
    referral = {"leads": 3, "booked": 2, "won": 2, "lost": 1, "won_value": "1200.50", "conversion_rate": 66.67}
    one = NOTHING | {"leads": 1, "conversion_rate": 0.0}
    assert csr_api.get(URL, dates).json() == {
        **dates,
        "timezone": "America/Denver",
        "leads": 5,
        "booked": 3,
        "won": 2,
        "lost": 1,
        "won_value": "1200.50",
        "conversion_rate": 40.0,
        "by_source": [
            {"source": "referral", **referral},
            {"source": "web form", **one, "leads": 2, "booked": 1},
        ],
        "other_sources": None,
        "by_assignee": [
            {"assignee": bea.pk, "assignee_name": "Bea Ames", **referral},
            {"assignee": None, "assignee_name": None, **one, "booked": 1},
            {"assignee": csr.pk, "assignee_name": str(csr), **one},
        ],
    }


def test_conversion_without_leads_has_no_rate(csr_api):
    answer = csr_api.get(URL).json()
    assert answer.items() >= NOTHING.items()
    assert (answer["by_source"], answer["other_sources"], answer["by_assignee"]) == ([], None, [])


@pytest.mark.parametrize("rolled_up", [False, True])
@pytest.mark.parametrize(
    ("day", "first", "last"),
    [
        ("2026-03-02", "2026-03-02 07:00", "2026-03-03 06:59"),  # midnight in Denver
        ("2026-03-08", "2026-03-08 07:00", "2026-03-09 05:59"),  # 23 hours: MST until 2:00, then MDT
        ("2026-11-01", "2026-11-01 06:00", "2026-11-02 06:59"),  # 25 hours
    ],
)
def test_lead_counts_on_the_day_of_its_creation_in_the_companys_time_zone(
    day, first, last, rolled_up, csr_api, acme, monkeypatch
):
    minute = timedelta(minutes=1)
    for instant in (at(first) - minute, at(first), at(last), at(last) + minute):
        LeadFactory(contact__company=acme, created_at=instant)
    if rolled_up:
        for module in ("update", "jobs"):
            monkeypatch.setattr(f"analytics.rollups.{module}.now", lambda: at("2027-01-01 12:00"))
        monkeypatch.setattr("analytics.rollups.update.find_oldest_write", lambda: at("2027-01-01 12:00"))
        while update_call_rollup(company=acme):
            pass
    assert csr_api.get(URL, {"start_date": day, "end_date": day}).json()["leads"] == 2


def test_past_day_is_read_from_the_rollup(csr_api, acme):
    make_lead(acme, ago=3 * DAY)
    assert not update_call_rollup(company=acme)
    with tenant(acme.pk):
        LeadDay.objects.update(leads=7)  # no trigger sees this, so it shows the source of the number
    assert csr_api.get(URL).json()["leads"] == 7
    [day] = find_differences(company=acme)
    assert day == (now() - 3 * DAY).astimezone(acme.zone).date()


def test_late_change_is_counted_at_once_and_rolled_up_by_the_worker(csr_api, acme, csr):
    lead = make_lead(acme)
    update_call_rollup(company=acme)
    with tenant(acme.pk):
        Lead.objects.filter(pk=lead.pk).update(status="won", value=10, source="referral", assignee=csr)
    answers = [csr_api.get(URL).json()]
    while run_next_rollup():
        pass
    answers.append(csr_api.get(URL).json())
    assert answers[0] == answers[1]
    assert (answers[0]["won_value"], answers[0]["by_source"][0]["source"]) == ("10.00", "referral")
    assert find_differences(company=acme) == []


def test_sources_with_the_fewest_leads_are_counted_together(csr_api, acme, monkeypatch):
    monkeypatch.setattr(dashboard_leads, "MAX_SOURCES", 1)
    for source in ("a", "a", "b", "c"):
        make_lead(acme, source=source, status="won", value=Decimal("0.10"))
    answer = csr_api.get(URL).json()
    assert [(each["source"], each["leads"]) for each in answer["by_source"]] == [("a", 2)]
    assert answer["other_sources"] == {
        "leads": 2, "booked": 2, "won": 2, "lost": 0, "won_value": "0.20", "conversion_rate": 100.0,
    }  # fmt: skip


def test_conversion_runs_three_statements_for_any_number_of_leads(csr_api, acme, csr):
    for _ in range(2):
        for ago in range(4):
            make_lead(acme, ago=ago * DAY, assignee=csr, source=f"source {ago}")
        with CountQueries() as queries:
            assert csr_api.get(URL).status_code == 200
        assert len(queries) == 3
        update_call_rollup(company=acme)


# --- Admin ------------------------------------------------------------------------------------------------------------


def links_of(html):
    found = re.findall(r'<a href="([^"]+)" (?:tabindex="-1" )?aria-label="([^"]+)"', html)
    return {label: url.replace("&amp;", "&") for url, label in found}


def test_page_draws_the_numbers_of_the_api_and_its_bars_lead_to_their_leads(client, staff, acme, globex, csr):
    for source, assignee, status in (("referral", csr, "won"), ("referral", None, "lost"), ("", csr, "new")):
        make_lead(acme, source=source, assignee=assignee, status=status, value=19_867)
    make_lead(globex, source="referral", status="won")
    make_lead(acme, ago=60 * DAY, source="referral", status="won")
    client.force_login(staff)
    html = client.get(PAGE, {"company": acme.pk}).content.decode()
    assert "1 of 3 leads that were created in these days are won (33.33 %)" in html
    assert "Those won are worth 19,867.00 USD." in html
    assert "Most won leads by source: “referral”, 1 of 1" in html
    links = links_of(html)
    expected = {
        "referral: 50 % (1 of 2)": 2, "Unknown: 0 % (0 of 1)": 1, f"{csr}: 50 % (1 of 2)": 2, "Nobody: 0 % (0 of 1)": 1,
    }  # fmt: skip
    assert links.keys() == expected.keys()
    for label, count in expected.items():
        listed = client.get(links[label])
        assert (listed.status_code, listed.context["cl"].result_count) == (200, count), label


def test_page_takes_the_days_that_are_asked_for(client, staff, acme):
    make_lead(acme, ago=60 * DAY)
    client.force_login(staff)
    first = (now() - 90 * DAY).date()
    asked = {"company": acme.pk, "from": first.isoformat(), "to": now().date().isoformat()}
    assert "0 of 1 leads" in client.get(PAGE, asked).content.decode()
    for odd in ({"from": "x"}, {"from": asked["to"], "to": asked["from"]}, {"from": ""}):
        assert "No leads were created in these days." in client.get(PAGE, asked | odd).content.decode()


def test_page_is_for_those_who_may_see_leads(client, acme):
    client.force_login(UserFactory(company=None, role="", is_staff=True))
    assert client.get(PAGE).status_code == 403


def test_list_of_leads_links_to_the_conversion_of_its_company(client, staff, acme):
    client.force_login(staff)
    html = client.get(reverse("admin:crm_lead_changelist"), {"company__id__exact": acme.pk}).content.decode()
    assert f'{PAGE}?company={acme.pk}"' in html
