"""Self-test of a connection to a provider: nothing is asked of the provider, and nothing is kept."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from django.db import transaction

from crm.choices import Provider
from crm.encryption import SecretUnreadable
from crm.models import Company, PhoneLine
from messaging.models import ProviderAccount
from messaging.providers.errors import BadSignature
from messaging.providers.registry import PROVIDERS
from messaging.services.inbound.webhook_intake import accept_webhook
from messaging.services.webhook_secrets import read_webhook_secrets, webhook_url


class CheckName(StrEnum):
    WEBHOOK_URL = "webhook_url"
    SIGNATURE = "webhook_secret"
    WEBHOOK_EVENT = "webhook_event"
    PROVIDER_ACCOUNT = "provider_account"
    PHONE_LINE = "phone_line"


@dataclass(frozen=True)
class ConnectionCheck:
    """One part of a connection. The fault is "" if it works."""

    name: CheckName
    fault: str

    @property
    def is_ok(self) -> bool:
        return not self.fault


def run_connection_test(*, company: Company, provider: Provider) -> list[ConnectionCheck]:
    """Return what works of the active company's connection, and what doesn't."""
    secrets, unreadable = read_webhook_secrets(provider=provider)
    return [
        ConnectionCheck(CheckName.WEBHOOK_URL, _fault_of_url(webhook_url(company, provider))),
        ConnectionCheck(CheckName.SIGNATURE, _fault_of_secrets(provider, secrets, unreadable)),
        ConnectionCheck(CheckName.WEBHOOK_EVENT, " ".join(_faults_of_events(company, provider, secrets))),
        ConnectionCheck(CheckName.PROVIDER_ACCOUNT, _fault_of_account(provider)),
        ConnectionCheck(CheckName.PHONE_LINE, _fault_of_lines(provider)),
    ]


def _fault_of_url(url: str) -> str:
    return "" if urlsplit(url).scheme == "https" else "Providers send to https only; set PUBLIC_URL."


def _fault_of_secrets(provider: Provider, secrets: list[str], unreadable: int) -> str:
    if unreadable:
        return f"{unreadable} can't be decrypted. Remove them, and send them again."
    return "" if secrets else f"Missing: {PROVIDERS[provider].signature.SECRET_NAME}. All webhook events are refused."


def _faults_of_events(company: Company, provider: Provider, secrets: list[str]) -> Iterator[str]:
    """Yield the faults of an event that each secret signs: as if the provider sent it, up to the row, then undone."""
    if not secrets:
        yield "There is no secret to sign a test event with."
    url = webhook_url(company, provider)
    for secret in secrets:
        body = _make_body(provider)
        headers = PROVIDERS[provider].signature.sign(secret=secret, body=body, url=url, now=time.time())
        try:
            with transaction.atomic():
                result = accept_webhook(company=company, provider=provider, body=body, headers=headers, url=url)
                transaction.set_rollback(True)
        except (BadSignature, SecretUnreadable) as error:
            yield str(error)
        else:
            if result.status != "stored":
                yield f"The test event was {result.status}, not stored. {result.reason}".strip()


def _make_body(provider: Provider) -> bytes:
    """Return the body of an event of a type that nothing is recorded of."""
    event_id = f"test-{uuid4()}"
    if PROVIDERS[provider].sends_forms:
        return urlencode({"type": "connection.test", "id": event_id}).encode()
    return json.dumps({"type": "connection.test", "id": event_id, "data": {"object": {}}}).encode()


def _fault_of_account(provider: Provider) -> str:
    try:
        account = ProviderAccount.objects.filter(provider=provider).first()
    except SecretUnreadable:
        return "The key can't be decrypted. Send it again."
    return "" if account else f"Missing: {PROVIDERS[provider].key_name}. No text can leave."


def _fault_of_lines(provider: Provider) -> str:
    lines = list(PhoneLine.objects.filter(provider=provider).order_by("pk"))
    if not lines:
        return "There is no phone line of this provider."
    without = [str(line) for line in lines if not line.number]
    return f"Without a number: {', '.join(without)}." if without else ""
