"""Actions on selected rows of the admin's lists."""

import pytest
from django.utils.timezone import now

from crm.admin.base.confirmed_actions import ConfirmedActions
from crm.models import Mail
from messaging.models import Message
from tests import factories

pytestmark = pytest.mark.django_db
LIST = "/admin/messaging/message/?held=1"


@pytest.fixture
def held(client, staff, in_acme):
    client.force_login(staff)
    contact = factories.ContactFactory(company=in_acme)
    return factories.MessageFactory.create_batch(60, contact=contact, direction="outgoing", status="held")


def select_all(client, **values):
    first = Message.objects.latest("pk").pk
    return client.post(LIST, {"action": "cancel", "select_across": "1", "_selected_action": first, **values})


def confirm(client, page):
    return select_all(client, confirmed=page.context["confirmed"])


def is_held():
    return Message.objects.filter(status="held").count()


def test_all_that_match_are_counted_and_shown_before_anything_changes(client, held):
    assert "Select all 60 messages" in client.get(LIST).content.decode()
    page = select_all(client)
    text = page.content.decode()
    assert "<strong>60 messages</strong>. Nothing has changed yet." in text
    assert "… and 50 more" in text
    assert is_held() == 60
    confirm(client, page)
    assert is_held() == 0


def test_rows_that_begin_to_match_after_the_count_stay_as_they_are(client, held):
    page = select_all(client)
    factories.MessageFactory(contact=held[0].contact, direction="outgoing", status="held")
    confirm(client, page)
    assert is_held() == 1


def test_selected_rows_are_asked_about_too(client, held):
    page = client.post(LIST, {"action": "cancel", "_selected_action": [held[0].pk], "index": "0"})
    assert "<strong>1 message</strong>" in page.content.decode()
    assert is_held() == 60


def test_more_rows_than_an_action_takes_are_refused(client, staff, monkeypatch):
    monkeypatch.setattr(ConfirmedActions, "max_acted", 2)
    client.force_login(staff)
    mails = factories.MailFactory.create_batch(3, state="failed", ended_at=now())
    page = "/admin/crm/mail/?state__exact=failed"
    assert "More than 2 match: filter the list" in client.get(page).content.decode()
    client.post(page, {"action": "send_again", "select_across": "1", "_selected_action": mails[0].pk})
    assert [str(message) for message in client.get(page).context["messages"]] == [
        "More than 2 mails match, and an action takes at most so many. Filter the list further."
    ]
    assert Mail.objects.filter(state="failed").count() == 3


def test_rows_outside_of_the_list_are_not_confirmed(client, held):
    sent = factories.MessageFactory(contact=held[0].contact, direction="outgoing", status="sent")
    answer = select_all(client, confirmed=f"{sent.pk},x,{'9' * 30}")
    assert answer.status_code == 302
    assert Message.objects.get(pk=sent.pk).status == "sent"
