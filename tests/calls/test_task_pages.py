"""Tasks in the admin: made on a contact's page, typed in local time, done and taken up again."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils.timezone import now

from calls.models import Task
from crm.db.tenancy import all_tenants
from tests.factories import ContactFactory, TaskFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def contact(acme):
    return ContactFactory(company=acme)


def page_of(task):
    return reverse("admin:calls_task_change", args=[task.pk])


def finish(client, task, **form):
    html = client.post(reverse("admin:calls_task_finish", args=[task.pk]), form, follow=True).content.decode()
    with all_tenants():
        task.refresh_from_db()
    return html


def test_task_is_added_on_the_contacts_page_and_due_at_the_companys_time(staff_client, staff, contact):
    page = staff_client.get(reverse("admin:crm_contact_change", args=[contact.pk])).content.decode()
    url = f"{reverse('admin:calls_task_add')}?contact={contact.pk}"
    assert f'href="{url}"' in page
    form = {
        "company": contact.company_id, "contact": contact.pk, "title": "Send the quote", "due_at_0": "2026-07-01",
        "due_at_1": "17:00",
    }  # fmt: skip
    assert staff_client.post(url, form).status_code == 302
    with all_tenants():
        task = Task.objects.get()
    assert (task.due_at, task.created_by) == (datetime(2026, 7, 1, 23, tzinfo=UTC), staff)
    html = staff_client.get(page_of(task)).content.decode()
    assert 'value="17:00"' in html
    assert "Local time in America/Denver." in html


def test_contacts_page_shows_open_tasks_the_most_urgent_first(staff_client, contact):
    due = now()
    TaskFactory(contact=contact, title="Later", due_at=due + timedelta(days=2))
    TaskFactory(contact=contact, title="Late", due_at=due - timedelta(days=2))
    TaskFactory(contact=contact, title="Finished", due_at=due, done_at=due)
    html = staff_client.get(reverse("admin:crm_contact_change", args=[contact.pk])).content.decode()
    shown = html.partition("<h2>Open tasks</h2>")[2].partition("<h2>")[0]
    assert shown.index("Late<") < shown.index("Later<")
    assert shown.count("Overdue") == 1
    assert "Finished" not in shown


def test_task_is_done_and_taken_up_again(staff_client, contact):
    task = TaskFactory(contact=contact, due_at=now() - timedelta(days=1))
    assert "Overdue" in staff_client.get(page_of(task)).content.decode()
    assert '<span class="badge badge-good">Done</span>' in finish(staff_client, task)
    assert task.done_at is not None
    finish(staff_client, task, reopen="1")
    assert task.done_at is None


def test_support_finishes_tasks_and_read_only_does_not(client, contact):
    task = TaskFactory(contact=contact)
    for group, status in (("Set-up", 403), ("Read-only", 403), ("Support", 302)):
        member = UserFactory(company=None, role="", is_staff=True)
        member.groups.add(Group.objects.get(name=group))
        client.force_login(member)
        assert client.post(reverse("admin:calls_task_finish", args=[task.pk])).status_code == status
    with all_tenants():
        assert Task.objects.get().done_at is not None


@pytest.mark.parametrize("pk", ["x", "0", "9" * 30])
def test_unknown_task_is_not_found(pk, staff_client):
    assert staff_client.post(reverse("admin:calls_task_finish", args=[pk])).status_code == 404
