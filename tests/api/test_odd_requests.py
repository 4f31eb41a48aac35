"""Malformed requests."""

from datetime import UTC, datetime
from functools import partial

import pytest
from rest_framework.serializers import DateTimeField

from calls.models import Appointment, Call
from crm.db.tenancy import tenant
from crm.error_codes import ErrorCode
from tests.api.resources import writing_viewsets
from tests.conftest import signed_in
from tests.errors import detail_of, errors_of
from tests.factories import (
    AppointmentFactory,
    CallFactory,
    ContactFactory,
    ConversationFactory,
    MessageFactory,
    UserFactory,
)


@pytest.mark.parametrize(
    ("route", "body", "named"),
    [
        ("contacts", {"phone": 2125550123}, "phone"),
        ("contacts", {"phone": "+12125550123", "first_name": 0}, "first_name"),
        ("calls", {"contact": "1"}, "contact"),
        ("calls", {"contact": 1.5}, "contact"),
        ("calls", {"contact": True}, "contact"),
        ("calls", {"duration_s": "60"}, "duration_s"),
        ("calls", {"duration_s": 2**31}, "duration_s"),
        ("calls", {"quoted_price": True}, "quoted_price"),
        ("calls", {"status": ["missed"]}, "status"),
        ("users", {"username": "rita", "role": "rep", "password": "rain-gutter-43", "is_active": "yes"}, "is_active"),
    ],
)
def test_wrong_json_type_is_rejected_by_field(route, body, named, manager_api):
    response = manager_api.post(f"/api/v1/{route}", body)
    assert response.status_code == 400
    assert list(errors_of(response)) == [named]


def test_objection_that_is_not_a_string_is_rejected(manager_api, acme):
    call = CallFactory(contact=ContactFactory(company=acme))
    response = manager_api.post("/api/v1/call-analyses", {"call": call.pk, "objections": ["price", 1]})
    assert response.status_code == 400
    assert errors_of(response) == {"objections": ["Must be a string."]}


@pytest.mark.parametrize(
    ("fields", "message"), [(["first_name"], "Must be an object."), ({"first_name": 5}, "Must be a string.")]
)
def test_merge_choices_of_the_wrong_json_type_are_rejected(manager_api, acme, fields, message):
    kept, gone = ContactFactory.create_batch(2, company=acme)
    response = manager_api.post(f"/api/v1/contacts/{kept.pk}/merge", {"other": gone.pk, "fields": fields})
    assert (response.status_code, errors_of(response)) == (400, {"fields": [message]})


def test_infinite_id_is_rejected(manager_api, acme):
    """`1e400` is parsed as infinity."""
    response = manager_api.generic("POST", "/api/v1/leads", '{"contact": 1e400}', content_type="application/json")
    assert response.status_code == 400
    assert list(errors_of(response)) == ["contact"]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("0001-01-01T00:00:00Z", "0001-01-01T01:00:00Z"),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T01:00:00+14:00"),
        ("9999-12-31T22:00:00Z", "9999-12-31T23:59:59Z"),
    ],
)
@pytest.mark.parametrize("timezone", ["America/Denver", "Pacific/Auckland"])
def test_time_outside_the_supported_years_is_rejected(start, end, timezone, manager_api, acme):
    """Its local date would be outside of Python's years, and lists with it would fail."""
    acme.timezone = timezone
    acme.save()
    appointment = AppointmentFactory(contact=ContactFactory(company=acme))
    body = {"contact": appointment.contact_id, "scheduled_start": start, "scheduled_end": end}
    response = manager_api.post("/api/v1/appointments", body)
    assert response.status_code == 400
    assert set(errors_of(response)) == {"scheduled_start", "scheduled_end"}
    assert "created_at" in errors_of(manager_api.post("/api/v1/calls", {"created_at": start}))
    assert manager_api.get("/api/v1/appointments").status_code == 200
    with tenant(acme.pk):
        assert list(Appointment.objects.all()) == [appointment]
        assert not Call.objects.exists()


