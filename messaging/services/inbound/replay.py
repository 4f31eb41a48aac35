"""Deliveries from files, fed through the real door: all middleware and the view, signed as the provider signs."""

import io
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit
from wsgiref.util import setup_testing_defaults

from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.core.handlers.wsgi import WSGIRequest

from crm.choices import Provider
from crm.db.tenancy import tenant
from crm.models import Company
from messaging.models import WebhookSecret
from messaging.providers.events import Unreadable
from messaging.providers.payloads import read_json
from messaging.providers.webhook_adapters import ADAPTERS
from messaging.services.inbound.webhook_intake import WebhookResult
from messaging.services.webhook_secrets import webhook_path

# A delivery with one of these fields is this provider's; any other is OpenPhone's.
SHAPES = {
    Provider.TWILIO: {"AccountSid", "MessageSid"},
    Provider.CALLRAIL: {"tracking_phone_number", "trackingnum", "source_number"},
}


def open_replay(*, company: Company) -> Callable[[bytes], WebhookResult]:
    """A function that delivers a body to the company as its provider would, and returns what the door answered.

    Besides the door's own answers the receipt says "refused", with the door's reason, or "no secret", and how to
    set one, where there is none to sign with. A form is given as JSON, an object of its fields.
    """
    with tenant(company.pk):
        rows = WebhookSecret.objects.order_by("created_at", "id")
        newest = {row.provider: row.secret for row in rows}
    door = BaseHandler()
    door.load_middleware()
    host = urlsplit(settings.PUBLIC_URL).netloc

    def deliver(body: bytes) -> WebhookResult:
        content = _content_of(body)
        provider = next((name for name, names in SHAPES.items() if names & content.keys()), Provider.OPENPHONE)
        if provider not in newest:
            return WebhookResult(
                "no secret",
                f"{provider.label} signs with {ADAPTERS[provider].SECRET}, which is not set:"
                f" manage.py webhook_secret {company.slug} {provider}",
            )
        if provider == Provider.TWILIO:
            body = urlencode({name: value for name, value in content.items() if value is not None}).encode()
        path = webhook_path(company, provider)
        signed = ADAPTERS[provider].sign(
            secret=newest[provider], body=body, url=settings.PUBLIC_URL + path, now=time.time()
        )
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": path,
            "HTTP_HOST": host,
            # As behind a proxy that ends TLS: plain HTTP would be redirected in production.
            "wsgi.url_scheme": "https",
            "wsgi.input": io.BytesIO(body),
            "CONTENT_TYPE": signed.pop("content-type"),
            "CONTENT_LENGTH": str(len(body)),
        }
        environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in signed.items()}
        setup_testing_defaults(environ)
        response = door.get_response(WSGIRequest(environ))
        # Without a receipt it was refused before our view was reached: for a host that isn't allowed, say.
        return getattr(response, "receipt", WebhookResult("refused", f"HTTP {response.status_code}"))

    return deliver


def _content_of(body: bytes) -> dict[str, Any]:
    try:
        return read_json(body)[0]
    except Unreadable:
        return {}
