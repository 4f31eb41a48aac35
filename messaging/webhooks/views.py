"""Providers deliver here. A signature of the body says who they are: there is no session, and no CSRF token."""

from dataclasses import asdict

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from crm.models import Company
from messaging.providers.signatures import BadSignature
from messaging.services.intake import take_openphone_delivery


@csrf_exempt
@require_POST
def receive_from_openphone(request: HttpRequest, slug: str) -> JsonResponse:
    """Store a delivery and answer at once: `{"status": "taken" | "duplicate" | "kept", "reason"}`.

    401 for a signature that is missing or wrong, 404 for an unknown company, 413 above 10 MB: nothing is stored.
    """
    company = Company.objects.filter(slug=slug).first()
    if company is None:
        return _refusal(404, "There is no such company.")
    try:
        receipt = take_openphone_delivery(company=company, body=request.body, headers=request.headers)
    except RequestDataTooBig:
        return _refusal(413, "The delivery is larger than 10 MB.")
    except BadSignature as error:
        return _refusal(401, str(error))
    return JsonResponse(asdict(receipt))


def _refusal(status: int, reason: str) -> JsonResponse:
    return JsonResponse({"status": "refused", "reason": reason}, status=status)
