"""The outbox of mails."""

from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.utils.timezone import now

from crm.models import Mail
from crm.services.expiry_cleanup import remove_expired
from crm.services.mails import _claim, has_queued_mails, is_mail_due, send_next_mail
from tests.factories import MailFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def broken_server(monkeypatch):
    """A mail server that refuses each mail."""

    def refuse(backend, messages):
        raise ConnectionRefusedError("Connection refused")

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)


def test_mail_is_sent_once(settings):
    settings.PUBLIC_URL = "https://crm.example.com"
    row = MailFactory()
    assert send_next_mail()
    assert not send_next_mail()
    [sent] = mail.outbox
    assert sent.to == ["nina@example.com"]
    assert "https://crm.example.com/set-password/" in sent.body
    row.refresh_from_db()
    assert row.state == "sent"


def test_outbox_holds_no_link():
    row = MailFactory()
    send_next_mail()
    [token] = [word for word in mail.outbox[0].body.split() if "/set-password/" in word]
    row.refresh_from_db()
    assert token.rpartition("/")[2] not in str(vars(row))


def test_failed_mail_is_tried_again_and_then_visible(broken_server, settings, caplog):
    settings.WORKER_MAX_TRIES = 3
    row = MailFactory()
    for attempt in range(1, 4):
        assert send_next_mail()
        row.refresh_from_db()
        assert row.attempts == attempt
        assert (row.state, is_mail_due()) == ("failed" if attempt == 3 else "queued", False)
        Mail.objects.update(run_at=now())
    assert row.error == "ConnectionRefusedError: Connection refused"
    assert not has_queued_mails()
    assert "nina@example.com" not in caplog.text


def test_failed_mail_is_sent_after_the_outage(broken_server, monkeypatch):
    row = MailFactory()
    send_next_mail()
    monkeypatch.undo()
    Mail.objects.update(run_at=now())
    send_next_mail()
    row.refresh_from_db()
    assert (row.state, len(mail.outbox)) == ("sent", 1)


def test_mail_of_a_killed_worker_is_sent_after_its_lease():
    row = MailFactory()
    assert _claim() == row
    assert not send_next_mail()
    Mail.objects.update(run_at=now() - timedelta(seconds=1))
    assert send_next_mail()
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("sent", 0)


def test_mail_to_a_user_who_was_deactivated_is_skipped():
    row = MailFactory(user__is_active=False)
    send_next_mail()
    row.refresh_from_db()
    assert (row.state, mail.outbox) == ("skipped", [])


def test_old_mails_are_removed():
    MailFactory(created_at=now() - timedelta(days=31))
    kept = MailFactory()
    remove_expired()
    assert list(Mail.objects.all()) == [kept]


def test_staff_send_failed_mails_again(client, staff):
    failed, sent = MailFactory(state="failed", attempts=8), MailFactory(state="sent")
    client.force_login(staff)
    body = {"action": "send_again", "_selected_action": [failed.pk, sent.pk], "confirmed": f"{failed.pk},{sent.pk}"}
    html = client.post("/admin/crm/mail/", body, follow=True).content.decode()
    assert "is queued again" in html
    assert "hasn&#x27;t failed" in html
    failed.refresh_from_db()
    assert (failed.state, failed.attempts) == ("queued", 0)


def test_mail_to_an_address_of_several_users_that_fails_for_one_is_not_sent_to_the_others_again(monkeypatch):
    users = [UserFactory(email="shared@example.com") for _ in range(3)]
    MailFactory(kind="password_reset", user=None, address="Shared@example.com")
    refused = f"the user {users[1].username} of"
    send = EmailBackend.send_messages

    def refuse_one(backend, messages):
        if any(refused in message.body for message in messages):
            raise ConnectionRefusedError("Connection refused")
        return send(backend, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", refuse_one)
    for _ in range(3):
        while send_next_mail():
            pass
        Mail.objects.filter(state="queued").update(run_at=now())
    greeted = [user for user in users for sent in mail.outbox if f"the user {user.username} of" in sent.body]
    assert greeted == [users[0], users[2]]
    assert sorted(Mail.objects.values_list("state", "user")) == [
        ("queued", users[1].pk), ("sent", users[0].pk), ("sent", users[2].pk),
    ]  # fmt: skip
