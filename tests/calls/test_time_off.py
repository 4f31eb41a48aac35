"""Time off of reps: entered by managers for everybody and by reps for themselves, read by all but other reps."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.conftest import signed_in
from tests.errors import code_of, errors_of
from tests.factories import TimeOffFactory, UserFactory

URL = "/api/v1/time-off"
DAY = {"starts_at": "2026-05-04T06:00:00Z", "ends_at": "2026-05-05T06:00:00Z"}


@pytest.fixture
def colleague(acme):
    return UserFactory(company=acme, role="rep", first_name="Kim", last_name="Field")


def test_manager_enters_time_off_of_a_rep(manager_api, colleague):
    made = manager_api.post(URL, {"rep": colleague.pk, "reason": "Holiday", **DAY}).json()
    assert (made["rep"], made["rep_name"], made["reason"]) == (colleague.pk, "Kim Field", "Holiday")
    assert manager_api.get(f"{URL}?rep={colleague.pk}").json()["results"] == [made]
    assert manager_api.delete(f"{URL}/{made['id']}").status_code == 204


def test_manager_must_name_an_active_rep(manager_api, manager, acme):
    assert code_of(manager_api.post(URL, DAY)) == "required"
    for wrong in (manager, UserFactory(company=acme, role="rep", is_active=False), UserFactory(role="rep")):
        answer = manager_api.post(URL, {"rep": wrong.pk, **DAY})
        assert (answer.status_code, errors_of(answer)) == (400, {"rep": ["Must be an active Rep of your company."]})


def test_rep_enters_own_time_off_alone(rep, rep_api, colleague):
    assert rep_api.post(URL, DAY).json()["rep"] == rep.pk
    refused = rep_api.post(URL, {"rep": colleague.pk, **DAY})
    assert (refused.status_code, code_of(refused)) == (400, "field_forbidden")
    others = TimeOffFactory(rep=colleague, company=colleague.company)
    assert len(rep_api.get(URL).json()["results"]) == 1
    assert rep_api.patch(f"{URL}/{others.pk}", {"reason": "x"}).status_code == 404
    assert rep_api.delete(f"{URL}/{others.pk}").status_code == 404


def test_csr_reads_time_off_and_changes_none(csr_api, colleague):
    off = TimeOffFactory(rep=colleague, company=colleague.company)
    assert csr_api.get(f"{URL}/{off.pk}").json()["rep_name"] == "Kim Field"
    assert csr_api.post(URL, {"rep": colleague.pk, **DAY}).status_code == 403
    assert csr_api.delete(f"{URL}/{off.pk}").status_code == 403


@pytest.mark.parametrize("ends_at", ["2026-05-04T06:00:00Z", "2026-05-03T06:00:00Z", "2027-05-06T06:00:00Z"])
def test_time_off_ends_after_it_starts_and_within_a_year(manager_api, colleague, ends_at):
    answer = manager_api.post(URL, {"rep": colleague.pk, "starts_at": DAY["starts_at"], "ends_at": ends_at})
    assert answer.status_code == 400
    assert "must end" in answer.content.decode()


def test_time_off_stays_with_its_rep(manager_api, rep, colleague):
    off = TimeOffFactory(rep=colleague, company=colleague.company)
    assert code_of(manager_api.patch(f"{URL}/{off.pk}", {"rep": rep.pk})) == "fixed"


def test_rep_has_own_working_hours(manager_api, rep):
    url = f"/api/v1/users/{rep.pk}"
    assert manager_api.get(url).json()["working_hours"] is None
    hours = {"monday": {"opens": "10:00", "closes": "14:00"}}
    assert manager_api.patch(url, {"working_hours": hours}).json()["working_hours"]["monday"] == hours["monday"]
    answer = manager_api.patch(url, {"working_hours": {"monday": {"opens": "10:00"}}})
    assert [*errors_of(answer)] == ["working_hours.monday.closes"]
    assert signed_in(rep).get("/api/v1/me").status_code == 200


@pytest.mark.parametrize(
    ("hours", "touches"), [((-48, -24), False), ((-48, -23), True), ((1, 2), True), ((24, 30), False)]
)
def test_time_off_is_within_a_day_that_it_touches(acme, colleague, hours, touches, in_acme):
    day = datetime(2026, 5, 4, tzinfo=UTC)
    start, end = (day + timedelta(hours=each) for each in hours)
    off = TimeOffFactory(rep=colleague, company=acme, starts_at=start, ends_at=end)
    found = type(off).objects.within(day - timedelta(hours=24), day + timedelta(hours=24))
    assert found.exists() is touches
