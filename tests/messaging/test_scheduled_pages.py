"""Texts that leave later, snoozes, unread marks and snippets on the page of a conversation."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils.timezone import now

from crm.db.tenancy import all_tenants
from crm.models import AuditEntry, Conversation
from messaging.models import Message
from tests.factories import (
    ActivityFactory,
    ContactFactory,
    ConversationFactory,
    MessageFactory,
    PhoneLineFactory,
    SnippetFactory,
    UserFactory,
)

pytestmark = pytest.mark.usefixtures("staff_client")


@pytest.fixture
def conversation(acme):
    contact = ContactFactory(company=acme, phone="+13035550142", first_name="Robin")
    line = PhoneLineFactory(company=acme, number="+13035550100")
    return ConversationFactory(contact=contact, phone_line=line, status="waiting")


def page_of(conversation):
    return reverse("admin:crm_conversation_change", args=[conversation.pk])


def post(client, conversation, **form):
    return client.post(page_of(conversation), form, follow=True).content.decode()


def tomorrow(conversation, clock):
    """The instant of this wall clock tomorrow at the company."""
    zone = conversation.company.zone
    day = now().astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(day, datetime.strptime(clock, "%H:%M").time(), zone)


def typed(name, instant, separator="_"):
    return {f"{name}{separator}0": f"{instant:%Y-%m-%d}", f"{name}{separator}1": f"{instant:%H:%M}"}


def schedule(client, conversation, at, body="On our way", **fields):
    return post(
        client, conversation, body=body, key=f"key{now().timestamp()}", _later="1", **typed("send_at", at), **fields
    )


@pytest.fixture
def scheduled(client, conversation):
    schedule(client, conversation, tomorrow(conversation, "09:30"), hold_if_reply="on")
    with all_tenants():
        return Message.objects.get()


def audited(table):
    with all_tenants():
        return [entry.changes for entry in AuditEntry.objects.filter(table_name=table).order_by("id")]


def test_text_leaves_at_a_time_of_the_company(client, staff, conversation):
    at = tomorrow(conversation, "09:30")
    html = schedule(client, conversation, at, hold_if_reply="on")
    assert f"The text leaves at {at:%Y-%m-%d 09:30 %Z}" in html
    assert "To be sent later" in html
    with all_tenants():
        message = Message.objects.get()
    assert (message.kind, message.status, message.send_at, message.hold_if_reply) == ("scheduled", "queued", at, True)
    assert message.activity.user == staff


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"send_at_0": "", "send_at_1": ""}, "Choose the day and the time."),
        ({"send_at_0": "2020-01-01", "send_at_1": "09:00"}, "Must be in the future."),
        ({"send_at_0": "2099-01-01", "send_at_1": "09:00"}, "Must be within 366 days."),
        ({"send_at_0": "soon", "send_at_1": "09:00"}, "Enter a valid date."),
    ],
)
def test_unusable_time_is_refused_at_its_field(fields, error, client, conversation):
    html = post(client, conversation, body="On our way", key="1", _later="1", **fields)
    assert f'errorlist" id="id_send_at_error"><li>{error}' in html
    assert '<details class="reply-later" open>' in html
    assert not Message._base_manager.exists()


def test_text_with_a_time_is_not_sent_at_once_by_the_enter_key(client, conversation):
    at = tomorrow(conversation, "09:30")
    html = post(client, conversation, body="On our way", key="1", _reply="Send", **typed("send_at", at))
    assert "Press Schedule to send it then" in html
    assert not Message._base_manager.exists()


def test_scheduled_text_and_its_time_are_changed(client, conversation, scheduled):
    prefix, at = f"scheduled-{scheduled.pk}-", tomorrow(conversation, "15:00")
    form = {f"{prefix}body": "See you at three", **typed(f"{prefix}send_at", at), "_change_scheduled": scheduled.pk}
    assert f"Changed. It leaves at {at:%Y-%m-%d 15:00 %Z}." in post(client, conversation, **form)
    with all_tenants():
        scheduled.refresh_from_db()
        assert (scheduled.body, scheduled.send_at, scheduled.activity.body) == (
            "See you at three",
            at,
            "See you at three",
        )
    [_, change] = audited("message_threads")
    assert change["send_at"][1] == at.isoformat()
    assert "See you" not in str(change)


def test_unchanged_time_stays_to_the_second(client, conversation, scheduled):
    at = scheduled.send_at + timedelta(seconds=17)
    Message._base_manager.update(send_at=at)
    prefix = f"scheduled-{scheduled.pk}-"
    shown = typed(f"{prefix}send_at", at.astimezone(conversation.company.zone))
    post(client, conversation, **{f"{prefix}body": "Soon", **shown, "_change_scheduled": scheduled.pk})
    with all_tenants():
        scheduled.refresh_from_db()
        assert (scheduled.body, scheduled.send_at) == ("Soon", at)


def test_wrong_change_is_shown_in_its_form(client, conversation, scheduled):
    prefix = f"scheduled-{scheduled.pk}-"
    past = {f"{prefix}body": "", f"{prefix}send_at_0": "2020-01-01", f"{prefix}send_at_1": "09:00"}
    html = post(client, conversation, **past, _change_scheduled=scheduled.pk)
    assert "This field is required." in html
    html = post(client, conversation, **past | {f"{prefix}body": "Soon"}, _change_scheduled=scheduled.pk)
    assert "Must be in the future." in html
    with all_tenants():
        assert Message.objects.get().body == "On our way"


def test_scheduled_text_is_cancelled(client, conversation, scheduled):
    assert "It is never sent." in post(client, conversation, _cancel_scheduled=scheduled.pk)
    with all_tenants():
        scheduled.refresh_from_db()
        assert (scheduled.status, scheduled.error_code) == ("failed", "cancelled")
    assert {"status": ["queued", "failed"]} in audited("message_threads")
    again = post(client, conversation, _cancel_scheduled=scheduled.pk)
    assert "doesn’t wait any more" in again.replace("&#x27;", "’")


def test_held_text_is_sent_anyway(client, conversation, scheduled):
    Message._base_manager.update(status="held", error_code="replied", error="The contact has replied.", run_at=None)
    assert "A person must decide. The contact has replied." in post(client, conversation)
    assert "Queued again." in post(client, conversation, _send_anyway=scheduled.pk)
    with all_tenants():
        scheduled.refresh_from_db()
        assert (scheduled.status, scheduled.hold_if_reply) == ("queued", False)


@pytest.mark.parametrize("pk", ["x", "", "9" * 30, "0"])
def test_odd_message_is_not_changed(pk, client, conversation, scheduled):
    for button in ("_change_scheduled", "_cancel_scheduled", "_send_anyway"):
        assert client.post(page_of(conversation), {button: pk}).status_code == 302
    with all_tenants():
        assert Message.objects.get().status == "queued"


def test_text_of_another_conversation_is_not_cancelled(client, acme, conversation, scheduled):
    other = ConversationFactory(contact__company=acme)
    client.post(page_of(other), {"_cancel_scheduled": scheduled.pk})
    with all_tenants():
        assert Message.objects.get().status == "queued"


def test_conversation_is_snoozed_until_a_time_and_the_snooze_is_ended(client, conversation):
    at = tomorrow(conversation, "08:00")
    html = post(client, conversation, _snooze="1", **typed("until", at))
    assert f"Snoozed until {at:%Y-%m-%d 08:00 %Z}, or until the contact writes or calls." in html
    with all_tenants():
        snoozed = Conversation.objects.get()
    assert (snoozed.status, snoozed.snoozed_until) == ("snoozed", at)
    assert "End the snooze" in html
    post(client, conversation, _reopen="1")
    with all_tenants():
        assert Conversation.objects.get().status == "open"


def test_snooze_without_a_time_lasts_until_the_contact_writes(client, conversation):
    html = post(client, conversation, _snooze="1", until_0="", until_1="")
    assert "Snoozed until the contact writes or calls." in html
    with all_tenants():
        assert Conversation.objects.get().status == "snoozed"


def test_snooze_into_the_past_is_refused_at_its_field(client, conversation):
    html = post(client, conversation, _snooze="1", until_0="2020-01-01", until_1="09:00")
    assert "Must be in the future." in html
    with all_tenants():
        assert Conversation.objects.get().status == "waiting"


def test_latest_message_is_marked_as_unread_and_the_inbox_is_shown(client, conversation):
    assert "nothing that could be unread" in post(client, conversation, _unread="1")
    activity = ActivityFactory(
        contact=conversation.contact, conversation=conversation, activity_type="message", direction="incoming"
    )
    said = MessageFactory(
        contact=conversation.contact, activity=activity, phone_line=conversation.phone_line, read_at=now()
    )
    response = client.post(page_of(conversation), {"_unread": "1"})
    assert response.url == reverse("admin:crm_conversation_changelist")
    with all_tenants():
        said.refresh_from_db()
    assert said.read_at is None
    assert {"messages_unread": [None, 1]} in audited("conversations")


def test_snippet_is_put_behind_the_text_with_the_contacts_values(client, acme, globex, conversation):
    snippet = SnippetFactory(company=acme, shortcut="hours", body="Hi {first_name|there}, we are open.")
    foreign = SnippetFactory(company=globex, shortcut="of-globex")
    html = client.get(page_of(conversation)).content.decode()
    assert 'data-text="Hi Robin, we are open."' in html
    assert "of-globex" not in html
    for pk, text in ((snippet.pk, "Yes. Hi Robin, we are open."), (foreign.pk, "Yes."), ("x", "Yes.")):
        html = post(client, conversation, _insert="1", snippet=pk, body="Yes.", key="k")
        assert f">\n{text}</textarea>" in html
        assert 'name="key" value="k"' in html
    assert not Message._base_manager.exists()


def test_first_text_can_leave_later_and_begin_with_a_snippet(client, acme, conversation):
    contact = ContactFactory(company=acme, phone="+13035550143", first_name="Kim")
    snippet = SnippetFactory(company=acme, body="Hi {first_name|there}!")
    url = reverse("admin:crm_conversation_text", args=[contact.pk])
    line = conversation.phone_line.pk
    html = client.post(url, {"_insert": "1", "snippet": snippet.pk, "phone_line": line}).content.decode()
    assert ">\nHi Kim!</textarea>" in html
    at = tomorrow(conversation, "10:00")
    form = {"body": "Hi", "key": "k", "phone_line": line, "_later": "1", **typed("send_at", at)}
    assert client.post(url, form).status_code == 302
    with all_tenants():
        assert Message.objects.get().send_at == at


def test_read_only_sees_what_leaves_later_and_changes_nothing(client, conversation, scheduled):
    member = UserFactory(company=None, role="", is_staff=True)
    member.groups.add(Group.objects.get(name="Read-only"))
    client.force_login(member)
    html = client.get(page_of(conversation)).content.decode()
    assert "To be sent later" in html
    assert "_cancel_scheduled" not in html
    for form in ({"_cancel_scheduled": scheduled.pk}, {"_snooze": "1"}, {"_unread": "1"}, {"_insert": "1"}):
        assert client.post(page_of(conversation), form).status_code == 403
