"""Providers deliver here. A signature says who they are: there is no session, and no CSRF token."""

from dataclasses import asdict

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from crm.choices import Provider
from crm.models import Company
from messaging.providers.signatures import BadSignature
from messaging.providers.webhook_adapters import ADAPTERS
from messaging.services.inbound.webhook_intake import WebhookResult, accept_webhook


@csrf_exempt
@require_POST
def receive_delivery(request: HttpRequest, provider: str, slug: str) -> HttpResponse:
    """Store a delivery and answer at once: `{"status": "taken" | "duplicate" | "kept", "reason"}`; Twilio gets TwiML.

    401 for a signature that is missing or wrong, 404 for an unknown provider or company, 413 above 10 MB: nothing is
    stored.
    """
    if provider not in ADAPTERS:
        return _answer(WebhookResult("refused", "There is no such provider."), status=404)
    company = Company.objects.filter(slug=slug).first()
    if company is None:
        return _answer(WebhookResult("refused", "There is no such company."), status=404)
    try:
        receipt = accept_webhook(
            company=company,
            provider=Provider(provider),
            body=request.body,
            headers=request.headers,
            url=settings.PUBLIC_URL + request.get_full_path(),
        )
    except RequestDataTooBig:
        return _answer(WebhookResult("refused", "The delivery is larger than 10 MB."), status=413)
    except BadSignature as error:
        return _answer(WebhookResult("refused", str(error)), status=401)
    return _answer(receipt, speaks_twiml=provider == Provider.TWILIO)


def _answer(receipt: WebhookResult, *, status: int = 200, speaks_twiml: bool = False) -> HttpResponse:
    response: HttpResponse = JsonResponse(asdict(receipt), status=status)
    if speaks_twiml:  # what it is told to do now: nothing
        response = HttpResponse("<Response/>", content_type="text/xml")
    response.receipt = receipt  # type: ignore[attr-defined]  # for who delivers from within
    return response
