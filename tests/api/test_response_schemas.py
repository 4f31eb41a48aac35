"""Every answer to a GET has exactly the fields and types that the OpenAPI document publishes."""

from datetime import UTC, datetime

import pytest

from tests.api.response_schema import differences, document
from tests.conftest import signed_in
from tests.errors import errors_of
from tests.factories import (
    ActivityFactory,
    ApiTokenFactory,
    AppointmentFactory,
    AppointmentProposalFactory,
    BackgroundTaskFactory,
    CalendarFeedFactory,
    ContactFactory,
    HeldMessageFactory,
    OptOutEntryFactory,
    OptOutFactory,
    OutgoingEventFactory,
    PhoneLineFactory,
    TaskFactory,
    TimeOffFactory,
    UserFactory,
)
from tests.fuzz.fixture import make_company_rows


@pytest.fixture
def rows(acme, rep):
    make_company_rows(acme, rows=2, assigned_rep=rep)
    opt_out = OptOutFactory(company=acme)
    for action in ("opted_out", "opted_in"):
        OptOutEntryFactory(opt_out=opt_out, action=action)
    ActivityFactory(company=acme, contact=None, activity_type="call", direction="incoming")  # of a withheld number
    PhoneLineFactory(company=acme, name="")  # a notice
    HeldMessageFactory(contact__company=acme)
    ApiTokenFactory(company=acme)
    OutgoingEventFactory(company=acme)
    TaskFactory(contact__company=acme, assignee=rep)
    TimeOffFactory(company=acme, rep=rep)
    later = datetime(2026, 4, 2, 16, tzinfo=UTC)
    appointment = AppointmentFactory(contact__company=acme, assigned_rep=rep, scheduled_start=later)
    AppointmentProposalFactory(appointment=appointment, created_by=rep)


def requests_of(api):
    """Yield each route with GET and an answer of it, those of a row for the first row of its list."""
    answers = {path: each["get"]["responses"]["200"] for path, each in document()["paths"].items() if "get" in each}
    routes = [path for path, answer in answers.items() if "application/json" in answer["content"]]  # others are files
    assert len(routes) > 40
    for path in routes:
        parent, parameter, rest = path.partition("/{")
        if not parameter:
            yield path, api.get(path)
            continue
        listed = "/api/v1/contacts" if parent.endswith("message-threads") else parent
        for row in api.get(listed).json().get("results", []):  # none if forbidden
            url = f"{parent}/{row['id']}{rest.partition('}')[2]}"
            if not url.endswith("/{id}"):
                yield path, api.get(url)
                continue
            for each in api.get(url.removesuffix("/{id}")).json()["results"]:
                yield path, api.get(url.replace("{id}", str(each["id"])))


@pytest.mark.slow
@pytest.mark.parametrize("role", ["manager", "csr", "rep"])
def test_answers_match_the_published_schema(role, rows, rep, acme):
    user = rep if role == "rep" else UserFactory(company=acme, role=role)
    BackgroundTaskFactory(company=acme, requested_by=user)
    CalendarFeedFactory(company=acme, user=user)
    api = signed_in(user)
    found, answered, filled = {}, set(), set()
    for path, answer in requests_of(api):
        if answer.status_code == 403:
            continue
        assert answer.status_code == 200, (path, answer.content)
        answered.add(path)
        body = answer.json()
        if body.get("results") != []:
            filled.add(path)
        if problems := differences(path, body):
            found[path] = problems
    assert found == {}
    assert answered - filled == {"/api/v1/changes"}  # the first answer is a cursor
    assert len(answered) > (40 if role == "manager" else 15)


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (lambda row: row.pop("entries"), "'entries' is a required property"),
        (lambda row: row.update(nonsense=1), "'nonsense' was unexpected"),
        (lambda row: row.update(id="7"), "is not of type 'integer'"),
    ],
)
def test_difference_is_found(change, difference, rows, manager_api):
    answer = manager_api.get("/api/v1/opt-outs").json()
    assert differences("/api/v1/opt-outs", answer) == []
    change(answer["results"][0])
    assert difference in differences("/api/v1/opt-outs", answer)[0]


def test_opt_outs_show_their_entries_in_order(rows, manager_api):
    [opt_out] = manager_api.get("/api/v1/opt-outs").json()["results"]
    assert [entry["action"] for entry in opt_out["entries"]] == ["opted_out", "opted_in"]
    assert opt_out == manager_api.get(f"/api/v1/opt-outs/{opt_out['id']}").json()


def test_range_that_ends_before_it_starts_is_rejected_by_every_route(manager_api, acme):
    contact = ContactFactory(company=acme)
    routes = [
        path.replace("{contact_card_id}", str(contact.pk)).replace("{contact}", str(contact.pk))
        for path, methods in document()["paths"].items()
        if {"start_date", "end_date"} <= {each["name"] for each in methods.get("get", {}).get("parameters", ())}
    ]
    assert len(routes) >= 7
    for route in routes:
        response = manager_api.get(route, {"start_date": "2026-03-02", "end_date": "2026-03-01"})
        assert (route, response.status_code, list(errors_of(response))) == (route, 400, ["start_date"])
        day = {"start_date": "2026-03-02", "end_date": "2026-03-02"}
        assert (route, manager_api.get(route, day).status_code) == (route, 200)
