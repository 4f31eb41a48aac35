"""The page of a background task in the admin: its progress, its end, and the file that it has made."""

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils.timezone import now

from crm.db.tenancy import all_tenants, tenant
from crm.models import AuditEntry
from crm.services.stored_files import store_file
from tests.factories import BackgroundTaskFactory, ImportFactory, UserFactory

pytestmark = pytest.mark.usefixtures("staff_client")


def page_of(task, view="change"):
    return reverse(f"admin:crm_backgroundtask_{view}", args=[task.pk])


def running(company, **fields):
    return BackgroundTaskFactory(company=company, state="running", started_at=now(), done=250, total=1000, **fields)


def test_page_of_a_running_task_shows_how_far_it_is_and_loads_anew(client, acme):
    answer = client.get(page_of(running(acme)))
    assert answer["Refresh"] == "5"
    html = answer.content.decode()
    assert '<progress value="250" max="1000"' in html
    assert "250 of 1,000" in html
    assert "Download" not in html


def test_page_of_an_ended_task_says_what_became_of_it(client, acme):
    failed = BackgroundTaskFactory(company=acme, state="failed", error="The disk is full.", ended_at=now())
    answer = client.get(page_of(failed))
    assert "Refresh" not in answer
    assert "The disk is full. Mend the reason" in answer.content.decode()
    source = ImportFactory(company=acme)
    assert reverse("admin:crm_import_change", args=[source.pk]) in client.get(page_of(source.task)).content.decode()


def test_result_is_downloaded_and_the_audit_says_by_whom(client, acme, globex):
    with tenant(acme.pk):
        file = store_file(company_id=acme.pk, name="contacts.xlsx", content_type="text/plain", parts=[b"one ", b"two"])
    task = BackgroundTaskFactory(company=acme, state="done", ended_at=now(), result_file=file)
    assert "Download contacts.xlsx" in client.get(page_of(task)).content.decode()
    answer = client.get(page_of(task, "file"))
    assert b"".join(answer.streaming_content) == b"one two"
    assert answer["Content-Disposition"] == 'attachment; filename="contacts.xlsx"'
    with all_tenants():
        assert AuditEntry.objects.get(action="export").actor == "stella"
    assert client.get(page_of(BackgroundTaskFactory(company=globex), "file")).status_code == 404


def test_support_cancels_a_task_and_others_do_not(client, acme):
    task, waiting = running(acme), BackgroundTaskFactory(company=acme)
    listed = reverse("admin:crm_backgroundtask_changelist")
    for group, status in (("Set-up", 403), ("Read-only", 403), ("Support", 302)):
        user = UserFactory(company=None, role="", is_staff=True)
        user.groups.add(Group.objects.get(name=group))
        client.force_login(user)
        assert client.post(page_of(task, "cancel")).status_code == status
        client.post(listed, {"action": "cancel", "_selected_action": [waiting.pk], "confirmed": waiting.pk})
        for row in (task, waiting):
            row.refresh_from_db()
            assert row.cancel_requested == (group == "Support")
    assert (task.state, waiting.state) == ("running", "cancelled")
    with all_tenants():
        assert AuditEntry.objects.filter(table_name="background_tasks").count() == 2
    answer = client.post(page_of(waiting, "cancel"), follow=True)
    assert [message.level_tag for message in answer.context["messages"]][-1] == "error"
