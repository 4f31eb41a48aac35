"""Bodies whose fields would be ignored."""

import pytest
from django.core.management import call_command
from rest_framework import serializers
from rest_framework.test import APIClient

from tests.api.resources import RESOURCES, read_only_fields, writing_viewsets
from tests.api.role_fixture import CHANGES
from tests.api.role_spec import ROUTES
from tests.api.test_every_list import make_row
from tests.conftest import signed_in
from tests.errors import errors_of
from tests.factories import PASSWORD, OptOutEntryFactory, PhoneLineFactory, WebhookEventFactory

WITHIN_CONTACT = {"contacts/phones", "message-threads"}
ONLY_CHANGED = {"conversations", "messages"}  # nobody creates them there
WRITING = [view.resource for view in writing_viewsets() if view.resource not in WITHIN_CONTACT]
READ_ONLY = [(route, name) for route in WRITING for name in sorted(read_only_fields(route))]


def test_every_computed_field_is_read_only():
    computed = [
        ("contacts", "phones"), ("appointments", "timezone"), ("appointments", "date"), ("appointments", "time"),
        ("appointments", "lead"), ("calls", "booked"), ("conversations", "unread"), ("users", "date_joined"),
        ("contact-flags", "review_state"), ("phone-lines", "paused_until"),
    ]  # fmt: skip
    assert set(computed) <= set(READ_ONLY)


@pytest.mark.parametrize(("route", "name"), [(route, name) for route, name in READ_ONLY if route not in ONLY_CHANGED])
def test_read_only_field_of_a_new_row_is_named(route, name, manager_api):
    response = manager_api.post(f"/api/v1/{route}", {name: "x"})
    assert response.status_code == 400
    assert errors_of(response) == {name: ["This field is read-only; leave it out."]}


@pytest.mark.parametrize("resource", [r for r in RESOURCES if r.route in CHANGES], ids=str)
def test_change_with_read_only_fields_names_them_and_changes_nothing(resource, manager_api, acme):
    row = make_row(resource, acme)
    url = f"{resource.url}/{row.pk}"
    before = manager_api.get(url).json()
    read_only = {name: before[name] for name in read_only_fields(resource.route)}  # even the value that it has
    response = manager_api.patch(url, CHANGES[resource.route] | read_only)
    assert response.status_code == 400
    assert set(errors_of(response)) == set(read_only)
    assert manager_api.get(url).json() == before


@pytest.mark.parametrize("name", ["id", "slug", "created_at", "updated_at"])
def test_read_only_setting_of_the_company_is_named(name, manager_api, acme):
    response = manager_api.patch("/api/v1/company", {name: "x", "name": "Acme"})
    assert response.status_code == 400
    assert list(errors_of(response)) == [name]


@pytest.mark.parametrize(("body", "named"), [({"state": "opted_out"}, "state"), ([1], "non_field_errors")])
def test_body_of_an_action_without_fields_is_rejected(body, named, manager_api, acme):
    opt_out = OptOutEntryFactory(opt_out__company=acme, opt_out__state="under_review", action="suspected").opt_out
    event = WebhookEventFactory(company=acme, status="dead")
    paths = [
        f"opt-outs/{opt_out.pk}/confirm",
        f"opt-outs/{opt_out.pk}/dismiss",
        f"webhook-events/{event.pk}/replay",
        f"phone-lines/{PhoneLineFactory(company=acme).pk}/resume",
    ]
    answers = {path: manager_api.post(f"/api/v1/{path}", body) for path in paths}
    assert {(answer.status_code, *errors_of(answer)) for answer in answers.values()} == {(400, named)}
    opt_out.refresh_from_db()
    assert opt_out.state == "under_review"
    assert manager_api.post(f"/api/v1/{paths[0]}", {}).status_code == 200


@pytest.mark.parametrize("user", ["manager", "rep", "staff"])
@pytest.mark.parametrize("route", [route for route in ROUTES if not route.path.startswith("auth/")], ids=str)
def test_put_is_not_allowed_anywhere(route, user, request):
    path = route.path.replace("<pk>", "1").replace("<contact_card_id>", "1").replace("<contact>", "1")
    response = signed_in(request.getfixturevalue(user)).put(f"/api/v1/{path}", {})
    assert response.status_code == 405
    assert "PUT" not in response["Allow"]


