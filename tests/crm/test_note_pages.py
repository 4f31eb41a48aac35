"""Notes that staff write on the pages of a contact and of a conversation."""

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.urls import reverse

from calls.models import Task
from crm.db.tenancy import all_tenants
from crm.models import Activity, AuditEntry
from tests.factories import ContactFactory, ConversationFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def conversation(acme):
    return ConversationFactory(contact=ContactFactory(company=acme))


@pytest.fixture(params=["contact", "conversation"])
def page(request, conversation):
    if request.param == "contact":
        return reverse("admin:crm_contact_note", args=[conversation.contact_id])
    return reverse("admin:crm_conversation_change", args=[conversation.pk])


def write(client, page, body):
    html = client.post(page, {"note-body": body, "_note": "Add the note"}, follow=True).content.decode()
    connection.check_constraints()
    return html


def notes():
    with all_tenants():
        return list(Activity.objects.filter(activity_type="note"))


def test_note_is_in_the_history_and_in_the_audit_without_its_words(staff_client, staff, page, conversation):
    html = write(staff_client, page, "Has a <dog>.")
    assert "Has a &lt;dog&gt;." in html
    [note] = notes()
    assert (note.contact_id, note.user, note.body) == (conversation.contact_id, staff, "Has a <dog>.")
    assert note.conversation_id == (conversation.pk if "conversation" in page else None)
    with all_tenants():
        [entry] = AuditEntry.objects.filter(table_name="activities", row_id=note.pk)
    assert (entry.action, entry.actor_id, entry.company_id) == ("insert", staff.pk, conversation.company_id)
    assert "dog" not in str(entry.changes)


def test_colleague_whom_a_note_names_gets_a_task(staff_client, page, acme):
    carla = UserFactory(company=acme, role="csr", username="carla")
    write(staff_client, page, "@carla please call.")
    with all_tenants():
        task = Task.objects.get()
    assert task.assignee == carla


def test_empty_note_is_refused_beside_the_field(staff_client, page):
    assert "Write the note first." in write(staff_client, page, "  ")
    assert notes() == []


def test_reader_writes_no_note(client, page):
    user = UserFactory(company=None, role="", is_staff=True)
    user.groups.add(Group.objects.get(name="Read-only"))
    client.force_login(user)
    assert client.post(page, {"note-body": "Has a dog.", "_note": "1"}).status_code == 403
    assert notes() == []
