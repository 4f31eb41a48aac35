"""Notes within a conversation, and the colleagues whom they name."""

import pytest

from calls.models import Task
from crm.db.tenancy import all_tenants
from messaging.models import Message
from tests.conftest import signed_in
from tests.errors import codes_of
from tests.factories import ContactFactory, ConversationFactory, PhoneLineFactory, UserFactory

URL = "/api/v1/activities"


@pytest.fixture
def conversation(acme):
    return ConversationFactory(contact__company=acme, phone_line=PhoneLineFactory(company=acme))


@pytest.fixture
def write(csr_api, conversation):
    def write(body):
        answer = csr_api.post(URL, {"contact": conversation.contact_id, "conversation": conversation.pk, "body": body})
        assert answer.status_code == 201, answer.content
        return answer.json()

    return write


def tasks():
    with all_tenants():
        return [(task.assignee.username, task.title) for task in Task.objects.order_by("id")]


def test_note_of_a_conversation_is_listed_with_it_and_never_a_message(write, csr_api, conversation):
    before = csr_api.get(f"/api/v1/conversations/{conversation.pk}").json()
    note = write("Wants a metal roof.")
    assert (note["conversation"], note["activity_type"], note["direction"]) == (conversation.pk, "note", "")
    listed = csr_api.get(f"{URL}?conversation={conversation.pk}").json()["results"]
    assert [row["id"] for row in listed] == [note["id"]]
    timeline = csr_api.get(f"/api/v1/contacts/{conversation.contact_id}/timeline").json()["results"]
    assert [(entry["kind"], entry["body"]) for entry in timeline] == [("note", "Wants a metal roof.")]
    assert csr_api.get(f"/api/v1/message-threads/{conversation.contact_id}").json()["results"] == []
    assert csr_api.get(f"/api/v1/conversations/{conversation.pk}").json() == before
    with all_tenants():
        assert not Message.objects.exists()


def test_conversation_of_another_contact_or_company_is_as_if_there_were_none(csr_api, acme, globex, conversation):
    contact = ContactFactory(company=acme)
    foreign = ConversationFactory(contact__company=globex, phone_line=PhoneLineFactory(company=globex))
    details = set()
    for pk in (conversation.pk, foreign.pk):
        answer = csr_api.post(URL, {"contact": contact.pk, "conversation": pk, "body": "Hello"})
        assert codes_of(answer) == {"conversation": ["does_not_exist"]}
        details.add(answer.json()["errors"][0]["detail"].replace(str(pk), "N"))
    assert len(details) == 1


def test_note_stays_in_its_conversation(write, csr_api, conversation):
    url = f"{URL}/{write('Hello')['id']}"
    assert codes_of(csr_api.patch(url, {"conversation": None})) == {"conversation": ["fixed"]}
    assert csr_api.patch(url, {"conversation": conversation.pk, "body": "Hi"}).json()["body"] == "Hi"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("@maria, can you call?", ["maria"]),
        ("Ask @Maria.", ["maria"]),
        ("(@ralph) and @maria and @MARIA", ["maria", "ralph"]),
        ("maria@example.com, a@maria", []),
        ("@mariana @nobody @gloria @carla @ @@", []),
        ("@former", []),
    ],
)
def test_colleague_who_is_named_gets_a_task_with_the_words(
    body, named, write, manager, rep, outsider, acme, conversation
):
    outsider.username = "gloria"
    outsider.save()
    UserFactory(company=acme, username="former", is_active=False)
    write(body)
    assert [name for name, _ in tasks()] == named
    assert {title.partition(": ")[2] for _, title in tasks()} <= {body}
    with all_tenants():
        assert {task.contact_id for task in Task.objects.all()} <= {conversation.contact_id}


def test_named_colleague_has_a_notice_until_the_task_is_done(write, manager, csr_api):
    api = signed_in(manager)
    write("@maria can you call?")
    notices = {each["kind"]: each["url"] for each in api.get("/api/v1/notices").json()["notices"]}
    [task] = api.get(notices["tasks_overdue"]).json()["results"]
    assert task["title"].endswith("@maria can you call?")
    assert "tasks_overdue" not in csr_api.get("/api/v1/notices").content.decode()
    assert api.post(f"/api/v1/tasks/{task['id']}/done").status_code == 200
    assert "tasks_overdue" not in api.get("/api/v1/notices").content.decode()


def test_change_of_a_note_tells_only_those_whom_it_names_newly(write, csr_api, manager, rep):
    note = write("@maria can you call?")
    csr_api.patch(f"{URL}/{note['id']}", {"body": "@maria or @ralph, can you call?"})
    assert [name for name, _ in tasks()] == ["maria", "ralph"]


def test_long_note_is_cut_in_the_task(write, manager):
    write("@maria " + "x" * 500)
    [(_, title)] = tasks()
    assert (len(title), title[-1]) == (200, "…")