@pytest.mark.parametrize("route", ["auth/token", "auth/token/refresh", "auth/sign-out"])
def test_unknown_field_of_an_auth_body_is_named(route, csr):
    tokens = APIClient().post("/api/v1/auth/token", {"username": csr.username, "password": PASSWORD}).json()
    bodies = {"auth/token": {"username": csr.username, "password": PASSWORD}}
    body = bodies.get(route, {"refresh": tokens["refresh"]}) | {"remember_me": True}
    response = APIClient().post(f"/api/v1/{route}", body)
    assert (response.status_code, errors_of(response)) == (400, {"remember_me": ["Unknown field."]})
    assert APIClient().post("/api/v1/auth/sign-out", {"refresh": tokens["refresh"]}).status_code == 204


@pytest.mark.parametrize("route", ["auth/token", "auth/token/refresh", "auth/sign-out"])
def test_auth_field_of_another_json_type_is_named(route, db):
    name = "username" if route == "auth/token" else "refresh"
    response = APIClient().post(f"/api/v1/{route}", {name: 5, "password": "x"} if name == "username" else {name: 5})
    assert (response.status_code, errors_of(response)) == (400, {name: ["Must be a string."]})


TIMES = sorted(
    {
        (view.resource, name)
        for view in writing_viewsets()
        if view.resource not in ONLY_CHANGED
        for name, field in view.serializer_class().fields.items()
        if isinstance(field, serializers.DateField | serializers.DateTimeField | serializers.TimeField)
        and not field.read_only
    }
)
WRONG_TIMES = [
    "2026-1-1", "20260101", "2026-W01-1", "0999-12-31", "1969-12-31", "2101-01-01", "٢٠٢٦-٠١-٠١", "２０２６-01-01",
    "0999-12-31T00:00:00Z", "2101-01-01T00:00:00Z", "٢٠٢٦-٠١-٠١T00:00:00Z", 20260101,
]  # fmt: skip


def test_every_time_that_a_client_may_send_is_known():
    assert TIMES == [
        ("api-tokens", "expires_at"),
        ("appointment-proposals", "scheduled_end"),
        ("appointment-proposals", "scheduled_start"),
        ("appointments", "scheduled_end"),
        ("appointments", "scheduled_start"),
        ("call-analyses", "analyzed_at"),
        ("calls", "answered_at"),
        ("calls", "completed_at"),
        ("calls", "created_at"),
        ("campaigns", "scheduled_at"),
        ("contact-flags", "expires_at"),
        ("invoices", "due_date"),
        ("marketing-consents", "given_at"),
        ("tasks", "due_at"),
        ("time-off", "ends_at"),
        ("time-off", "starts_at"),
    ]


@pytest.mark.parametrize("value", WRONG_TIMES)
@pytest.mark.parametrize(("route", "name"), TIMES)
def test_time_out_of_range_or_in_another_form_is_named(route, name, value, manager_api):
    response = manager_api.post(f"/api/v1/{route}", {name: value})
    assert response.status_code == 400
    assert errors_of(response)[name][0].startswith("Must be a ")


@pytest.mark.parametrize("day", ["2026-1-1", "20260101", "2026-W01-1", "1969-12-31", "2101-01-01"])
@pytest.mark.parametrize(
    ("path", "name"),
    [("calls", "start_date"), ("calls", "end_date"), ("appointments", "date"), ("dashboard/metrics", "start_date")],
)
def test_day_of_a_filter_in_another_form_is_named(path, name, day, manager_api):
    response = manager_api.get(f"/api/v1/{path}", {name: day})
    assert response.status_code == 400
    assert list(errors_of(response)) == [name]
    assert errors_of(response)[name][0].startswith("Must be a day ")


def test_openapi_document_has_no_put(db, tmp_path):
    file = tmp_path / "schema.yml"
    call_command("spectacular", file=str(file))
    assert "patch:" in file.read_text()
    assert "put:" not in file.read_text()
