"""`changes`: the objects that have changed since a cursor, for clients that poll."""

from typing import Any

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.serializers import WholeNumberField
from crm.api.base.views import TenantView
from crm.api.seen_changes import HIDDEN, changes_seen_by
from crm.changes.cursors import Cursor, Owner, Position, read_cursor, write_cursor
from crm.changes.pages import Page, read_pages
from crm.db.change_feed import DELETED, UPDATED
from crm.db.replicas import record_write
from crm.error_codes import ErrorCode
from crm.models import User

MAX_LIMIT, USUAL_LIMIT = 1000, 500
POLL_AFTER = "Poll-After"


class ChangesParameters(serializers.Serializer):
    after = serializers.CharField(
        required=False, max_length=500, help_text="`next` of the answer before. Without it: a cursor, and no results."
    )
    limit = WholeNumberField(
        min_value=1,
        max_value=MAX_LIMIT,
        default=USUAL_LIMIT,
        help_text="Recorded changes to read. Results may be fewer.",
    )


PARAMETERS = ChangesParameters()  # stateless; a poll would copy its fields each time


class ChangeSerializer(serializers.Serializer):
    resource = serializers.CharField(help_text="As in the URL below /api/v1/.")
    id = serializers.IntegerField(help_text="ID of the object.")
    change = serializers.ChoiceField(
        choices=[UPDATED, DELETED, HIDDEN],
        help_text="updated: read it again; it may be new. hidden: it exists, but you no longer see it.",
    )
    at = serializers.DateTimeField(help_text="Time of the change.")


class ChangesSerializer(serializers.Serializer):
    results = ChangeSerializer(many=True, help_text="Each object once, in its newest state.")
    next = serializers.CharField(help_text="The cursor for the next request.")


class ChangesView(TenantView):
    """The objects that have changed, each once, in its newest state, by id.

    Take a cursor first, then load your lists, then ask for the changes after the cursor every `Poll-After` seconds.
    """

    resource = "changes"
    refusals = {
        "get": (
            ErrorCode.INVALID_CURSOR, ErrorCode.CURSOR_EXPIRED, ErrorCode.MAX_LENGTH, ErrorCode.MIN_VALUE,
            ErrorCode.MAX_VALUE,
        )
    }  # fmt: skip

    def known_parameters(self) -> set[str]:
        return {"after", "limit"}

    @extend_schema(
        operation_id="changes_list",
        parameters=[
            ChangesParameters,
            OpenApiParameter(
                POLL_AFTER, OpenApiTypes.INT, OpenApiParameter.HEADER, response=[200],
                description="Seconds until the next request. 0: there are more changes.",
            ),
        ],
        responses=ChangesSerializer,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        parameters = PARAMETERS.run_validation(request.query_params.dict())
        after, limit = parameters.get("after"), parameters["limit"]
        page = self._read_page(after, limit)
        body, headers = tell_changes(self.user, page, is_first=after is None)
        return Response(body, headers=headers)

    def _read_page(self, after: str | None, limit: int) -> Page:
        if after is None:
            return read_pages({self.company_id: Position()}, limit=0)[self.company_id]
        cursor = read_cursor(after, self.user)
        page = read_pages({self.company_id: cursor.position}, limit=limit)[self.company_id]
        cursor.check_history(page.history)
        return page


def tell_changes(user: User | Owner, page: Page, *, is_first: bool) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the body and the headers of the answer to a poll. The user's company must be the active tenant."""
    if settings.REPLICAS and (page.rows or is_first):
        record_write(user.pk)  # so that no replica shows the user an older state of these
    body = {
        "results": changes_seen_by(user, page.rows) if page.rows else [],  # most polls find nothing
        "next": write_cursor(Cursor(page.end, page.history, page.at), user),
    }
    wait = settings.CHANGES_POLL_AFTER_S if page.is_last else 0
    return body, {POLL_AFTER: str(wait)}
