"""Webhook view. A signature authenticates the provider: there is neither a session nor a CSRF token."""

import logging
from dataclasses import asdict

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from crm.choices import Provider
from crm.encryption import SecretUnreadable
from crm.outages import RETRY_AFTER_S
from crm.services.companies import UnknownCompany, find_company
from messaging.providers.errors import BadSignature
from messaging.providers.registry import PROVIDERS
from messaging.providers.signatures import check_header
from messaging.services.inbound.webhook_intake import WebhookResult, accept_webhook

logger = logging.getLogger(__name__)


@csrf_exempt
@require_POST
def receive_webhook(request: HttpRequest, provider: str, slug: str, kind: str = "") -> HttpResponse:  # noqa: ARG001
    """Store a webhook event and answer with a WebhookResult, or in the provider's own format.

    A missing or wrong signature is a 401, an unknown provider or company a 404, and more than 10 MB a 413. A secret
    that can't be decrypted is a 503, so that the provider sends the event again. Nothing is stored in these cases. The
    reader finds the kind of event in the path.
    """
    if provider not in PROVIDERS:
        return _answer(WebhookResult("refused", f"There is no provider {provider!r}."), status=404)
    try:
        company = find_company(slug=slug)
        request.company_id = company.pk  # type: ignore[attr-defined]  # for the request log
        check_header(request.headers, PROVIDERS[provider].signature.HEADERS)  # before the body costs anything
        result = accept_webhook(
            company=company,
            provider=Provider(provider),
            body=request.body,
            headers=request.headers,
            url=settings.PUBLIC_URL + request.get_full_path(),
        )
    except UnknownCompany as error:
        return _answer(WebhookResult("refused", str(error)), status=404)
    except RequestDataTooBig:
        return _answer(WebhookResult("refused", "The request body must not exceed 10 MB."), status=413)
    except BadSignature as error:
        return _answer(WebhookResult("refused", str(error)), status=401)
    except SecretUnreadable as error:
        logger.error("A webhook event of %s for company %d was refused: %s", provider, company.pk, error)
        response = _answer(WebhookResult("refused", "The secret can't be read now. Send the event again."), status=503)
        response["Retry-After"] = str(RETRY_AFTER_S)
        return response
    return _answer(result, xml=PROVIDERS[provider].webhook_reply)


def _answer(result: WebhookResult, *, status: int = 200, xml: str = "") -> HttpResponse:
    response: HttpResponse = JsonResponse(asdict(result), status=status)
    if xml:
        response = HttpResponse(xml, content_type="text/xml")
    response.webhook_result = result  # type: ignore[attr-defined]  # for replay_webhooks
    return response
