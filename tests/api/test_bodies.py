"""Bodies whose fields would be ignored."""

import pytest
from django.core.management import call_command

from tests.api.resources import RESOURCES, read_only_fields, writing_viewsets
from tests.api.role_fixture import CHANGES
from tests.api.role_spec import METHODS, ROUTES
from tests.api.test_every_list import make_row
from tests.factories import OptOutEntryFactory, PhoneLineFactory, WebhookEventFactory

WRITING = [view.resource for view in writing_viewsets() if view.resource != "message-threads"]
READ_ONLY = [(route, name) for route in WRITING for name in sorted(read_only_fields(route))]


def test_every_computed_field_is_read_only():
    computed = [
        ("contacts", "phones"), ("appointments", "timezone"), ("appointments", "date"), ("appointments", "time"),
        ("appointments", "lead"), ("calls", "booked"), ("conversations", "unread"), ("users", "date_joined"),
        ("contact-flags", "review_state"), ("phone-lines", "paused_until"),
    ]  # fmt: skip
    assert set(computed) <= set(READ_ONLY)


@pytest.mark.parametrize(("route", "name"), [(route, name) for route, name in READ_ONLY if route != "conversations"])
def test_read_only_field_of_a_new_row_is_named(route, name, manager_api):
    response = manager_api.post(f"/api/v1/{route}", {name: "x"})
    assert response.status_code == 400
    assert response.json() == {name: ["This field is read-only; leave it out."]}


@pytest.mark.parametrize("resource", [r for r in RESOURCES if r.route in CHANGES], ids=str)
def test_change_with_read_only_fields_names_them_and_changes_nothing(resource, manager_api, acme):
    row = make_row(resource, acme)
    url = f"{resource.url}/{row.pk}"
    before = manager_api.get(url).json()
    read_only = {name: before[name] for name in read_only_fields(resource.route)}  # even the value that it has
    response = manager_api.patch(url, CHANGES[resource.route] | read_only)
    assert response.status_code == 400
    assert set(response.json()) == set(read_only)
    assert manager_api.get(url).json() == before


@pytest.mark.parametrize("name", ["id", "slug", "timezone", "currency", "created_at"])
def test_read_only_setting_of_the_company_is_named(name, manager_api, acme):
    response = manager_api.patch("/api/v1/company", {name: "x", "name": "Acme"})
    assert response.status_code == 400
    assert list(response.json()) == [name]


@pytest.mark.parametrize(("body", "named"), [({"state": "opted_out"}, "state"), ([1], "detail")])
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
    assert {(answer.status_code, *answer.json()) for answer in answers.values()} == {(400, named)}
    opt_out.refresh_from_db()
    assert opt_out.state == "under_review"
    assert manager_api.post(f"/api/v1/{paths[0]}", {}).status_code == 200


@pytest.mark.parametrize("route", [route for route in ROUTES if not route.path.startswith("auth/")], ids=str)
def test_put_is_not_allowed_anywhere(route, manager_api):
    assert "PUT" in METHODS  # the role matrix asks as every other caller
    path = route.path.replace("<pk>", "1").replace("<contact_card_id>", "1")
    response = manager_api.put(f"/api/v1/{path}", {})
    assert response.status_code == 405
    assert "PUT" not in response["Allow"]


def test_openapi_document_has_no_put(db, tmp_path):
    file = tmp_path / "schema.yml"
    call_command("spectacular", file=str(file))
    assert "patch:" in file.read_text()
    assert "put:" not in file.read_text()
