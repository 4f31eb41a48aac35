"""Replay of recorded webhook events through the middleware and the webhook view, with valid signatures."""

import io
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit
from wsgiref.util import setup_testing_defaults

from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.core.handlers.wsgi import WSGIRequest

from crm.db.tenancy import tenant
from crm.models import Company
from messaging.models import WebhookSecret
from messaging.providers.errors import InvalidPayload
from messaging.providers.payloads import read_json
from messaging.providers.registry import PROVIDERS, provider_of_payload
from messaging.services.inbound.webhook_intake import WebhookResult
from messaging.services.webhook_secrets import webhook_path


def prepare_replay(*, company: Company) -> Callable[[bytes], WebhookResult]:
    """Return a function that sends a body to the company's webhook as its provider would.

    Further statuses of its result are "refused", with the reason, and "no secret", with the command that sets one. A
    form is given as a JSON object of its fields.
    """
    with tenant(company.pk):
        rows = WebhookSecret.objects.order_by("created_at", "id")
        newest = {row.provider: row.secret for row in rows}
    handler = BaseHandler()
    handler.load_middleware()
    host = urlsplit(settings.PUBLIC_URL).netloc

    def replay(body: bytes) -> WebhookResult:
        content = _parse(body)
        provider = provider_of_payload(content)
        spec = PROVIDERS[provider]
        if provider not in newest:
            return WebhookResult(
                "no secret",
                f"{provider.label} signs with {spec.signature.SECRET_NAME}; set it with"
                f" manage.py webhook_secret {company.slug} {provider}",
            )
        if spec.sends_forms:
            body = urlencode({name: value for name, value in content.items() if value is not None}).encode()
        path = webhook_path(company, provider)
        signed = spec.signature.sign(
            secret=newest[provider], body=body, url=settings.PUBLIC_URL + path, now=time.time()
        )
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": path,
            "HTTP_HOST": host,
            # As behind a TLS proxy: plain HTTP would be redirected in production.
            "wsgi.url_scheme": "https",
            "wsgi.input": io.BytesIO(body),
            "CONTENT_TYPE": signed.pop("content-type"),
            "CONTENT_LENGTH": str(len(body)),
        }
        environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in signed.items()}
        setup_testing_defaults(environ)
        response = handler.get_response(WSGIRequest(environ))
        # Without a result, middleware refused the request, for example because of a host that isn't allowed.
        return getattr(response, "webhook_result", WebhookResult("refused", f"HTTP {response.status_code}"))

    return replay


def _parse(body: bytes) -> dict[str, Any]:
    try:
        return read_json(body)[0]
    except InvalidPayload:
        return {}
