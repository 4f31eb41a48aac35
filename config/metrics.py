"""Prometheus metrics endpoint."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from config import request_metrics
from crm.db.tenancy import all_tenants
from ops.prometheus import REGISTRY

REGISTRY.register(request_metrics)


@csrf_exempt  # not for browsers; without a token, a POST must be a 404, too
def metrics(request: HttpRequest) -> HttpResponse:
    """Return all metrics in Prometheus' text format; 404 without METRICS_TOKEN."""
    if not settings.METRICS_TOKEN:
        raise Http404
    if not constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {settings.METRICS_TOKEN}"):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    with all_tenants():
        body = generate_latest(REGISTRY)
    return HttpResponse(body, content_type=CONTENT_TYPE_PLAIN_0_0_4, headers={"Cache-Control": "no-store"})
