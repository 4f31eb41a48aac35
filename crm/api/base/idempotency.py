"""Idempotency keys of POST requests."""

import json
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.errors import Conflict
from crm.api.base.renderers import FastJSONRenderer
from crm.services.idempotency import KeyInProgress, KeyReused, StoredResponse, run_idempotently

HEADER = "Idempotency-Key"
PARAMETER = OpenApiParameter(
    HEADER,
    {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[!-~]+$"},
    OpenApiParameter.HEADER,
    description="Chosen by the client, new for each operation. Within a day, a repeat of the key with the same body "
    "returns the stored response, marked `Idempotency-Replayed: true`, without repeating the operation. With another "
    "body it is a 422; while the first request is in progress, a 409. A rejected request may be sent again.",
)


class Unprocessable(APIException):
    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "unprocessable"


def idempotent(handler: Callable[..., Response]) -> Callable[..., Response]:
    """Let a view's method accept an `Idempotency-Key`."""

    @extend_schema(parameters=[PARAMETER])
    @wraps(handler)
    def wrapper(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get(HEADER)
        if key is None:
            return handler(view, request, *args, **kwargs)
        if not re.fullmatch("[!-~]{1,100}", key):
            raise ValidationError({HEADER: ["Must be 1 to 100 visible ASCII characters, without spaces."]})

        def operation() -> StoredResponse:
            response = handler(view, request, *args, **kwargs)
            return StoredResponse(response.status_code, FastJSONRenderer().render(response.data).decode())

        try:
            stored = run_idempotently(
                user=view.user,
                key=key,
                request=f"{request.method} {request.path}",
                body=json.dumps(request.data, sort_keys=True).encode(),
                operation=operation,
            )
        except KeyInProgress as error:
            raise Conflict(str(error)) from error
        except KeyReused as error:
            raise Unprocessable(str(error)) from error
        return Response(
            json.loads(stored.text),
            stored.status,
            headers={"Idempotency-Replayed": "true"} if stored.replayed else None,
        )

    return wrapper
