"""Deliveries from files, fed through the real door: all middleware and the view, signed as the provider signs."""

import hashlib
import io
import json
import time
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlsplit
from wsgiref.util import setup_testing_defaults

from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse

from crm.choices import Provider
from crm.db.tenancy import tenant
from crm.models import Company
from messaging.models import WebhookSecret
from messaging.providers import openphone
from messaging.providers.bodies import read_json
from messaging.providers.events import Unreadable
from messaging.providers.signatures import sign_current, sign_legacy
from messaging.services.intake import Receipt
from messaging.services.secrets import webhook_path

# By these a delivery of a provider whose door isn't built is told from OpenPhone's.
FOREIGN_SHAPES = {"CallRail": "tracking_phone_number", "Twilio": "AccountSid"}


class NoSecret(Exception):
    """The company has no secret to sign with."""


def open_replay(*, company: Company) -> Callable[[bytes], Receipt]:
    """A function that delivers a body to the company as its provider would, and returns what the door answered.

    Besides the door's own answers the receipt says "refused", with the door's reason, or "no door", for providers that
    we take nothing from yet.

    Raises:
        NoSecret: there is none to sign with.
    """
    with tenant(company.pk):
        secret = WebhookSecret.objects.filter(provider=Provider.OPENPHONE).order_by("created_at", "id").last()
    if secret is None:
        raise NoSecret(
            f"{company} has no secret. Make one: manage.py webhook_secret {company.slug} openphone --generate"
        )
    door = BaseHandler()
    door.load_middleware()
    path, host = webhook_path(company), urlsplit(settings.PUBLIC_URL).netloc

    def deliver(body: bytes) -> Receipt:
        content = _content_of(body)
        for provider, field in FOREIGN_SHAPES.items():
            if field in content:
                return Receipt("no door", f"{provider} deliveries are not taken yet.")
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": path,
            "HTTP_HOST": host,
            # As behind a proxy that ends TLS: plain HTTP would be redirected in production.
            "wsgi.url_scheme": "https",
            "wsgi.input": io.BytesIO(body),
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
        }
        for name, value in _sign(secret.secret, body, content).items():
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
        setup_testing_defaults(environ)
        response = cast(HttpResponse, door.get_response(WSGIRequest(environ)))
        try:
            return Receipt(**json.loads(response.content))
        except ValueError:  # refused before our view was reached: for a host that isn't allowed, say
            return Receipt("refused", f"HTTP {response.status_code}")

    return deliver


def _content_of(body: bytes) -> dict[str, Any]:
    try:
        return read_json(body)[0]
    except Unreadable:
        return {}


def _sign(secret: str, body: bytes, content: dict[str, Any]) -> dict[str, str]:
    now = time.time()
    if not openphone.is_current(content):
        return sign_legacy(secret=secret, body=body, timestamp=str(int(now * 1000)))
    # The provider has an id for each delivery; one made of the bytes is the same when the file is replayed again.
    delivery_id = openphone.plain_id(content.get("id")) or f"msg_{hashlib.sha256(body).hexdigest()}"
    return sign_current(secret=secret, body=body, delivery_id=delivery_id, timestamp=str(int(now)))
