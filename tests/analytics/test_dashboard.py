"""Dashboard metrics, booking rate and objections."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils.timezone import now

from calls.choices import CallStatus
from tests.count_queries import CountQueries
from tests.errors import errors_of
from tests.factories import AppointmentFactory, CallAnalysisFactory, CallFactory, ContactFactory, LeadFactory

METRICS = "/api/v1/dashboard/metrics"
BOOKING_RATE = "/api/v1/dashboard/booking-rate"
OBJECTIONS = "/api/v1/dashboard/top-objections"


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def make_call(company, *, qualified=False, **values):
    contact = ContactFactory(company=company)
    return CallFactory(contact=contact, lead=LeadFactory(contact=contact) if qualified else None, **values)


def test_metrics_count_each_call_once(csr_api, acme, globex):
    make_call(acme, status="missed")
    make_call(acme, status="unbooked", qualified=True)
    make_call(acme, status="purchased", qualified=True)
    make_call(acme, status="lost", qualified=True, quoted_price=Decimal("1200.50"), reason_for_lost_sale="Price")
    make_call(acme, status="lost", reason_for_lost_sale="Went with a neighbour")
    make_call(globex, status="purchased", qualified=True)
    assert csr_api.get(METRICS).json() == {
        "start_date": None,
        "end_date": None,
        "timezone": "America/Denver",
        "total": 5,
        "qualified": 3,
        "booked": 3,
        "booking_rate": 66.67,
        "by_status": dict.fromkeys(CallStatus.values, 0) | {"missed": 1, "unbooked": 1, "purchased": 1, "lost": 2},
        "lost": {"count": 2, "value": "1200.50"},
    }


def test_metrics_without_calls_have_no_rate(csr_api):
    answer = csr_api.get(METRICS).json()
    assert answer["total"] == 0
    assert answer["booking_rate"] is None
    assert answer["lost"] == {"count": 0, "value": "0.00"}


def test_days_begin_at_midnight_in_the_company_s_time_zone(csr_api, acme):
    make_call(acme, created_at=at("2026-03-02 06:59"))  # 23:59 of March 1 in Denver
    make_call(acme, created_at=at("2026-03-02 07:00"))  # midnight
    make_call(acme, created_at=at("2026-03-03 06:59"))  # 23:59 of March 2
    make_call(acme, created_at=at("2026-03-03 07:00"))
    answer = csr_api.get(METRICS, {"start_date": "2026-03-02", "end_date": "2026-03-02"}).json()
    assert (answer["start_date"], answer["end_date"], answer["total"]) == ("2026-03-02", "2026-03-02", 2)
    assert csr_api.get(METRICS, {"start_date": "2026-03-02"}).json()["total"] == 3
    assert csr_api.get(METRICS, {"end_date": "2026-03-02"}).json()["total"] == 3


@pytest.mark.parametrize(
    ("day", "first", "last"),
    [
        ("2026-03-08", "2026-03-08 07:00", "2026-03-09 05:59"),  # 23 hours: MST until 2:00, then MDT
        ("2026-11-01", "2026-11-01 06:00", "2026-11-02 06:59"),  # 25 hours
    ],
)
def test_days_with_a_clock_change_are_complete(day, first, last, csr_api, acme):
    for instant in (at(first), at(last)):
        make_call(acme, created_at=instant, qualified=True)
    make_call(acme, created_at=at(first) - timedelta(minutes=1), qualified=True)
    make_call(acme, created_at=at(last) + timedelta(minutes=1), qualified=True)
    dates = {"start_date": day, "end_date": day}
    assert csr_api.get(METRICS, dates).json()["total"] == 2
    for basis in ("scheduled", "cohort"):
        answer = csr_api.get(BOOKING_RATE, dates | {"basis": basis}).json()
        assert [row["qualified"] for row in answer["days"]] == [2]


def test_booking_rate_divides_appointments_by_qualified_calls_of_the_day(csr_api, acme, globex):
    start = at("2026-03-02 16:00")
    for status in ("scheduled", "confirmed", "completed", "cancelled", "no_show"):
        AppointmentFactory(contact=ContactFactory(company=acme), scheduled_start=start, status=status)
    AppointmentFactory(contact=ContactFactory(company=globex), scheduled_start=start)
    for qualified in (True, True, False):
        make_call(acme, created_at=start, qualified=qualified)
    answer = csr_api.get(BOOKING_RATE, {"start_date": "2026-03-01", "end_date": "2026-03-02"}).json()
    assert answer == {
        "start_date": "2026-03-01",
        "end_date": "2026-03-02",
        "timezone": "America/Denver",
        "basis": "scheduled",
        "days": [
            {"date": "2026-03-01", "booked": 0, "qualified": 0, "rate": None},
            {"date": "2026-03-02", "booked": 3, "qualified": 2, "rate": 150.0},
        ],
    }


def test_cohort_booking_rate_counts_booked_calls_of_the_day(csr_api, acme):
    start = at("2026-03-02 16:00")
    make_call(acme, created_at=start, qualified=True, status="awaiting_quote")
    make_call(acme, created_at=start, qualified=True)
    make_call(acme, created_at=start, qualified=True)
    make_call(acme, created_at=start, status="purchased")  # booked, but never qualified
    dates = {"start_date": "2026-03-02", "end_date": "2026-03-02"}
    (day,) = csr_api.get(BOOKING_RATE, dates | {"basis": "cohort"}).json()["days"]
    assert day == {"date": "2026-03-02", "booked": 1, "qualified": 3, "rate": 33.33}


@pytest.mark.parametrize("url", [BOOKING_RATE, OBJECTIONS])
def test_dates_default_to_the_last_30_days(url, csr_api, acme):
    today = now().astimezone(acme.zone).date()
    answer = csr_api.get(url).json()
    assert answer["end_date"] == today.isoformat()
    assert answer["start_date"] == (today - timedelta(days=29)).isoformat()
    answer = csr_api.get(url, {"end_date": "2026-01-30"}).json()
    assert (answer["start_date"], answer["end_date"]) == ("2026-01-01", "2026-01-30")


def test_booking_rate_lists_every_day_and_at_most_1100(csr_api):
    answer = csr_api.get(BOOKING_RATE, {"start_date": "2024-01-01", "end_date": "2027-01-04"}).json()
    assert len(answer["days"]) == 1100
    response = csr_api.get(BOOKING_RATE, {"start_date": "2024-01-01", "end_date": "2027-01-05"})
    assert response.status_code == 400
    assert "1100" in errors_of(response)["start_date"][0]


@pytest.mark.parametrize("url", [METRICS, BOOKING_RATE, OBJECTIONS])
@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"start_date": "2026-02-30"}, "start_date"),
        ({"end_date": "01/02/2026"}, "end_date"),
        ({"start_date": "0001-01-01"}, "start_date"),
        ({"end_date": "9999-12-31"}, "end_date"),
        ({"start_date": "2026-03-02", "end_date": "2026-03-01"}, "start_date"),
        ({"start_date": ""}, "start_date"),
        ({"company": "2"}, "company"),
    ],
)
def test_invalid_parameter_is_rejected_by_name(url, parameters, named, csr_api):
    response = csr_api.get(url, parameters)
    assert response.status_code == 400
    assert named in errors_of(response)


def test_objections_are_ranked_with_ties_by_label(csr_api, acme, globex):
    moment = at("2026-03-02 16:00")

    def analyse(company, *labels):
        CallAnalysisFactory(call=make_call(company), objections=list(labels), analyzed_at=moment)

    analyse(acme, "price", "timing")
    analyse(acme, " Price ", "PRICE")
    analyse(acme, "trust")
    analyse(acme, "spouse")
    analyse(acme)
    analyse(globex, "spouse")
    dates = {"start_date": "2026-03-02", "end_date": "2026-03-02"}
    assert csr_api.get(OBJECTIONS, dates | {"limit": 3}).json() == {
        **dates,
        "timezone": "America/Denver",
        "calls_with_objections": 4,
        "objections": [
            {"label": "price", "count": 2, "percentage": 50.0},
            {"label": "spouse", "count": 1, "percentage": 25.0},
            {"label": "timing", "count": 1, "percentage": 25.0},
        ],
    }


def test_call_counts_by_its_latest_analysis(csr_api, acme):
    call, moment = make_call(acme), at("2026-03-02 16:00")
    CallAnalysisFactory(call=call, objections=["price"], analyzed_at=moment)
    CallAnalysisFactory(call=call, objections=["timing"], analyzed_at=moment + timedelta(hours=1))
    CallAnalysisFactory(call=call, objections=["trust"], analyzed_at=moment + timedelta(hours=1))
    answer = csr_api.get(OBJECTIONS, {"start_date": "2026-03-02", "end_date": "2026-03-02"}).json()
    assert [row["label"] for row in answer["objections"]] == ["trust"]
    assert answer["calls_with_objections"] == 1


@pytest.mark.parametrize("limit", ["0", "21", "x"])
def test_limit_of_objections_is_bounded(limit, csr_api):
    assert "limit" in errors_of(csr_api.get(OBJECTIONS, {"limit": limit}))


@pytest.mark.parametrize(("url", "statements"), [(METRICS, 2), (BOOKING_RATE, 3), (OBJECTIONS, 2)])
def test_metrics_run_the_same_statements_for_one_call_and_for_three(url, statements, csr_api, acme):
    for calls in (1, 2):
        for _ in range(calls):
            call = make_call(acme, qualified=True, created_at=now())
            CallAnalysisFactory(call=call)
            AppointmentFactory(contact=call.contact, call=call, scheduled_start=now())
        with CountQueries() as queries:
            assert csr_api.get(url).status_code == 200
        assert len(queries) == statements


def test_dashboard_calls_filter_by_status_days_and_rep(csr_api, acme, rep):
    wanted = make_call(acme, status="missed", created_at=at("2026-03-02 18:00"), assigned_rep=rep)
    make_call(acme, status="missed", created_at=at("2026-03-04 18:00"), assigned_rep=rep)
    make_call(acme, status="missed", created_at=at("2026-03-02 18:00"))
    make_call(acme, status="unbooked", created_at=at("2026-03-02 18:00"), assigned_rep=rep)
    parameters = {
        "status": "missed",
        "start_date": "2026-03-02",
        "end_date": date(2026, 3, 3).isoformat(),
        "assigned_rep": rep.pk,
    }
    assert [row["id"] for row in csr_api.get("/api/v1/dashboard/calls", parameters).json()["results"]] == [wanted.pk]


def test_rep_sees_only_assigned_calls(rep_api, rep, acme):
    own = make_call(acme, assigned_rep=rep)
    foreign = make_call(acme)
    for route in ("calls", "dashboard/calls"):
        assert [row["id"] for row in rep_api.get(f"/api/v1/{route}").json()["results"]] == [own.pk]
    assert rep_api.get(f"/api/v1/calls/{foreign.pk}").status_code == 404


@pytest.mark.parametrize("objections", ["price", ["a\x00b"], [""], [["price"]], [None], {"price": 1}])
def test_objections_that_are_not_labels_are_rejected(objections, manager_api, acme):
    body = {"call": make_call(acme).pk, "objections": objections}
    response = manager_api.post("/api/v1/call-analyses", body)
    assert response.status_code == 400
    [named] = errors_of(response)
    assert named.partition(".")[0] == "objections"
