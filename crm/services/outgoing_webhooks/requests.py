"""Requests of managers: outgoing webhooks, their secrets, and events that are sent again."""

import ipaddress
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

from crm.choices import AuditAction, OutgoingStatus
from crm.db.tenancy import current_company_id
from crm.encryption import SecretUnreadable
from crm.error_codes import ErrorCode
from crm.models import ApiToken, OutgoingEvent, OutgoingWebhook, User
from crm.models.outgoing_webhooks import give_up_at
from crm.public_http import is_allowed
from crm.refusals import Refusal
from crm.services.audited_actions import record_action
from crm.services.bulk_actions import bulk_kind
from crm.services.outgoing_webhooks.events import begin_at_present
from crm.services.outgoing_webhooks.sending import end_pending_events
from crm.services.outgoing_webhooks.signing import generate_secret

MAX_WEBHOOKS = 20  # of a company
BOTH_VALID = timedelta(hours=24)


class InvalidUrl(Refusal):
    """Nothing may be sent to this URL."""

    code, attr = ErrorCode.INVALID, "url"


class TooManyWebhooks(Refusal):
    """The company has as many webhooks as it can have."""

    code = ErrorCode.LIMIT_REACHED


class NotOfThisToken(Refusal):
    """The webhook is a user's or another API token's, and its secret would outlive this token."""

    code = ErrorCode.NOT_YOURS


class EventPending(Refusal):
    """The event is still being sent."""

    code = ErrorCode.ALREADY_PENDING


def check_url(url: str) -> None:
    """Raise InvalidUrl for a URL that nothing may be sent to. A name's address is checked at each attempt."""
    schemes = ["https", "http"] if settings.OUTGOING_WEBHOOK_NETWORKS else ["https"]
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise InvalidUrl("Must be a URL, such as https://example.com/hook.") from None
    if parts.scheme not in schemes or not host or not url.isascii() or any(letter <= " " for letter in url):
        raise InvalidUrl("Must be a URL that begins with https://, such as https://example.com/hook.")
    if parts.username is not None or parts.fragment:
        raise InvalidUrl("Must have no username, password or fragment.")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if "." not in host and not settings.OUTGOING_WEBHOOK_NETWORKS:
            raise InvalidUrl("Must have a public host name, such as example.com.") from None
        return
    if not is_allowed(address, settings.OUTGOING_WEBHOOK_NETWORKS):
        raise InvalidUrl("Must have a public address.")


def create_outgoing_webhook(
    *, name: str, url: str, resources: Sequence[str], user: User, is_active: bool = True
) -> OutgoingWebhook:
    """Return a new webhook of the active company, with its secret. It gets the changes from now on.

    One that an API token creates belongs to the token, and ends with it.
    """
    check_url(url)
    if OutgoingWebhook.objects.count() >= MAX_WEBHOOKS:
        raise TooManyWebhooks(f"The company has {MAX_WEBHOOKS} outgoing webhooks; delete one first.")
    webhook = OutgoingWebhook(
        company_id=current_company_id(), name=name, url=url, resources=sorted(set(resources)), is_active=is_active,
        secret=generate_secret(), created_by=user, api_token=_token_of(user),
    )  # fmt: skip
    begin_at_present(webhook)
    webhook.save()
    return webhook


def change_outgoing_webhook(*, webhook: OutgoingWebhook, user: User, **values: Any) -> OutgoingWebhook:
    """Change a webhook. One that is switched off gives up its events; on again, it gets the changes from then on.

    The one who says where it sends to or what, or switches it on, answers for it from then on: user or API token.
    """
    if "url" in values:
        check_url(values["url"])
    if "resources" in values:
        values["resources"] = sorted(set(values["resources"]))
    changed = {name for name, value in values.items() if value != getattr(webhook, name)}
    if values.get("is_active") is False:
        end_pending_events(webhook)
    if values.get("is_active") and not webhook.is_active:
        begin_at_present(webhook)
        webhook.disabled_reason, webhook.failing_since, webhook.failures = "", None, 0
        webhook.next_at = timezone.now()
        changed |= {
            "read_xid", "read_id", "history", "read_at", "disabled_reason", "failing_since", "failures", "next_at",
        }  # fmt: skip
    if {"url", "resources"} & changed or (values.get("is_active") and "is_active" in changed):
        webhook.api_token = _token_of(user)
        changed.add("api_token")
    for name, value in values.items():
        setattr(webhook, name, value)
    webhook.save(update_fields=changed)  # a worker may write the other columns meanwhile
    return webhook


def rotate_secret(*, webhook: OutgoingWebhook, user: User) -> str:
    """Return a new secret. For a day, the former one signs as well, if its key is not missing.

    Raises:
        NotOfThisToken: an API token asks for the secret of a webhook that isn't its own.
    """
    token = _token_of(user)
    if token and token.pk != webhook.api_token_id:
        raise NotOfThisToken("An API token gets new secrets of its own webhooks only. Ask a manager.")
    try:
        webhook.old_secret, webhook.old_secret_until = webhook.secret, timezone.now() + BOTH_VALID
    except SecretUnreadable:
        webhook.old_secret, webhook.old_secret_until = None, None
    webhook.secret = generate_secret()
    webhook.save(update_fields=["secret", "old_secret", "old_secret_until"])
    return webhook.secret


def replay_event(*, event: OutgoingEvent, user: User) -> None:
    """Send an event of the active company again, under the same ID, with all attempts, and record who asked for it.

    Raises:
        EventPending: it waits already.
    """
    ended = OutgoingEvent.objects.filter(pk=event.pk).exclude(status=OutgoingStatus.PENDING)
    replayed = ended.update(
        status=OutgoingStatus.PENDING, tries=0, run_at=timezone.now(), give_up_at=give_up_at(), error="",
        answer_status=None, sent_at=None,
    )  # fmt: skip
    if not replayed:
        raise EventPending("The outgoing event is pending already.")
    changes = {"status": (event.status, OutgoingStatus.PENDING.value)}
    record_action(user=user, table="outgoing_events", row_id=event.pk, changes=changes, action=AuditAction.REPLAY)


def replay_events(ids: Sequence[int], user: User) -> int:
    """Send these events of the active company again. Return how many weren't pending."""
    replayed = 0
    for event in OutgoingEvent.objects.filter(pk__in=ids).order_by("pk"):
        with suppress(EventPending):
            replay_event(event=event, user=user)
            replayed += 1
    return replayed


def _token_of(user: User) -> ApiToken | None:
    """Return the API token of the request, if it has one."""
    return getattr(user, "api_token", None)


REPLAY_EVENTS = bulk_kind("replay-events", "Outgoing events sent again", replay_events)
