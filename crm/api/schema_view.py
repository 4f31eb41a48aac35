"""`api/schema`: the OpenAPI document, which is public."""

from functools import cache
from typing import Any

from django.http import HttpResponse
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request

from crm.api.base.throttles import UserThrottle


@cache
def render_document(media_type: str) -> str | bytes:
    """Return the document as one of the view's media types.

    It takes a second to make, and is the same until the next release.
    """
    document = SchemaView.generator_class(api_version=SchemaView.api_version).get_schema(public=True)
    [renderer] = [each() for each in SchemaView.renderer_classes if each.media_type == media_type]
    return renderer.render(document, media_type, {})


class SchemaView(SpectacularAPIView):
    """The document, made once per process."""

    authentication_classes = []
    throttle_classes = [UserThrottle]  # per address

    def _get_schema_response(self, request: Request) -> Any:
        renderer = request.accepted_renderer
        return HttpResponse(
            render_document(renderer.media_type),
            content_type=f"{renderer.media_type}; charset=utf-8",
            headers={
                "Content-Disposition": f'inline; filename="schema.{renderer.format}"',
                "Cache-Control": "public, max-age=300",
                "Vary": "Accept",
            },
        )
