"""Pages of a message, a webhook event and an opt-out: their state in one line, and what staff can do."""

import json
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils.timezone import now

from crm.db.tenancy import all_tenants, tenant
from crm.models import AuditEntry, OptOut
from crm.services.opt_outs import record_opt_out
from messaging.models import Message, WebhookEvent
from messaging.services.inbound.webhook_processing import process_due_events
from tests.count_queries import CountQueries
from tests.factories import (
    ActivityFactory,
    ContactFactory,
    ConversationFactory,
    MessageFactory,
    PhoneLineFactory,
    UserFactory,
    WebhookEventFactory,
)
from tests.messaging import payloads

pytestmark = pytest.mark.usefixtures("staff_client")


@pytest.fixture
def line(acme):
    return PhoneLineFactory(company=acme, number="+13035550100")


@pytest.fixture
def text(acme, line):
    """Return a function that makes an outgoing message in a conversation."""
    contact = ContactFactory(company=acme, phone="+13035550142")
    conversation = ConversationFactory(contact=contact, phone_line=line)

    def make(**fields):
        body = fields.pop("body", "On our way")
        activity = ActivityFactory(
            contact=contact, conversation=conversation, activity_type="message", direction="outgoing", body=body
        )
        return MessageFactory(
            **{"kind": "reply", "status": "queued", "run_at": now()} | fields,
            contact=contact, phone_line=line, direction="outgoing", activity=activity, body=body,
        )  # fmt: skip

    return make


def page_of(row):
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def panel(html):
    """Return the text of the panel at the top of the page."""
    found = re.search(r'class="state-panel">(.*?)</div>', html, re.DOTALL).group(1)
    return " ".join(re.sub(r"<[^>]+>", " ", found).split())


def show(client, row):
    return client.get(page_of(row)).content.decode()


