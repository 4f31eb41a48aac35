"""Actions of the admin on more rows than a request acts on: background tasks, some rows at each step."""

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from crm.admin.base import confirmed_actions
from crm.admin.base.confirmed_actions import ConfirmedActions
from crm.db.tenancy import all_tenants
from crm.models import AuditEntry, BackgroundTask, OutgoingEvent
from crm.services import bulk_actions
from crm.services.background_tasks.jobs import claim_task, run_task
from crm.services.background_tasks.requests import cancel_task
from crm.services.background_tasks.runs import Run
from messaging.models import Message, WebhookEvent
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
LISTS = {
    "message": "/admin/messaging/message/?held=1",
    "webhookevent": "/admin/messaging/webhookevent/?status__exact=dead",
    "outgoingevent": "/admin/crm/outgoingevent/?status__exact=dead",
}


@pytest.fixture(autouse=True)
def few_rows_at_once(monkeypatch):
    monkeypatch.setattr(ConfirmedActions, "max_acted", 5)
    monkeypatch.setattr(bulk_actions, "STEP_ROWS", 4)


def held(company, count):
    contact = factories.ContactFactory(company=company)
    return factories.HeldMessageFactory.create_batch(count, contact=contact)


def select_all(client, table, action, **values):
    with all_tenants():
        model = {"message": Message, "webhookevent": WebhookEvent, "outgoingevent": OutgoingEvent}[table]
        first = model.objects.latest("pk").pk
    form = {"action": action, "select_across": "1", "_selected_action": first}
    return client.post(LISTS[table], form | values, follow=bool(values))


def confirm(client, table, action):
    asked = select_all(client, table, action)
    assert "A background task does it" in asked.content.decode()
    return select_all(client, table, action, confirmed=asked.context["confirmed"])


def tasks():
    with all_tenants():
        return list(BackgroundTask.objects.select_related("company").order_by("pk"))


def statuses(model):
    with all_tenants():
        return sorted(model.objects.values_list("status", flat=True))


def test_many_rows_are_acted_on_by_a_task_whose_page_shows_the_result(staff_client, staff, acme):
    held(acme, 10)
    page = confirm(staff_client, "message", "cancel")
    [task] = tasks()
    assert page.redirect_chain[0][0] == reverse("admin:crm_backgroundtask_change", args=[task.pk])
    assert (task.kind, task.total, task.requested_by) == ("cancel-messages", 10, staff)
    assert statuses(Message) == ["held"] * 10
    with all_tenants():
        Message.objects.filter(pk=Message.objects.earliest("pk").pk).update(status="sent")
    done = run_task(task=task)
    assert (done.state, done.done, done.parameters) == ("done", 10, {"changed": 9})
    assert statuses(Message) == ["failed"] * 9 + ["sent"]
    html = staff_client.get(reverse("admin:crm_backgroundtask_change", args=[task.pk])).content.decode()
    assert "9 of 10 rows were changed" in html
    with all_tenants():
        entries = AuditEntry.objects.filter(table_name="message_threads", actor="stella", company=acme)
        assert entries.count() == 9


def test_rows_of_each_company_are_a_task_of_their_own(staff_client, acme, globex):
    held(acme, 4)
    held(globex, 3)
    page = confirm(staff_client, "message", "release")
    assert page.redirect_chain[0][0] == reverse("admin:crm_backgroundtask_changelist")
    assert "2 background tasks do it with 7 messages." in page.content.decode()
    assert [(task.company, task.total) for task in tasks()] == [(acme, 4), (globex, 3)]


def test_very_many_rows_are_several_tasks(staff_client, acme, monkeypatch):
    monkeypatch.setattr(bulk_actions, "TASK_ROWS", 4)
    held(acme, 10)
    confirm(staff_client, "message", "cancel")
    assert [task.total for task in tasks()] == [4, 4, 2]
    for task in tasks():
        run_task(task=task)
    assert statuses(Message) == ["failed"] * 10


@pytest.mark.parametrize(
    ("table", "model", "factory", "action"),
    [
        ("webhookevent", WebhookEvent, factories.WebhookEventFactory, "process_again"),
        ("outgoingevent", OutgoingEvent, factories.OutgoingEventFactory, "replay"),
    ],
)
def test_events_are_replayed_by_a_task(table, model, factory, action, staff_client, acme):
    factory.create_batch(7, company=acme, status="dead")
    confirm(staff_client, table, action)
    run_task(task=tasks()[0])
    assert statuses(model) == ["pending"] * 7
    with all_tenants():
        assert AuditEntry.objects.filter(action="replay", actor="stella").count() == 7


def test_cancelled_task_leaves_the_other_rows(staff_client, acme):
    held(acme, 10)
    confirm(staff_client, "message", "cancel")
    run = Run(claim_task(tasks()[0].pk))
    assert run.advance()
    with all_tenants():
        cancel_task(task=tasks()[0])
    assert not run.advance()
    assert statuses(Message) == ["failed"] * 4 + ["held"] * 6
    assert tasks()[0].state == "cancelled"
    assert "ids" not in tasks()[0].parameters


def test_task_of_a_killed_worker_goes_on_after_its_last_step(staff_client, acme):
    held(acme, 10)
    confirm(staff_client, "message", "cancel")
    Run(claim_task(tasks()[0].pk)).advance()  # and no more
    with all_tenants():
        BackgroundTask.objects.update(lease_until=None)
    done = run_task(task=tasks()[0])
    assert (done.state, done.parameters) == ("done", {"changed": 10})
    with all_tenants():
        assert AuditEntry.objects.filter(table_name="message_threads").count() == 10


def test_member_who_may_not_see_tasks_stays_on_the_list(client, acme):
    user = factories.UserFactory(company=None, role="", is_staff=True)
    user.groups.add(Group.objects.get(name="Set-up"))
    client.force_login(user)
    factories.WebhookEventFactory.create_batch(7, company=acme, status="dead")
    page = confirm(client, "webhookevent", "process_again")
    assert page.status_code == 200
    assert "A background task does it with 7 webhook events." in page.content.decode()


def test_more_rows_than_tasks_take_are_refused(staff_client, acme, monkeypatch):
    monkeypatch.setattr(confirmed_actions, "MAX_IN_BACKGROUND", 9)
    held(acme, 10)
    select_all(staff_client, "message", "cancel")
    said = [str(message) for message in staff_client.get(LISTS["message"]).context["messages"]]
    assert said == ["More than 9 messages match, and an action takes at most so many. Filter the list further."]
    assert tasks() == []


def test_deletion_of_more_rows_than_a_request_takes_is_refused(staff_client, acme):
    campaigns = factories.CampaignFactory.create_batch(6, company=acme, status="draft")
    form = {"action": "delete_selected", "select_across": "1", "_selected_action": campaigns[0].pk, "post": "yes"}
    page = staff_client.post("/admin/crm/campaign/", form, follow=True)
    assert "More than 5 campaigns match" in page.content.decode()
    with all_tenants():
        assert type(campaigns[0]).objects.count() == 6
