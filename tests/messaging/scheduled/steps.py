"""Steps of the tests of scheduled messages."""

from datetime import timedelta

from django.utils import timezone

from messaging.models import Message

HOUR = timedelta(hours=1)


def set_clock(monkeypatch, moment):
    monkeypatch.setattr(timezone, "now", lambda: moment)


def pass_time(message, ago=timedelta(0)):
    """Let the message's time be over."""
    moment = timezone.now() - ago
    Message.objects.filter(pk=message.pk).update(send_at=moment, run_at=moment)


def state_of(message):
    message.refresh_from_db()
    return message.status, message.error_code


def url(message, action=""):
    return f"/api/v1/messages/{message.pk}{action and '/'}{action}"