def join(client, group):
    user = UserFactory(company=None, role="", is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client.force_login(user)


@pytest.mark.parametrize(
    ("fields", "line_shown"),
    [
        ({}, "Waits It leaves with its line&#x27;s next batch"),
        ({"run_at": "later", "error": "Quiet hours."}, "Waits It leaves at 2100-01-01 05:00 MST. Quiet hours."),
        ({"status": "held", "run_at": None, "error": "It is overdue."}, "Held A person must decide. It is overdue."),
        ({"status": "failed", "error": "A landline."}, "Not sent It didn&#x27;t leave. A landline."),
        ({"status": "undelivered"}, "Not delivered It left, and the carrier didn&#x27;t deliver it."),
        ({"status": "unknown"}, "May have left The provider gave no answer"),
        ({"status": "delivered"}, "Delivered There is nothing to do."),
    ],
)  # fmt: skip
def test_message_says_in_one_line_why_it_has_not_left(client, text, fields, line_shown):
    if fields.get("run_at") == "later":
        fields = fields | {"run_at": now().replace(year=2100, month=1, day=1, hour=12, minute=0)}
    assert panel(show(client, text(**fields))).startswith(line_shown)


def test_message_on_a_paused_line_says_so(client, text, line):
    line.paused_until, line.pause_reason = now() + timedelta(hours=1), "The key is wrong."
    line.save()
    assert "Its phone line is paused: The key is wrong." in panel(show(client, text()))


@pytest.mark.parametrize(("button", "status"), [("_release", "queued"), ("_cancel", "failed")])
def test_held_message_is_decided_on_its_page(client, acme, text, button, status):
    held = text(status="held", run_at=None)
    for group, allowed in (("Read-only", False), ("Support", True)):
        join(client, group)
        assert (f'name="{button}"' in show(client, held)) == allowed
        assert client.post(page_of(held), {button: "1"}).status_code == (302 if allowed else 403)
    with all_tenants():
        assert Message.objects.get().status == status
        entry = AuditEntry.objects.get(table_name="message_threads")
    assert (entry.company, entry.row_id, entry.changes) == (acme, held.pk, {"status": ["held", status]})
    again = client.post(page_of(held), {button: "1"}, follow=True).content.decode()
    assert "isn&#x27;t held any more" in again


def test_failed_answer_is_tried_again_in_its_conversation(client, text):
    failed = text(status="failed", run_at=None, body="See <you> at nine")
    html = show(client, failed)
    url = re.search(r'href="([^"]*\?again=\d+)"', html).group(1)
    assert "See &lt;you&gt; at nine</textarea>" in client.get(url).content.decode()
    for other in (text(status="failed", run_at=None, kind="campaign"), text(status="sent", run_at=None)):
        assert "?again=" not in show(client, other)
    stranger = MessageFactory(direction="outgoing", status="failed", body="Not yours")
    assert "Not yours" not in client.get(url.split("?")[0], {"again": stranger.pk}).content.decode()


def test_message_opens_its_conversation_at_its_place(client, text):
    earlier = text(status="delivered", run_at=None, body="The earlier one")
    for number in range(45):
        text(status="delivered", run_at=None, body=f"Later {number}")
    url = re.search(r'href="([^"]*\?at=\d+)"', show(client, earlier)).group(1)
    html = client.get(url).content.decode()
    assert re.findall(r'class="bubble-text">(.*?)</p>', html) == ["The earlier one"]
    assert "Latest messages" in html


def test_dead_event_is_processed_again_on_its_page(client, acme):
    event = WebhookEventFactory(company=acme, status="dead", error="The body isn't JSON.")
    assert panel(show(client, event)).startswith("Dead The body isn&#x27;t JSON. Mend the cause")
    for group, allowed in (("Read-only", False), ("Set-up", True)):
        join(client, group)
        assert ("_process_again" in show(client, event)) == allowed
        assert client.post(page_of(event), {"_process_again": "1"}).status_code == (302 if allowed else 403)
    with all_tenants():
        assert WebhookEvent.objects.get().status == "pending"
        entry = AuditEntry.objects.get(table_name="webhook_events")
    assert (entry.company, entry.row_id, entry.changes) == (acme, event.pk, {"status": ["dead", "pending"]})
    assert "A worker processes it within seconds" in panel(show(client, event))


def test_event_links_to_what_it_reported(client, acme, globex, line):
    body = json.dumps(payloads.message_v4()).encode()
    event = WebhookEventFactory(company=acme, provider="openphone", body=body)
    twin = WebhookEventFactory(company=globex, provider="openphone", body=body)
    while process_due_events():
        pass
    with all_tenants():
        activity = Message.objects.get(company=acme).activity
    html = show(client, event)
    assert f"?at={activity.pk}" in html
    assert f"?at={activity.pk}" not in show(client, twin)


def test_opt_out_names_the_person_and_shows_the_words_where_they_were_said(client, acme, globex, line):
    contact = ContactFactory(company=acme, phone="+13035550142", first_name="Robin")
    ContactFactory(company=globex, phone=contact.phone, first_name="Somebody")
    conversation = ConversationFactory(contact=contact, phone_line=line)
    words = ActivityFactory(
        contact=contact, conversation=conversation, activity_type="message", direction="incoming", body="Stop <now>"
    )
    MessageFactory(contact=contact, activity=words, body="Stop <now>")
    with tenant(acme.pk):
        record_opt_out(phone=contact.phone, words="Stop <now>", source="sms", occurred_at=now(), activity=words)
        opt_out = OptOut.objects.get()
    html = show(client, opt_out)
    assert "Robin" in panel(html)
    assert "Stop &lt;now&gt;" in panel(html)
    assert f"{page_of(conversation)}?at={words.pk}" in html
    assert "May be texted again" in html
    assert "Robin" in client.get(reverse("admin:crm_optout_changelist")).content.decode()
    form = {"answer": "end", "entries-TOTAL_FORMS": 0, "entries-INITIAL_FORMS": 0}
    refused = client.post(page_of(opt_out), form | {"reason": " "}).content.decode()
    assert "Enter the reason" in refused
    client.post(page_of(opt_out), form | {"reason": "Called us on Monday."})
    with all_tenants():
        assert OptOut.objects.get().state == "clear"


@pytest.mark.parametrize("kind", ["message", "event", "opt_out"])
def test_pages_take_at_most_20_queries(client, acme, text, kind):
    with tenant(acme.pk):
        record_opt_out(phone="+13035550142", words="STOP", source="sms", occurred_at=now())
        opt_out = OptOut.objects.get()
    row = {
        "message": text, "event": lambda: WebhookEventFactory(company=acme, status="dead"), "opt_out": lambda: opt_out
    }[kind]()  # fmt: skip
    join(client, "Support")
    show(client, row)
    with CountQueries() as asked:
        show(client, row)
    assert len(asked) <= 20
