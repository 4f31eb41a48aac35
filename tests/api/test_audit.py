"""The list of audit entries."""

from datetime import UTC, datetime

import pytest

from tests.conftest import signed_in
from tests.factories import AuditEntryFactory, ContactFactory, WebhookEventFactory

URL = "/api/v1/audit"
pytestmark = pytest.mark.django_db


@pytest.fixture
def results(manager_api):
    def read(**parameters):
        response = manager_api.get(URL, parameters)
        assert response.status_code == 200, response.content
        return response.json()["results"]

    return read


def test_change_of_a_row_is_listed_by_the_object_with_its_author(results, csr, acme):
    contact, other = (ContactFactory(company=acme, first_name="Casey") for _ in range(2))
    for each in (contact, other):
        assert signed_in(csr).patch(f"/api/v1/contacts/{each.pk}", {"first_name": "Kacey"}).status_code == 200
    changed, created = results(resource="contacts", object=contact.pk)
    assert created["action"] == "insert"
    assert changed == {
        "id": changed["id"], "resource": "contacts", "object": contact.pk, "action": "update",
        "changes": {"first_name": ["Casey", "Kacey"]}, "user": csr.pk, "user_name": "carla", "at": changed["at"],
    }  # fmt: skip


def test_entries_are_listed_by_person_and_day_newest_first(results, manager, csr, acme):
    days = [datetime(2026, 3, day, 12, tzinfo=UTC) for day in (1, 2, 3)]
    mine = [AuditEntryFactory(company=acme, actor_id=csr.pk, at=day).pk for day in days]
    AuditEntryFactory(company=acme, actor_id=manager.pk, at=days[1])
    assert [each["id"] for each in results(user=csr.pk)] == mine[::-1]
    assert [each["id"] for each in results(user=csr.pk, start_date="2026-03-02", end_date="2026-03-02")] == [mine[1]]


def test_merge_export_and_replay_name_who_did_it(results, manager, manager_api, csr, acme):
    kept, gone = (ContactFactory(company=acme) for _ in range(2))
    assert signed_in(csr).post(f"/api/v1/contacts/{kept.pk}/merge", {"other": gone.pk}).status_code == 200
    b"".join(manager_api.get("/api/v1/contacts/export"))
    event = WebhookEventFactory(company=acme, status="dead")
    assert manager_api.post(f"/api/v1/webhook-events/{event.pk}/replay").status_code == 202
    [merged] = [each for each in results(resource="merges") if each["action"] == "insert"]
    assert merged["user_name"] == "carla"
    assert {each["user"] for each in results(action="export")} == {manager.pk}
    [replayed] = results(action="replay")
    assert (replayed["resource"], replayed["object"], replayed["user"]) == ("webhook-events", event.pk, manager.pk)
    assert replayed["changes"] == {"status": ["dead", "pending"]}


def test_refused_replay_leaves_no_entry(results, manager_api, acme):
    event = WebhookEventFactory(company=acme, status="pending")
    assert manager_api.post(f"/api/v1/webhook-events/{event.pk}/replay").status_code == 409
    assert results(action="replay") == []


def test_object_needs_its_resource(manager_api):
    response = manager_api.get(URL, {"object": 7})
    assert (response.status_code, response.json()["errors"][0]["attr"]) == (400, "object")
    assert manager_api.get(URL, {"resource": "nonsense"}).status_code == 400
