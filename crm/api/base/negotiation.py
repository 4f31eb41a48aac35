"""Choice of a response's media type."""

from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

ANY = ("*/*", "application/json")


class QuickNegotiation(DefaultContentNegotiation):
    """Nearly all clients accept JSON in one of two words, and nearly all views have nothing else."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        if len(renderers) == 1 and request.META.get("HTTP_ACCEPT", "*/*") in ANY:
            return renderers[0], renderers[0].media_type
        return super().select_renderer(request, renderers, format_suffix)
