"""The inbox of staff, and the page of a conversation."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils.timezone import now

from crm.db.tenancy import all_tenants
from crm.models import AuditEntry, Conversation
from messaging.models import Message
from tests.count_queries import CountQueries
from tests.factories import (
    ActivityFactory,
    AttachmentFactory,
    CallFactory,
    ContactFactory,
    ContactFlagFactory,
    ContactTagFactory,
    ConversationFactory,
    MessageFactory,
    PhoneLineFactory,
    UserFactory,
)

pytestmark = pytest.mark.usefixtures("staff_client")

LIST = reverse("admin:crm_conversation_changelist")


@pytest.fixture
def line(acme):
    return PhoneLineFactory(company=acme, number="+13035550100")


@pytest.fixture
def conversation(acme, line):
    contact = ContactFactory(company=acme, phone="+13035550142", first_name="Robin", timezone="America/New_York")
    return ConversationFactory(contact=contact, phone_line=line, status="waiting")


def page_of(conversation):
    return reverse("admin:crm_conversation_change", args=[conversation.pk])


def say(conversation, body, *, direction="incoming", at=None, **fields):
    """Add a message to the conversation."""
    at = at or now()
    activity = ActivityFactory(
        contact=conversation.contact, conversation=conversation, activity_type="message", direction=direction,
        body=body, created_at=at, user=fields.pop("user", None),
    )  # fmt: skip
    status = "received" if direction == "incoming" else "delivered"
    return MessageFactory(
        **{"status": status} | fields, contact=conversation.contact, phone_line=conversation.phone_line,
        direction=direction, activity=activity, body=body, created_at=at,
    )  # fmt: skip


def key_in(html):
    return re.search(r'name="key" value="([^"]+)"', html).group(1)


def reply(client, conversation, body="On our way", **fields):
    html = client.get(page_of(conversation)).content.decode()
    return client.post(page_of(conversation), {"body": body, "key": key_in(html)} | fields, follow=True)


def bubbles(html):
    return re.findall(r'class="bubble bubble-(\w+)".*?class="bubble-text">(.*?)</p>', html, re.DOTALL)


def join(client, group):
    user = UserFactory(company=None, role="", is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client.force_login(user)
    return user


def test_inbox_begins_with_the_latest_activity_and_shows_its_words(client, acme, conversation):
    old = ConversationFactory(contact__company=acme, last_activity_at=now() - timedelta(days=2))
    say(old, "Thank you")
    say(conversation, "Is <b>anybody</b> there?")
    say(conversation, "Yes", direction="outgoing", status="failed", at=now() + timedelta(seconds=1))
    response = client.get(LIST)
    assert [row.pk for row in response.context["cl"].result_list] == [conversation.pk, old.pk]
    html = response.content.decode()
    assert "Not sent" in html
    assert re.search(r"We: </span>Yes", html)
    assert "Thank you" in html
    say(conversation, "Is <b>anybody</b> there?", at=now() + timedelta(seconds=2))
    assert "Is &lt;b&gt;anybody&lt;/b&gt; there?" in client.get(LIST).content.decode()


def test_tabs_of_the_inbox(client, acme, staff, conversation):
    carla = UserFactory(company=acme, role="csr")
    mine = ConversationFactory(contact__company=acme, assignee=carla, status="open")
    ActivityFactory(contact=mine.contact, conversation=mine, activity_type="message", direction="outgoing", user=staff)
    ConversationFactory(contact__company=acme, status="closed")

    def shown(tab):
        return {row.pk for row in client.get(LIST, {"inbox": tab}).context["cl"].result_list}

    assert shown("waiting") == {conversation.pk}
    assert shown("mine") == {mine.pk}
    assert shown("unassigned") == {conversation.pk}
    assert "Waiting (1)" in client.get(LIST).content.decode()
    empty = client.get(LIST, {"q": "Nobody Here"}).content.decode()
    assert "No conversation is here." in empty


def test_inbox_shows_who_said_stop_and_exports_what_it_shows(client, conversation):
    ContactFlagFactory(contact=conversation.contact, flag_type="opted_out")
    ContactTagFactory(contact=conversation.contact, tag__name="VIP")
    say(conversation, "STOP")
    html = client.get(LIST).content.decode()
    assert re.search(r'badge-bad"[^>]*>STOP<.*badge-tag"[^>]*>VIP<', html)
    exported = b"".join(client.get(reverse("admin:crm_conversation_export")).streaming_content).decode()
    assert "Robin" in exported
    assert "STOP" in exported


def test_page_shows_the_whole_messages_in_their_order(client, acme, conversation):
    start = now() - timedelta(hours=3)
    long = "word " * 100
    say(conversation, long, at=start)
    say(conversation, "Ours", direction="outgoing", at=start + timedelta(minutes=1), user=UserFactory(company=acme))
    html = client.get(page_of(conversation)).content.decode()
    assert [(side, text.strip()) for side, text in bubbles(html)] == [("incoming", long.strip()), ("outgoing", "Ours")]
    assert "(America/New_York)" in html
    local = start.astimezone(acme.zone)
    assert f"{local:%A %Y-%m-%d}" in html
    assert f">{local:%H:%M}</time>" in html
    assert "(America/Denver)" in html


def test_page_says_why_a_message_has_not_left_and_links_its_files(client, conversation):
    say(
        conversation, "Hi", direction="outgoing", status="failed", error="The number is a landline.", error_code="30006"
    )
    say(conversation, "", media=[{"url": "https://files.example.com/1", "type": "image/png"}, {"url": "javascript:x"}])
    html = client.get(page_of(conversation)).content.decode()
    assert "didn&#x27;t leave. The number is a landline. (code 30006)" in html
    assert html.count("https://files.example.com/1") == 1
    assert "javascript:x" not in html


def test_earlier_messages_are_on_pages_of_their_own(client, conversation):
    start = now() - timedelta(days=3)
    for number in range(85):
        say(conversation, f"message {number}", at=start + timedelta(minutes=number // 2))
    seen, url = [], page_of(conversation)
    while url:
        html = client.get(url).content.decode()
        seen = [text for _, text in bubbles(html)] + seen
        more = re.search(r'href="(\?before=\d+)"', html)
        url = page_of(conversation) + more.group(1) if more else None
    assert seen == [f"message {number}" for number in range(85)]


@pytest.mark.parametrize("before", ["x", "0", "9" * 30, "-1", "999999"])
def test_odd_places_show_the_latest_messages(client, conversation, before):
    say(conversation, "Hello")
    html = client.get(page_of(conversation), {"before": before}).content.decode()
    assert bubbles(html) == [("incoming", "Hello")]


def test_reply_goes_to_the_outbox_and_is_recorded(client, staff, acme, conversation):
    response = reply(client, conversation, "On our way\r\nAnn")
    assert "The text is in the outbox (one SMS segment)" in response.content.decode()
    with all_tenants():
        message = Message.objects.get()
        assert (message.body, message.kind, message.status) == ("On our way\nAnn", "reply", "queued")
        assert message.activity.user == staff
        assert message.activity.conversation == conversation
        assert Conversation.objects.get().status == "open"
        entry = AuditEntry.objects.get(table_name="message_threads")
        assert (entry.company, entry.row_id, entry.actor) == (acme, message.pk, staff.username)
    assert "On our way" not in str(entry.changes)


def test_form_that_comes_twice_sends_one_text(client, conversation):
    html = client.get(page_of(conversation)).content.decode()
    form = {"body": "On our way", "key": key_in(html)}
    client.post(page_of(conversation), form)
    again = client.post(page_of(conversation), form, follow=True).content.decode()
    assert "The text was sent once" in again
    other = client.post(page_of(conversation), form | {"body": "Another"}).content.decode()
    assert "this other text was not sent" in other
    assert key_in(other) != form["key"]
    assert Message._base_manager.count() == 1


@pytest.mark.parametrize(
    ("flag", "reason"),
    [("opted_out", "opted out"), ("do_not_contact", "do not contact"), ("invalid_number", "invalid")],
)
def test_page_says_why_nobody_may_be_texted(client, conversation, flag, reason):
    form = {"body": "On our way", "key": key_in(client.get(page_of(conversation)).content.decode())}
    ContactFlagFactory(contact=conversation.contact, flag_type=flag)
    html = client.get(page_of(conversation)).content.decode()
    assert "No text can leave now" in html
    assert 'name="body"' not in html
    refused = client.post(page_of(conversation), form).content.decode()
    assert re.search(rf"errorlist.*?Not sent: [^<]*{reason}", refused, re.DOTALL | re.IGNORECASE)
    assert "On our way" in refused
    assert not Message._base_manager.exists()


def test_same_number_of_another_company_blocks_nothing(client, globex, conversation):
    other = ContactFactory(company=globex, phone=conversation.contact.phone)
    ContactFlagFactory(contact=other, flag_type="opted_out")
    html = client.get(page_of(conversation)).content.decode()
    assert "No text can leave now" not in html
    assert ">STOP<" not in html


def test_paused_line_says_when_to_try_again(client, line, conversation):
    line.paused_until = now() + timedelta(hours=1)
    line.pause_reason = "The provider rejects the key."
    line.save()
    html = reply(client, conversation).content.decode()
    assert re.search(r"errorlist.*?The phone line is paused.*?Try again after \d{4}-", html, re.DOTALL)


@pytest.mark.parametrize("body", ["", "   ", "x" * 1601])
def test_unusable_text_is_refused_at_its_field(client, conversation, body):
    assert 'class="errorlist"' in reply(client, conversation, body).content.decode()
    assert not Message._base_manager.exists()


def test_conversation_is_assigned_to_a_colleague_of_its_company(client, acme, globex, conversation):
    carla, olga = UserFactory(company=acme, role="csr"), UserFactory(company=globex, role="csr")
    rep = UserFactory(company=acme, role="rep")
    for wrong in (olga.pk, rep.pk, "9" * 30, "x"):
        html = client.post(page_of(conversation), {"_assign": "1", "assignee": wrong}).content.decode()
        assert 'class="errorlist"' in html
    client.post(page_of(conversation), {"_assign": "1", "assignee": carla.pk})
    with all_tenants():
        assert Conversation.objects.get().assignee == carla
        assert AuditEntry.objects.get(table_name="conversations").changes == {"assignee_id": [None, carla.pk]}
    client.post(page_of(conversation), {"_assign": "1", "assignee": ""})
    with all_tenants():
        assert Conversation.objects.get().assignee is None


def test_conversation_is_closed_and_opened_again(client, conversation):
    closed = client.post(page_of(conversation), {"_close": "1"}, follow=True).content.decode()
    assert "opens it again" in closed
    assert "Reopen" in closed
    client.post(page_of(conversation), {"_reopen": "1"})
    with all_tenants():
        assert Conversation.objects.get().status == "open"
        changes = [entry.changes for entry in AuditEntry.objects.filter(table_name="conversations").order_by("id")]
    assert changes == [{"status": ["waiting", "closed"]}, {"status": ["closed", "open"]}]


def test_support_answers_and_read_only_reads(client, conversation):
    key = key_in(client.get(page_of(conversation)).content.decode())
    for group, may_write in (("Read-only", False), ("Support", True)):
        join(client, group)
        html = client.get(page_of(conversation)).content.decode()
        assert ("<textarea" in html) == may_write
        assert ('name="_assign"' in html) == may_write
        for form in ({"body": "Hello", "key": key}, {"_close": "1"}, {"_assign": "1", "assignee": ""}):
            assert client.post(page_of(conversation), form).status_code == (302 if may_write else 403)
        first = reverse("admin:crm_conversation_text", args=[conversation.contact_id])
        assert client.get(first).status_code == (302 if may_write else 403)
    join(client, "Set-up")
    assert client.get(page_of(conversation)).status_code == 403
    assert Message._base_manager.count() == 1


@pytest.mark.parametrize("group", ["Support", "Read-only"])
def test_messages_that_staff_read_stay_unread_for_the_company(group, client, conversation):
    said = say(conversation, "Hello?")
    join(client, group)
    pages = (page_of(conversation), reverse("admin:crm_contact_change", args=[conversation.contact_id]), LIST,
             reverse("admin:messaging_message_change", args=[said.pk]))  # fmt: skip
    for page in pages:
        assert client.get(page).status_code == 200
    with all_tenants():
        said.refresh_from_db()
        assert said.read_at is None
        assert list(Conversation.objects.unread()) == [conversation]


def test_answer_of_staff_leaves_the_contacts_messages_unread(client, conversation):
    said = say(conversation, "Hello?")
    reply(client, conversation)
    with all_tenants():
        assert Message.objects.filter(direction="outgoing").count() == 1
        said.refresh_from_db()
        assert said.read_at is None


def test_first_text_to_a_contact_opens_a_conversation(client, acme, globex, line):
    contact = ContactFactory(company=acme, phone="+13035550143")
    PhoneLineFactory(company=acme, number="+13035550101")
    foreign = PhoneLineFactory(company=globex)
    url = reverse("admin:crm_conversation_text", args=[contact.pk])
    key = key_in(client.get(url).content.decode())
    for wrong in (foreign.pk, "", "x", "9" * 30):
        html = client.post(url, {"body": "Hello", "key": key, "phone_line": wrong}).content.decode()
        assert 'class="errorlist"' in html
    response = client.post(url, {"body": "Hello", "key": key, "phone_line": line.pk})
    with all_tenants():
        started = Conversation.objects.get()
    assert response.url == page_of(started)
    assert started.phone_line == line
    assert client.get(url).url == page_of(started)


def test_page_takes_at_most_20_queries(client, acme, conversation):
    carla = UserFactory(company=acme, role="csr")
    conversation.assignee = carla
    conversation.save()
    ConversationFactory(contact=conversation.contact, phone_line=PhoneLineFactory(company=acme))
    ContactTagFactory(contact=conversation.contact)

    def fill(number):
        for each in range(number):
            say(conversation, "Hello", direction="outgoing", user=carla, at=now() - timedelta(minutes=each))
            activity = ActivityFactory(
                contact=conversation.contact, conversation=conversation, activity_type="call", direction="incoming"
            )
            CallFactory(contact=conversation.contact, activity=activity, assigned_rep=UserFactory(company=acme))

    def count():
        with CountQueries() as asked:
            assert client.get(page_of(conversation)).status_code == 200
        return len(asked)

    fill(1)
    join(client, "Support")
    count()
    before = count()
    fill(10)
    assert count() == before <= 20


def test_unknown_conversation_leads_back_to_the_list(client, conversation):
    assert client.get(reverse("admin:crm_conversation_change", args=[10**6])).status_code == 302
    assert client.get(reverse("admin:crm_conversation_change", args=["x"])).status_code == 404
    assert client.get(reverse("admin:crm_conversation_text", args=[10**6])).status_code == 404


def test_picture_that_could_not_be_fetched_says_why(client, conversation):
    media = [{"url": "https://media.example.com/roof.jpg", "type": "image/jpeg"}]
    message = say(conversation, "Look", media=media)
    AttachmentFactory(
        contact=None, company=conversation.company, activity=message.activity, kind="message", provider="openphone",
        status="failed", file=None, error="The answer was 404.",
    )  # fmt: skip
    html = client.get(page_of(conversation)).content.decode()
    assert "File 1 (image/jpeg), not fetched: The answer was 404." in html
