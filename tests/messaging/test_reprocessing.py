"""Reprocessing of webhook events in the admin, the API and the command line."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from crm.db.tenancy import all_tenants, tenant
from messaging.models import Message, WebhookEvent
from tests.errors import detail_of
from tests.factories import WebhookEventFactory
from tests.messaging.payloads import message_v4, post_event
from tests.messaging.worker_rounds import process_next_event


@pytest.fixture
def dead(acme):
    return WebhookEventFactory(company=acme, status="dead", error="Too odd.", tries=8, event_type="call.ringing")


@pytest.fixture
def replay(capsys):
    """Run the command and return its output."""

    def replay(*arguments):
        call_command("reprocess_events", "--company", "acme", *arguments)
        return capsys.readouterr().out.strip()

    return replay


def state(event):
    with all_tenants():
        event.refresh_from_db()
    return event.status, event.processed, event.tries, event.error


@pytest.mark.parametrize(("status", "processed"), [("dead", False), ("ignored", True), ("processed", True)])
def test_manager_reprocesses_an_event(manager_api, acme, status, processed):
    event = WebhookEventFactory(company=acme, status=status, processed=processed, error="Too odd.", tries=8)
    answer = manager_api.post(f"/api/v1/webhook-events/{event.pk}/replay")
    assert (answer.status_code, answer.json()["id"], answer.json()["status"]) == (202, event.pk, "pending")
    assert state(event) == ("pending", False, 0, "")


def test_pending_event_is_a_conflict_and_keeps_its_tries(manager_api, acme):
    event = WebhookEventFactory(company=acme, tries=3)
    answer = manager_api.post(f"/api/v1/webhook-events/{event.pk}/replay")
    assert (answer.status_code, detail_of(answer)) == (409, "The webhook event is already pending.")
    assert state(event)[2] == 3


def test_event_of_another_company_is_not_found_and_stays_dead(outsider_api, dead):
    assert outsider_api.post(f"/api/v1/webhook-events/{dead.pk}/replay").status_code == 404
    assert state(dead)[0] == "dead"


def test_reprocessing_a_processed_event_adds_nothing(client, manager_api, secret, in_acme):
    post_event(client, message_v4())
    process_next_event()
    before = Message.objects.values().get()
    manager_api.post(f"/api/v1/webhook-events/{WebhookEvent.objects.get().pk}/replay")
    assert process_next_event()
    assert Message.objects.values().get() == before
    assert WebhookEvent.objects.get().status == "processed"


def test_staff_reprocess_events_in_the_admin(client, staff, acme, dead):
    client.force_login(staff)
    other = WebhookEventFactory(company=acme, status="dead")
    waiting = WebhookEventFactory(company=acme, tries=3)
    chosen = {
        "action": "process_again",
        "_selected_action": [dead.pk, waiting.pk],
        "confirmed": f"{dead.pk},{waiting.pk}",
    }
    page = client.post(reverse("admin:messaging_webhookevent_changelist"), chosen, follow=True)
    assert "Queued for processing: 1." in page.content.decode()
    assert [state(event)[0] for event in (dead, other, waiting)] == ["pending", "dead", "pending"]
    assert state(waiting)[2] == 3


def test_view_permission_is_not_enough_to_reprocess(client, staff, dead):
    staff.is_superuser = False
    staff.save()
    client.force_login(staff)
    staff.user_permissions.add(*permission("view_webhookevent"))
    chosen = {"action": "process_again", "_selected_action": [dead.pk], "confirmed": dead.pk}
    client.post(reverse("admin:messaging_webhookevent_changelist"), chosen)
    assert state(dead)[0] == "dead"
    staff.user_permissions.add(*permission("change_webhookevent"))
    client.post(reverse("admin:messaging_webhookevent_changelist"), chosen)
    assert state(dead)[0] == "pending"


def permission(codename):
    return Permission.objects.filter(codename=codename)


def test_command_reprocesses_dead_events_of_one_company(replay, acme, globex, dead):
    others = [WebhookEventFactory(company=globex, status="dead"), WebhookEventFactory(company=acme, status="ignored",
              processed=True)]  # fmt: skip
    assert replay() == "1 webhook events queued for processing."
    assert [state(event)[0] for event in [dead, *others]] == ["pending", "dead", "ignored"]


def test_command_filters_by_status_type_and_time(replay, acme, dead):
    old = timezone.now() - timedelta(days=9)
    fields = {"company": acme, "status": "ignored", "processed": True}
    sought = WebhookEventFactory(**fields, event_type="call.ringing")
    others = [
        WebhookEventFactory(**fields, event_type="task.created"),
        WebhookEventFactory(**fields, event_type="call.ringing", created_at=old),
    ]
    yesterday = str((timezone.now() - timedelta(days=1)).date())
    assert replay("--status", "ignored", "--type", "call.ringing", "--since", yesterday).startswith("1 ")
    assert [state(event)[0] for event in [sought, *others, dead]] == ["pending", "ignored", "ignored", "dead"]


def test_day_of_the_command_begins_in_the_companys_time_zone(replay, acme):
    midnight = datetime(2026, 3, 2, 7, tzinfo=UTC)  # in Denver
    fields = {"company": acme, "status": "dead"}
    before, after = (
        WebhookEventFactory(**fields, created_at=at) for at in (midnight - timedelta(seconds=1), midnight)
    )  # fmt: skip
    assert replay("--since", "2026-03-02").startswith("1 ")
    assert [state(event)[0] for event in (before, after)] == ["dead", "pending"]
    assert replay("--since", "2026-03-01T23:59:59-07:00").startswith("1 ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--company", "nobody"],
        ["--company", "acme", "--since", "yesterday"],
        ["--company", "acme", "--since", "2026-03-02T16:00"],
        ["--company", "acme", "--since", "0001-01-01"],
        ["--company", "acme", "--since", "0001-01-01T00:00+14:00"],
    ],
)
def test_command_names_invalid_options(acme, arguments):
    with pytest.raises(CommandError, match=r"nobody|--since"):
        call_command("reprocess_events", *arguments)


def test_reprocessed_event_is_recorded_in_its_own_company(client, secret, acme, globex, replay):
    post_event(client, message_v4())
    with all_tenants():
        WebhookEvent.objects.update(status="dead")
    replay()
    assert process_next_event()
    with tenant(globex.pk):
        assert not Message.objects.exists()
    with tenant(acme.pk):
        assert Message.objects.count() == 1
