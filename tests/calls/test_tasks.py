"""Tasks: made from calls and contacts, listed by their due time, done and taken up again."""

from datetime import UTC, datetime, timedelta

import pytest

from tests import factories
from tests.conftest import signed_in
from tests.errors import errors_of

URL = "/api/v1/tasks"
NOW = datetime(2026, 3, 3, 1, tzinfo=UTC)  # the evening of March 2 in Denver
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    for name in ("calls.querysets.timezone.now", "crm.date_ranges.now"):
        monkeypatch.setattr(name, lambda: NOW)


def titles(answer):
    return [row["title"] for row in answer.json()["results"]]


def test_task_of_a_call_is_about_its_contact(csr_api, csr, acme):
    call = factories.CallFactory(contact__company=acme)
    made = csr_api.post(URL, {"title": "Call back", "call": call.pk, "due_at": "2026-03-04T16:00:00Z"}).json()
    assert (made["contact"], made["contact_summary"]["id"], made["call"]) == (call.contact_id, call.contact_id, call.pk)
    assert (made["created_by"], made["assignee"], made["done_at"]) == (csr.pk, None, None)


def test_call_of_another_contact_is_refused(csr_api, acme):
    call, contact = factories.CallFactory(contact__company=acme), factories.ContactFactory(company=acme)
    body = {"title": "Call back", "call": call.pk, "contact": contact.pk, "due_at": "2026-03-04T16:00:00Z"}
    answer = csr_api.post(URL, body)
    assert (answer.status_code, [*errors_of(answer)]) == (400, ["call"])


def test_task_needs_a_title_and_no_contact(csr_api):
    due = {"due_at": "2026-03-04T16:00:00Z"}
    assert [*errors_of(csr_api.post(URL, {"title": " ", **due}))] == ["title"]
    assert csr_api.post(URL, {"title": "Order letterheads", **due}).status_code == 201


def test_due_tasks_are_open_and_of_the_companys_day(csr_api, acme):
    acme.timezone = "America/Denver"
    acme.save()
    for title, hours in (("overdue", -1), ("tonight", 5), ("tomorrow", 7)):
        factories.TaskFactory(contact__company=acme, title=title, due_at=NOW + hours * HOUR)
        factories.TaskFactory(contact__company=acme, title="done", due_at=NOW + hours * HOUR, done_at=NOW)
    for due, found in (("overdue", ["overdue"]), ("today", ["tonight"]), ("later", ["tomorrow"])):
        assert titles(csr_api.get(f"{URL}?due={due}")) == found
    assert titles(csr_api.get(f"{URL}?due=today&due=overdue&order=oldest")) == ["overdue", "tonight"]
    assert len(titles(csr_api.get(f"{URL}?done=true"))) == 3


def test_task_is_done_and_taken_up_again(csr_api, acme):
    url = f"{URL}/{factories.TaskFactory(contact__company=acme).pk}"
    done = csr_api.post(f"{url}/done").json()["done_at"]
    assert done == csr_api.post(f"{url}/done").json()["done_at"] is not None
    assert csr_api.post(f"{url}/reopen").json()["done_at"] is None


def test_rep_sees_own_tasks_alone_and_marks_them_as_done(rep, csr, acme):
    own, _ = (factories.TaskFactory(contact__company=acme, title=who.username, assignee=who) for who in (rep, csr))
    api = signed_in(rep)
    assert titles(api.get(URL)) == [rep.username]
    assert api.post(f"{URL}/{own.pk}/done").status_code == 200
    assert api.patch(f"{URL}/{own.pk}", {"title": "Another"}).status_code == 403


def test_notice_counts_overdue_tasks_of_the_user_and_of_nobody(csr_api, csr, manager, acme):
    for who in (csr, manager, None):
        factories.TaskFactory(contact__company=acme, assignee=who, due_at=NOW - HOUR)
        factories.TaskFactory(contact__company=acme, assignee=who, due_at=NOW + HOUR)
    [notice] = [each for each in csr_api.get("/api/v1/notices").json()["notices"] if each["kind"] == "tasks_overdue"]
    assert notice["count"] == 2
    assert len(titles(csr_api.get(notice["url"]))) == 2


def test_notice_of_a_rep_counts_own_overdue_tasks_alone(rep, csr, acme):
    for who in (rep, csr, None):
        factories.TaskFactory(contact__company=acme, assignee=who, due_at=NOW - HOUR)
    factories.OptOutFactory(company=acme, state="under_review")  # nothing that a rep can solve
    api = signed_in(rep)
    [notice] = api.get("/api/v1/notices").json()["notices"]
    assert (notice["kind"], notice["count"]) == ("tasks_overdue", 1)
    assert len(titles(api.get(notice["url"]))) == 1


def test_card_shows_the_first_open_tasks(csr_api, csr, acme):
    contact = factories.ContactFactory(company=acme)
    for hours in (9, 1, 5, 3, 7, 11):
        factories.TaskFactory(contact=contact, title=f"in {hours}", assignee=csr, due_at=NOW + hours * HOUR)
    factories.TaskFactory(contact=contact, done_at=NOW)
    factories.AppointmentFactory(contact=contact, scheduled_start=NOW - HOUR)
    card = csr_api.get(f"/api/v1/contacts/{contact.pk}/card").json()
    assert [task["title"] for task in card["open_tasks"]] == ["in 1", "in 3", "in 5", "in 7", "in 9"]
    assert card["open_tasks"][0]["assignee_name"] == csr.username
    assert card["last_appointment"]["status"] == "scheduled"


def test_tasks_follow_a_merge(csr_api, acme):
    kept, gone = (factories.ContactFactory(company=acme) for _ in range(2))
    task = factories.TaskFactory(contact=gone)
    assert csr_api.post(f"/api/v1/contacts/{kept.pk}/merge", {"other": gone.pk}).status_code == 200
    assert csr_api.get(f"{URL}/{task.pk}").json()["contact"] == kept.pk


def test_task_may_be_given_to_a_rep(csr_api, rep, acme):
    url = f"{URL}/{factories.TaskFactory(contact__company=acme).pk}"
    assert csr_api.patch(url, {"assignee": rep.pk}).json()["assignee_name"] == rep.username