def writable_times():
    """Return the route and the name of each time that a client can send."""
    return [
        (view.resource, name)
        for view in writing_viewsets()
        for name, field in view.serializer_class().fields.items()
        if isinstance(field, DateTimeField) and not field.read_only
    ]


LATER = datetime(2026, 3, 2, tzinfo=UTC)
CHANGED_ONLY = {
    "conversations": ConversationFactory,
    "messages": partial(
        MessageFactory, direction="outgoing", status="queued", kind="scheduled", run_at=LATER, send_at=LATER
    ),
}


@pytest.mark.parametrize(
    "time", ["2026-03-02", "2026-03-02T16:00:00", "2026-03-02 16:00", "2026-W10-1T16:00", 1772467200]
)
@pytest.mark.parametrize(("route", "field"), writable_times())
def test_time_without_an_offset_is_rejected_by_field(route, field, time, manager_api, acme):
    if route in CHANGED_ONLY:
        row = CHANGED_ONLY[route](contact=ContactFactory(company=acme))
        response = manager_api.patch(f"/api/v1/{route}/{row.pk}", {field: time})
    else:
        response = manager_api.post(f"/api/v1/{route}", {field: time})
    assert response.status_code == 400
    assert "with its offset" in errors_of(response)[field][0]


def test_offset_of_a_time_is_honoured(manager_api, acme):
    body = {"contact": ContactFactory(company=acme).pk, "scheduled_end": "2026-03-02T17:00:00Z"}
    answer = manager_api.post("/api/v1/appointments", body | {"scheduled_start": "2026-03-02T21:30:00+05:30"}).json()
    assert answer["scheduled_start"] == "2026-03-02T16:00:00Z"
    assert (answer["date"], answer["time"]) == ("2026-03-02", "09:00:00")


def test_day_outside_the_supported_years_is_rejected(manager_api, acme):
    body = {"contact": ContactFactory(company=acme).pk, "number": "1", "amount": "1.00", "due_date": "9999-12-31"}
    response = manager_api.post("/api/v1/invoices", body)
    assert response.status_code == 400
    assert list(errors_of(response)) == ["due_date"]


@pytest.mark.parametrize("body", ["", "{", "\x00", "[" * 10, '{"\\ud800": 1}', '{"status": "\\ud800"}', b"\xff\xfe"])
def test_body_that_is_not_unicode_json_is_a_bad_request(body, manager_api):
    response = manager_api.generic("POST", "/api/v1/calls", body, content_type="application/json")
    body = body.decode(errors="replace") if isinstance(body, bytes) else body
    if body == "":  # an empty body is a valid, empty call
        assert response.status_code == 201
    else:
        assert response.status_code == 400
        assert list(errors_of(response)) == ["status" if "status" in body else None]


@pytest.mark.parametrize("body", ["[]", "[{}]", "1", '"text"', "null"])
def test_body_that_is_not_an_object_is_a_bad_request(body, manager_api):
    response = manager_api.generic("POST", "/api/v1/contacts", body, content_type="application/json")
    assert response.status_code == 400


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "multipart/form-data; boundary=x"])
def test_body_of_another_content_type_is_unsupported(content_type, manager_api):
    response = manager_api.generic("POST", "/api/v1/contacts", "phone=1", content_type=content_type)
    assert response.status_code == 415


@pytest.mark.parametrize("method", ["TRACE", "QUERY", "PUT", "DELETE"])
def test_unsupported_method_is_a_405_regardless_of_parameters(method, manager_api):
    response = manager_api.generic(method, "/api/v1/contacts?limit=0&nonsense=1")
    assert response.status_code == 405
    assert response["Allow"] == "GET, POST, HEAD, OPTIONS"


@pytest.mark.parametrize("path", ["/api/v1/contacts/-1", "/api/v1/contacts/", "/api/v1/nonsense", "/api/v2/contacts"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unknown_route_is_answered_in_json(path, method, db):
    response = signed_in(UserFactory()).generic(method, path)
    assert response.status_code == 404
    assert detail_of(response) == ErrorCode.NOT_FOUND.detail
